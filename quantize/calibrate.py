"""Which photos the converter learns its ranges from."""

import numpy as np
import numpy.typing as npt

from corrosion_edge.trainer.samples import Samples

__all__ = ["choose"]


def choose(training: Samples, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Places of ``count`` training photos, half of each class, seeded; int64 [count].

    Where a class has fewer than half, all of its photos are taken and the other class fills up;
    with fewer photos than ``count``, all are taken.
    """
    if count < 2:
        raise ValueError(f"count: expected 2 or more, got {count}")
    generator = np.random.default_rng(seed)
    classes = [generator.permutation(np.flatnonzero(training.labels == c)) for c in (0, 1)]
    small, large = sorted(classes, key=len)
    few = min(count // 2, len(small))
    chosen = np.concatenate([small[:few], large[: count - few]])
    return generator.permutation(chosen)
