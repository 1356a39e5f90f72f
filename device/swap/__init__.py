"""Another model file put in place while a watch runs: checked beside it, then swapped in."""

from corrosion_edge.device.swap.candidate import Candidate, Loading, Refusal
from corrosion_edge.device.swap.models import Models
from corrosion_edge.device.swap.version import Settling, Version
from corrosion_edge.device.swap.watcher import ModelWatch

__all__ = ["Candidate", "Loading", "ModelWatch", "Models", "Refusal", "Settling", "Version"]
