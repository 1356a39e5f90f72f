"""A row's result beside the paper's: figures over the seeds, a judgement, a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

from corrosion_edge.trainer.reproduce import paper
from corrosion_edge.trainer.reproduce.rows import Figures, Outcome, Row, Views
from corrosion_edge.trainer.reproduce.sizes import SizeResult
from corrosion_edge.trainer.reproduce.statistics import Judgement, Spread, judge
from corrosion_edge.trainer.reproduce.wording import wording

__all__ = ["FIGURES", "Report", "RowResult", "span"]

FIGURES: Final = ("accuracy", "loss", "auc", "precision", "recall", "f1", "paper_precision",
                  "paper_recall", "paper_f1")  # fmt: skip
"""The figures of merit that are averaged over the seeds."""


@dataclass(frozen=True)
class RowResult:
    """A row, what its seeds gave, and why some or all of the ``asked`` seeds are missing.

    All ``outcomes`` have the row and the ``views``. ``comparable`` is False for a trial with
    other settings than the paper's: it is then not judged.
    """

    row: Row
    views: Views
    outcomes: tuple[Outcome, ...]
    asked: tuple[int, ...] = ()
    reason: str = ""
    comparable: bool = True

    @property
    def stem(self) -> str:
        """The beginning of the names of its pictures."""
        return self.row.key + ("_independent" if self.views == "independent" else "")

    @property
    def complete(self) -> bool:
        """Whether every seed that was asked for is there."""
        return set(self.asked) <= {outcome.seed for outcome in self.outcomes}

    @property
    def published(self) -> paper.Frozen | paper.FineTuned | None:
        """The paper's figures for this row, if it has them."""
        row = self.row
        if row.table == 2:
            return paper.TABLE_2.get((row.backbone, row.pooling))
        if row.table in paper.FINE_TUNED and row.fine_tune is not None:
            return paper.TABLES_3_TO_5.get((row.backbone, row.fine_tune))
        return None

    @property
    def published_auc(self) -> float | None:
        """The area under the ROC curve that the paper names, for two of its rows."""
        fine_tuned = self.row.table in paper.FINE_TUNED
        return paper.AUC.get((self.row.backbone, self.row.fine_tune or 0)) if fine_tuned else None

    @cached_property
    def spreads(self) -> dict[str, Spread]:
        """Mean and spread of each figure on the test photos; nothing if no seed was run."""
        if not self.outcomes:
            return {}
        tests = [outcome.test for outcome in self.outcomes]
        return {name: Spread.of([getattr(test, name) for test in tests]) for name in FIGURES}

    @cached_property
    def judgement(self) -> Judgement | None:
        """Whether the paper's accuracy and ours differ; None where there is none to compare."""
        if self.published is None or not self.outcomes or not self.comparable:
            return None
        tests = [outcome.test for outcome in self.outcomes]
        rights = [test.right for test in tests]
        return judge(rights, tests[0].n, self.published.accuracy, paper.TEST_PHOTOS)

    @property
    def verdict(self) -> str:
        """In one or two words, for a table."""
        if not self.outcomes:
            return "not run"
        if self.judgement is None:
            return "trial" if not self.comparable else "not in the paper"
        few = self.judgement.ground == "photos"
        return "agrees (few photos)" if few else self.judgement.verdict

    @property
    def sentence(self) -> str:
        """What a reader should know of this row, with its name."""
        return f"{self.name}: {self.finding}"

    @property
    def name(self) -> str:
        """For people, with the views where they are not shared."""
        return self.row.title + (", independent views" if self.views == "independent" else "")

    @property
    def finding(self) -> str:
        """What a reader should know of this row."""
        if not self.outcomes:
            return f"not run: {self.reason}."
        return self._found if self.complete else f"{self._found} {self._missing}"

    @property
    def seconds(self) -> float:
        """What the outcomes cost together."""
        return sum(outcome.seconds for outcome in self.outcomes)

    @property
    def _missing(self) -> str:
        return f"Only {len(self.outcomes)} of {len(self.asked)} seeds were run: {self.reason}."

    @property
    def _found(self) -> str:
        if not self.comparable:
            return f"a trial, not comparable with the paper. Ours {self._ours}."
        if self.judgement is None or self.published is None:
            return f"the paper has no such row. Ours {self._ours}."
        return wording(self.judgement, self._ours, self.published.accuracy, self._test)

    @property
    def _ours(self) -> str:
        spread = self.spreads["accuracy"]
        return f"{span(spread)} ({_seeds(spread.n)})"

    @property
    def _test(self) -> Figures:
        return self.outcomes[0].test

    def to_dict(self, *, outcomes: bool) -> dict[str, Any]:
        """Plain values, with every seed's outcome or without."""
        value: dict[str, Any] = {
            "row": asdict(self.row),
            "key": self.row.key,
            "title": self.row.title,
            "views": self.views,
            "seeds": [outcome.seed for outcome in self.outcomes],
            "seeds_asked": list(self.asked),
            "paper": asdict(self.published) if self.published else None,
            "ours": {name: spread.to_dict() for name, spread in self.spreads.items()},
            "judgement": self.judgement.to_dict() if self.judgement else None,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "seconds": self.seconds,
            "weights": sorted({outcome.origin for outcome in self.outcomes}),
        }
        if outcomes:
            value["outcomes"] = [outcome.to_dict() for outcome in self.outcomes]
        return value


def span(spread: Spread, places: int = 4) -> str:
    """``0.9011 ± 0.0120``, or the mean alone for one seed."""
    deviation = "" if spread.sd is None else f" ± {spread.sd:.{places}f}"
    return f"{spread.mean:.{places}f}{deviation}"


def _seeds(n: int) -> str:
    return "one seed" if n == 1 else f"{n} seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is reported. ``facts`` are named one-line texts on how the results were made.

    ``data`` is what ``Splits.describe`` gave; ``method`` a ``Method`` as plain values.
    """

    sizes: Sequence[SizeResult]
    results: Sequence[RowResult]
    data: Mapping[str, Any]
    method: Mapping[str, Any]
    facts: Mapping[str, str]
    comparable: bool = True
    photos: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def tally(self) -> dict[str, int]:
        """How many rows of Tables 2 to 5 have each verdict, in whole."""
        words = [r.verdict for r in self.results if r.published is not None]
        return {word: words.count(word) for word in dict.fromkeys(words)}

    @property
    def sentences(self) -> list[str]:
        """One for each row, Table 1 first."""
        return [f"{name}: {finding}" for name, finding in self.findings]

    @property
    def findings(self) -> list[tuple[str, str]]:
        """Each row's name and what there is to say of it."""
        sizes = [(size.name, size.finding) for size in self.sizes]
        return sizes + [(result.name, result.finding) for result in self.results]

    @property
    def missing(self) -> list[str]:
        """A sentence for each row that was asked for and is not there in whole."""
        rows = [r.sentence for r in self.results if not r.complete]
        return rows + [s.sentence for s in self.sizes if s.ours is None]

    def to_dict(self, *, outcomes: bool) -> dict[str, Any]:
        """Plain values."""
        return {
            "paper": paper.CITATION,
            "comparable": self.comparable,
            "facts": dict(self.facts),
            "data": dict(self.data),
            "method": dict(self.method),
            "tally": self.tally,
            "table_1": [size.to_dict() for size in self.sizes],
            "rows": [result.to_dict(outcomes=outcomes) for result in self.results],
        }
