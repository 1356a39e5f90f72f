"""What a model file says of itself in words, to people and to other people's tools."""

from dataclasses import dataclass

from corrosion_edge import __version__
from corrosion_edge.precision import INT8
from corrosion_edge.trainer.run import Run

__all__ = ["About", "about", "model_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said of a model as a whole; an empty ``author`` or ``license`` is left out."""

    name: str
    description: str
    version: str
    author: str = ""
    license: str = ""

    def __post_init__(self) -> None:
        for name in ("name", "description", "version"):
            if not getattr(self, name):
                raise ValueError(f"{name}: expected text, got nothing")


def model_name(run: Run, precision: str = INT8) -> str:
    """The model's name: backbone, recipe, precision."""
    return f"{run.info['backbone']}, recipe {run.info['recipe']}, {precision}"


def about(run: Run, *, author: str = "", license: str = "", precision: str = INT8) -> About:
    """What is said of the model of a run; whose it is and its licence only its maker can say."""
    description = (
        "How probable it is that a photo shows corrosion. The verdict is corrosion from a score "
        f"of {run.threshold:.4g}. {_calibration(run)} A screening of a picture, not an inspection. "
        f"Made with corrosion-edge {__version__}."
    )
    return About(
        name=model_name(run, precision),
        description=description,
        version=str(run.info.get("finished_at") or __version__),
        author=author,
        license=license,
    )


def _calibration(run: Run) -> str:
    """Why there is no score calibration in the metadata: a tool would apply it a second time."""
    if run.confidence is None or run.confidence.temperature == 1:
        return "Scores are the network's own."
    return (
        f"Scores are calibrated inside the network (temperature {run.confidence.temperature:.4g})."
    )
