"""The commands ``dataset fetch``, ``audit`` and ``split``; heavy imports happen when they run."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from corrosion_edge.trainer.dataset.audit import Audit
from corrosion_edge.trainer.photo_options import positive_option

__all__ = ["dataset"]

SOURCE = "https://github.com/pjsun2012/Phase5_Capstone-Project"

_as_json = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def dataset() -> None:
    """Fetch, audit and split the photos that a detector is trained on."""


@dataset.command()
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for the photos: new, empty, or begun by this command.")  # fmt: skip
@click.option("--source", default=SOURCE, show_default=True, metavar="GIT_URL",
              help="Another copy of the repository.")  # fmt: skip
@click.option("--manifest", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              metavar="CSV", help="Another list of paths and git blob ids.")  # fmt: skip
@_as_json
def fetch(folder: Path, source: str, manifest: Path | None, as_json: bool) -> None:
    """Fetch the public photos of the published study and check each of them.

    They come by git from the repository of the study's data (folder split/, about 320 MB) and are
    compared with the blob ids that ship with this package. The same command continues after a
    break. Photos that are missing or changed are named; the exit code is then 1.
    """
    from corrosion_edge.output import json_text
    from corrosion_edge.trainer.dataset import fetch as fetching

    result = fetching.fetch(folder, source, manifest)
    if as_json:
        click.echo(json_text(result.to_dict()), nl=False)
    else:
        click.echo(f"{len(result.present)} photos are there and checked: {folder}")
    for path in result.missing:
        click.echo(f"missing: {path}", err=True)
    for path in result.changed:
        click.echo(f"changed: {path}", err=True)
    _end(bool(result.missing or result.changed))


@dataset.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for report.html, pairs.csv, groups.csv and audit.json.")  # fmt: skip
@positive_option
@_as_json
def audit(folder: Path, out: Path | None, positive: str | None, as_json: bool) -> None:
    """Look a folder of photos over: files, near-duplicates, leaks, shortcuts.

    DIR holds train, validation and test with two class folders each, or the two class folders.
    The page in the --out folder shows the photos of duplicate groups.
    """
    from corrosion_edge.output import json_text, require_writable
    from corrosion_edge.trainer.dataset import audit as auditing
    from corrosion_edge.trainer.dataset.results import write_audit

    if out is not None:
        require_writable(out)
    result = auditing.audit(folder, positive)
    if as_json:
        click.echo(json_text(result.to_dict()), nl=False)
    else:
        _print(result)
    for sentence in result.unreadable:
        click.echo(f"left out: {sentence}", err=True)
    if out is not None:
        write_audit(result, out)
        click.echo(f"Written: {out / 'report.html'}", err=True)
    _end(bool(result.unreadable))


@dataset.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for the new split; must not exist yet.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31),
              help="Seed of the split.")  # fmt: skip
@click.option("--copy/--link", "copy", default=True, show_default=True,
              help="Copy the photos, or make hard links on the same file system.")  # fmt: skip
@positive_option
@_as_json
def split(
    folder: Path, target: Path, seed: int, copy: bool, positive: str | None, as_json: bool
) -> None:
    """Split photos 70/20/10 anew, versions of one photo kept together.

    DIR may be split already: all its photos are pooled. The new folder holds train, validation
    and test, and manifest.csv tells where each photo came from.
    """
    from corrosion_edge.output import json_text
    from corrosion_edge.trainer.dataset.resplit import resplit

    result = resplit(folder, target, seed=seed, copy=copy, positive=positive)
    if as_json:
        click.echo(json_text(result.to_dict()), nl=False)
    else:
        for name, counts in result.counts.items():
            click.echo(f"{name:<11} {counts['corrosion']} corrosion, "
                       f"{counts['no-corrosion']} no corrosion")  # fmt: skip
    for places in result.conflicts:
        click.echo(f"both labels: {', '.join(places)}", err=True)
    for sentence in result.unreadable:
        click.echo(f"left out: {sentence}", err=True)
    click.echo(f"Written: {target / 'manifest.csv'}", err=True)
    _end(bool(result.unreadable))


def _print(result: "Audit") -> None:
    from corrosion_edge.trainer.dataset.page import headline

    for name, counts in result.to_dict()["photos"].items():
        click.echo(f"{name:<11} {counts['corrosion']} corrosion, "
                   f"{counts['no-corrosion']} no corrosion")  # fmt: skip
    copies = result.to_dict()["duplicates"]
    click.echo(f"{copies['pairs']} pairs of versions of one photo, in {copies['groups']} groups")
    for line, warning in headline(result):
        click.echo(f"{'! ' if warning else ''}{line}")


def _end(failed: bool) -> None:
    if failed:
        click.get_current_context().exit(1)
