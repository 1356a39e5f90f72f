"""Each probe over trees of a Pi 4, a Pi 5 and a PC, whole and with one thing wrong."""

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from corrosion_edge.device import firmware
from corrosion_edge.device.doctor import board, cameras, network, python, storage
from corrosion_edge.device.doctor.examine import PROBES, examine
from corrosion_edge.device.doctor.finding import Finding
from corrosion_edge.device.doctor.host import Login
from corrosion_edge.device.trial import CrashError

MACHINES = ("pi4", "pi5", "pc")


def one(findings):
    (found,) = findings
    return found


def states(host):
    return {found.topic: found.state for found in examine(host)}


@pytest.mark.parametrize("name", MACHINES)
def test_every_probe_says_something_of_every_machine(machine, name):
    findings = examine(machine(name))
    assert {found.topic for found in findings} == set(PROBES)
    assert not [found for found in findings if found.state == "problem"]


def test_nothing_crashes_on_an_empty_machine(machine):
    host = machine("pc")
    shutil.rmtree(host.root)
    assert set(states(host)) == set(PROBES)
    assert states(host)["memory"] == "unknown"


def test_a_probe_that_raises_is_unknown_with_its_reason(machine):
    def broken(host):
        yield Finding("thing", "ok", "half")
        raise OSError("the bus is gone")

    found = examine(machine("pc"), {"thing": broken, "board": board.board})
    assert found[0] == Finding("thing", "unknown", "cannot be told (the bus is gone)",
                               "Ask again, with a larger --patience.")  # fmt: skip
    assert found[1].state == "ok"


def test_a_pi_4(machine):
    said = {found.topic: found for found in examine(machine("pi4"))}
    assert said["board"].found == (
        "Raspberry Pi 4 Model B Rev 1.4; Debian GNU/Linux 12 (bookworm), 6.12.47+rpt-rpi-v8"
    )
    assert said["temperature"].found == "48.7 °C"
    assert said["throttling"].found == "none since boot (0x0)"
    assert said["cpu"].found == "ondemand, 1500 MHz of 600 to 1500"
    assert said["memory"].found == "3233 of 3793 MiB available"
    assert said["network"].found == "mast-3 (mast-3.local with avahi): 192.168.1.44"
    assert said["cameras"].found == "/dev/video0 HD Pro Webcam C920"
    assert said["wear"].state == "unknown"
    assert "SD SC32G does not tell its wear" in said["wear"].found
    assert said["clock"].found.endswith("synchronised; no battery-backed clock")


def test_a_pi_5(machine):
    host = machine("pi5")
    said = {found.topic: found for found in examine(host)}
    assert said["power"].found == "the supply promises 5000 mA"
    assert said["throttling"].state == "warning"
    assert said["throttling"].found == "under-voltage since boot, throttled since boot (0x50000)"
    assert said["swap"].state == "ok"  # compressed memory wears nothing
    assert said["wear"].state == "warning"
    assert "up to 80 % of its life used, reserve: normal" in said["wear"].found
    assert "clock chip rpi-rtc, if its battery is there" in said["clock"].found
    assert "192.168.1.44, 2001:db8::5" in said["network"].found


@pytest.mark.parametrize(
    ("flags", "state", "words"),
    [("throttled=0x0", "ok", "none"), ("throttled=0x1", "problem", "under-voltage now"),
     ("throttled=0x2", "problem", "frequency capped now"),
     ("throttled=0x8", "problem", "soft temperature limit now"),
     ("throttled=0x20000", "warning", "frequency capped since boot"),
     ("throttled=0x80000", "warning", "soft temperature limit since boot"),
     ("throttled=0x50005", "problem", "under-voltage now, throttled now, under-voltage since")],
)  # fmt: skip
def test_every_flag_of_the_firmware(machine, flags, state, words):
    found = one(board.throttling(machine("pi4", throttled=lambda: flags)))
    assert found.state == state
    assert words in found.found
    assert ("supply" in found.advice) == ("under-voltage" in words)


def test_all_flags_have_words():
    assert len(firmware.throttle_reasons(0xF000F)) == 8


@pytest.mark.parametrize(
    ("millidegrees", "state"),
    [("-5000", "ok"), ("69999", "ok"), ("70000", "warning"), ("80000", "problem"),
     ("junk", "unknown")],
)  # fmt: skip
def test_temperature(machine, millidegrees, state):
    host = machine("pi4", {"sys/class/thermal/thermal_zone0/temp": millidegrees})
    assert one(board.temperature(host)).state == state


def test_the_hottest_zone_counts(machine):
    host = machine("pi4", {"sys/class/thermal/thermal_zone1/temp": "75000"})
    assert one(board.temperature(host)).found.startswith("75.0 °C")


