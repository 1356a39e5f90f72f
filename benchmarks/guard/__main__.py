"""``python -m corrosion_edge.benchmarks.guard``: measure, compare with what is kept, tell.

Exit code 3 where a ratio is worse than its limit. Absolute times are never compared: they are
those of a machine, and of its day.
"""

from pathlib import Path
from typing import Final

import click

from corrosion_edge.benchmarks.guard.kept import Finding, Kept, read_kept, table
from corrosion_edge.benchmarks.guard.measures import MEASURES, Setting, prepared
from corrosion_edge.benchmarks.wording import aligned
from corrosion_edge.cli import Command
from corrosion_edge.errors import GateError, UsageError
from corrosion_edge.progress import progress

__all__ = ["main"]

_TRIES: Final = 3


@click.command(cls=Command)
@click.option("--only", multiple=True, type=click.Choice(sorted(MEASURES)))
@click.option("--rounds", type=click.IntRange(min=1), help="[default: as each measure needs]")
@click.option("--kept", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="Other values than those in the package.")  # fmt: skip
def main(only: tuple[str, ...], rounds: int | None, file: Path | None) -> None:
    """Whether a ratio became worse than its kept value leaves room for."""
    kept = read_kept(file)
    names = only or tuple(MEASURES)
    if missing := [name for name in names if name not in kept]:
        raise UsageError(f"no value is kept for {', '.join(missing)}")
    findings = []
    with prepared() as setting:
        for name in progress(names, "measuring", len(names)):
            findings.append(_found(name, kept[name], setting, rounds))
    click.echo("\n".join(aligned(table(findings))))
    if slower := [one for one in findings if not one.passes]:
        raise GateError("; ".join(f"{one.name}: {one.ratio:.2f}, limit {one.kept.limit:.2f}"
                                  for one in slower))  # fmt: skip


def _found(name: str, kept: Kept, setting: Setting, rounds: int | None) -> Finding:
    """The first that passes, of ``_TRIES`` at most, or the last: a noisy minute passes, what became
    slower stays."""
    what, measure, usual = MEASURES[name]
    for _ in range(_TRIES):
        found = Finding(name, what, measure(setting, rounds or usual), kept)
        if found.passes:
            break
    return found


if __name__ == "__main__":
    main()
