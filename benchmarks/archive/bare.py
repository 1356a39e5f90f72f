"""Processes that decode photos and run the network, with nothing else between: the bound."""

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from corrosion_edge.benchmarks.archive.cost import Cost
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.archive.running import DECODES

__all__ = ["bare", "least_side"]


def least_side(decode: str, model: Path | None) -> int:
    """The longer side, in pixels, below which ``classify --decode`` reduces no photo; 0: none."""
    spec = Bundle.load(model or DEFAULT_MODEL).manifest.preprocessing
    return DECODES[decode] * max(spec.width, spec.height)


def bare(
    photos: Sequence[str], processes: int, model: Path | None, at_least: int, *, scaled: bool
) -> Cost:
    """What so many processes need for the photos, from when all of them are ready.

    Each has an equal part of them. Unless photos are ``scaled`` to it, the network gets the same
    picture each time.
    """
    start = multiprocessing.get_context("spawn")
    ends: list[Connection] = []
    crew = []
    for number in range(processes):
        ours, theirs = start.Pipe()
        part = photos[number::processes]
        crew.append(start.Process(target=_work, args=(theirs, part, model, at_least, scaled)))
        crew[-1].start()
        ends.append(ours)
    for end in ends:
        end.recv()
    began = time.monotonic()
    for end in ends:
        end.send("go")
    cpu = sum(end.recv() for end in ends)
    seconds = time.monotonic() - began
    for process in crew:
        process.join()
    return Cost(len(photos), seconds, cpu)


def _work(
    end: Connection, photos: Sequence[str], model: Path | None, at_least: int, scaled: bool
) -> None:
    from corrosion_edge import image
    from corrosion_edge.device.classifier import Classifier
    from corrosion_edge.device.heap import keep

    keep()
    with Classifier.open(model, threads=1) as classifier:
        spec = classifier.manifest.preprocessing
        picture = classifier.prepare(image.read(Path(photos[0])))
        classifier.backend.run(picture[None])
        end.send("ready")
        end.recv()
        began = time.process_time()
        for photo in photos:
            if scaled:
                picture = image.read_prepared(Path(photo), spec, at_least=at_least)
            else:
                image.read(Path(photo), at_least=at_least)
            classifier.backend.run(picture[None])
        end.send(time.process_time() - began)
