"""From the commands' options to a classifier."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.modelfile.keys import PublicKey

__all__ = ["opened"]


def opened(
    model: Path | None,
    key: Path | None,
    accelerator: Accelerator,
    content: bytes | None = None,
    **how: Any,
) -> Classifier:
    """The model on what it is to run on, which is said; with a ``key``, only if it is signed so.

    ``content`` is the model file's, if that was read before; ``how`` is for ``Openings``.
    """
    signed_with = PublicKey.load(key) if key else None
    say = partial(click.echo, err=True)
    opening = accelerator.openings(signed_with=signed_with, say=say, **how)
    return Classifier.open(model, signed_with=signed_with, opening=opening, content=content)
