"""All pictures of a report by name, and those of the paper that show photos."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from corrosion_edge.trainer.reproduce import plots
from corrosion_edge.trainer.reproduce.summary import Report, RowResult
from corrosion_edge.trainer.samples import Samples

__all__ = ["of_photos", "of_report"]

_SHOWN: Final = 8
_NAMES: Final = ("no corrosion", "corrosion")


def of_report(report: Report) -> dict[str, bytes]:
    """PNG files by ``<row key>_curves`` and, for fine-tuned rows, ``<row key>_verdicts``."""
    made = {}
    for result in report.results:
        if result.outcomes:
            made[f"{result.stem}_curves"] = plots.curves(result.outcomes, _thawed(report, result))
            if result.row.fine_tune is not None:
                made[f"{result.stem}_verdicts"] = plots.verdicts(result.outcomes)
    return made


def of_photos(train: Samples, method: Mapping[str, Any], seed: int) -> dict[str, bytes]:
    """The paper's Figures 4 and 5, made from the user's training photos.

    ``method`` is a ``Method`` as plain values, whose augmentation is shown.
    """
    chosen = np.random.default_rng(seed).permutation(len(train))[:_SHOWN]
    titles = [_NAMES[train.labels[place]] for place in chosen]
    one = train.pixels[chosen[0]]
    return {
        "Figure 4: random training photos": plots.photo_grid(train.pixels[chosen], titles),
        "Figure 5: one photo, augmented": plots.photo_grid(
            _views(one, method, seed), [""] * _SHOWN
        ),
    }


def _views(picture: Any, method: Mapping[str, Any], seed: int) -> Any:
    """Augmented views uint8 [8, h, w, 3] of a picture uint8 [h, w, 3]."""
    from corrosion_edge.trainer.views import Augmentation, Views

    views = Views(Augmentation.from_dict(method["augmentation"]), seed)
    batch, labels = np.repeat(picture[None], _SHOWN, axis=0), np.zeros(_SHOWN, np.int64)
    made = np.concatenate(list(views.make(batch, labels, 0)))
    return np.clip(made, 0, 255).astype(np.uint8)


def _thawed(report: Report, result: RowResult) -> int | None:
    """The epoch after which the top layers learn, for a fine-tuned row."""
    return None if result.row.fine_tune is None else report.method["fine_tune_epochs"][0]
