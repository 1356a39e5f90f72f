"""The reset of an Edge TPU's USB port: on trees of files, with an ioctl that stands in."""

import errno
import os
import time

import pytest

from corrosion_edge.device.accelerator import opening
from corrosion_edge.device.accelerator.opening import Openings
from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.device.accelerator.probe import Outcome
from corrosion_edge.device.accelerator.reviving import Reviving, usb_reset
from corrosion_edge.device.accelerator.usb_reset import RESET, USBDEVFS_RESET, reset_usb
from corrosion_edge.device.trial import CrashError

RUNNING, NEW, OTHER = ("18d1", "9302"), ("1a6e", "089a"), ("046d", "0825")


@pytest.fixture
def plugged(tmp_path):
    """Plug devices of such kinds into a machine below a folder."""

    def plug(*kinds, driver=""):
        for number, (vendor, product) in enumerate(kinds, 3):
            device = tmp_path / "sys/bus/usb/devices" / f"1-{number}"
            interface = device / f"1-{number}:1.0"
            interface.mkdir(parents=True, exist_ok=True)
            for name, text in (("idVendor", vendor), ("idProduct", product), ("busnum", "1"),
                               ("devnum", str(number))):  # fmt: skip
                (device / name).write_text(f"{text}\n")
            if driver:
                (tmp_path / driver).mkdir(exist_ok=True)
                (interface / "driver").symlink_to(tmp_path / driver)
            node = tmp_path / "dev/bus/usb/001" / f"{number:03}"
            node.parent.mkdir(parents=True, exist_ok=True)
            node.touch()
        return tmp_path

    return plug


class Ioctl:
    """Notes on which file it was called for what; may fail."""

    def __init__(self, error=None):
        self.error, self.calls = error, []

    def __call__(self, handle, request):
        path = os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115
        self.calls.append((path, request))
        if self.error:
            raise OSError(self.error, os.strerror(self.error))


def test_the_request_is_the_kernels():
    assert USBDEVFS_RESET == 0x5514


@pytest.mark.parametrize("kind", [RUNNING, NEW])
def test_the_one_on_usb_is_reset(plugged, kind):
    root, ioctl = plugged(OTHER, kind), Ioctl()
    assert reset_usb(root, "", ioctl) == RESET == "the USB device was reset"
    assert ioctl.calls == [(str(root / "dev/bus/usb/001/004"), USBDEVFS_RESET)]


@pytest.mark.parametrize(
    ("kinds", "device", "told"),
    [((OTHER,), "", ""), ((), "", ""), ((RUNNING,), "pci:0", ""),
     ((RUNNING, NEW), "usb:1", "several Edge TPUs are on USB, and none was reset")],
)  # fmt: skip
def test_another_is_left_alone(plugged, kinds, device, told):
    ioctl = Ioctl()
    assert reset_usb(plugged(*kinds), device, ioctl).startswith(told)
    assert ioctl.calls == []


def test_one_that_another_program_uses_is_left_alone(plugged):
    ioctl = Ioctl()
    assert "another program uses" in reset_usb(plugged(RUNNING, driver="usbfs"), "", ioctl)
    assert ioctl.calls == []


def test_on_pcie_there_is_no_such_reset(tmp_path):
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/apex_0").touch()
    assert reset_usb(tmp_path) == "one on PCIe cannot be reset from here"


@pytest.mark.parametrize("error", [errno.EACCES, errno.EPERM])
def test_a_refusal_names_the_way_out(plugged, error):
    told = reset_usb(plugged(RUNNING), "", Ioctl(error))
    assert os.strerror(error) in told
    assert "udev rule" in told and "docs/edgetpu.md" in told


def test_one_that_went_meanwhile_is_told(plugged):
    root = plugged(RUNNING)
    assert "No such device" in reset_usb(root, "", Ioctl(errno.ENODEV))
    (root / "dev/bus/usb/001/003").unlink()
    assert "No such file" in reset_usb(root)


class Step:
    """Something under way that gives its answers one after the other."""

    def __init__(self, *answers):
        self.answers, self.closed = list(answers), False

    def poll(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        self.closed = True


def test_a_try_begins_when_the_reset_is_done_and_tells_of_it():
    reset, probe = Step(None, {"note": RESET}), Step(None, Outcome(True, "works"))
    one = Reviving(reset, lambda: probe)
    assert [one.poll(), one.poll()] == [None, None]
    assert reset.closed
    assert one.poll() == Outcome(True, "works", RESET)
    one.close()
    assert probe.closed


@pytest.mark.parametrize("error", [TimeoutError("no answer within 3 s"), CrashError("it died")])
def test_a_reset_that_hangs_or_dies_stops_no_try(error):
    one = Reviving(Step(error), lambda: Step(Outcome(False, "no device")))
    assert one.poll().note == f"the reset of its USB device did not end ({error})"


def finished(one):
    with one:
        end = time.monotonic() + 60
        while (outcome := one.poll()) is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        return outcome


def test_a_process_of_its_own_does_it(plugged):
    assert finished(usb_reset("", plugged(OTHER))) == {"note": ""}
    # A file in place of the device knows no such request.
    assert "Inappropriate ioctl" in finished(usb_reset("", plugged(NEW)))["note"]


def test_it_comes_before_a_second_try_and_not_before_the_first(
    plugged, library, device, compiled_model, monkeypatch
):
    root = plugged(RUNNING)
    monkeypatch.setattr(opening, "usb_reset", lambda which: usb_reset(which, root))
    openings = Openings(Accelerator(delegate=str(library)), patience=60.0)
    assert finished(openings._begun(compiled_model, False)).note == ""
    outcome = finished(openings._begun(compiled_model, True))
    assert outcome.works
    assert "Inappropriate ioctl" in outcome.note
