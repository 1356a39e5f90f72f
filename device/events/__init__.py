"""From verdicts to events: smoothing, hysteresis, and what becomes of each camera."""

from corrosion_edge.device.events.event import KINDS, Asset, Happening, ModelName, Scene
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp

__all__ = ["KINDS", "Asset", "Detection", "Happening", "ModelName", "Scene", "Stamp"]
