"""A try after the accelerator's USB device was reset, both in processes that may hang or die."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from corrosion_edge.closing import Closing
from corrosion_edge.device.accelerator.probe import Outcome
from corrosion_edge.device.trial import CrashError, Trial

__all__ = ["PATIENCE", "Polled", "Resets", "Reviving", "usb_reset"]

PATIENCE: Final = 30.0
"""Seconds for a reset. A port that does not answer is tried several times by the kernel."""


class Polled(Closing, Protocol):
    """A try that is under way."""

    def poll(self) -> Outcome | None:
        """Its outcome once it is known; does not wait."""


class Resets(Closing, Protocol):
    """A reset that is under way, see ``Trial``."""

    def poll(self) -> Mapping[str, Any] | None:
        """``{"note": …}`` once it is done (TimeoutError, CrashError); does not wait."""


class Reviving(Closing):
    """First the ``reset`` that is under way, then a try that ``probe`` begins; never waits.

    The try is made whatever came of the reset, which its outcome's note tells.
    """

    def __init__(self, reset: Resets, probe: Callable[[], Polled]) -> None:
        self._reset = reset
        self._begin = probe
        self._probe: Polled | None = None
        self._note = ""

    def poll(self) -> Outcome | None:
        """See ``Polled.poll``."""
        if self._probe is None:
            if (note := self._said()) is None:
                return None
            self._reset.close()
            self._note, self._probe = note, self._begin()
        outcome = self._probe.poll()
        return outcome and replace(outcome, note=self._note)

    def close(self) -> None:
        """End what is under way."""
        self._reset.close()
        if self._probe is not None:
            self._probe.close()

    def _said(self) -> str | None:
        try:
            answer = self._reset.poll()
        except (TimeoutError, CrashError) as error:
            return f"the reset of its USB device did not end ({error})"
        return None if answer is None else str(answer["note"])


def usb_reset(device: str, root: Path = Path("/"), seconds: float = PATIENCE) -> Trial:
    """Begin ``reset_usb`` in a process of its own."""
    return Trial("usb-reset", seconds, str(root), device)