def test_power(machine):
    weak = {"proc/device-tree/chosen/power/max_current": "\0\0\x0b\xb8"}
    found = one(board.power(machine("pi5", weak)))
    assert (found.state, "3000 mA" in found.found) == ("warning", True)
    alarm = {"sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"}
    assert one(board.power(machine("pi4", alarm))).state == "problem"


def test_powersave_is_told(machine):
    slow = {"sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "powersave\n"}
    assert one(board.governor(machine("pi4", slow))).state == "warning"


@pytest.mark.parametrize(
    ("available", "state"), [(900, "ok"), (200, "warning"), (50, "problem")]
)  # fmt: skip
def test_memory(machine, available, state):
    told = f"MemTotal: 1000000 kB\nMemAvailable: {available * 1024} kB\n"
    assert one(board.memory(machine("pi4", {"proc/meminfo": told}))).state == state


def test_swapping_to_a_card_is_told(machine):
    used = "Filename Type Size Used Priority\n/var/swap file 524284 204800 -2\n"
    assert one(board.swap(machine("pi4", {"proc/swaps": used}))).state == "warning"


@pytest.mark.parametrize(
    ("free", "state"), [(20e9, "ok"), (0.9e9, "warning"), (0.1e9, "problem")]
)  # fmt: skip
def test_disk(machine, free, state):
    host = machine("pi4", disk=lambda folder: (int(32e9), int(free)))
    assert one(storage.disk(host)).state == state


def test_a_card_that_turned_read_only(machine):
    host = machine("pi4", {"proc/mounts": "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n"})
    assert "read-only" in one(storage.disk(host)).found


@pytest.mark.parametrize(
    ("life", "state"),
    [("0x01 0x01", "ok"), ("0x02 0x08", "warning"), ("0x0b 0x01", "problem"),
     ("0x00 0x00", "unknown")],
)  # fmt: skip
def test_wear(machine, life, state):
    host = machine("pi5", {"sys/block/mmcblk0/device/life_time": life,
                           "sys/block/mmcblk0boot0/device/life_time": "0x0b 0x0b"})  # fmt: skip
    assert one(storage.wear(host)).state == state


@pytest.mark.parametrize(
    ("synchronised", "now", "state"),
    [(True, 1_795_000_000, "ok"), (False, 1_795_000_000, "warning"),
     (None, 1_795_000_000, "unknown"), (True, 60, "problem"), (False, 1_700_000_000, "problem")],
)  # fmt: skip
def test_the_clock(machine, synchronised, now, state):
    host = machine("pi4", synchronised=lambda: synchronised, now=lambda: now)
    found = one(network.time_of_day(host))
    assert found.state == state
    if state in ("warning", "problem"):
        assert "set-ntp" in found.advice


def test_no_network_is_a_warning(machine):
    host = machine("pi4", {"proc/net/fib_trie": ""})
    assert one(network.network(host)).state == "warning"


def test_groups(machine):
    assert one(cameras.groups(machine("pi4"))).state == "ok"
    stranger = one(cameras.groups(machine("pi4", login=Login("bob", 1001, frozenset({"bob"})))))
    assert stranger.advice.startswith("Run 'sudo usermod -aG video,gpio,plugdev bob'")
    fresh = one(cameras.groups(machine("pi4", login=Login("ann", 1000, frozenset({"ann"})))))
    assert fresh.advice.startswith("Log in again")
    assert one(cameras.groups(machine("pi4", login=Login("root", 0, frozenset())))).state == "ok"


def test_a_camera_that_may_not_be_opened(machine):
    found = one(cameras.video(machine("pi4", may_open=lambda path: path.name != "video0")))
    assert found.state == "problem"
    assert "/dev/video0: permission denied" in found.found
    assert "usermod" in found.advice


def test_a_held_camera_names_the_program(machine):
    host = machine("pi4", {"proc/321/comm": "motion\n"})
    folder = host.path("proc/321/fd")
    folder.mkdir()
    (folder / "7").symlink_to(host.path("dev/video0"))
    (folder / "8").symlink_to(host.path("dev/media0"))
    usb, own = cameras.video(host)
    assert usb.found == "/dev/video0 HD Pro Webcam C920, held by motion (process 321)"
    assert own.found == "the Raspberry Pi cameras: perhaps held by motion (process 321)"


def test_a_raspberry_pi_camera_is_held_by_who_locked_its_media_device(machine):
    host = machine("pi4", {"proc/321/comm": "wireplumber\n", "proc/400/comm": "rpicam-vid\n"})
    media = host.path("dev/media0")
    folder = host.path("proc/321/fd")
    folder.mkdir()
    (folder / "8").symlink_to(media)
    facts = media.stat()
    device = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}"
    host.path("proc/locks").write_text(
        f"1: FLOCK  ADVISORY  WRITE 321 {device}:{facts.st_ino} 0 EOF\n"
        f"2: POSIX  ADVISORY  WRITE 400 {device}:{facts.st_ino} 0 EOF\n"
    )
    found = [one.found for one in cameras.video(host) if "Raspberry" in one.found]
    assert found == ["the Raspberry Pi cameras: held by rpicam-vid (process 400)"]


