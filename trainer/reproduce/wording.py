"""The sentence that states a judgement."""

from corrosion_edge.trainer.reproduce.rows import Figures
from corrosion_edge.trainer.reproduce.statistics import Interval, Judgement

__all__ = ["wording"]


def _between(interval: Interval, sign: str = "") -> str:
    return f"{interval[0]:{sign}.3f} to {interval[1]:{sign}.3f}"


def wording(j: Judgement, ours: str, theirs: float, test: Figures) -> str:
    """Whether ``theirs``, the paper's accuracy, and ``ours``, as text, agree, and why."""
    difference = f"ours minus the paper's: {_between(j.photos, '+')}"
    seeds = _between(j.seeds) if j.seeds else ""
    if j.ground == "seeds":
        return (
            f"agrees. The paper's {theirs:.4f} is a figure that one more seed of ours may give "
            f"({seeds}); ours {ours}."
        )
    outside = f"lies outside what one more seed of ours would give ({seeds}), and " if seeds else ""
    if j.ground == "photos":
        tail = "but" if seeds else ""
        outside = outside.replace("and ", tail + " ")
        return (
            f"agrees, as far as {test.n} photos can tell. The paper's {theirs:.4f} {outside}"
            f"is within the chance of so few photos ({difference}); ours {ours}."
        )
    return (
        f"differs. The paper's {theirs:.4f} {outside}is further from ours than the chance of "
        f"{test.n} photos allows ({difference}); ours {ours}."
    )
