"""What Zhao et al. published, Heliyon 2024, 10(17), e36754: their method, their Tables 1 to 5."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

__all__ = [
    "AUC",
    "AUGMENTATION",
    "BACKBONES",
    "CITATION",
    "EPOCHS",
    "FINE_TUNED",
    "NEGATIVES",
    "OURS",
    "POSITIVES",
    "RATIOS",
    "SPLIT",
    "TABLE_1",
    "TABLE_2",
    "TABLES_3_TO_5",
    "TEST_PHOTOS",
    "FineTuned",
    "Frozen",
    "Method",
    "Size",
]

CITATION: Final = (
    "Zhao, Abu Bakar, Abdul Razak, Akhtar: Corrosion image classification method based on "
    "EfficientNetV2, Heliyon 2024, 10(17), e36754"
)

TEST_PHOTOS: Final = 182
"""Test photos of the paper; all its accuracies are multiples of 1/182."""

NEGATIVES: Final = 99
"""CORROSION test photos: the paper's negative class (its class 0, by sorted folder names)."""

POSITIVES: Final = 83
"""NOCORROSION test photos: the paper's positive class; its recalls are multiples of 1/83."""

SPLIT: Final[dict[str, tuple[int, int]]] = {
    "train": (693, 580),
    "validation": (198, 166),
    "test": (NEGATIVES, POSITIVES),
}
"""The paper's photos of CORROSION and of NOCORROSION in each split."""

BACKBONES: Final[dict[str, str]] = {
    "efficientnetv2-b0": "EfficientNetV2B0",
    "efficientnetv2-b1": "EfficientNetV2B1",
    "efficientnetv2-b2": "EfficientNetV2B2",
    "efficientnetv2-b3": "EfficientNetV2B3",
    "efficientnetv2-s": "EfficientNetV2S",
    "efficientnetv2-m": "EfficientNetV2M",
    "efficientnetv2-l": "EfficientNetV2L",
    "efficientnet-b0": "EfficientNetB0",
    "efficientnet-b1": "EfficientNetB1",
    "efficientnet-b2": "EfficientNetB2",
    "densenet121": "DenseNet121",
    "densenet169": "DenseNet169",
}
"""The paper's twelve backbones by our names, in the order of its Tables 1 and 2."""

OURS: Final[dict[str, str]] = {"efficientnet-lite0": "EfficientNet-Lite0"}
"""Backbones that the paper does not have: no figure of its stands beside theirs."""

FINE_TUNED: Final[dict[int, str]] = {
    3: "efficientnetv2-b0",
    4: "efficientnetv2-b1",
    5: "efficientnetv2-s",
}
"""Table: the backbone that it fine-tunes, with average pooling."""

EPOCHS: Final = (50, 25, 25)
"""Of the head with a frozen backbone (Table 2); of the head, then of head and top (Tables 3-5)."""

AUGMENTATION: Final[dict[str, str | float]] = {
    "flip": "horizontal_and_vertical",
    "rotation": 0.2,
    "contrast": 0.2,
    "brightness": 0.2,
    "translation": 0.1,
}
"""The paper's five changes of a photo, as ``views.Augmentation.from_dict`` takes them.

The paper gives no magnitudes; these are ours, the same as in the recipe ``paper``.
"""

RATIOS: Final = (0.05, 0.1, 0.15, 0.2)
"""Fractions of the backbone's layers, from the top, that Tables 3 to 5 fine-tune."""


@dataclass(frozen=True, slots=True)
class Method:
    """How the paper trains, and what it leaves open.

    Stated in its section on training: epochs, learning rates, batch, dropout. Not given, and so
    chosen here: ``image_size`` and ``optimizer`` (Keras's defaults for these backbones) and the
    magnitudes of ``augmentation``, as ``views.Augmentation.from_dict`` takes them.
    ``frozen_epochs`` is for Table 2; ``fine_tune_epochs`` are those of head alone, then of head
    and top layers, for Tables 3 to 5. ``rates`` are the learning rates of the frozen and of the
    thawed part.
    """

    frozen_epochs: int = EPOCHS[0]
    fine_tune_epochs: tuple[int, int] = EPOCHS[1:]
    rates: tuple[float, float] = (1e-4, 1e-5)
    batch: int = 32
    dropout: float = 0.2
    image_size: int = 224
    optimizer: str = "adam"
    augmentation: Mapping[str, str | float] = field(default_factory=lambda: dict(AUGMENTATION))

    def __post_init__(self) -> None:
        epochs = (self.frozen_epochs, *self.fine_tune_epochs)
        if len(epochs) != 3 or min(epochs) < 1:
            raise ValueError(f"epochs: expected three whole numbers of 1 or more, got {epochs}")

    @property
    def epochs(self) -> tuple[int, int, int]:
        """Frozen (Table 2), then head and top layers (Tables 3 to 5)."""
        return (self.frozen_epochs, *self.fine_tune_epochs)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what two results must share to stand in one table."""
        fields = asdict(self)
        fields["augmentation"] = dict(self.augmentation)
        return fields | {
            "fine_tune_epochs": list(self.fine_tune_epochs),
            "rates": list(self.rates),
        }


@dataclass(frozen=True, slots=True)
class Size:
    """A row of Table 1: layers without top, and mebibytes of float32 parameters."""

    layers: int
    mebibytes: float


@dataclass(frozen=True, slots=True)
class Frozen:
    """A cell of Table 2: test accuracy and test loss after training with a frozen backbone."""

    accuracy: float
    loss: float


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A column of Tables 3 to 5, as the paper counts: NOCORROSION is its positive class."""

    precision: float
    recall: float
    f1: float
    accuracy: float


