"""Probabilities that mean what they say: temperature scaling, and the error of calibration.

NumPy alone at import; ``fit_temperature`` needs SciPy (the extra ``train``).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "BINS",
    "TEMPERATURES",
    "calibration_bins",
    "ece_if_calibrated",
    "expected_calibration_error",
    "fit_temperature",
    "log_odds",
    "rescaled",
]

BINS: Final = 15
"""Bins of the expected calibration error, as in Guo et al. 2017."""

TEMPERATURES: Final = (0.05, 20.0)
"""Least and greatest temperature that is fitted."""

_CLOSEST = 1e-7  # to 0 and 1: what float32 tells apart near 1, and Keras's own epsilon
_BATCH = 100
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def log_odds(scores: Scores) -> Scores:
    """The logarithm of p / (1 - p), natural; probabilities are kept 1e-7 away from 0 and 1."""
    p = np.clip(np.asarray(scores, np.float64), _CLOSEST, 1 - _CLOSEST)
    return np.asarray(np.log(p) - np.log1p(-p))


def rescaled(scores: Scores, temperature: float) -> Scores:
    """Probabilities [n] whose log-odds are divided by ``temperature``."""
    return np.asarray(1 / (1 + np.exp(-log_odds(scores) / temperature)))


def fit_temperature(odds: Scores, labels: Labels) -> float:
    """The temperature that gives log-odds [n], divided by it, the least log loss.

    Temperature scaling (Guo et al. 2017): one number, which changes no verdict at 0.5 and no
    ranking. The loss is convex in 1 / temperature. Where every photo is on its right side the
    loss has no minimum; labels are then softened as Platt (1999) did, to (k + 1) / (k + 2) and
    1 / (m + 2) for k corroded and m clean photos. The result is within ``TEMPERATURES``.
    Log-odds that are all 0 give 1. ValueError if one is not finite, or a class is missing.
    """
    from scipy.optimize import minimize_scalar

    if not np.isfinite(odds).all() or len(set(labels.tolist())) != 2:
        raise ValueError("expected finite log-odds of photos of both classes")
    if not odds.any():
        return 1.0
    wanted = _soft(labels) if ((odds > 0) == (labels == 1)).all() else labels.astype(np.float64)

    def loss(inverse: float) -> float:
        z = odds * inverse
        return float(np.mean(np.logaddexp(0, z) - wanted * z))

    coldest, hottest = TEMPERATURES
    found = minimize_scalar(
        loss, bounds=(1 / hottest, 1 / coldest), method="bounded", options={"xatol": 1e-7}
    )
    return float(np.clip(1 / found.x, coldest, hottest))


def calibration_bins(scores: Scores, bins: int = BINS) -> npt.NDArray[np.int64]:
    """The bin, 0 to ``bins`` - 1, of each score [n]: bins of equal mass, in rising order.

    Equal scores share a bin, so the order of photos has no say, and a bin may stay empty.
    """
    below = np.searchsorted(np.sort(scores), scores, side="left")
    return np.asarray(below * bins // len(scores), np.int64)


def expected_calibration_error(labels: Labels, scores: Scores, bins: int = BINS) -> float:
    """How far scores [n] are from frequencies: mean over photos of each bin's gap, in [0, 1].

    A bin's gap is |fraction corroded - mean score|. Bins have equal mass (Nixon et al. 2019):
    scores pile up near 0 and 1, and bins of equal width between would hold two or three photos
    each. The estimate is never negative and so too high for few photos, by about
    sqrt(2 p (1 - p) / (pi m)) for m photos a bin: compare it with ``ece_if_calibrated``.
    """
    gaps = np.bincount(calibration_bins(scores, bins), labels - scores, bins)
    return min(1.0, float(np.abs(gaps).sum() / len(scores)))


def ece_if_calibrated(scores: Scores, *, quantile: float = 0.95, draws: int = 2000) -> float:
    """The calibration error that perfect scores [n] would stay below in 95 % of such sets.

    Labels are drawn with the scores themselves as probabilities (consistency resampling, Bröcker
    and Smith 2007); seeded, so that the same scores give the same figure.
    """
    rng = np.random.default_rng(0)
    bins = calibration_bins(scores)
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    errors = []
    for _ in range(0, draws, _BATCH):
        drawn = rng.random((_BATCH, len(scores))) < scores
        gaps = np.add.reduceat((drawn - scores)[:, order], starts, axis=1)
        errors.append(np.abs(gaps).sum(axis=1) / len(scores))
    return float(np.quantile(np.concatenate(errors), quantile))


def _soft(labels: Labels) -> Scores:
    corroded = int(labels.sum())
    clean = len(labels) - corroded
    return np.where(labels == 1, (corroded + 1) / (corroded + 2), 1 / (clean + 2))
