"""Measure ``classify`` on an archive: against its bound, and at several sizes."""

import statistics
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from corrosion_edge import output
from corrosion_edge.benchmarks.archive.bare import bare, least_side
from corrosion_edge.benchmarks.archive.cost import Cost, measured
from corrosion_edge.benchmarks.archive.many import linked, rendered
from corrosion_edge.benchmarks.archive.picture import cost_chart, memory_chart
from corrosion_edge.benchmarks.picture_size import SIZE
from corrosion_edge.benchmarks.process import PROGRAM
from corrosion_edge.cli import Command
from corrosion_edge.device.archive.running import DECODES
from corrosion_edge.device.backends.litert import usable_cores
from corrosion_edge.errors import UsageError
from corrosion_edge.photos import find_photos

__all__ = ["main"]

_RENDERED: Final = 24


def _classify(folder: Path, count: int, words: Iterable[str]) -> Cost:
    return measured([*PROGRAM, "classify", str(folder), *words], count)


@click.command(cls=Command)
@click.option("--photos", type=click.Path(path_type=Path), help="JPEGs in place of rendered ones.")
@click.option("--size", type=SIZE, default="1920x1080", show_default=True)
@click.option("--count", type=click.IntRange(min=1), default=5000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=0), default=3, show_default=True)
@click.option("--decode", type=click.Choice(list(DECODES)), default="full", show_default=True)
@click.option("--sizes", default="", metavar="N,N,…", help="Numbers of photos: cost at each.")
@click.option("--model", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder for two charts (SVG).")
def main(
    photos: Path | None, size: tuple[int, int], count: int, rounds: int, decode: str, sizes: str,
    model: Path | None, out: Path | None,
) -> None:  # fmt: skip
    """Measure classify against its bound, in turn and in rounds; then at several sizes."""
    words = ["--decode", decode, *(["--model", str(model)] if model else [])]
    with tempfile.TemporaryDirectory(dir=photos and photos.parent) as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        found = (
            list(find_photos(photos).photos)
            if photos
            else rendered(folder / "photos", _RENDERED, size)
        )
        if not found:
            raise UsageError(f"--photos: no photos in {photos}")
        if rounds:
            links = linked(found, folder / "links", count)
            _against_bound(links, count, rounds, words, model, least_side(decode, model))
        if sizes:
            _at_sizes(found, folder, [int(each) for each in sizes.split(",")], words, out)


def _against_bound(
    folder: Path, count: int, rounds: int, words: Sequence[str], model: Path | None, at_least: int
) -> None:
    cores = usable_cores()
    paths = [str(photo) for photo in find_photos(folder).photos]
    shares: dict[str, list[float]] = {}
    for number in range(rounds):
        bounds = {
            name: bare(paths, cores, model, at_least, scaled=scaled)
            for name, scaled in (("decode, network", False), ("decode, scale, network", True))
        }
        found = _classify(folder, count, ["--json", *words])
        click.echo(f"round {number + 1}: {count / found.seconds:.1f} photos/s, "
                   f"{found.cpu_ms:.2f} ms of processor time each; {_memory(found)}")  # fmt: skip
        for name, bound in bounds.items():
            pace, cpu = bound.seconds / found.seconds, bound.cpu / found.cpu
            shares.setdefault(f"{name}: pace", []).append(pace)
            shares.setdefault(f"{name}: processor time", []).append(cpu)
            click.echo(f"  {name} alone: {count / bound.seconds:.1f} photos/s ({pace:.3f}), "
                       f"{bound.cpu_ms:.2f} ms ({cpu:.3f}); {cores * count / bound.cpu:.1f} "
                       "photos/s if the cores were free")  # fmt: skip
    for name, values in shares.items():
        click.echo(f"median, {name}: {statistics.median(values):.3f} of the bound")


def _memory(cost: Cost) -> str:
    half = len(cost.memory) // 2
    early = max((kept for _, kept in cost.memory[:half]), default=0)
    late = max((kept for _, kept in cost.memory[half:]), default=0)
    return (
        f"memory at most {early / 1e6:.0f} MB in the first half, {late / 1e6:.0f} MB in the second"
    )


def _at_sizes(
    found: Sequence[Path], folder: Path, sizes: Sequence[int], words: Sequence[str],
    out: Path | None,
) -> None:  # fmt: skip
    costs = []
    for count in sizes:
        place = linked(found, folder / f"links-{count}", count)
        costs.append(_classify(place, count, ["--out", str(folder / f"{count}.jsonl"), *words]))
        click.echo(f"{count} photos: {costs[-1].cpu_ms:.2f} ms of processor time a photo, "
                   f"{costs[-1].ms:.2f} ms on the clock; {_memory(costs[-1])}")  # fmt: skip
    if out is not None:
        output.make_folder(out)
        output.write(out / "cost.svg", cost_chart(costs))
        output.write(out / "memory.svg", memory_chart(costs[-1]))
