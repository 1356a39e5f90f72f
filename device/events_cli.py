"""The commands ``events list``, ``show``, ``export``, ``report``, ``deliveries``, ``verify``."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corrosion_edge.errors import UsageError

if TYPE_CHECKING:
    from corrosion_edge.device.history.material import View
    from corrosion_edge.device.store.event import Wanted

__all__ = ["events"]

_PAGES = (".html", ".htm")
_dir = click.argument("store", type=click.Path(path_type=Path), metavar="DIR")


def _time(ctx: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    """A day or moment; without an offset it is of this machine's zone."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if 1970 <= moment.year < 9999:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise click.BadParameter("expected a day or a time from 1970 on, such as 2026-03-01 or "
                             f"2026-03-01T12:30+01:00, got {value!r}")  # fmt: skip


def _require_order(since: datetime | None, until: datetime | None) -> None:
    if since and until and since > until:
        raise UsageError("--since: is later than --until; give the earlier one to --since")


def _form(out: Path, forms: Collection[str]) -> str:
    """Which ending the file has; empty for a folder, which is there or has none."""
    ending = out.suffix.lower()
    if ending and ending not in forms and not out.is_dir():
        raise UsageError(f"--out {out}: expected a file that ends in {' or '.join(forms)}, or a "
                         "folder, whose name has no ending unless it is there")  # fmt: skip
    return ending if ending in forms else ""


_FILTERS = (
    click.option("--camera", "cameras", multiple=True, metavar="NAME",
                 help="Only of this camera; may be given more than once."),
    click.option("--kind", "kinds", multiple=True, metavar="KIND",
                 help="Only of this kind, such as corrosion_began; may be given more than once."),
    click.option("--asset", "assets", multiple=True, metavar="NAME",
                 help="Only of this asset; may be given more than once."),
    click.option("--since", callback=_time, metavar="TIME", help="From this day or moment on."),
    click.option("--until", callback=_time, metavar="TIME", help="Before this day or moment."),
)  # fmt: skip


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _wanted(how: dict[str, Any]) -> "Wanted":
    from corrosion_edge.device.events.event import KINDS
    from corrosion_edge.device.store.event import Wanted

    if unknown := set(how["kinds"]) - set(KINDS):
        raise UsageError(f"--kind {min(unknown)}: expected one of {', '.join(KINDS)}")
    _require_order(how["since"], how["until"])
    return Wanted(**how)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def events() -> None:
    """Read, export and verify what a watch stored."""


@events.command(name="list")
@_dir
@_filters
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_(store: Path, as_json: bool, **how: Any) -> None:
    """List the events in the order in which they were stored."""
    from corrosion_edge.device.history.listing import table
    from corrosion_edge.device.lines import json_line
    from corrosion_edge.device.store.reader import Reader

    wanted = _wanted(how)
    with Reader(store) as reader:
        chosen = reader.events(wanted)
        for line in (json_line(e.to_dict()) for e in chosen) if as_json else table(chosen):
            click.echo(line)


@events.command()
@_dir
@click.argument("which", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(store: Path, which: str, as_json: bool) -> None:
    """Show one event: by its number, or the beginning of its uuid."""
    from corrosion_edge.device.history.listing import shown
    from corrosion_edge.device.store.reader import Reader
    from corrosion_edge.output import json_text

    with Reader(store) as reader:
        event = reader.event(which)
    click.echo(json_text(event.to_dict()) if as_json else "\n".join(shown(event)), nl=not as_json)


@events.command()
@_dir
@_filters
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="PATH",
              help="A file that ends in .json or .csv, or a new folder that gets both and the "
              "pictures.")  # fmt: skip
