from dataclasses import fields

import pytest

from corrosion_edge.benchmarks.machine import Machine, read_machine
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.state import (
    State,
    busy_seconds,
    fastest_mhz,
    read_state,
    swapped_pages,
    throttle_reasons,
)

PI_4 = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0",
    "proc/cpuinfo": (
        "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\n"
        "CPU implementer\t: 0x41\nCPU part\t: 0xd08\n\n"
        "processor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\n"
        "Revision\t: c03114\nModel\t: Raspberry Pi 4\n"
    ),
    "proc/meminfo": "MemTotal:        3884128 kB\nMemFree:         3000000 kB\n",
    "proc/sys/kernel/osrelease": "6.6.31+rpt-rpi-v8\n",
    "proc/loadavg": "0.52 0.31 0.20 2/91 4771\n",
    "proc/stat": "cpu  100 20 30 9000 500 4 6 40 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\n',
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1500000\n",
    "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_min_freq": "600000\n",
    "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "1500000\n",
    "sys/class/thermal/thermal_zone0/temp": "48686\n",
    "sys/class/thermal/thermal_zone1/temp": "51121\n",
}
SILENT = lambda: UNAVAILABLE  # noqa: E731
NOT_FILES = {"accelerators", "cores", "architecture", "python", "numpy", "pillow", "runtime"}


@pytest.fixture
def board(tmp_path):
    def build(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return build


def test_a_raspberry_pi(board):
    machine = read_machine(board(PI_4))
    assert machine.board == "Raspberry Pi 4 Model B Rev 1.4"
    assert machine.cpu == "Arm Cortex-A72"
    assert machine.memory_bytes == 3884128 * 1024
    assert machine.governor == "ondemand"
    assert machine.frequency_limits_mhz == "600 to 1500"
    assert machine.os == "Debian GNU/Linux 12 (bookworm)"
    assert machine.kernel == "6.6.31+rpt-rpi-v8"
    assert (machine.board_revision, machine.soc) == ("c03114", "brcm,bcm2711")
    assert (machine.int8_extensions, machine.accelerators) == ("asimd", "none")
    assert (machine.power_supply, machine.virtual) == (UNAVAILABLE, "no")


def test_its_state(board):
    state = read_state(board(PI_4), ask=lambda: "throttled=0x50000\n")
    assert state == State(51.121, "0x50000", "1500", "0.52 0.31 0.20")


def test_a_pc(board):
    root = board(
        {
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC\n",
            "sys/class/dmi/id/sys_vendor": "ACME\n",
            "sys/class/dmi/id/product_name": "Anvil 9\n",
        }
    )
    machine = read_machine(root)
    assert (machine.board, machine.cpu) == ("ACME Anvil 9", "AMD EPYC")


def test_a_pi_5_with_a_coral(board):
    root = board(
        {
            "proc/cpuinfo": "Features\t: fp asimd asimddp\n",
            "sys/bus/usb/devices/2-1/idVendor": "18d1\n",
            "sys/bus/usb/devices/2-1/idProduct": "9302\n",
            "sys/bus/usb/devices/2-1/speed": "480\n",
            "sys/class/hwmon/hwmon2/name": "rpi_volt\n",
            "sys/class/hwmon/hwmon2/in0_lcrit_alarm": "1\n",
        }
    )
    power = root / "proc/device-tree/chosen/power/max_current"
    power.parent.mkdir(parents=True)
    power.write_bytes((3000).to_bytes(4, "big"))
    machine = read_machine(root)
    assert machine.int8_extensions == "asimd, asimddp"
    assert machine.accelerators == "Coral USB, initialised, at 480 Mbit/s (USB 2)"
    assert machine.power_supply == "3000 mA"
    assert read_state(root, ask=SILENT).under_voltage == "yes"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/cpuinfo": "flags\t: fpu avx2 hypervisor\n"}, "yes"),
        ({"proc/device-tree/compatible": "linux,dummy-virt\0"}, "yes"),
        ({"sys/class/dmi/id/sys_vendor": "QEMU\n"}, "yes"),
        ({"proc/cpuinfo": "Features\t: asimd\nCPU implementer\t: 0x00\n"}, "yes"),
        ({"sys/class/dmi/id/sys_vendor": "LENOVO\n", "proc/cpuinfo": "flags\t: avx2\n"}, "no"),
        ({"proc/device-tree/compatible": "fsl,imx8mq-phanbell\0fsl,imx8mq\0"}, "no"),
        ({"proc/cpuinfo": "flags\t: avx2\n"}, UNAVAILABLE),
    ],
)
def test_a_virtual_machine_is_told_from_a_board(board, files, expected):
    assert read_machine(board(files)).virtual == expected


