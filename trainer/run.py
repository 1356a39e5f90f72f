"""The folder of a training run: what is in it, and reading it back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corrosion_edge.confidence import Confidence
from corrosion_edge.errors import DataError
from corrosion_edge.image import Preprocessing

__all__ = ["MODEL_NAME", "RUN_NAME", "Run"]

MODEL_NAME: Final = "model.keras"
RUN_NAME: Final = "run.json"


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its folder and what ``run.json`` says."""

    folder: Path
    info: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Read a run's folder (DataError if it is none)."""
        path = folder / RUN_NAME
        try:
            info = json.loads(path.read_text("utf-8"))
            run = cls(folder, info)
            _ = (run.threshold, run.preprocessing, run.confidence, info["recipe"])
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(
                f"{folder}: not a run of 'corrosion-edge train': no {RUN_NAME}"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: cannot be read ({error})") from None
        return run

    @property
    def model(self) -> Path:
        """The Keras model's file."""
        return self.folder / MODEL_NAME

    @property
    def threshold(self) -> float:
        """The score, in [0, 1], from which the verdict is corrosion."""
        return float(self.info["threshold"])

    @property
    def confidence(self) -> Confidence | None:
        """What its scores are worth; None for a run made before that was measured."""
        values = self.info.get("confidence")
        return Confidence.from_dict(values) if values is not None else None

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures are prepared for the model."""
        return Preprocessing.from_dict(self.info["preprocessing"])
