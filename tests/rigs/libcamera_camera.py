"""picamera2 on libcamera's virtual camera, which lacks four things that every Pi's camera has.

``VirtualPicamera2`` supplies modes of the sensor and one memory for all planes of a buffer.
``RgbPicamera2`` also turns the only format of the virtual camera, NV12, into the one asked for,
as a Pi's image processor would.
"""

import contextlib
import mmap
from typing import Any

import libcamera  # type: ignore[import-not-found]
import numpy as np
import picamera2
from picamera2.allocators import Allocator, LibcameraAllocator
from picamera2.allocators.allocator import Sync
from PIL import Image

__all__ = ["RgbPicamera2", "VirtualPicamera2"]


class _PlaneSync(Sync):
    """All planes of a buffer, mapped as one."""

    def __init__(self, allocator: Any, buffer: Any, write: bool) -> None:
        self._planes = buffer.planes
        self._map: mmap.mmap | None = None

    def __enter__(self) -> mmap.mmap:
        length = sum(plane.length for plane in self._planes)
        access = mmap.PROT_READ | mmap.PROT_WRITE
        self._map = mmap.mmap(self._planes[0].fd, length, mmap.MAP_SHARED, access)
        return self._map

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BufferError):  # an array still looks at it
            if self._map is not None:
                self._map.close()


class VirtualPicamera2(picamera2.Picamera2):
    """picamera2 as it is, on a camera without raw modes and without a Pi's memory."""

    def __init__(self, number: int = 0) -> None:
        super().__init__(number, allocator=Allocator())
        self.allocator = LibcameraAllocator(self.camera)
        self.allocator.sync = _PlaneSync

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        roles = [libcamera.StreamRole.Viewfinder]
        formats = self.camera.generate_configuration(roles).at(0).formats
        return [
            {"format": str(pixels), "size": (size.width, size.height)}
            for pixels in formats.pixel_formats
            for size in formats.sizes(pixels)
        ]


class RgbPicamera2(VirtualPicamera2):
    """A virtual camera behind an image processor: RGB in the order that was asked for."""

    _asked = ""

    def configure(self, config: Any = None) -> None:
        """Remember the format asked for, ask libcamera for its own."""
        self._asked = config["main"]["format"]
        config["main"]["format"] = "NV12"
        super().configure(config)

    def camera_configuration(self) -> Any:
        """The configuration as it looks behind the image processor."""
        config = super().camera_configuration()
        if not self._asked or config is None:
            return config
        return {**config, "main": {**config["main"], "format": self._asked}}

    def capture_array(self, name: str = "main", **_: Any) -> np.ndarray:
        """The picture, uint8 [h, w, 3]; BGR888 is red, green, blue in memory."""
        rgb = _rgb(super().capture_array(name), super().camera_configuration()["main"]["size"])
        return rgb if self._asked == "BGR888" else np.ascontiguousarray(rgb[..., ::-1])


def _rgb(nv12: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """NV12 (BT.601, limited range) as rows of brightness, then of colour, to RGB."""
    width, height = size
    brightness = (nv12[:height, :width].astype(np.int16) - 16) * 255 // 219
    colour = nv12[height : height + height // 2, :width].reshape(height // 2, width // 2, 2)
    planes = [brightness.clip(0, 255).astype(np.uint8)]
    planes += [np.repeat(np.repeat(colour[..., n], 2, 0), 2, 1) for n in (0, 1)]
    return np.asarray(Image.fromarray(np.dstack(planes), "YCbCr").convert("RGB"))
