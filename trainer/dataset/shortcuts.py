"""How far one number of a photo alone, and one threshold on it, tell the classes apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.tree import DecisionTreeClassifier

from corrosion_edge.trainer.data import SPLITS
from corrosion_edge.trainer.dataset.facts import FEATURES, Facts

__all__ = ["Shortcut", "majority", "shortcuts"]

_FOLDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A threshold on one feature, fitted on train, and the accuracy, 0 to 1, of that rule alone.

    ``corrosion_above`` tells on which side of ``threshold`` the rule says corrosion. ``accuracy``
    is by split; of a folder without splits it has the one key "cross-validated".
    """

    feature: str
    threshold: float
    corrosion_above: bool
    accuracy: Mapping[str, float]


def shortcuts(facts: Sequence[Facts], groups: npt.NDArray[np.int64]) -> list[Shortcut]:
    """The rule of each feature, the most telling on validation first; none if a class is missing.

    Each rule is a decision tree of one node. Without splits the accuracy is cross-validated,
    versions of one photo (equal ``groups``) in one fold.
    """
    splits = np.array([fact.photo.split for fact in facts])
    labels = np.array([fact.photo.label for fact in facts], np.int64)
    train = splits == "train" if splits.any() else np.ones(len(facts), bool)
    if len(set(labels[train].tolist())) < 2:
        return []
    rules = [_rule(name, facts, labels, splits, groups) for name in FEATURES]
    judge = "validation" if "validation" in rules[0].accuracy else next(iter(rules[0].accuracy))
    return sorted(rules, key=lambda rule: -rule.accuracy[judge])


def majority(facts: Sequence[Facts]) -> dict[str, float]:
    """The accuracy, by split, of always naming the class that is more frequent in train."""
    there = {fact.photo.split for fact in facts}
    splits = [split for split in (*SPLITS, "") if split in there]
    learned = [f.photo.label for f in facts if f.photo.split in ("train", "")]
    most = int(np.mean(learned) >= 0.5) if learned else 1
    return {
        split or "cross-validated": float(
            np.mean([f.photo.label == most for f in facts if f.photo.split == split])
        )
        for split in splits
    }


def _rule(
    name: str,
    facts: Sequence[Facts],
    labels: npt.NDArray[np.int64],
    splits: npt.NDArray[np.str_],
    groups: npt.NDArray[np.int64],
) -> Shortcut:
    values = np.array([[fact.numbers[name]] for fact in facts])
    if splits.any():
        stump = _fit(values[splits == "train"], labels[splits == "train"])
        accuracy = {
            split: float(stump.score(values[splits == split], labels[splits == split]))
            for split in SPLITS
            if (splits == split).any()
        }
    else:
        stump = _fit(values, labels)
        accuracy = {"cross-validated": _cross_validated(values, labels, groups)}
    return _described(name, stump, accuracy)


def _described(name: str, stump: DecisionTreeClassifier, accuracy: dict[str, float]) -> Shortcut:
    tree = stump.tree_
    if tree.node_count < 3:  # no threshold tells more than the majority
        return Shortcut(feature=name, threshold=0.0, corrosion_above=True, accuracy=accuracy)
    below, above = (tree.value[node][0][1] for node in (1, 2))
    return Shortcut(
        feature=name,
        threshold=float(tree.threshold[0]),
        corrosion_above=bool(above > below),
        accuracy=accuracy,
    )


def _fit(values: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=1, random_state=0).fit(values, labels)


def _cross_validated(
    values: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]
) -> float:
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0)
    right = np.zeros(len(labels), bool)
    for learn, judge in folds.split(values, labels, groups):
        right[judge] = _fit(values[learn], labels[learn]).predict(values[judge]) == labels[judge]
    return float(right.mean())
