"""How far an int8 model may be from its float model, and whether it is; plain Python alone."""

from dataclasses import dataclass, field, fields
from typing import Any, Final

__all__ = ["SURE_OF_LARGEST", "Check", "Limits", "judge", "judge_largest"]

SURE_OF_LARGEST: Final = 299
"""Photos from which the largest change tells something: if none of them is beyond a limit, then
with 95 % confidence no more than 1 % of such photos are (Wilks 1941: 1 - 0.99 ** n >= 0.95)."""

_ROUNDING = 1e-9  # 0.97 - 0.96 is 0.010000000000000009
Interval = tuple[float, float]


def _limit(default: float, option: str, title: str, text: str) -> Any:
    return field(default=default, metadata={"option": option, "title": title, "help": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a conversion, each a fraction in [0, 1] (ValueError beyond).

    This is the one place where they are named: options, checks and pages are made from it. All
    but ``false_alarm_rise``, which is for every further folder, are judged on the photos that are
    compared, ``map_change`` (see ``maps``) on some of them. Drops are float minus int8, rises int8
    minus float, changes absolute differences of a photo's two probabilities.
    """

    accuracy_drop: float = _limit(
        0.01, "--max-accuracy-drop", "drop of accuracy", "Largest drop of accuracy."
    )
    auc_drop: float = _limit(0.005, "--max-auc-drop", "drop of ROC-AUC", "Largest drop of ROC-AUC.")
    mean_change: float = _limit(
        0.02,
        "--max-mean-change",
        "mean change of a probability",
        "Largest mean change of a photo's probability.",
    )
    largest_change: float = _limit(
        0.25,
        "--max-change",
        "largest change of a probability",
        "Largest change of any photo's probability.",
    )
    agreement: float = _limit(
        0.98, "--min-agreement", "same verdict", "Least share of photos with the same verdict."
    )
    map_change: float = _limit(
        0.05,
        "--max-map-change",
        "mean change of the heat map",
        "Largest mean change of the heat map, 1 being its strongest colour, over the cells that "
        "either model colours.",
    )
    false_alarm_rise: float = _limit(
        0.05,
        "--max-false-alarm-rise",
        "rise of false alarms",
        "Largest rise, in a folder of --also or --also-clean, of the share of photos without "
        "corrosion that are called corrosion.",
    )

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected a number in [0, 1], got {getattr(self, name)}")

    @classmethod
    def none(cls) -> "Limits":
        """Limits that everything keeps."""
        return cls(**{f.name: 0.0 if f.name in _LEAST else 1.0 for f in fields(cls)})

    def to_dict(self) -> dict[str, float]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


_LEAST: Final = frozenset({"agreement"})  # the others are the most that may be
_WORDS: Final = {
    "accuracy_drop": "accuracy drops by {value:.4f}, more than {limit:g}",
    "auc_drop": "ROC-AUC drops by {value:.4f}, more than {limit:g}",
    "mean_change": "a probability changes by {value:.4f} on average, more than {limit:g}",
    "largest_change": "a probability changes by {value:.4f}, more than {limit:g}",
    "agreement": "{value:.4f} of the verdicts are the same, less than {limit:g}",
    "map_change": "the heat map changes by {value:.4f} of its strongest colour on average, more "
    "than {limit:g}",
    "false_alarm_rise": "false alarms rise by {value:.4f}, more than {limit:g}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A limit, the value it was held against on ``n`` photos, and what that says.

    ``name`` is the field of ``Limits``. ``ci95`` is the value's 95 % interval, None where it has
    none. ``certain`` tells whether ``n`` photos are enough to tell on which side of the limit the
    value is; None where that was not asked.
    """

    name: str
    value: float
    limit: float
    n: int
    ci95: Interval | None = None
    certain: bool | None = None

    def __post_init__(self) -> None:
        if self.name not in _WORDS:
            raise ValueError(f"name: expected one of {sorted(_WORDS)}, got {self.name!r}")

    @property
    def title(self) -> str:
        """What is limited, in words."""
        (found,) = (f for f in fields(Limits) if f.name == self.name)
        return str(found.metadata["title"])

    @property
    def at_least(self) -> bool:
        """Whether the limit is the least that must be, not the most that may be."""
        return self.name in _LEAST

    @property
    def kept(self) -> bool:
        """Whether the value itself, not its interval, is within the limit."""
        return _within(self.name, self.value, self.limit)

    @property
    def verdict(self) -> str:
        """``kept`` or ``broken``, and whether the photos are too few to tell."""
        if self.certain is not False:
            return "kept" if self.kept else "broken"
        link = "kept, but" if self.kept else "broken, though"
        return f"{link} {self.n} photos cannot tell"

    @property
    def sentence(self) -> str:
        """How the limit was broken."""
        return _WORDS[self.name].format(value=self.value, limit=self.limit)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``kept`` and ``verdict`` included."""
        return {
            "name": self.name,
            "value": self.value,
            "limit": self.limit,
            "kept": self.kept,
            "certain": self.certain,
            "verdict": self.verdict,
            "n": self.n,
            "ci95": list(self.ci95) if self.ci95 else None,
        }


def judge(limits: Limits, name: str, value: float, n: int, ci95: Interval | None = None) -> Check:
    """Hold a value, found on ``n`` photos, against the limit ``name``.

    With an interval, the photos are enough where all of it is on the value's side of the limit;
    without one nobody asked.
    """
    limit, certain = getattr(limits, name), None
    if ci95 is not None:
        best, worst = reversed(ci95) if name in _LEAST else ci95
        kept = _within(name, value, limit)
        certain = _within(name, worst, limit) if kept else not _within(name, best, limit)
    return Check(name=name, value=value, limit=limit, n=n, ci95=ci95, certain=certain)


def judge_largest(limits: Limits, value: float, n: int) -> Check:
    """Hold the largest change of ``n`` photos against its limit.

    A largest value has no interval: kept, it needs ``SURE_OF_LARGEST`` photos to tell something
    of others; broken, it needs no more than the one that broke it.
    """
    limit = limits.largest_change
    certain = n >= SURE_OF_LARGEST or limit >= 1 or not _within("largest_change", value, limit)
    return Check(name="largest_change", value=value, limit=limit, n=n, certain=certain)


def _within(name: str, value: float, limit: float) -> bool:
    return value >= limit - _ROUNDING if name in _LEAST else value <= limit + _ROUNDING
