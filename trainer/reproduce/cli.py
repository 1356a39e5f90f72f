"""The command ``reproduce``; heavy imports happen when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corrosion_edge.trainer.keras_start import start_keras
from corrosion_edge.trainer.photo_options import positive_option
from corrosion_edge.trainer.reproduce import lists

if TYPE_CHECKING:
    from corrosion_edge.trainer.load import Splits
    from corrosion_edge.trainer.reproduce.crew import Crew
    from corrosion_edge.trainer.reproduce.reproduce import Planned, Request
    from corrosion_edge.trainer.reproduce.summary import Report

__all__ = ["reproduce"]


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
    callback=lists.words,
    metavar="N,N",
    help="Of 1, 2, 3, 4, 5 and extra, the fine-tuned rows that the paper does not have "
    "(default: 1 to 5).",
)
@click.option(
    "--backbones", callback=lists.words, metavar="NAME,NAME", help="Only these (default: all)."
)
@click.option(
    "--pooling", callback=lists.words, metavar="avg,max", help="Only this pooling (default: both)."
)
@click.option(
    "--fine-tune",
    callback=lists.numbers,
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
    callback=lists.epochs,
    metavar="N,N,N",
    help="For trials: epochs of Table 2, then of the two parts of Tables 3 to 5 "
    "(the paper: 50,25,25). Results are then not comparable with the paper.",
)
@click.option(
    "--workers",
    "--processes",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that train at the same time, each with cores // N threads, at least one.  "
    "[default: this one alone]",
)
@click.option(
    "--ray",
    metavar="ADDRESS|local",
    help="Train on this Ray cluster, by --workers actors of one thread.  [default: one for each "
    "core it has]",
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
    workers: int | None,
    ray: str | None,
    **options: Any,
) -> None:
    """Reproduce the tables and figures of the paper, and compare.

    DATA is a folder of photos as for `train`, with a test split. Every finished training is kept
    in the folder of --out at once: after a stop of any kind the same command goes on. Exit code 1
    if a row that was asked for was not run; its sentence says why.
    """
    if plan_only and report_only:
        raise click.UsageError("--plan and --report-only cannot be used together")
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

        work.run(request, splits, _crew(workers, ray) or _runner(), sizes.measure)
    _end(_report(request, splits if figures_with_photos else None), request, as_json)


def _runner() -> Any:
    """What trains in this process."""
    start_keras()
    from corrosion_edge.trainer.reproduce.runner import SharedRunner

    return SharedRunner


def _crew(workers: int | None, ray: str | None) -> "Crew | None":
    """Those who train if it is not this process."""
    if not ray and workers in (None, 1):
        return None
    from corrosion_edge.trainer.reproduce import crew

    return crew.Crew(workers=workers, ray=ray, make_trainer=crew.shared_trainer)


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
        start_keras()
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
