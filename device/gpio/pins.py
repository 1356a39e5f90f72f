"""Pins through gpiozero, each opened as an output that is off."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from typing import Any, Protocol

from corrosion_edge.errors import ExtraError, OutputError, UsageError

__all__ = ["Pin", "open_pins"]


class Pin(Protocol):
    """One output."""

    name: str
    """The option and the pin, as the user named them."""

    def set(self, on: bool) -> None:
        """Turn it on or off (whatever the driver raises)."""

    def close(self) -> None:
        """Turn it off and give the pin back; never raises."""


class _Pin(Pin):
    def __init__(self, name: str, device: Any) -> None:
        self.name = name
        self._device = device

    def set(self, on: bool) -> None:
        self._device.value = on

    def close(self) -> None:
        with contextlib.suppress(Exception):  # each driver raises its own kinds
            self._device.off()
        with contextlib.suppress(Exception):
            self._device.close()


def open_pins(wanted: Mapping[str, tuple[str, str]], *, active_high: bool = True) -> dict[str, Pin]:
    """Open a pin for each light: ``wanted`` has the option and the pin of each; all or none.

    Pins are named as gpiozero names them: 17, GPIO17, BOARD11, J8:11. Raises ExtraError without
    gpiozero or lgpio, UsageError for what is no pin, or named twice, OutputError for one that
    cannot be had, for example as another program has it.
    """
    opened: dict[str, Pin] = {}
    factory = _factory()
    try:
        for light, (option, pin) in wanted.items():
            opened[light] = _open(f"{option} {pin}", pin, factory, active_high)
    except BaseException:
        for each in opened.values():
            each.close()
        raise
    return opened


def _open(name: str, pin: str, factory: Any, active_high: bool) -> Pin:
    from gpiozero import DigitalOutputDevice
    from gpiozero.exc import GPIOPinInUse, PinInvalidPin

    try:
        device = DigitalOutputDevice(
            pin, active_high=active_high, initial_value=False, pin_factory=factory
        )
    except PinInvalidPin as error:
        raise UsageError(
            f"{name}: no pin of this board ({error}); expected 17, GPIO17 or BOARD11"
        ) from None
    except GPIOPinInUse:
        raise UsageError(
            f"{name}: this watch uses the pin already; each --gpio option needs one of its own"
        ) from None
    except Exception as error:  # lgpio's and the kernel's own kinds
        raise OutputError(f"{name}: {_why(error)}") from None
    return _Pin(name, device)


def _factory() -> Any:
    """What GPIOZERO_PIN_FACTORY names, or lgpio: gpiozero itself would fall back to others."""
    try:
        from gpiozero import Device
        from gpiozero.exc import GPIOZeroError
    except ModuleNotFoundError:
        raise ExtraError(f"--gpio needs gpiozero; {_INSTALL}") from None
    try:
        if os.environ.get("GPIOZERO_PIN_FACTORY"):
            Device.ensure_pin_factory()
            return Device.pin_factory
        # lgpio puts a pipe into the working directory, which may not be writable.
        with contextlib.chdir(tempfile.gettempdir()):
            from gpiozero.pins.lgpio import LGPIOFactory

            return LGPIOFactory()
    except ModuleNotFoundError as error:
        raise ExtraError(f"--gpio needs {error.name}; {_INSTALL}") from None
    except GPIOZeroError as error:
        raise OutputError(f"--gpio: no pins on this machine ({error})") from None
    except Exception as error:
        raise OutputError(f"--gpio: no pins on this machine ({_why(error)})") from None


def _why(error: Exception) -> str:
    said = str(error).strip("'\"") or type(error).__name__
    if "busy" in said:
        return "another program has the pin (gpioinfo names it); end that first, or take another"
    if "permission" in said.lower() or isinstance(error, PermissionError):
        return f"{said}; is this user in the group gpio?"
    return said


_INSTALL = "run: pip install 'corrosion-edge[gpio]'"
