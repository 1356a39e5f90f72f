"""A conversion to another precision in the place of the search's rungs: one, for diagnosis."""

import time

from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.precision import PRECISIONS
from corrosion_edge.quantize.judge import Judge
from corrosion_edge.quantize.ladder.ladder import Rung
from corrosion_edge.quantize.precision.maker import Maker

__all__ = ["diagnosis"]


def diagnosis(maker: Maker, precision: str, judge: Judge) -> Rung:
    """Convert and judge; BackendError if it cannot be converted or run."""
    start = time.monotonic()
    model = maker.make(precision)
    seconds = time.monotonic() - start
    try:
        report = judge(model, precision)
    except (BackendError, BundleError) as error:
        raise BackendError(f"{precision} was made of this network, but not run: {error}") from None
    what = PRECISIONS[precision]
    return Rung(name=precision, what=what, model=model, report=report, seconds=seconds)