def test_nodes_that_do_not_capture_are_counted(machine):
    found = one(cameras.video(machine("pi4", camera=lambda path: False)))
    assert found.found == "none among 3 video devices"


def elf(kind):
    return (b"\x7fELF" + bytes(14) + struct.pack("<H", kind)).decode("latin-1")


def own_kind():
    return struct.unpack_from("<H", Path("/proc/self/exe").read_bytes()[:20], 18)[0]


def test_a_coral_without_its_library(machine):
    found = one(cameras.edge_tpu(machine("pi4")))
    assert found.state == "warning"
    assert (
        found.found == "Coral USB, not yet initialised, at 5000 Mbit/s (USB 3); no libedgetpu.so.1"
    )


def test_a_coral_on_usb_2(machine):
    library = {"usr/lib/aarch64-linux-gnu/libedgetpu.so.1": elf(own_kind())}
    coral, tpu = cameras.edge_tpu(machine("pi5", library))
    assert coral.state == "warning"
    assert "initialised, at 480 Mbit/s (USB 2)" in coral.found
    library = "/usr/lib/aarch64-linux-gnu/libedgetpu.so.1"
    assert tpu.found == f"{library} works with a runtime 1.0"


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (CrashError("died", "SIGSEGV"), "ended its process with SIGSEGV"),
        ({"error": "libedgetpu found no Edge TPU"}, "found no Edge TPU"),
    ],
)
def test_a_library_that_does_not_work_says_how(machine, ending, told):
    asked = []

    def child(what, *words):
        asked.append((what, *words))
        if isinstance(ending, Exception):
            raise ending
        return ending

    library = {"usr/lib/libedgetpu.so.1": elf(own_kind()), "dev/apex_0": ""}
    _, tpu = cameras.edge_tpu(machine("pc", library, child=child))
    assert tpu.state == "problem"
    assert told in tpu.found
    assert asked == [("delegate", "/usr/lib/libedgetpu.so.1", "")]


def test_a_library_that_takes_long_is_unknown(machine):
    def child(*_):
        raise TimeoutError("no answer within 2.5 s")

    library = {"usr/lib/libedgetpu.so.1": elf(own_kind()), "dev/apex_0": ""}
    coral, tpu = cameras.edge_tpu(machine("pc", library, child=child))
    assert (coral.state, tpu.state) == ("ok", "unknown")
    assert "--patience 30" in tpu.advice


def test_a_coral_in_use_is_not_tried(machine):
    library = {"usr/lib/libedgetpu.so.1": elf(own_kind()), "dev/apex_0": "", "proc/7/comm": "watch"}
    host = machine("pc", library, child=lambda *_: pytest.fail("it was tried"))
    (host.root / "proc/7/fd").mkdir()
    (host.root / "proc/7/fd/5").symlink_to(host.root / "dev/apex_0")
    _, tpu = cameras.edge_tpu(host)
    assert tpu.state == "ok"
    assert "in use by watch (process 7), so not tried" in tpu.found


def test_a_library_for_another_processor(machine):
    other = 40 if own_kind() != 40 else 62
    _, tpu = cameras.edge_tpu(machine("pi4", {"usr/lib/libedgetpu.so.1": elf(other)}))
    assert tpu.state == "problem"
    assert "is for" in tpu.found


def test_a_coral_on_pcie(machine):
    library = {"usr/lib/libedgetpu.so.1": elf(own_kind()), "dev/apex_0": ""}
    assert [found.state for found in cameras.edge_tpu(machine("pc", library))] == ["ok", "ok"]


def test_the_runtimes_answers(machine):
    for answer, state in (
        ({"name": "x", "differences": []}, "ok"),
        ({"name": "x", "differences": ["9 steps away"]}, "warning"),
        ({"error": "no TFLite runtime is installed"}, "problem"),
    ):
        assert one(python.runtime(machine("pi4", child=lambda what, a=answer: a))).state == state


def test_a_runtime_that_hangs_or_dies_is_unknown(machine):
    def late(what):
        raise TimeoutError("no answer within 2.5 s")

    found = examine(machine("pi4", child=late), {"runtime": python.runtime})
    assert found == [Finding("runtime", "unknown", "cannot be told (no answer within 2.5 s)",
                             "Ask again, with a larger --patience.")]  # fmt: skip


