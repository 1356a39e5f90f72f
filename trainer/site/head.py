"""A logistic head that is pulled towards the one it starts from."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

__all__ = ["pulled_head"]

_FLAT: Final = 1e-8  # least spread that a feature is divided by
Vector = npt.NDArray[np.float64]


def pulled_head(
    sets: Sequence[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]],
    start: tuple[Vector, float],
    strength: float,
) -> tuple[Vector, float, float]:
    """Fit log-odds = features @ weights [c] + bias to sets of features [n, c] and labels [n].

    Least is the mean over the sets of each set's mean log loss, in nats, plus
    |s (weights - start)|² / (2 ``strength``), s being each feature's standard deviation in the
    last set: however few photos a set has, its share is the same. The bias is free. Each set is
    taken as it is, without weights for its classes. Returns weights, bias and that mean loss.
    The penalty is L2-SP's (Li, Grandvalet and Davoine 2018).
    """
    last = np.asarray(sets[-1][0], np.float64)
    centre, scale = last.mean(axis=0), np.maximum(last.std(axis=0), _FLAT)
    known = [
        ((x - centre) / scale, y, x @ start[0] + start[1])
        for x, y in ((np.asarray(x, np.float64), y.astype(np.float64)) for x, y in sets)
    ]

    def loss(change: Vector) -> tuple[float, Vector]:
        total, slope = 0.0, np.zeros_like(change)
        for x, y, offset in known:
            z = offset + x @ change[:-1] + change[-1]
            error = (expit(z) - y) / len(y)
            total += float(np.mean(np.logaddexp(0, z) - y * z)) / len(known)
            slope += np.append(error @ x, error.sum()) / len(known)
        total += float(change[:-1] @ change[:-1]) / (2 * strength)
        slope[:-1] += change[:-1] / strength
        return total, slope

    found = minimize(loss, np.zeros(len(scale) + 1), jac=True, method="L-BFGS-B").x
    change = found[:-1] / scale
    penalty = float(found[:-1] @ found[:-1]) / (2 * strength)
    bias = start[1] + float(found[-1] - centre @ change)
    return start[0] + change, bias, loss(found)[0] - penalty
