"""How a network is trained by gradient descent: what may be chosen, and what follows from it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

__all__ = ["Descent", "mixing", "order", "rates", "word"]

Schedule = Literal["constant", "cosine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """Adam on binary cross-entropy.

    ``rate`` is the highest learning rate. ``warm_up`` is the fraction of all steps over which it
    rises linearly from 0; then it stays (``constant``) or falls to 0 along half a cosine
    (``cosine``: Loshchilov, Hutter 2017). The rate of a weight is multiplied by ``layer_decay`` to
    the power of its depth in blocks from the top (``cut.depths``); 1 is off. ``average`` is the
    decay per step of an exponential moving average of the weights, which is then the result; 0 is
    off. ``mixup`` is alpha of the Beta distribution of Zhang et al. 2018, 0 is off.
    ``weight_decay`` is decoupled (AdamW: Loshchilov, Hutter 2019) and leaves out biases and
    batch normalisation. Raises ValueError for a value out of range.
    """

    epochs: int
    rate: float
    batch: int = 32
    schedule: Schedule = "constant"
    warm_up: float = 0.0
    layer_decay: float = 1.0
    average: float = 0.0
    mixup: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch < 1:
            raise ValueError(f"epochs, batch: expected 0 and 1 at least, got {self}")
        if self.schedule not in get_args(Schedule):
            raise ValueError(f"schedule: expected {get_args(Schedule)}, got {self.schedule!r}")
        for name in ("rate", "mixup", "weight_decay"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not (0 <= self.warm_up <= 1 and 0 <= self.average < 1 and 0 < self.layer_decay <= 1):
            raise ValueError(f"warm_up, average, layer_decay: expected fractions, got {self}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Descent":
        """The inverse of ``to_dict`` (ValueError for an unknown name, TypeError for a missing)."""
        if unknown := sorted(set(value) - {field.name for field in fields(cls)}):
            raise ValueError(f"descent: {unknown[0]!r} is unknown")
        return cls(**value)


def rates(plan: Descent, photos: int) -> npt.NDArray[np.float32]:
    """The learning rate of every step, float32 [epochs, steps]."""
    steps = -(-photos // plan.batch)
    total = plan.epochs * steps
    warm = round(plan.warm_up * total)
    step = np.arange(total)
    rising = np.minimum((step + 1) / max(warm, 1), 1.0)
    done = np.clip((step - warm) / max(total - warm, 1), 0, 1)
    falling = (1 + np.cos(np.pi * done)) / 2 if plan.schedule == "cosine" else 1.0
    return (plan.rate * rising * falling).astype(np.float32).reshape(plan.epochs, steps)


def order(photos: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """In which order an epoch takes the photos: a permutation of 0 .. photos - 1."""
    return np.random.default_rng((seed, epoch, 0)).permutation(photos)


def mixing(
    photos: int, plan: Descent, seed: int, epoch: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """For each place of an epoch the place it is mixed with, in its batch, and its own share.

    Shares are float32 in [0.5, 1], so that a photo outweighs what is mixed in.
    """
    rng = np.random.default_rng((seed, epoch, 1))
    starts = range(0, photos, plan.batch)
    sizes = [min(plan.batch, photos - start) for start in starts]
    partners = [start + rng.permutation(size) for start, size in zip(starts, sizes, strict=True)]
    shares = rng.beta(plan.mixup, plan.mixup, photos) if plan.mixup else np.ones(photos)
    return np.concatenate(partners), np.maximum(shares, 1 - shares).astype(np.float32)


def word(seed: int, epoch: int, place: int) -> int:
    """A seed of 31 bits for the generator ``place`` of a network (dropout) in an epoch."""
    return int(np.random.SeedSequence((seed, epoch, 2, place)).generate_state(1)[0] >> 1)
