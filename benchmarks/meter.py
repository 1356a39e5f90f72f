"""What a machine draws, where something measures it: a sensor of the kernel, or any command."""

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from corrosion_edge.benchmarks.state import ROOT, text_of
from corrosion_edge.closing import Closing
from corrosion_edge.errors import UsageError

__all__ = ["PATIENCE", "CommandMeter", "HwmonMeter", "Meter", "open_meter"]

PATIENCE: Final = 10.0
"""Seconds within which a meter has to give its first reading."""

_EVERY: Final = 0.1  # seconds between two looks at a sensor
_EXPECTED: Final = "expected watts, a number on a line, until it is ended"
_SENSOR: Final = re.compile(r"(ina219|ina226):(\d{1,3}):(0x[0-9a-fA-F]{1,2}|\d{1,3})", re.ASCII)
_NUMBER: Final = re.compile(r"\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


class Meter(Closing):
    """Takes readings in a thread of its own, from its opening until it is closed."""

    name: str
    """What measures, for the report."""
    option: str
    """Which option asked for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._sum, self._count = 0.0, 0  # not the readings: a command may print without end
        self._thread = threading.Thread(target=self._work, name="meter", daemon=True)
        self._thread.start()

    def mean(self) -> float | None:
        """Watts on average since it was asked last, or None without a reading since then."""
        with self._lock:
            taken, count = self._sum, self._count
            self._sum, self._count = 0.0, 0
        return taken / count if count else None

    def require_readings(self, seconds: float = PATIENCE) -> None:
        """Wait for a first reading; UsageError without one in ``seconds``, or if no more come."""
        end = time.monotonic() + seconds
        while not self._read_any() and self._thread.is_alive() and time.monotonic() < end:
            self._thread.join(_EVERY)
        self._thread.join(_EVERY)  # one that says a word and ends is found out
        if not self._thread.is_alive():
            raise UsageError(f"{self.option}: {self.name} ended{self._how()}; {_EXPECTED}")
        if not self._read_any():
            raise UsageError(f"{self.option}: {self.name} gave no reading in {seconds:g} s")

    def _read_any(self) -> bool:
        with self._lock:
            return self._count > 0

    def _how(self) -> str:
        return ""

    def close(self) -> None:
        """Take no more."""
        self._ended.set()
        self._thread.join(timeout=5)

    def _take(self, watts: float) -> None:
        with self._lock:
            self._sum, self._count = self._sum + watts, self._count + 1

    def _work(self) -> None:
        raise NotImplementedError


class HwmonMeter(Meter):
    """A sensor that the kernel's driver ina2xx reads: ``power1_input``, in microwatts.

    https://docs.kernel.org/hwmon/ina2xx.html. UsageError where there is no such sensor.
    """

    option = "--meter"

    def __init__(self, chip: str, bus: int, address: int, root: Path = ROOT) -> None:
        where = root / f"sys/bus/i2c/devices/{bus}-{address:04x}"
        found = sorted(where.glob("hwmon/hwmon*/power1_input"))
        if not found or text_of(found[0].with_name("name")) != chip:
            raise UsageError(
                f"--meter: the kernel shows no {chip} at {address:#x} on I2C bus {bus}; make it "
                f"known with: echo {chip} {address:#x} | sudo tee "
                f"/sys/bus/i2c/devices/i2c-{bus}/new_device"
            )
        self._file = found[0]
        super().__init__(f"{chip} at {address:#x} on I2C bus {bus}")

    def _work(self) -> None:
        while not self._ended.wait(_EVERY):
            if (told := text_of(self._file)).isdigit():
                self._take(int(told) / 1e6)


class CommandMeter(Meter):
    """A command that prints watts, a number on a line, as often as it likes, until it is ended.

    Lines that are no number are passed over. UsageError where it cannot be run.
    """

    option = "--meter-command"

    def __init__(self, command: str) -> None:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise UsageError(
                f"--meter-command: {command!r} is no command ({error}); quote it as for a shell"
            ) from None
        if not words:
            raise UsageError("--meter-command: expected a command, got nothing")
        try:
            # A session of its own: a script's own children are to end with it.
            self._process = subprocess.Popen(
                words, stdout=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
            )
        except OSError as error:
            raise UsageError(
                f"--meter-command: {words[0]} cannot be run ({error.strerror})"
            ) from None
        super().__init__(f"the command {Path(words[0]).name}")

    def _how(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            return f" with exit code {self._process.wait(timeout=1)}"
        return ""

    def close(self) -> None:
        """End the command, and what it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        super().close()
        self._process.wait(timeout=5)

    def _work(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if _NUMBER.fullmatch(line.strip()):
                self._take(float(line))


def open_meter(sensor: str | None, command: str | None, root: Path = ROOT) -> Meter | None:
    """The meter of the options ``--meter`` and ``--meter-command``, if any (UsageError)."""
    if sensor and command:
        raise UsageError("--meter and --meter-command: name one of them")
    if command is not None:
        return CommandMeter(command)
    if sensor is None:
        return None
    if not (found := _SENSOR.fullmatch(sensor)):
        raise UsageError(
            f"--meter: expected ina219:BUS:ADDRESS or ina226:BUS:ADDRESS, such as ina219:1:0x40, "
            f"got {sensor!r}"
        )
    return HwmonMeter(found[1], int(found[2]), int(found[3], 0), root)
