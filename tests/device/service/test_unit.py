"""The unit, judged by systemd itself where it is there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from corrosion_edge.device.service.unit import Unit

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.fixture
def written(tmp_path):
    """The unit under a name that no machine has masked; its program is one that is there."""
    path = tmp_path / "corrosion-edge-trial.service"
    path.write_text(Unit(Path("/bin/true"), ["video", "plugdev"]).text)
    return path


@needs_analyze
def test_systemd_has_nothing_to_say_against_it(written):
    done = subprocess.run(["systemd-analyze", "verify", written], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@needs_analyze
def test_a_mistake_in_it_would_be_seen(written):
    written.write_text(written.read_text().replace("WatchdogSec", "WatchdogSecond"))
    done = subprocess.run(["systemd-analyze", "verify", written], capture_output=True, text=True)
    assert "WatchdogSecond" in done.stderr


@needs_analyze
@pytest.mark.parametrize(("limit", "code"), [("30", 0), ("5", 1)])
def test_its_exposure_is_under_3(written, limit, code):
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={limit}", written]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PAGER": ""})
    assert done.returncode == code, done.stdout


def test_nothing_below_run_can_be_written():
    """ProtectSystem=strict leaves /run/lock to everybody."""
    assert "ReadOnlyPaths=-/run" in Unit(Path("/x"), []).text.splitlines()


def test_the_corals_usb_device_may_be_written_and_so_reset():
    lines = Unit(Path("/x"), ["plugdev"]).text.splitlines()
    assert "DeviceAllow=char-usb_device rw" in lines
    assert "SupplementaryGroups=plugdev" in lines
    assert not any(line.startswith("PrivateDevices") for line in lines)
    (calls,) = [line for line in lines if line.startswith("SystemCallFilter=")]
    assert "~" not in calls and "@system-service" in calls  # it has ioctl


def test_only_the_groups_that_are_there():
    assert "SupplementaryGroups=video gpio\n" in Unit(Path("/x"), ["video", "gpio"]).text
    assert "SupplementaryGroups" not in Unit(Path("/x"), []).text


@pytest.mark.parametrize(("version", "grows"), [(0, False), (252, False), (254, True)])
def test_the_back_off_grows_where_systemd_can(version, grows):
    assert ("RestartSteps=8" in Unit(Path("/x"), [], version).text) is grows


def test_what_the_clock_needs_is_allowed():
    """ProtectClock= would hide whether the clock is synchronised, and so unmark wrong times."""
    lines = Unit(Path("/x"), []).text.splitlines()
    assert "SystemCallFilter=@system-service adjtimex clock_adjtime" in lines
    assert not any(line.startswith("ProtectClock=") for line in lines)


@pytest.mark.parametrize("program", ["corrosion-edge", "/a b/c", "/a%b", "/a;b", "/a\nb"])
def test_programs_that_a_unit_cannot_name(program):
    with pytest.raises(ValueError, match="absolute path"):
        Unit(Path(program), [])


def test_too_little_memory():
    with pytest.raises(ValueError, match="128"):
        Unit(Path("/x"), [], memory=64)
