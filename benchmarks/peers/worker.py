"""The process of one peer: ``python -m corrosion_edge.benchmarks.peers.worker MODULE:CLASS``.

A line of JSON on standard input is a question, a line on standard output its answer; the answer
to one that fails is ``{"error": kind, "message": …}``. What libraries print goes to standard error.

- ``{"do": "open", "model", "threads"}``: load the network; gives ``runtime``
- ``{"do": "invoke", "prepared", "pictures", "lead"}``: run pictures of a .npy file
- ``{"do": "look", "frames", "lead"}``: the whole path of JPEG files
- ``{"do": "camera", "frames", "lead"}``: the whole path of frames in memory, as decoders deliver
  them; ``frames`` are .npy files of uint8 [h, w, 3] RGB
- ``{"do": "close"}``: end

All that run pictures give ``ns`` (each run's duration; the first ``lead`` runs are not told),
``cpu_ns`` (processor time of all those told) and ``scores`` (of all, in the order asked).
It imports little before it is asked, so that its start is the peer's own.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from corrosion_edge.benchmarks.peers.ways import Way

    Making = Callable[[Path, int], Way]

__all__ = ["Desk", "main", "serve"]

Question = dict[str, Any]
Answer = dict[str, Any]


class Desk:
    """Answers questions about one way; ``load`` imports its class."""

    def __init__(self, load: "Callable[[], Making]") -> None:
        self._load = load
        self._way: Any = None
        self._prepared: dict[str, Any] = {}

    def answer(self, question: Question) -> Answer:
        """The answer, errors as one too."""
        asked = dict(question)
        try:
            answer: Answer = getattr(self, f"_{asked.pop('do')}")(**asked)
        except ModuleNotFoundError as error:
            return {"error": "missing", "message": f"the package {error.name} is not installed"}
        except Exception as error:  # any runtime's own errors; the parent tells them
            said = " ".join(str(error).split())[:300]
            return {"error": "failed", "message": f"{type(error).__name__}: {said}"}
        return answer

    def _open(self, model: str, threads: int) -> Answer:
        self._way = self._load()(Path(model), threads)
        return {"runtime": self._way.runtime}

    def _invoke(self, prepared: str, pictures: Sequence[int], lead: int) -> Answer:
        if prepared not in self._prepared:
            import numpy as np

            self._prepared[prepared] = [self._way.given(p) for p in np.load(prepared)]
        given = [self._prepared[prepared][place] for place in pictures]
        answer, outputs = _timed(self._way.invoke, given, lead)
        return {**answer, "scores": [self._way.score(output) for output in outputs]}

    def _look(self, frames: Sequence[str], lead: int) -> Answer:
        answer, verdicts = _timed(self._way.look, [Path(frame) for frame in frames], lead)
        return {**answer, "scores": [score for _, score in verdicts]}

    def _camera(self, frames: Sequence[str], lead: int) -> Answer:
        import av
        import numpy as np

        rgb = [av.VideoFrame.from_ndarray(np.load(frame), format="rgb24") for frame in frames]
        delivered = [picture.reformat(format="yuv420p") for picture in rgb]
        answer, verdicts = _timed(self._way.frame, delivered, lead)
        return {**answer, "scores": [score for _, score in verdicts]}

    def _close(self) -> Answer:
        return {"closed": True}


def _timed(run: Callable[[Any], Any], items: Sequence[Any], lead: int) -> tuple[Answer, list[Any]]:
    outputs, took, cpu = [], [], 0
    for place, item in enumerate(items):
        if place == lead:
            cpu = time.process_time_ns()
        start = time.monotonic_ns()
        outputs.append(run(item))
        took.append(time.monotonic_ns() - start)
    return {"ns": took[lead:], "cpu_ns": time.process_time_ns() - cpu}, outputs


def serve(desk: Desk, questions: TextIO, answers: TextIO) -> None:
    """Answer until told to close, or until nobody asks any more."""
    for line in questions:
        question = json.loads(line)
        print(json.dumps(desk.answer(question)), file=answers, flush=True)
        if question["do"] == "close":
            return


def _load(name: str) -> "Making":
    module, kind = name.split(":")
    way: Making = getattr(importlib.import_module(module), kind)
    return way


def main() -> None:
    """Serve the way named by the first argument."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        serve(Desk(lambda: _load(sys.argv[1])), sys.stdin, answers)


if __name__ == "__main__":
    main()
