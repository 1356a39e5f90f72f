"""The one file that ``--out`` names: begun, gone on with after a kill, and complete in the end."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from corrosion_edge import __version__, output
from corrosion_edge.device.archive.judge import Result
from corrosion_edge.device.archive.ledger import Ledger
from corrosion_edge.device.archive.running import Archive
from corrosion_edge.device.archive.table import require_format, write_table
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import OutputError, UsageError

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The file ``path``, and whether one that was begun is gone on with."""

    path: Path
    resume: bool

    @property
    def partial(self) -> Path:
        """Where the results are kept until all of them are there."""
        return self.path.with_name(f"{self.path.name}.partial")

    def is_complete(self) -> bool:
        """Whether there is nothing left to do.

        Raises UsageError for a format that is not known, OutputError for a file that is not to be
        replaced, or a folder that cannot be written.
        """
        require_format(self.path)
        if self.path.parts[0].endswith(":"):  # what Path leaves of an address
            raise UsageError(f"--out {self.path}: expected a path; copy the file there afterwards")
        if self.path.exists() and not self.partial.exists():
            if self.resume:
                return True
            raise OutputError(f"{self.path}: exists already; name another file or remove it")
        output.require_writable(self.path.parent)
        return False

    def collect(
        self,
        archive: Archive,
        classifier: Classifier,
        decode: str,
        kernels: str,
        judged: Callable[[Archive], Generator[Result]],
    ) -> int:
        """Judge what has no result yet, and write the file; how many could not be judged.

        Where some could not be fetched, what is needed to try these again is kept beside it.
        """
        settings = _settings(classifier, decode, kernels)
        with Ledger(self.partial, settings, resume=self.resume) as ledger:
            with closing(judged(archive.without(ledger.has))) as results:
                for result in results:
                    ledger.add(result)
            photos, failed, again = ledger.counts()
            write_table(self.path, ledger.rows(), settings)
        told = f"; {failed} could not be judged" if failed else ""
        if again:
            told += f", {again} of them not fetched: --resume tries those again"
        else:
            self.partial.unlink()
        click.echo(f"{self.path}: {photos} photos{told}", err=True)
        return failed


def _settings(classifier: Classifier, decode: str, kernels: str) -> dict[str, Any]:
    """What all rows have in common, and a run that goes on has to have too."""
    return {
        "model_sha256": classifier.manifest.model_sha256,
        "threshold": classifier.threshold,
        "band": classifier.band and list(classifier.band),
        "decode": decode,
        "runtime": classifier.backend.name.split(",")[0],
        "kernels": kernels,
        "version": __version__,
    }
