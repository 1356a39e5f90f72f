"""Rows of the paper's tables, what training one of them gives, and the seam that trains."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
from sklearn.metrics import roc_auc_score

from corrosion_edge.closing import Closing
from corrosion_edge.metrics import Confusion, Labels, Scores
from corrosion_edge.trainer.load import Splits
from corrosion_edge.trainer.reproduce import paper
from corrosion_edge.trainer.reproduce.paper import Method

__all__ = ["EXTRA", "THRESHOLD", "Figures", "MakeRunner", "Outcome", "Row", "Runner", "Setup",
           "Views"]  # fmt: skip

THRESHOLD: Final = 0.5
"""The score from which the verdict is corrosion, as in the paper."""

EXTRA: Final = 6
"""The number of our table of fine-tuned rows that the paper does not have."""

Pooling = Literal["avg", "max"]
Views = Literal["shared", "independent"]
"""Whether all seeds of a backbone train on the same random views of the photos, or each on own."""

_CLIP: Final = 1e-7  # of probabilities in the loss, as in Keras


@dataclass(frozen=True, slots=True)
class Row:
    """A backbone, its pooling, and the fraction of its layers that is fine-tuned (None: frozen).

    ``table`` is 2 to 5, or ``EXTRA`` for a fine-tuned row that the paper does not have.
    """

    table: int
    backbone: str
    pooling: Pooling
    fine_tune: float | None = None

    def __post_init__(self) -> None:
        if self.table not in (2, 3, 4, 5, EXTRA):
            raise ValueError(f"table: expected 2 to 5, or {EXTRA}, got {self.table}")
        if self.pooling not in ("avg", "max"):
            raise ValueError(f"pooling: expected avg or max, got {self.pooling!r}")
        if (self.fine_tune is None) != (self.table == 2):
            raise ValueError(f"fine_tune: {self.fine_tune} does not belong in table {self.table}")
        if self.fine_tune is not None and not 0 < self.fine_tune <= 1:
            raise ValueError(f"fine_tune: expected a fraction in (0, 1], got {self.fine_tune}")

    @property
    def key(self) -> str:
        """A name for files, the same whichever table asks: ``efficientnetv2-b0_avg_top20``."""
        return f"{self.backbone}_{self.pooling}_{_part(self.fine_tune, 'frozen', 'top{:g}')}"

    @property
    def title(self) -> str:
        """For people: ``EfficientNetV2B0, average pooling, 20 % fine-tuned``."""
        names = paper.BACKBONES | paper.OURS
        pooling = {"avg": "average", "max": "maximum"}[self.pooling]
        part = _part(self.fine_tune, "frozen", "{:g} % fine-tuned")
        return f"{names.get(self.backbone, self.backbone)}, {pooling} pooling, {part}"


def _part(fraction: float | None, frozen: str, thawed: str) -> str:
    return frozen if fraction is None else thawed.format(round(100 * fraction, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How good a model was on ``n`` photos, at the threshold 0.5; fractions in [0, 1].

    ``precision``, ``recall``, ``f1`` and the counts have corrosion as the positive class; the
    fields that begin with ``paper_`` have no-corrosion, as the paper counts. ``loss`` is the mean
    binary cross-entropy in nats.
    """

    n: int
    accuracy: float
    loss: float
    auc: float
    precision: float
    recall: float
    f1: float
    paper_precision: float
    paper_recall: float
    paper_f1: float
    tp: int
    fp: int
    tn: int
    fn: int

    def __post_init__(self) -> None:
        if self.tp + self.fp + self.tn + self.fn != self.n or self.n < 1:
            raise ValueError(f"counts: expected to sum to n = {self.n}")
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{name}: expected a finite number of 0 or more, got {value}")

    @property
    def right(self) -> int:
        """Photos that were called what they are."""
        return self.tp + self.tn

    @classmethod
    def of(cls, labels: Labels, scores: Scores) -> "Figures":
        """Judge scores, the probabilities of corrosion [n], by labels [n] (1 = corrosion).

        Both classes must be there (ValueError from scikit-learn otherwise).
        """
        c = Confusion.of(labels, scores >= THRESHOLD)
        tp, fp, tn, fn = c.true_positive, c.false_positive, c.true_negative, c.false_negative
        p = np.clip(scores, _CLIP, 1 - _CLIP)
        return cls(
            n=len(labels),
            accuracy=(tp + tn) / len(labels),
            loss=float(-np.mean(np.where(labels == 1, np.log(p), np.log1p(-p)))),
            auc=float(roc_auc_score(labels, scores)),
            **_prf(tp, fp, fn, ""),
            **_prf(tn, fn, fp, "paper_"),
            **c.to_dict(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers by name."""
        return asdict(self)


def _prf(tp: int, fp: int, fn: int, prefix: str) -> dict[str, Any]:
    """Precision, recall and F1; 0 where there is nothing to divide by."""
    return {
        f"{prefix}precision": tp / max(tp + fp, 1),
        f"{prefix}recall": tp / max(tp + fn, 1),
        f"{prefix}f1": 2 * tp / max(2 * tp + fp + fn, 1),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What training one row with one seed gave.

    ``history`` has a dict for each epoch, in order, with the keys ``epoch`` (1, 2, ...),
    ``train_loss``, ``train_accuracy``, ``validation_loss``, ``validation_accuracy`` and whatever
    else the runner measured. ``scores`` are the probabilities of corrosion of the test photos, in
    the order of the test split, ``labels`` their truth (1 = corrosion). ``seconds`` is what this
    outcome cost; what several outcomes share is divided among them. ``origin`` says where the
    backbone's weights came from.
    """

    row: Row
    seed: int
    views: Views
    test: Figures
    validation: Figures
    history: tuple[Mapping[str, float], ...]
    scores: tuple[float, ...]
    labels: tuple[int, ...]
    seconds: float
    origin: str

    def __post_init__(self) -> None:
        if self.views not in ("shared", "independent"):
            raise ValueError(f"views: expected shared or independent, got {self.views!r}")
        if not len(self.scores) == len(self.labels) == self.test.n:
            raise ValueError(
                f"expected {self.test.n} scores and labels, got {len(self.scores)} and "
                f"{len(self.labels)}"
            )
        values = [*self.scores, self.seconds, *(v for e in self.history for v in e.values())]
        if not all(map(math.isfinite, values)):
            raise ValueError("scores, seconds, history: expected finite numbers only")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they stand in a file of the ledger."""
        return {
            "row": asdict(self.row),
            "seed": self.seed,
            "views": self.views,
            "test": self.test.to_dict(),
            "validation": self.validation.to_dict(),
            "history": [dict(epoch) for epoch in self.history],
            "scores": list(self.scores),
            "labels": list(self.labels),
            "seconds": self.seconds,
            "origin": self.origin,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Outcome":
        """The inverse of ``to_dict``; KeyError, TypeError or ValueError for anything else."""
        return cls(
            row=Row(**value["row"]),
            seed=int(value["seed"]),
            views=value["views"],
            test=Figures(**value["test"]),
            validation=Figures(**value["validation"]),
            history=tuple(dict(epoch) for epoch in value["history"]),
            scores=tuple(map(float, value["scores"])),
            labels=tuple(map(int, value["labels"])),
            seconds=float(value["seconds"]),
            origin=str(value["origin"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """Everything a runner works on; ``splits`` has train, validation and test.

    ``weights`` gives, for each backbone that may be asked for, what ``backbones.build`` takes.
    ``seeds`` are all that will be asked for, so that what they share is made once; ``thawed`` the
    backbones of which fine-tuned rows will be asked for. ``scratch`` is
    a folder, not yet made, in which a runner may keep intermediate results from one command to
    the next; it may vanish between commands, never within one.
    """

    splits: Splits
    method: Method
    weights: Mapping[str, str]
    views: Views
    seeds: tuple[int, ...]
    scratch: Path
    thawed: frozenset[str] = frozenset()


class Runner(Closing, Protocol):
    """Trains rows. Equal setups give equal outcomes, but for ``seconds``, in whatever order.

    A context manager; KeyboardInterrupt may end any call.
    """

    def predict(self, row: Row, seeds: tuple[int, ...]) -> float:
        """Seconds that running these seeds of a row will take, from what is known so far.

        Cheap: it trains nothing and downloads nothing.
        """

    def run(self, row: Row, seed: int) -> Outcome:
        """Train one row with one seed and judge it on the validation and test photos.

        Raises WeightsError if the backbone's weights cannot be had.
        """


MakeRunner = Callable[[Setup], Runner]
"""``runner.SharedRunner`` is the real one."""
