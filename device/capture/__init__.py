"""Live cameras that are watched over: deadlines, re-opening, and what became of them."""

from corrosion_edge.device.capture.beside import Beside
from corrosion_edge.device.capture.follow import FollowedFolder
from corrosion_edge.device.capture.framing import Framing, Look
from corrosion_edge.device.capture.opening import open_camera
from corrosion_edge.device.capture.patience import Backoff, Patience
from corrosion_edge.device.capture.quality import Gate, Limits, Quality
from corrosion_edge.device.capture.region import Region
from corrosion_edge.device.capture.several import Several, named, open_several
from corrosion_edge.device.capture.state import STATES, CameraState, Observer
from corrosion_edge.device.capture.supervised import MOST_ABANDONED, Supervised

__all__ = [
    "MOST_ABANDONED",
    "STATES",
    "Backoff",
    "Beside",
    "CameraState",
    "FollowedFolder",
    "Framing",
    "Gate",
    "Limits",
    "Look",
    "Observer",
    "Patience",
    "Quality",
    "Region",
    "Several",
    "Supervised",
    "named",
    "open_camera",
    "open_several",
]
