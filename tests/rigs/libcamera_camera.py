"""picamera2 on libcamera's virtual camera, which lacks four things that every Pi's camera has.

``VirtualPicamera2`` supplies modes of the sensor and one memory for all planes of a buffer.
``RgbPicamera2`` also turns the only format of the virtual camera, NV12, into those asked for, as
a Pi's image processor would.
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
    """A virtual camera behind an image processor: the formats that were asked for."""

    def __init__(self, number: int = 0) -> None:
        self._asked: dict[str, str] = {}
        super().__init__(number)

    def configure(self, config: Any = None) -> None:
        """Remember the formats asked for, ask libcamera for its own."""
        streams = [name for name in ("main", "lores") if config[name]]
        self._asked = {name: config[name]["format"] for name in streams}
        for name in streams:
            config[name]["format"] = "NV12"
        super().configure(config)

    def camera_configuration(self) -> Any:
        """The configuration as it looks behind the image processor."""
        config = super().camera_configuration()
        if not self._asked or config is None:
            return config
        asked = {name: {**config[name], "format": kind} for name, kind in self._asked.items()}
        return {**config, **asked}

    def capture_arrays_and_metadata_(self, names: Any) -> Any:
        """Whether there is a frame; the pictures of one moment, and what libcamera says of it."""
        done, found = super().capture_arrays_and_metadata_(names)
        if not done:
            return done, found
        arrays, metadata = found
        config = super().camera_configuration()
        made = [
            _as(self._asked[name], array, config[name]["size"])
            for name, array in zip(names, arrays, strict=True)
        ]
        return True, (made, metadata)


def _as(kind: str, nv12: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Uint8 [h, w, 3], of which BGR888 is red, green, blue in memory; or planes, [h * 3 / 2, w]."""
    if kind == "YUV420":
        return _planes(nv12, size)
    rgb = _rgb(nv12, size)
    return rgb if kind == "BGR888" else np.ascontiguousarray(rgb[..., ::-1])


def _planes(nv12: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """In limited range, as the colour space that is asked for has it."""
    width, height = size
    colour = nv12[height:, :width].reshape(height // 2, width // 2, 2)
    luma = nv12[:height, :width] * np.float32(219 / 255) + 16
    chroma = (colour - np.float32(128)) * np.float32(224 / 255) + 128
    parts = [luma.ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()]
    return np.concatenate(parts).round().astype(np.uint8).reshape(height * 3 // 2, width)


def _rgb(nv12: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """NV12 as libcamera makes it of a JPEG (BT.601, full range): rows of brightness, of colour."""
    width, height = size
    colour = nv12[height : height + height // 2, :width].reshape(height // 2, width // 2, 2)
    planes = [nv12[:height, :width]]
    planes += [np.repeat(np.repeat(colour[..., n], 2, 0), 2, 1) for n in (0, 1)]
    return np.asarray(Image.fromarray(np.dstack(planes), "YCbCr").convert("RGB"))
