"""The command line: a table of commands, each imported only when it is called."""

import importlib
import sys
from contextlib import suppress
from typing import Any, Final, NoReturn

import click

from corrosion_edge import __version__
from corrosion_edge.errors import CorrosionEdgeError, ExtraError, OutputError
from corrosion_edge.streams import guarded

__all__ = ["COMMANDS", "Command", "cli", "main"]

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "dataset": (
        "corrosion_edge.trainer.dataset.cli:dataset",
        "Fetch, audit and split the photos that a detector is trained on.",
    ),
    "weights": (
        "corrosion_edge.trainer.weights.cli:weights",
        "Bring in, list and check the weights that networks start from.",
    ),
    "train": ("corrosion_edge.trainer.cli:train", "Train a detector from a folder of photos."),
    "evaluate": ("corrosion_edge.trainer.cli:evaluate", "Measure a model on labelled photos."),
    "reproduce": (
        "corrosion_edge.trainer.reproduce.cli:reproduce",
        "Reproduce the tables and figures of the paper, and compare.",
    ),
    "quantize": (
        "corrosion_edge.quantize.cli:quantize",
        "Convert a trained run to full-integer TFLite and measure the drift.",
    ),
    "check": (
        "corrosion_edge.quantize.check_cli:check",
        "Tell op by op what of a TFLite model an accelerator would run.",
    ),
    "drift": (
        "corrosion_edge.quantize.evidence.cli:drift",
        "Compare a float model with its int8 conversion, photo by photo.",
    ),
    "layers": (
        "corrosion_edge.quantize.layers.cli:layers",
        "Tell tensor by tensor what int8 loses, and which tensors make the loss.",
    ),
    "classify": (
        "corrosion_edge.device.archive.cli:classify",
        "Classify photos and folders of photos.",
    ),
    "watch": ("corrosion_edge.device.cli:watch", "Classify live frames of a camera."),
    "events": (
        "corrosion_edge.device.events_cli:events",
        "Read, export and verify what a watch stored.",
    ),
    "service": (
        "corrosion_edge.device.service.cli:service",
        "Let watch run as a service of systemd, from boot on.",
    ),
    "doctor": (
        "corrosion_edge.device.doctor.cli:doctor",
        "Look over this machine: what works, what does not, and what to do.",
    ),
    "bundle": (
        "corrosion_edge.device.bundle_cli:bundle",
        "Look into a model file, verify, sign and compare it.",
    ),
    "benchmark": (
        "corrosion_edge.benchmarks.cli:benchmark",
        "Measure the latency of models on this machine.",
    ),
    "render": (
        "corrosion_edge.render.cli:render",
        "Render a labelled set of surfaces, for trials without photos.",
    ),
    "completion": ("corrosion_edge.completion:completion", "Print a shell's completion script."),
}
"""Command: (module:function, the one line of help). The table keeps ``--help`` fast."""

_EXTRAS: Final[dict[str, str]] = {
    "tensorflow": "train",
    "keras": "train",
    "sklearn": "train",
    "scipy": "train",
    "matplotlib": "train",
    "imagehash": "train",
    "cv2": "train",
    "h5py": "train",
    "av": "device",
    "ai_edge_litert": "device",
    "cryptography": "device",
    "paho": "mqtt",
    "starlette": "web",
    "uvicorn": "web",
    "prometheus_client": "web",
    "anyio": "web",
    "h11": "web",
    "pyarrow": "archive",
    "fsspec": "archive",
    "ray": "ray",
}


class Command(click.Command):
    """A command that ends an error of ours with its sentence and exit code, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CorrosionEdgeError as error:
            _leave(ctx, error)
        except ModuleNotFoundError as error:
            _leave(ctx, missing_extra(error))

    def main(self, *args: Any, **extra: Any) -> Any:
        """See ``click.Command.main``; output that cannot be written is no traceback either."""
        try:
            with guarded():
                return super().main(*args, **extra)
        except BrokenPipeError:
            sys.exit(1)  # as click ends it: whoever read has what was wanted
        except OutputError as error:
            with suppress(OSError):
                click.echo(f"Error: {error}", err=True)
            sys.exit(error.exit_code)


class _Table(Command, click.Group):
    """A group that knows its commands' help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _leave(ctx: click.Context, error: CorrosionEdgeError) -> NoReturn:
    click.echo(f"Error: {error}", err=True)
    ctx.exit(error.exit_code)


def missing_extra(error: ModuleNotFoundError) -> ExtraError:
    """The sentence for a package that an extra installs; any other error is raised again."""
    package = (error.name or "").split(".")[0]
    if package not in _EXTRAS:
        raise error
    extra = _EXTRAS[package]
    return ExtraError(
        f"the package {package!r} is not installed; run: pip install 'corrosion-edge[{extra}]'"
    )


@click.group(cls=_Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="corrosion-edge")
def cli() -> None:
    """Find corrosion in photos, and on a Raspberry Pi or Coral board in live frames.

    Exit codes: 0 done; 1 something failed; 2 wrong usage; 3 a quality gate was not passed.
    """


def main() -> None:
    """Run the command line and leave with its exit code."""
    cli(prog_name="corrosion-edge")