def test_a_numpy_that_does_not_load_is_told_by_a_doctor_that_runs(tmp_path):
    broken = tmp_path / "numpy"
    broken.mkdir()
    (broken / "__init__.py").write_text('raise ImportError("libopenblas.so.0: cannot open")\n')
    ran = subprocess.run([sys.executable, "-m", "corrosion_edge", "doctor", "--json"], check=False,
                         capture_output=True, text=True, cwd=tmp_path,
                         env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"})  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    said = {each["topic"]: each for each in json.loads(ran.stdout)["findings"]}
    assert said["numpy"]["state"] == "problem"
    assert said["numpy"]["found"] == "does not load (libopenblas.so.0: cannot open)"
    assert "libopenblas0" in said["numpy"]["advice"]


def test_whatever_is_not_well_has_advice():
    for state in ("warning", "problem", "unknown"):
        with pytest.raises(ValueError, match="expected advice"):
            Finding("thing", state, "found")


def test_a_card_tells_what_is_written_to_it_a_day(machine):
    host = machine("pi4")
    card = host.path("sys/block/mmcblk0")
    sectors = 2 * 86_400 * 10  # 10 240 bytes a second for two days are 885 MB a day
    (card / "stat").write_text(f"  1 0 8 4 90 7 {2 * sectors * 10} 5 0 1 2\n")
    host.path("proc/uptime").write_text("172800.00 300000.00\n")
    (found,) = storage.wear(host)
    assert f"{2 * sectors * 10 * 512 / 2 / 1e6:.0f} MB a day written" in found.found
    host.path("proc/uptime").write_text("600.00 300.00\n")
    assert "a day written" not in next(storage.wear(host)).found


@pytest.fixture
def with_picamera2(monkeypatch):
    def find(name, *rest):
        return object() if name == "picamera2" else None

    monkeypatch.setattr(python.importlib.util, "find_spec", find)


def test_picamera2(machine, with_picamera2):
    found = one(python.picamera2(machine("pi4")))
    assert (found.state, found.found) == ("ok", "picamera2:0 imx708")
    none = one(python.picamera2(machine("pi4", child=lambda what: {"cameras": []})))
    assert "ribbon" in none.advice
    broken = one(python.picamera2(machine("pi4", child=lambda what: {"error": "numpy.dtype size"})))
    assert (broken.state, broken.found) == ("problem", "numpy.dtype size")


def test_picamera2_that_is_hidden_or_absent(machine, monkeypatch):
    monkeypatch.setattr(python.importlib.util, "find_spec", lambda *_: None)
    apt = {"usr/lib/python3/dist-packages/picamera2/__init__.py": ""}
    assert "hidden from this environment" in one(python.picamera2(machine("pi4", apt))).found


def test_picamera2_absent(machine, monkeypatch):
    monkeypatch.setattr(python.importlib.util, "find_spec", lambda *_: None)
    assert "apt install" in one(python.picamera2(machine("pi4"))).advice


def test_a_pc_needs_no_picamera2(machine, monkeypatch):
    monkeypatch.setattr(python.importlib.util, "find_spec", lambda *_: None)
    assert one(python.picamera2(machine("pc"))).state == "ok"


def test_numpy_of_two_generations(machine):
    import numpy

    other = "1.24.2" if int(numpy.__version__.split(".")[0]) > 1 else "2.2.4"
    apt = {f"usr/lib/python3/dist-packages/numpy-{other}.dist-info/METADATA": "",
           "usr/lib/python3/dist-packages/picamera2/__init__.py": ""}  # fmt: skip
    found = one(python.numpy(machine("pi4", apt)))
    assert found.state == "warning"
    assert f"apt's is {other}" in found.found
    assert "pip install 'numpy" in found.advice


def test_where_a_package_comes_from(monkeypatch):
    monkeypatch.setattr(sys, "prefix", "/home/ann/env")
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    site = "lib/python3.11/site-packages/numpy/__init__.py"
    assert python.origin(Path("/usr/lib/python3/dist-packages/numpy/__init__.py")) == "from apt"
    assert "this environment" in python.origin(Path("/home/ann/env") / site)
    assert "this user" in python.origin(Path("/home/ann/.local") / site)
    assert python.origin(Path("/opt") / site).startswith("from /opt/")


def test_an_environment_without_the_systems_packages(machine, monkeypatch, tmp_path):
    (tmp_path / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    found = one(python.python(machine("pi4")))
    assert found.state == "warning"
    assert "--system-site-packages" in found.advice
    (tmp_path / "pyvenv.cfg").write_text("include-system-site-packages = true\n")
    assert one(python.python(machine("pi4"))).state == "ok"


@pytest.mark.parametrize(
    "wrong", [("x", "fine", "y"), ("", "ok", "y"), ("x", "ok", ""), ("x", "problem", "y")]
)
def test_a_finding_validates(wrong):
    with pytest.raises(ValueError, match="expected"):
        Finding(*wrong)


def test_own_login_is_this_processs():
    assert Login.own().number == os.geteuid()
