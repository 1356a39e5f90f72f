"""Looking a data folder over: one pass over the files, then the copies and the shortcuts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import DataError, ImageError
from corrosion_edge.progress import progress
from corrosion_edge.trainer.data import SPLITS, Dataset, Photo, scan
from corrosion_edge.trainer.dataset.duplicates import Finder, Pair, grouped_by
from corrosion_edge.trainer.dataset.facts import Facts, facts_of
from corrosion_edge.trainer.dataset.features import Features, describe, shrink
from corrosion_edge.trainer.dataset.parallel import each
from corrosion_edge.trainer.dataset.reading import content, pixels_of
from corrosion_edge.trainer.dataset.shortcuts import Shortcut, majority, shortcuts

__all__ = ["QUANTILES", "Audit", "audit"]

QUANTILES = {"least": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "most": 1.0}
"""Name and place of the quantiles that are told of sizes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Audit:
    """What was found in a folder.

    ``facts`` are those of the readable photos, in the folder's order; ``pairs`` and ``groups``,
    int64 [n], number them. ``unreadable`` is a sentence for each photo that cannot be read.
    """

    dataset: Dataset
    facts: tuple[Facts, ...]
    unreadable: tuple[str, ...]
    pairs: tuple[Pair, ...]
    groups: npt.NDArray[np.int64]
    shortcuts: tuple[Shortcut, ...]
    majority: Mapping[str, float]

    def __post_init__(self) -> None:
        if len(self.groups) != len(self.facts):
            raise ValueError(
                f"groups: expected one for each of {len(self.facts)}, got {len(self.groups)}"
            )

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits there are, in their order; ("",) for a folder that is not split."""
        there = {photo.split for photo in self.dataset.photos}
        return tuple(split for split in (*SPLITS, "") if split in there)

    def class_of(self, fact: Facts) -> str:
        """The name of a photo's class folder."""
        return self.dataset.classes[fact.photo.label]

    def duplicate_groups(self) -> list[list[Facts]]:
        """The groups of two and more: those with both labels first, then those across splits."""
        members: dict[int, list[Facts]] = {}
        for fact, group in zip(self.facts, self.groups.tolist(), strict=True):
            members.setdefault(group, []).append(fact)
        several = [group for group in members.values() if len(group) > 1]
        return sorted(several, key=lambda g: (not conflicting(g), not crossing(g), g[0].place))

    def leaks(self) -> dict[str, dict[str, int]]:
        """For each split, how many of its photos have a version in each other split."""
        groups = self.duplicate_groups()
        counts: dict[str, dict[str, int]] = {one: {} for one in self.splits}
        for one in self.splits:
            for other in self.splits:
                if one != other:
                    counts[one][other] = sum(
                        sum(f.photo.split == one for f in group)
                        for group in groups
                        if any(f.photo.split == other for f in group)
                    )
        return counts

    def to_dict(self) -> dict[str, Any]:
        """The summary, as plain values."""
        return {
            "folder": self.dataset.root.resolve().name,
            "classes": {
                "no-corrosion": self.dataset.classes[0],
                "corrosion": self.dataset.classes[1],
            },
            "photos": self._counts(),
            "passed_over": dict(self.dataset.passed_over),
            "unreadable": list(self.unreadable),
            "misnamed": {f.place: f.header.format for f in self.facts if f.misnamed},
            "formats": dict(Counter(f.header.format for f in self.facts)),
            "modes": dict(Counter(f.header.mode for f in self.facts)),
            "greyscale": self._by_class([f for f in self.facts if f.greyscale]),
            "exif": self._exif(),
            "sizes": self._sizes(),
            "duplicates": self._duplicates(),
            "shortcuts": {
                "majority": dict(self.majority),
                "rules": [_rule_dict(rule) for rule in self.shortcuts],
            },
        }

    def _counts(self) -> dict[str, dict[str, int]]:
        return {
            split or "all": self._by_class([f for f in self.facts if f.photo.split == split])
            for split in self.splits
        }

    def _by_class(self, facts: Sequence[Facts]) -> dict[str, int]:
        corroded = sum(f.photo.label for f in facts)
        return {"corrosion": corroded, "no-corrosion": len(facts) - corroded}

    def _exif(self) -> dict[str, Any]:
        return {
            "turned": [f.place for f in self.facts if f.header.orientation != 1],
            "gps": [f.place for f in self.facts if f.header.gps],
            "cameras": dict(Counter(f.header.camera for f in self.facts if f.header.camera)),
        }

    def _sizes(self) -> dict[str, dict[str, float]]:
        columns = {name: [f.numbers[name] for f in self.facts] for name in ("width", "height")}
        columns["aspect"] = [f.numbers["aspect"] for f in self.facts]
        columns["bytes"] = [float(f.size) for f in self.facts]
        return {
            name: {q: float(np.quantile(column, place)) for q, place in QUANTILES.items()}
            for name, column in columns.items()
        }

    def _duplicates(self) -> dict[str, Any]:
        groups = self.duplicate_groups()
        return {
            "pairs": len(self.pairs),
            "groups": len(groups),
            "photos": sum(map(len, groups)),
            "identical_files": len(self.facts) - len({f.sha256 for f in self.facts}),
            "groups_across_splits": sum(map(crossing, groups)),
            "photos_with_a_version_in": self.leaks(),
            "label_conflicts": [[f.place for f in g] for g in groups if conflicting(g)],
        }


def audit(root: Path, positive: str | None = None) -> Audit:
    """Look over the photos below ``root``, split or not.

    ``positive`` names the class folder of corrosion, where its name does not tell. Every photo is
    read once; what is kept of it lies in a temporary file. Raises DataError if the folder is no
    data set or no photo can be read, OutputError if the temporary folder is full.
    """
    dataset = scan(root, positive)
    facts: list[Facts] = []
    unreadable: list[str] = []
    with Finder() as finder:
        read = each(lambda photo: _look(photo, root), dataset.photos)
        for result in progress(read, "Reading photos", len(dataset.photos)):
            if isinstance(result, ImageError):
                unreadable.append(str(result))
            else:
                facts.append(result[0])
                finder.add(result[0].sha256, result[1])
        if not facts:
            raise DataError(f"{root}: none of its photos can be read; the first: {unreadable[0]}")
        pairs = finder.pairs()
    groups = grouped_by([(pair.a, pair.b) for pair in pairs], len(facts))
    return Audit(
        dataset=dataset,
        facts=tuple(facts),
        unreadable=tuple(unreadable),
        pairs=tuple(pairs),
        groups=groups,
        shortcuts=tuple(shortcuts(facts, groups)),
        majority=majority(facts),
    )


def crossing(group: Sequence[Facts]) -> bool:
    """Whether versions of one photo lie in more than one split."""
    return len({fact.photo.split for fact in group}) > 1


def conflicting(group: Sequence[Facts]) -> bool:
    """Whether versions of one photo lie in both classes."""
    return len({fact.photo.label for fact in group}) > 1


def _look(photo: Photo, root: Path) -> tuple[Facts, Features] | ImageError:
    try:
        data = content(photo.path)
        pixels = pixels_of(data, photo.path)
    except ImageError as error:
        return error
    small = shrink(pixels)
    place = photo.path.relative_to(root).as_posix()
    return facts_of(photo, place, data, pixels, small), describe(small)


def _rule_dict(rule: Shortcut) -> dict[str, Any]:
    side = "above" if rule.corrosion_above else "below"
    return {
        "feature": rule.feature,
        "corrosion": f"{side} {rule.threshold:.4g}",
        "accuracy": dict(rule.accuracy),
    }
