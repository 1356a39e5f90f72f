"""Figure 6: the method as a flow chart, drawn from the numbers in use."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

__all__ = ["flow_chart"]

_WIDTH: Final = 760
_GAP: Final = 26
_LINE: Final = 18
_PAD: Final = 12
_INK: Final = "#1d2327"
_SOFT: Final = "#59636b"
_FILLS: Final = {"data": "#f4f6f7", "network": "#fbe9df", "result": "#e9f5ec"}


def flow_chart(data: Mapping[str, Any], method: Mapping[str, Any]) -> str:
    """The steps from the photos to the figures, as SVG; no photo in it.

    ``data`` is what ``Splits.describe`` gave, ``method`` a ``Method`` as plain values.
    """
    parts, y = [], 16
    for place, (kind, title, lines) in enumerate(_steps(data, method)):
        if place:
            parts.append(_arrow(y - _GAP))
        height = 2 * _PAD + _LINE * (1 + len(lines))
        parts.append(_box(y, height, kind, title, lines))
        y += height + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" '
        f'viewBox="0 0 {_WIDTH} {y}" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def _steps(
    data: Mapping[str, Any], method: Mapping[str, Any]
) -> list[tuple[str, str, Sequence[str]]]:
    counts = data["photos"]
    total = sum(sum(c.values()) for c in counts.values())
    splits = [
        f"{name}: {sum(c.values())} ({c['corrosion']} corrosion, {c['no-corrosion']} no corrosion)"
        for name, c in counts.items()
    ]
    return [
        ("data", f"{total} photos, {method['image_size']} × {method['image_size']} pixels", splits),
        ("data", "Augmentation of the training photos", _augmentation(method["augmentation"])),
        ("network", "Network", [
            "backbone with ImageNet weights, without its top, scaling of the input inside",
            "global average or maximum pooling",
            f"dropout {method['dropout']:g}, one logistic unit: the probability of corrosion",
        ]),
        ("network", f"Training: {method['optimizer'].capitalize()}, batches of {method['batch']}",
         _training(method)),
        ("result", "Figures on the validation and test photos", [
            "verdict at 0.5: accuracy, precision, recall, F1; loss; ROC curve and AUC"]),
    ]  # fmt: skip


def _augmentation(sizes: Mapping[str, Any]) -> list[str]:
    flips = {"horizontal": "horizontal", "horizontal_and_vertical": "horizontal and vertical"}
    return [
        f"{flips.get(sizes['flip'], 'no')} flips, rotation ± {360 * sizes['rotation']:g}°, "
        f"contrast ± {sizes['contrast']:.0%},",
        f"brightness ± {sizes['brightness']:.0%}, translation ± {sizes['translation']:.0%}",
    ]


def _training(method: Mapping[str, Any]) -> list[str]:
    head, top = method["fine_tune_epochs"]
    slow, fast = method["rates"][1], method["rates"][0]
    return [
        f"Table 2: {method['frozen_epochs']} epochs of the logistic unit at {fast:g}, "
        "backbone frozen",
        f"Tables 3 to 5: {head} such epochs, then {top} at {slow:g} with the top 5, 10, 15 or 20 %",
        "of the backbone's layers",
    ]


def _box(y: int, height: int, kind: str, title: str, lines: Sequence[str]) -> str:
    x = 40
    frame = (
        f'<rect x="{x}" y="{y}" width="{_WIDTH - 2 * x}" height="{height}" rx="6" '
        f'fill="{_FILLS[kind]}" stroke="#b9c0c5"/>'
    )
    texts = [_text(y + _PAD + 13, title, _INK, "bold")]
    texts += [_text(y + _PAD + 13 + _LINE * (i + 1), line, _SOFT) for i, line in enumerate(lines)]
    return frame + "".join(texts)


def _text(y: int, words: str, colour: str, weight: str = "normal") -> str:
    place = f'x="{_WIDTH // 2}" y="{y}" text-anchor="middle" font-weight="{weight}"'
    return f'<text {place} fill="{colour}">{escape(words)}</text>'


def _arrow(y: int) -> str:
    x = _WIDTH // 2
    return (
        f'<path d="M{x} {y + 3}v{_GAP - 10}m-5 -6l5 7l5 -7" fill="none" stroke="{_INK}" '
        'stroke-width="1.5"/>'
    )
