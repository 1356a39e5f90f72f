"""JPEGs of the newest shots: made when somebody asks, once for all who ask."""

import asyncio
import io
from concurrent.futures import Executor
from typing import Final

import numpy as np
from PIL import Image

from corrosion_edge import heatmap
from corrosion_edge.device.web.live import Live, Shot

__all__ = ["KINDS", "LONGEST", "Encoder", "Picture", "jpeg"]

LONGEST: Final = 960
"""Pixels of the longer side at most: enough for a phone and half a desk."""

KINDS: Final = ("map", "plain")
_QUALITY: Final = 80
_APART: Final = 0.25
"""Seconds between two encodings of one camera at least, however many look."""

Picture = tuple[int, bytes]
"""Serial of the shot, and its JPEG."""


def jpeg(shot: Shot, kind: str = "map") -> bytes:
    """The shot as a JPEG file; ``map`` lays the heat map over it where there is one."""
    picture = Image.fromarray(shot.frame.pixels)
    picture.thumbnail((LONGEST, LONGEST))
    said = shot.prediction
    if kind == "map" and said is not None and said.heatmap is not None:
        picture = Image.fromarray(heatmap.overlay(np.asarray(picture), said))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


class Encoder:
    """Keeps one JPEG for each camera and kind; used by one event loop.

    ``encoded`` counts what was made, ``asked`` what was asked for.
    """

    def __init__(self, live: Live, executor: Executor) -> None:
        self._live = live
        self._executor = executor
        self._made: dict[tuple[str, str], tuple[float, Picture]] = {}
        self._locks = {(name, kind): asyncio.Lock() for name in live.cameras for kind in KINDS}
        self.encoded = self.asked = 0

    async def newest(self, camera: str, kind: str = "map") -> Picture | None:
        """The newest picture, at most ``_APART`` seconds late; None before the first.

        KeyError for a camera or kind that does not exist.
        """
        self.asked += 1
        async with self._locks[camera, kind]:
            now = self._live.clock()
            then, kept = self._made.get((camera, kind), (-1.0, None))
            shot = self._live.shot(camera)
            if shot is None or (kept and (kept[0] == shot.serial or now - then < _APART)):
                return kept
            loop = asyncio.get_running_loop()
            content = await loop.run_in_executor(self._executor, jpeg, shot, kind)
            self.encoded += 1
            self._made[camera, kind] = now, (shot.serial, content)
            return shot.serial, content
