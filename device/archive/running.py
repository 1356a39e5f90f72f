"""How many judge the photos, and their results in order."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from corrosion_edge import __version__
from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.archive.judge import Judge, JudgeOpening, Result, blame
from corrosion_edge.device.backends.litert import find_runtime, usable_cores
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import UsageError

if TYPE_CHECKING:
    from corrosion_edge.parallel.workers import Workers

__all__ = ["DECODES", "FEW", "Archive"]

FEW: Final = 64
"""Photos that are judged by this process itself, before and while others start: that takes them
about as long."""

DECODES: Final = {"full": 0, "reduced": 2}
"""How JPEGs are decoded, and how many times the network's side reduced ones keep at least."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The photos, and how they are to be judged.

    ``head`` are the first ones, judged in this process; ``rest`` those that ``count`` processes
    judge meanwhile, none if ``count`` is 1. ``length`` is how many there are, if that is known.
    With ``ray``, the address of a cluster, all are judged there, by as many as it has cores if
    ``count`` is 0.
    """

    head: tuple[str, ...]
    rest: Iterator[str]
    count: int
    length: int | None
    ray: str | None = None

    @classmethod
    def of(cls, photos: Iterator[str], workers: int | None, ray: str | None = None) -> "Archive":
        """With ``workers`` None there is one a core for more than ``FEW`` photos, else one.

        A number that was asked for is kept to, however few the photos are.
        """
        first = tuple(islice(photos, FEW + 1))
        few = len(first) <= FEW
        length = len(first) if few else None
        if ray:
            return cls((), chain(first, photos), workers or 0, length, ray)
        count = workers or (1 if few else usable_cores())
        if workers and count > 1:
            return cls((), chain(first, photos), count, length)
        return cls(first[:FEW], chain(first[FEW:], photos), count, length)

    def without(self, done: Callable[[str], bool]) -> "Archive":
        """The photos that are not ``done`` yet; each is asked for when its turn comes."""
        head = tuple(photo for photo in self.head if not done(photo))
        return replace(self, head=head, rest=(photo for photo in self.rest if not done(photo)))

    def threads(self, asked: int | None) -> int | None:
        """Threads of each interpreter: one where several judge, unless asked for others."""
        return asked or (None if self.count == 1 and not self.ray else 1)

    def judged(
        self,
        classifier: Classifier,
        decode: str,
        overlays: Path | None,
        threads: int | None,
        kernels: str,
    ) -> Generator[Result]:
        """The results in the photos' order; ``threads`` and ``kernels`` are for other processes.

        Raises UsageError where several are to share an Edge TPU, and what judging raises.
        """
        spec = classifier.manifest.preprocessing
        at_least = DECODES[decode] * max(spec.width, spec.height)
        here = Judge(classifier, overlays, at_least)
        if self.count != 1 and RunsOn.now(classifier).backend != "cpu":
            raise UsageError("--workers: an Edge TPU serves one process; leave the option out")
        if self.count == 1 and not self.ray:
            yield from map(here, chain(self.head, self.rest))
            return
        opening = JudgeOpening(
            classifier.bundle.to_bytes(), classifier.threshold, threads or 1, kernels,
            __version__, find_runtime()[1],
            overlays and overlays.absolute() if self.ray else overlays, at_least,
            Path.cwd() if self.ray else Path(),
        )  # fmt: skip
        from corrosion_edge.parallel.ordered import Ordered

        with self._workers(opening) as workers:
            results = Ordered(workers, self.rest, blame=blame)
            results.fill()
            yield from map(here, self.head)
            yield from results

    def _workers(self, opening: JudgeOpening) -> "Workers[str, Result]":
        if self.ray:
            from corrosion_edge.parallel.cluster import Actors

            return Actors(self.ray, self.count or None, opening)
        from corrosion_edge.parallel.processes import Processes

        return Processes(self.count, opening)
