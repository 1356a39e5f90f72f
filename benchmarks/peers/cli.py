"""The benchmark's command."""

from pathlib import Path
from typing import Final

import click

from corrosion_edge import output
from corrosion_edge.benchmarks.peers import page, text
from corrosion_edge.benchmarks.peers.ratio import LEAST
from corrosion_edge.benchmarks.peers.run import Plan, chosen, run
from corrosion_edge.benchmarks.peers.running import rigs_folder
from corrosion_edge.cli import Command

__all__ = ["NETWORKS", "main"]

NETWORKS: Final = ("default", "efficientnetv2-b0", "efficientnet-lite0", "mobilenetv2")

_FEW: Final = f"fewer than {LEAST} give a range, no 95 % interval"

_FOLDER: Final = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("out", type=_FOLDER)
@click.option("--network", "networks", multiple=True, metavar="NAME", default=NETWORKS,
              show_default=True, help="default, mobilenetv2 or a backbone of train.")  # fmt: skip
@click.option("--peer", "peers", multiple=True, metavar="NAME",
              help="Only this one beside ours [default: all].")  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True)
@click.option("--rounds", type=click.IntRange(3, 1000), default=15, show_default=True,
              help=f"Turns of each peer; {_FEW}.")  # fmt: skip
@click.option("--starts", type=click.IntRange(3, 100), default=LEAST, show_default=True,
              help=f"Fresh processes of each peer; {_FEW}.")  # fmt: skip
@click.option("--pictures", type=_FOLDER, metavar="FOLDER",
              help="JPEG files [default: rendered 1080p frames].")  # fmt: skip
@click.option("--files", type=_FOLDER, metavar="FOLDER",
              help="Where converted networks are kept [default: OUT/networks].")  # fmt: skip
@click.option("--rigs", type=_FOLDER, metavar="FOLDER",
              help="What tests/rigs/setup.sh built [default: .cache/rigs].")  # fmt: skip
def main(out: Path, networks: tuple[str, ...], peers: tuple[str, ...], threads: int, rounds: int,
         starts: int, pictures: Path | None, files: Path | None,
         rigs: Path | None) -> None:  # fmt: skip
    """Measure this project beside other runtimes: OUT/result.json, .md and .html."""
    output.require_writable(out)
    result = run(
        Plan(
            networks=tuple(dict.fromkeys(networks)),
            peers=chosen(peers),
            threads=threads,
            rounds=rounds,
            starts=starts,
            pictures=pictures,
            files=files or out / "networks",
            rigs=(rigs or rigs_folder()).absolute(),
        )
    )
    output.write(out / "result.json", output.json_text(result.to_dict()))
    output.write(out / "result.md", text.markdown(result))
    output.write(out / "result.html", page.html(result))
    click.echo(text.markdown(result), nl=False)
