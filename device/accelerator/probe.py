"""Whether the delegate works, found out by a process that may hang or die of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from corrosion_edge.closing import Closing
from corrosion_edge.device.accelerator.delegate import Delegate
from corrosion_edge.device.trial import CrashError, Trial, ask_child

__all__ = ["PATIENCE", "Outcome", "Probe", "outcome_of", "probe"]

PATIENCE: Final = 20.0
"""Seconds for a try. A Coral on USB gets its firmware at first use and is then attached anew,
which takes some; Python and the runtime take two or three on a small board."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether it ``works``, and a sentence that says so, or why not.

    ``note`` tells what was done to the device before.
    """

    works: bool
    sentence: str
    note: str = ""


def outcome_of(delegate: Delegate, ask: Callable[[], Mapping[str, Any]]) -> Outcome:
    """What the child's answer, or its end, means (see ``Trial.poll`` for how it ends)."""
    try:
        answer = ask()
    except TimeoutError as error:
        return Outcome(False, f"{delegate.library} hangs: {error}")
    except CrashError as error:
        how = f"ended its process with {error.name}" if error.name else str(error)
        return Outcome(False, f"{delegate.library} {how}")
    if "error" in answer:
        return Outcome(False, str(answer["error"]))
    return Outcome(True, f"{delegate.library} works with {answer['version']}")


def probe(delegate: Delegate, model: bytes = b"", seconds: float = PATIENCE) -> Outcome:
    """Try the delegate, and with a ``model`` (a flatbuffer) running it; waits for the outcome."""
    words = (delegate.library, delegate.device)
    return outcome_of(delegate, lambda: ask_child("delegate", seconds, *words, content=model))


class Probe(Closing):
    """The same without waiting: begun here, and asked for its outcome now and then."""

    def __init__(self, delegate: Delegate, model: bytes = b"", seconds: float = PATIENCE) -> None:
        self._delegate = delegate
        words = (delegate.library, delegate.device)
        self._trial = Trial("delegate", seconds, *words, content=model)

    def poll(self) -> Outcome | None:
        """The outcome once it is known."""
        answers: list[Mapping[str, Any]] = []

        def ask() -> Mapping[str, Any]:
            answer = self._trial.poll()
            if answer is None:
                return {"version": ""}
            answers.append(answer)
            return answer

        outcome = outcome_of(self._delegate, ask)
        return None if outcome.works and not answers else outcome

    def close(self) -> None:
        """End the process."""
        self._trial.close()