def export(store: Path, out: Path, **how: Any) -> None:
    """Write events as JSON or CSV, or into a folder with their pictures."""
    from corrosion_edge import output
    from corrosion_edge.device.history import listing
    from corrosion_edge.device.store.reader import Reader

    forms = {".json": listing.json_of, ".csv": listing.csv_of}
    wanted, ending = _wanted(how), _form(out, forms)
    with Reader(store) as reader:
        if ending:
            chosen = list(reader.events(wanted))
            output.write(out, forms[ending](chosen))
            count = len(chosen)
        else:
            count = listing.export_folder(reader.events(wanted), out)
    click.echo(f"Written: {count} events to {out}", err=True)


@events.command()
@_dir
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="PATH",
              help="A file that ends in .html for one page in all, or a folder that gets a page "
              "for each asset.")  # fmt: skip
@click.option("--asset", "assets", multiple=True, metavar="NAME",
              help="Only of this asset; may be given more than once.")  # fmt: skip
@click.option("--since", callback=_time, metavar="TIME",
              help="From this day or moment on.  [default: the last 8 weeks]")  # fmt: skip
@click.option("--until", callback=_time, metavar="TIME", help="Up to this day or moment.")
def report(
    store: Path,
    out: Path,
    assets: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Write a page: scores and map areas over weeks, events with pictures, downtimes."""
    from corrosion_edge import output
    from corrosion_edge.device.history.material import gather
    from corrosion_edge.device.history.page import page
    from corrosion_edge.report import render

    _require_order(since, until)
    _form(out, _PAGES)
    material = gather(store, since, until)
    found = material.assets
    if missing := set(assets) - set(found):
        there = ", ".join(name or "cameras without one" for name in found) or "none"
        raise UsageError(f"--asset {min(missing)}: not in this period; there are: {there}")
    chosen = {name: found[name] for name in assets or found}
    for path, title, views in _pages(out, chosen or {"": []}):
        output.make_folder(path.parent)
        output.write(path, render(page(material, views, title)))
        click.echo(f"Written: {path}", err=True)


def _pages(
    out: Path, chosen: Mapping[str, Sequence["View"]]
) -> list[tuple[Path, str, Sequence["View"]]]:
    """File, title and views of each page."""
    if _form(out, _PAGES):
        names = ", ".join(name for name in chosen if name) or "all cameras"
        return [(out, f"Corrosion watch: {names}", [v for group in chosen.values() for v in group])]
    pages: list[tuple[Path, str, Sequence[View]]] = []
    for number, (name, views) in enumerate(chosen.items(), 1):
        safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60] or "no-asset"
        title = f"Corrosion watch: {name or 'no asset named'}"
        pages.append((out / f"{number:02d}-{safe}.html", title, views))
    return pages


@events.command()
@_dir
def deliveries(store: Path) -> None:
    """Show how far brokers and webhooks have got, and what they refused."""
    from corrosion_edge.device.telling.listing import lines

    for line in lines(store):
        click.echo(line)


@events.command()
@_dir
@click.option("--expect", metavar="HASH",
              help="A head that was noted before, or a head file's content: it must be in the "
              "chain.")  # fmt: skip
@click.option("--head", is_flag=True, help="Print the head's hash alone, to note it elsewhere.")
def verify(store: Path, expect: str | None, head: bool) -> None:
    """Verify the hash chain and every picture.

    The first event where something was changed, removed or reordered is named, with exit code 1.
    A chain cannot show that its end was cut off, or that all was written anew: note the head in
    another place, and name it with --expect.
    """
    from corrosion_edge.device.store.aside import ASIDE
    from corrosion_edge.device.store.verify import verify as verified

    found = verified(store, expect)
    if head:
        click.echo(found.head)
        return
    click.echo(f"{found.events} events: every hash fits the one before")
    click.echo(f"{found.pictures} pictures: as stored; {found.removed} removed by retention")
    click.echo("not checked: the scores of each minute, which are not in the chain")
    for one in found.aside:
        click.echo(f"not checked: what was set aside in {store / ASIDE / str(one.get('place'))}")
    click.echo(f"head: {found.head}")
    if expect is None:
        click.echo("not checked: whether the end was cut off; name a noted head with --expect")
