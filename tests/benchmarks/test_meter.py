"""Power: a sensor of the kernel on a made-up /sys, and commands that are really run."""

import time
from pathlib import Path

import pytest

from corrosion_edge.benchmarks.meter import open_meter
from corrosion_edge.errors import UsageError


@pytest.fixture
def root(tmp_path):
    sensor = tmp_path / "sys/bus/i2c/devices/1-0040/hwmon/hwmon3"
    sensor.mkdir(parents=True)
    (sensor / "name").write_text("ina219\n")
    (sensor / "power1_input").write_text("3250000\n")
    return tmp_path


def until_mean(meter, within=10.0):
    """The first mean that is to be had."""
    end = time.monotonic() + within
    while (mean := meter.mean()) is None:
        assert time.monotonic() < end, "no reading ever came"
        time.sleep(0.02)
    return mean


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_sensor_is_read_in_watts(root):
    with open_meter("ina219:1:0x40", None, root) as meter:
        assert meter.name == "ina219 at 0x40 on I2C bus 1"
        assert until_mean(meter) == 3.25
        (root / "sys/bus/i2c/devices/1-0040/hwmon/hwmon3/power1_input").write_text("oops\n")
        time.sleep(0.3)
        meter.mean()
        time.sleep(0.3)
        assert meter.mean() is None


def test_the_address_may_be_decimal(root):
    with open_meter("ina219:1:64", None, root) as meter:
        assert until_mean(meter) == 3.25


@pytest.mark.parametrize("sensor", ["ina226:1:0x40", "ina219:0:0x40", "ina219:1:0x41"])
def test_another_sensor_than_is_there_says_how_to_get_it(root, sensor):
    with pytest.raises(UsageError, match=r"--meter: the kernel shows no ina2.*/new_device$"):
        open_meter(sensor, None, root)


@pytest.mark.parametrize("sensor", ["", "ina219", "ina3221:1:0x40", "ina219:1:0x400", "ina219:x:1"])
def test_a_sensor_that_cannot_be_is_refused(root, sensor):
    with pytest.raises(UsageError, match="--meter: expected ina219:BUS:ADDRESS"):
        open_meter(sensor, None, root)


def test_a_commands_lines_are_watts_and_its_other_lines_nothing(tmp_path):
    command = script(tmp_path / "meter", "echo warming up; echo 2.5; echo 3.5e0; echo -1; sleep 30")
    with open_meter(None, command) as meter:
        time.sleep(0.5)
        assert until_mean(meter) == 3.0
        assert meter.name == "the command meter"


def test_a_command_that_ends_gives_no_more(tmp_path):
    with open_meter(None, script(tmp_path / "meter", "echo 2")) as meter:
        assert until_mean(meter) == 2.0
        time.sleep(0.1)
        assert meter.mean() is None


def test_a_command_is_ended_with_the_meter(tmp_path):
    with open_meter(None, script(tmp_path / "meter", "exec yes 1")) as meter:
        process = meter._process
        until_mean(meter)
    assert process.poll() is not None


def test_what_a_command_started_is_ended_too(tmp_path):
    told = tmp_path / "pid"
    command = script(tmp_path / "meter", f"sleep 600 & echo $! > {told}; echo 1; wait")
    with open_meter(None, command) as meter:
        until_mean(meter)
        started = Path("/proc", told.read_text().strip(), "cmdline")
        assert b"sleep" in started.read_bytes()
    assert not (started.exists() and started.read_bytes())


def test_a_command_that_is_not_there_names_the_option(tmp_path):
    with pytest.raises(UsageError, match="--meter-command: /none cannot be run"):
        open_meter(None, "/none")
    with pytest.raises(UsageError, match="--meter-command: expected a command"):
        open_meter(None, " ")


def test_a_command_that_cannot_be_parsed_names_the_option():
    with pytest.raises(UsageError, match=r"--meter-command: \"'x\" is no command .*quotation"):
        open_meter(None, "'x")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exit 3", "the command meter ended with exit code 3; expected watts"),
        ("echo 2", "the command meter ended with exit code 0; expected watts"),
        ("echo warming up; exec sleep 60", "the command meter gave no reading in 0.5 s"),
    ],
)
def test_a_command_without_readings_is_found_out_before_the_run(tmp_path, text, told):
    with (
        open_meter(None, script(tmp_path / "meter", text)) as meter,
        pytest.raises(UsageError, match=f"^--meter-command: {told}"),
    ):
        meter.require_readings(0.5)


def test_a_meter_that_gives_readings_is_good(root, tmp_path):
    with open_meter("ina219:1:0x40", None, root) as meter:
        meter.require_readings()
    with open_meter(None, script(tmp_path / "meter", "exec yes 1")) as meter:
        meter.require_readings()


def test_a_sensor_that_gives_no_readings_names_its_option(root):
    (root / "sys/bus/i2c/devices/1-0040/hwmon/hwmon3/power1_input").write_text("oops\n")
    with (
        open_meter("ina219:1:0x40", None, root) as meter,
        pytest.raises(UsageError, match=r"^--meter: ina219 at 0x40 on I2C bus 1 gave no reading"),
    ):
        meter.require_readings(0.3)


def test_one_meter_at_a_time(root):
    with pytest.raises(UsageError, match="name one of them"):
        open_meter("ina219:1:0x40", "yes 1", root)


def test_without_options_there_is_no_meter():
    assert open_meter(None, None) is None
