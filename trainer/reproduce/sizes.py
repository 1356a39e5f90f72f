"""Table 1: layers and parameters of the backbones, ours beside the paper's."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from corrosion_edge.trainer.reproduce import paper

__all__ = ["SizeOf", "SizeResult", "measure"]

SizeOf = Callable[[str, int], paper.Size]
"""The size of a backbone for an image size; ``measure`` is the real one."""


def measure(backbone: str, image_size: int) -> paper.Size:
    """Build a network without top, with random weights, and count it, but for layers of ours."""
    from corrosion_edge.trainer.keras_start import start_keras

    start_keras()
    import keras

    from corrosion_edge.trainer import backbones

    network, _ = backbones.build(backbone, image_size, "none")
    layers = len(network.layers) - backbones.BACKBONES[backbone].added
    size = paper.Size(layers, 4 * network.count_params() / 2**20)
    keras.utils.clear_session()
    return size


@dataclass(frozen=True, slots=True)
class SizeResult:
    """A row of Table 1: ours, None with a ``reason`` if the network could not be built."""

    backbone: str
    ours: paper.Size | None
    reason: str = ""

    @property
    def published(self) -> paper.Size | None:
        """The paper's."""
        return paper.TABLE_1.get(self.backbone)

    @property
    def name(self) -> str:
        """For people."""
        return f"{(paper.BACKBONES | paper.OURS).get(self.backbone, self.backbone)}, size"

    @property
    def verdict(self) -> str:
        """Equal layers, and mebibytes equal to the two places that the paper prints."""
        if self.ours is None:
            return "not run"
        if self.published is None:
            return "not in the paper"
        near = abs(self.ours.mebibytes - self.published.mebibytes) < 0.0101
        same = self.ours.layers == self.published.layers and near
        return "agrees" if same else "differs"

    @property
    def finding(self) -> str:
        """What a reader should know of this row."""
        if self.ours is None:
            return f"not run: {self.reason}."
        theirs = f"; the paper's {_size(self.published)}" if self.published else ""
        return f"{self.verdict}; ours {_size(self.ours)}{theirs}."

    @property
    def sentence(self) -> str:
        """The same with the row's name."""
        return f"{self.name}: {self.finding}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "backbone": self.backbone,
            "paper": asdict(self.published) if self.published else None,
            "ours": asdict(self.ours) if self.ours else None,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


def _size(size: paper.Size) -> str:
    return f"{size.layers} layers, {size.mebibytes:.2f} MiB"
