"""``corrosion-edge doctor``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from corrosion_edge.number import Number

if TYPE_CHECKING:
    from corrosion_edge.device.doctor.finding import Finding

__all__ = ["doctor"]

STORE: Final = Path("/var/lib/corrosion-edge")
_COLOURS: Final = {"ok": "green", "warning": "yellow", "problem": "red", "unknown": "cyan"}


@click.command(
    help="""Look over this machine: what works, what does not, and what to do.

    Each line is ok, warning, problem or unknown. The exit code is 1 if there is a problem. Nothing
    is changed, and no camera is opened for pictures.
    """
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Where results will be stored.  [default: the service's folder, or this one]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Look up and call each host that this configuration of watch names.",
)
@click.option(
    "--patience",
    type=Number(0.1, 600),
    default=2.5,
    show_default=True,
    metavar="S",
    help="Seconds that each trial gets: of the runtime, picamera2, a host.",
)
@click.pass_context
def doctor(
    ctx: click.Context, *, as_json: bool, folder: Path | None, config: Path | None, patience: float
) -> None:
    """Print what every probe finds."""
    from corrosion_edge.device.config.asked import asked_of
    from corrosion_edge.device.doctor.examine import examine
    from corrosion_edge.device.doctor.host import Host
    from corrosion_edge.device.trial import ask_child

    asked = asked_of(config) if config else None
    stored = asked.params["folder"] if asked else None
    where = folder or _existing(stored) or (STORE if STORE.is_dir() else Path.cwd())
    findings = examine(Host(folder=where, child=lambda what, *w: ask_child(what, patience, *w)))
    if asked is not None:
        findings = [*findings, *_configured(asked, patience)]
    problems = sum(finding.state == "problem" for finding in findings)
    click.echo(_json(findings, problems) if as_json else _text(findings))
    ctx.exit(int(problems > 0))


def _existing(folder: Path | None) -> Path | None:
    """The folder, or the nearest above it that is there."""
    return (
        next((one for one in (folder, *folder.parents) if one.is_dir()), None) if folder else None
    )


def _configured(asked: click.Context, patience: float) -> "list[Finding]":
    """What is found of the hosts and of the camera devices that a configuration names."""
    from corrosion_edge.device.config.tables import tables_of
    from corrosion_edge.device.doctor.reach import endpoints, missing, reached, sources_of

    tables = {name: table.values for name, table in tables_of(asked).items()}
    sources = sources_of(asked.params["camera"], tables)
    hosts = reached(list(endpoints(asked.params, sources)), patience)
    return [*missing(sources), *hosts]


def _json(findings: Sequence["Finding"], problems: int) -> str:
    fields = {"problems": problems, "findings": [finding.to_dict() for finding in findings]}
    return json.dumps(fields, indent=2)


def _text(findings: Sequence["Finding"]) -> str:
    return "\n".join(_line(finding) for finding in findings)


def _line(finding: "Finding") -> str:
    from corrosion_edge.device.lines import printable

    state = click.style(f"{finding.state:<8}", fg=_COLOURS[finding.state])
    line = f"{state} {finding.topic:<11}  {printable(finding.found)}"
    return f"{line}\n{'':<22}{printable(finding.advice)}" if finding.advice else line
