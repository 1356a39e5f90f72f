"""``corrosion-edge service install|uninstall|status``."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from corrosion_edge.device.service.install import Place
    from corrosion_edge.device.service.steps import Step

__all__ = ["service"]

_root = click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=Path("/"),
    metavar="DIR",
    help="Work on the system below this folder, such as an image's.  [default: this machine]",
)
_dry_run = click.option(
    "--dry-run", is_flag=True, help="Print what would be done, and the files; change nothing."
)
_HEADER = """\
# What corrosion-edge watch does as a service. Relative paths are taken from this folder.
# After a change: sudo systemctl restart corrosion-edge
#
# The service may write below /var/lib/corrosion-edge alone. To store events, write in [store]
#   folder = "/var/lib/corrosion-edge/events"
#
# A table for each camera stands in for the key 'camera'; what it leaves out is taken from below.
# Tables go to the end of the file:
#   [camera.deck]
#   source = "/dev/video0"
#   roi = "0.0,0.2,1.0,0.8"
#   asset = "Bridge 4"         # needs the key 'folder' in [store]

"""


@click.group(help="Let watch run as a service of systemd, from boot on.")
def service() -> None:
    """Install, uninstall, look after the service."""


@service.command(help="Install the service, and start it.")
@_root
@_dry_run
@click.option(
    "--program",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The program to be started.  [default: the one beside this Python]",
)
@click.option(
    "--memory",
    type=click.IntRange(min=128),
    default=512,
    show_default=True,
    metavar="MIB",
    help="Memory above which it is ended and started again.",
)
def install(*, root: Path, dry_run: bool, program: Path | None, memory: int) -> None:
    """Write unit, user and a first configuration."""
    from corrosion_edge.device.service import install as module

    place = _place(root, dry_run)
    start = program or Path(sys.executable).parent / "corrosion-edge"
    _go(place, module.install(place, start, _first_config(), memory), dry_run)


@service.command(help="Remove the service; configuration and data stay.")
@_root
@_dry_run
@click.option("--purge", is_flag=True, help="Remove configuration, data and user, too.")
def uninstall(*, root: Path, dry_run: bool, purge: bool) -> None:
    """Remove what ``install`` wrote."""
    from corrosion_edge.device.service import install as module

    place = _place(root, dry_run)
    if not _go(place, module.uninstall(place, purge), dry_run):
        click.echo(f"nothing to remove below {place.root}: the service is not installed")


@service.command(help="Tell whether the service is installed and runs.")
@_root
@click.pass_context
def status(ctx: click.Context, *, root: Path) -> None:
    """Print it; the exit code is 0 if it runs, or below another root if it is installed."""
    from corrosion_edge.device.service.install import Place
    from corrosion_edge.device.service.unit import UNIT

    place = Place(root.absolute())
    if not (place.root / UNIT).exists():
        click.echo("not installed; run: corrosion-edge service install")
        ctx.exit(1)
    if not place.live:
        click.echo("installed; systemd does not run here, so it starts at the next boot")
        return
    fields = _shown()
    click.echo("\n".join(f"{name}: {value}" for name, value in fields.items()))
    ctx.exit(int(fields.get("ActiveState") != "active"))


def _place(root: Path, dry_run: bool) -> "Place":
    from corrosion_edge.device.service.install import Place

    place = Place(root.absolute())
    if not dry_run:
        place.require_rights()
    return place


def _go(place: "Place", steps: Iterator["Step"], dry_run: bool) -> int:
    """Take the steps and tell each; how many there were."""
    from corrosion_edge.device.service.install import take
    from corrosion_edge.device.service.steps import Write

    show: Callable[[Any], None] = click.echo
    taken = 0
    for taken, step in enumerate(steps if dry_run else take(steps, place.root), 1):  # noqa: B007
        show(step.told.replace("{root}", str(place.root)))
        if dry_run and isinstance(step, Write):
            show("\n".join(f"    {line}".rstrip() for line in step.content.splitlines()))
    return taken


def _first_config() -> str:
    """Every option of ``watch`` at its default, but patient, calmer and for programs."""
    from corrosion_edge.device.cli import watch
    from corrosion_edge.device.config.keys import keys_of
    from corrosion_edge.device.config.printing import printed

    words = ["--interval", "10", "--json", "--await-cameras"]
    values = watch.make_context("watch", words).params
    return _HEADER + printed(keys_of(watch), values, Path("/etc/corrosion-edge"))


def _shown() -> dict[str, str]:
    names = "ActiveState,SubState,StatusText,NRestarts,Result,ActiveEnterTimestamp,MemoryCurrent"
    done = subprocess.run(
        ["systemctl", "show", "corrosion-edge.service", f"--property={names}"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    lines = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, _, value in lines}
