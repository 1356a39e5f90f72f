"""The command ``render``."""

from pathlib import Path

import click

from corrosion_edge.errors import OutputError

__all__ = ["render"]


@click.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for train, validation and test; must not hold such a set yet.",
)
@click.option(
    "--per-class",
    default=200,
    show_default=True,
    type=click.IntRange(10),
    metavar="N",
    help="Pictures of each class, over all three splits.",
)
@click.option(
    "--size",
    default=(320, 240),
    show_default=True,
    nargs=2,
    type=click.IntRange(32),
    metavar="WIDTH HEIGHT",
    help="Size of the pictures.",
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**20),
              help="Seed of everything random.")  # fmt: skip
def render(out: Path, per_class: int, size: tuple[int, int], seed: int) -> None:
    """Render a labelled set of surfaces, for trials without photos.

    Steel, paint, red paint, shadow and dirt, clean and rusted. A detector trained on them alone
    is good for trying the program out, not for an inspection.
    """
    from corrosion_edge.output import require_writable
    from corrosion_edge.render import write_dataset

    require_writable(out)
    try:
        write_dataset(out, per_class=per_class, seed=seed, size=size)
    except FileExistsError as error:
        raise OutputError(
            f"{out}: holds a rendered set already ({error.filename or error})"
        ) from None
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error})") from None
    click.echo(f"Written: {2 * per_class} pictures below {out}")