TABLE_1: Final[dict[str, Size]] = {
    "efficientnetv2-b0": Size(270, 22.58),
    "efficientnetv2-b1": Size(334, 26.44),
    "efficientnetv2-b2": Size(349, 33.45),
    "efficientnetv2-b3": Size(409, 49.33),
    "efficientnetv2-s": Size(513, 77.56),
    "efficientnetv2-m": Size(740, 202.75),
    "efficientnetv2-l": Size(1028, 449.17),
    "efficientnet-b0": Size(238, 15.45),
    "efficientnet-b1": Size(340, 25.08),
    "efficientnet-b2": Size(340, 29.63),
    "densenet121": Size(427, 26.85),
    "densenet169": Size(595, 48.23),
}

TABLE_2: Final[dict[tuple[str, str], Frozen]] = {
    ("efficientnetv2-b0", "avg"): Frozen(0.8846, 0.3228),
    ("efficientnetv2-b0", "max"): Frozen(0.8626, 0.3404),
    ("efficientnetv2-b1", "avg"): Frozen(0.9011, 0.3178),
    ("efficientnetv2-b1", "max"): Frozen(0.8626, 0.2894),
    ("efficientnetv2-b2", "avg"): Frozen(0.8736, 0.3434),
    ("efficientnetv2-b2", "max"): Frozen(0.8516, 0.3206),
    ("efficientnetv2-b3", "avg"): Frozen(0.8736, 0.3342),
    ("efficientnetv2-b3", "max"): Frozen(0.8571, 0.3078),
    ("efficientnetv2-s", "avg"): Frozen(0.8901, 0.3340),
    ("efficientnetv2-s", "max"): Frozen(0.8626, 0.3088),
    ("efficientnetv2-m", "avg"): Frozen(0.8132, 0.4472),
    ("efficientnetv2-m", "max"): Frozen(0.8077, 0.4439),
    ("efficientnetv2-l", "avg"): Frozen(0.8022, 0.4570),
    ("efficientnetv2-l", "max"): Frozen(0.7967, 0.4387),
    ("efficientnet-b0", "avg"): Frozen(0.8681, 0.3332),
    ("efficientnet-b0", "max"): Frozen(0.8462, 0.3229),
    ("efficientnet-b1", "avg"): Frozen(0.8571, 0.3344),
    ("efficientnet-b1", "max"): Frozen(0.8297, 0.3510),
    ("efficientnet-b2", "avg"): Frozen(0.8352, 0.3917),
    ("efficientnet-b2", "max"): Frozen(0.7747, 0.4896),
    ("densenet121", "avg"): Frozen(0.8462, 0.3329),
    ("densenet121", "max"): Frozen(0.8076, 0.4728),
    ("densenet169", "avg"): Frozen(0.8791, 0.2810),
    ("densenet169", "max"): Frozen(0.8846, 0.3823),
}
"""(Backbone, pooling): what the paper's Table 2 says."""

TABLES_3_TO_5: Final[dict[tuple[str, float], FineTuned]] = {
    ("efficientnetv2-b0", 0.05): FineTuned(0.8810, 0.8916, 0.8862, 0.8956),
    ("efficientnetv2-b0", 0.1): FineTuned(0.8706, 0.8916, 0.8810, 0.8901),
    ("efficientnetv2-b0", 0.15): FineTuned(0.8554, 0.8554, 0.8554, 0.8681),
    ("efficientnetv2-b0", 0.2): FineTuned(0.9048, 0.9157, 0.9102, 0.9176),
    ("efficientnetv2-b1", 0.05): FineTuned(0.8947, 0.8193, 0.8553, 0.8736),
    ("efficientnetv2-b1", 0.1): FineTuned(0.9351, 0.8675, 0.9000, 0.9121),
    ("efficientnetv2-b1", 0.15): FineTuned(0.8831, 0.8193, 0.8500, 0.8681),
    ("efficientnetv2-b1", 0.2): FineTuned(0.9200, 0.8313, 0.8734, 0.8901),
    ("efficientnetv2-s", 0.05): FineTuned(0.8690, 0.8795, 0.8743, 0.8846),
    ("efficientnetv2-s", 0.1): FineTuned(0.8795, 0.8795, 0.8795, 0.8901),
    ("efficientnetv2-s", 0.15): FineTuned(0.9146, 0.9036, 0.9091, 0.9176),
    ("efficientnetv2-s", 0.2): FineTuned(0.8824, 0.9036, 0.8929, 0.9010),
}
"""(Backbone, fraction of its layers): what the paper's Tables 3 (B0), 4 (B1) and 5 (S) say."""

AUC: Final[dict[tuple[str, float], float]] = {
    ("efficientnetv2-b0", 0.2): 0.97,
    ("efficientnetv2-s", 0.15): 0.97,
}
"""The areas under the ROC curve that the paper names, to two places."""
