"""The looped video: rust that grows on a rendered surface, as H.264 and as JPEG."""

import io
from pathlib import Path
from typing import Any, Final

import av
from PIL import Image

from corrosion_edge.errors import OutputError
from corrosion_edge.render import clip

__all__ = ["RATE", "jpeg", "jpegs", "loop_video"]

RATE: Final = 10
"""Frames a second."""

_FAST: Final = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"}


def loop_video(path: Path, *, seconds: float, size: tuple[int, int], seed: int = 7) -> Path:
    """Write a video that can be played over and over: a key frame each second, no B-frames.

    ``size`` is (width, height) in pixels, even numbers. OutputError if it cannot be written.
    """
    try:
        with av.open(str(path), "w", format="mpegts") as container:
            track = container.add_stream("libx264", rate=RATE, options=_FAST)
            track.width, track.height, track.pix_fmt = *size, "yuv420p"
            track.codec_context.gop_size = RATE
            for pixels in clip(frames=max(2, round(seconds * RATE)), size=size, seed=seed):
                container.mux(track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(track.encode(None))
    except OSError as error:
        raise OutputError(f"{path}: the video cannot be written ({error.strerror})") from None
    return path


def jpegs(path: Path) -> list[bytes]:
    """Every frame of a video as the bytes of a JPEG file."""
    with av.open(str(path)) as container:
        return [jpeg(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def jpeg(pixels: Any, quality: int = 85) -> bytes:
    """Pixels uint8 [height, width, 3] as the bytes of a JPEG file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=quality)
    return content.getvalue()
