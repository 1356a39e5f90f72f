"""Golden pictures: what a device must reproduce before its verdicts are believed."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge import image
from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends import open_backend
from corrosion_edge.manifest import Golden
from corrosion_edge.render import golden_pictures

__all__ = ["pictures", "with_golden"]

_COUNT = 3


def pictures() -> dict[str, bytes]:
    """Rendered surfaces as PNG files, by their names in the bundle."""
    return {f"golden/{i}.png": _png(p) for i, p in enumerate(golden_pictures(_COUNT))}


def with_golden(bundle: Bundle) -> Bundle:
    """The bundle with the outputs of its own golden pictures written into the manifest."""
    with open_backend(bundle, threads=1) as backend:
        golden = []
        for name in sorted(n for n in bundle.files if n.startswith("golden/")):
            pixels = image.read(io.BytesIO(bundle.files[name]), name)
            prepared = image.prepare(pixels, bundle.manifest.preprocessing)
            raw = {k: v.steps.reshape(-1).tolist() for k, v in backend.run(prepared[None]).items()}
            golden.append(
                Golden(
                    name, image.digest(prepared), tuple(raw["scores"]), tuple(raw.get("map", ()))
                )
            )
    return bundle.with_fields(golden=tuple(golden))


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return stream.getvalue()