def test_nothing_to_read_is_said_and_not_guessed(tmp_path):
    machine, state = read_machine(tmp_path), read_state(tmp_path, ask=SILENT)
    for field in fields(Machine):
        if field.name not in NOT_FILES:
            assert getattr(machine, field.name) == UNAVAILABLE, field.name
    assert {getattr(state, field.name) for field in fields(State)} == {UNAVAILABLE}
    assert busy_seconds(tmp_path) is None
    assert (fastest_mhz(tmp_path), swapped_pages(tmp_path)) == (None, None)


def test_nonsense_is_unavailable(board):
    root = board(
        {
            "proc/meminfo": "MemTotal: lots\n",
            "sys/class/thermal/thermal_zone0/temp": "hot\n",
            "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "<unknown>\n",
            "proc/stat": "cpu  1 2 3\n",
        }
    )
    assert read_machine(root).memory_bytes == UNAVAILABLE
    state = read_state(root, ask=lambda: "VCHI initialization failed")
    assert (state.temperature_c, state.throttled) == (UNAVAILABLE, UNAVAILABLE)
    assert state.frequency_mhz == UNAVAILABLE
    assert busy_seconds(root) is None


def test_unknown_cores_are_described_by_their_numbers(board):
    root = board({"proc/cpuinfo": "CPU implementer\t: 0x61\nCPU part\t: 0xd08\n"})
    assert read_machine(root).cpu == "implementer 0x61, part 0xd08"


def test_cores_of_two_kinds_show_both_clocks(board):
    policies = "sys/devices/system/cpu/cpufreq"
    files = {
        f"{policies}/policy{i}/scaling_cur_freq": f"{f}\n" for i, f in ((0, 1800000), (4, 2400000))
    }
    root = board(files)
    assert read_state(root, ask=SILENT).frequency_mhz == "1800, 2400"
    assert fastest_mhz(root) == 2400


def test_swapped_pages_are_those_in_and_out(board):
    assert swapped_pages(board({"proc/vmstat": "pgpgin 9\npswpin 20\npswpout 3\n"})) == 23


def test_the_kernels_file_is_read_where_there_is_no_vcgencmd(board):
    root = board({"sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n"})
    assert read_state(root, ask=SILENT).throttled == "0x50005"


def test_busy_time_leaves_out_idle_and_waiting(board, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 100)
    assert busy_seconds(board(PI_4)) == pytest.approx(2.0)  # 100 + 20 + 30 + 4 + 6 + 40 ticks


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("0x0", []),
        (UNAVAILABLE, []),
        ("0x1", ["under-voltage now"]),
        ("0x40004", ["throttled now", "throttled since boot"]),
        ("0x80000", ["soft temperature limit since boot"]),
    ],
)
def test_flags_in_words(flags, expected):
    assert throttle_reasons(flags) == expected


def test_a_state_with_wrong_flags_is_refused():
    with pytest.raises(ValueError, match="invalid literal"):
        State(40.0, "hot", "1500", "0 0 0")


def test_this_machine_can_be_read():
    machine = read_machine()
    assert isinstance(machine.cores, int)
    assert machine.cores >= 1
    assert isinstance(machine.memory_bytes, int)
    assert machine.kernel != UNAVAILABLE
    assert read_state().load_average != UNAVAILABLE
    first = busy_seconds()
    assert first is not None
    assert first > 0
