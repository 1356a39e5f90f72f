"""The command ``reproduce``; heavy imports happen when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corrosion_edge.trainer.keras_start import start_keras
from corrosion_edge.trainer.photo_options import positive_option

if TYPE_CHECKING:
    from corrosion_edge.trainer.load import Splits
    from corrosion_edge.trainer.reproduce.reproduce import Planned, Request
    from corrosion_edge.trainer.reproduce.summary import Report

__all__ = ["reproduce"]


def _words(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """A list with commas; None where the option was not given."""
    if value is None:
        return None
    words = tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
    if not words:
        raise click.BadParameter("expected at least one")
    return words


def _numbers(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    words = _words(ctx, parameter, value)
    try:
        return None if words is None else tuple(map(float, words))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of fractions, such as 0.1,0.2") from None


def _epochs(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int, int] | None:
    if value is None:
        return None
    try:
        frozen, head, top = (int(word) for word in value.split(","))
    except ValueError:
        frozen = head = top = 0
    if min(frozen, head, top) < 1:
        raise click.BadParameter(f"{value!r} is not three whole numbers, such as 50,25,25")
    return frozen, head, top


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the results; what is in it already is not run again.",
)
@click.option(
    "--tables",
    callback=_words,
    metavar="N,N",
    help="Of 1, 2, 3, 4, 5 and extra, the fine-tuned rows that the paper does not have "
    "(default: 1 to 5).",
)
@click.option(
    "--backbones", callback=_words, metavar="NAME,NAME", help="Only these (default: all)."
)
@click.option(
    "--pooling", callback=_words, metavar="avg,max", help="Only this pooling (default: both)."
)
@click.option(
    "--fine-tune",
    callback=_numbers,
    metavar="FRACTION,FRACTION",
    help="Only these parts of the layers in fine-tuned rows (default: 0.05,0.1,0.15,0.2).",
)
@click.option(
    "--seeds",
    default=5,
    show_default=True,
    type=click.IntRange(1, 100),
    help="Trainings of each row; their seeds are 1, 2, ...",
)
@click.option(
    "--independent-views",
    is_flag=True,
    help="Each seed trains on random views of its own; slower. Otherwise seeds share them.",
)
@click.option(
    "--weights",
    multiple=True,
    metavar="NAME=FILE",
    help="A backbone's ImageNet weights; can be repeated (default: downloaded).",
)
@click.option(
    "--weights-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of weights called NAME.npz or NAME_anything.npz.",
)
@positive_option
@click.option(
    "--epochs",
    callback=_epochs,
    metavar="N,N,N",
    help="For trials: epochs of Table 2, then of the two parts of Tables 3 to 5 "
    "(the paper: 50,25,25). Results are then not comparable with the paper.",
)
@click.option("--plan", "plan_only", is_flag=True, help="List the rows and their cost; run none.")
@click.option("--report-only", is_flag=True, help="Write the report anew; run nothing.")
@click.option(
    "--figures-with-photos",
    is_flag=True,
    help="Also the paper's Figures 4 and 5, which show photos of DATA: mind their licence.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def reproduce(
    data: Path,
    plan_only: bool,
    report_only: bool,
    figures_with_photos: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Reproduce the tables and figures of the paper, and compare.

    DATA is a folder of photos as for `train`, with a test split. Every finished training is kept
    in the folder of --out at once: after a stop of any kind the same command goes on. Exit code 1
    if a row that was asked for was not run; its sentence says why.
    """
    if plan_only and report_only:
        raise click.UsageError("--plan and --report-only cannot be used together")
    if not report_only or figures_with_photos:
        start_keras()
    from corrosion_edge.trainer.reproduce import reproduce as work

    request = _request(data, options)
    splits = None
    if not report_only or figures_with_photos:
        splits = work.load_photos(request)
    if plan_only and splits is not None:
        _print_plan(work.plan(request, splits, _runner()), as_json)
        return
    if not report_only and splits is not None:
        from corrosion_edge.trainer.reproduce import sizes

        work.run(request, splits, _runner(), sizes.measure)
    _end(_report(request, splits if figures_with_photos else None), request, as_json)


def _runner() -> Any:
    from corrosion_edge.trainer.reproduce.runner import SharedRunner

    return SharedRunner


def _request(data: Path, options: dict[str, Any]) -> "Request":
    from corrosion_edge.trainer.reproduce import weights
    from corrosion_edge.trainer.reproduce.paper import EPOCHS, Method
    from corrosion_edge.trainer.reproduce.plan import Selection
    from corrosion_edge.trainer.reproduce.reproduce import Request

    chosen = {
        "tables": options["tables"],
        "backbones": options["backbones"],
        "poolings": options["pooling"],
        "ratios": options["fine_tune"],
    }
    frozen, head, top = options["epochs"] or EPOCHS
    return Request(
        data=data,
        out=options["out"],
        selection=Selection(**{k: v for k, v in chosen.items() if v is not None}),
        seeds=options["seeds"],
        views="independent" if options["independent_views"] else "shared",
        method=Method(frozen_epochs=frozen, fine_tune_epochs=(head, top)),
        positive=options["positive"],
        given=weights.assignments(options["weights"]),
        weights_dir=options["weights_dir"],
    )


def _report(request: "Request", splits: "Splits | None") -> "Report":
    from corrosion_edge.trainer.reproduce import gather, pictures
    from corrosion_edge.trainer.reproduce.command import as_given

    photos = {}
    if splits is not None:
        photos = pictures.of_photos(splits.samples["train"], request.method.to_dict(), 1)
    report = gather.gather(request, as_given(click.get_current_context()), photos)
    gather.write(report, request.out)
    return report


def _end(report: "Report", request: "Request", as_json: bool) -> None:
    from corrosion_edge.output import json_text

    if as_json:
        click.echo(json_text(report.to_dict(outcomes=False)), nl=False)
    else:
        click.echo("\n".join(report.sentences))
    unreadable = report.data["unreadable"]
    for sentence in unreadable:
        click.echo(f"left out: {sentence}", err=True)
    click.echo(f"Written: {request.out / 'report.html'}", err=True)
    if report.missing or unreadable:
        click.get_current_context().exit(1)


def _print_plan(rows: list["Planned"], as_json: bool) -> None:
    from corrosion_edge.output import json_text

    total = sum(row.seconds for row in rows)
    if as_json:
        listed = [
            {"key": r.row.key, "title": r.row.title, "seeds": list(r.seeds), "seconds": r.seconds}
            for r in rows
        ]
        click.echo(json_text({"rows": listed, "seconds": total}), nl=False)
        return
    for row in rows:
        seeds = ",".join(map(str, row.seeds)) or "done"
        click.echo(f"{row.seconds / 60:8.1f} min  {row.row.title}  (seeds: {seeds})")
    click.echo(f"{total / 60:8.1f} min  in all")
