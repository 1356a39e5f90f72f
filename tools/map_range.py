"""Gives a model file's heat map the range that photos need; its scores stay, to the last bit.

    python tools/map_range.py MODEL DATA OUT

For int8 model files whose map is cut off, as those of ``quantize`` before 2026-12-01: the default
model was mended so. The photos are those that it was calibrated with, if ``DATA`` is the same.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends import open_backend
from corrosion_edge.quantize import golden
from corrosion_edge.quantize.flatbuffer import pack, unpack
from corrosion_edge.quantize.ladder.pictures import pictures
from corrosion_edge.quantize.ladder.ranges import METHODS, Histogram, Range
from corrosion_edge.trainer.load import GIVEN, load

METHOD: Final = "squared error"
PHOTOS: Final = 512
SEED: Final = 1
WIDE: Final = Range(1.0, 0)  # log-odds from -128 to 127: to find out what there is
BINS: Final = 256


def main(model: Path, data: Path, out: Path) -> None:
    """Find the range on training photos, write it into the map's tensors, seal anew."""
    bundle = Bundle.load(model)
    positive = bundle.manifest.provenance["data"]["classes"]["corrosion"]
    spec = bundle.manifest.preprocessing
    training = load(data, spec, positive=positive, seed=SEED, split=GIVEN).samples["train"]
    photos = np.rint(pictures(training, PHOTOS, SEED)).clip(0, 255).astype(np.uint8)
    wide = _sealed(bundle, WIDE, {})
    cells = _cells(wide, photos)
    low, high = float(cells.min()), float(cells.max())
    count = np.histogram(cells, BINS, (low, high))[0].astype(np.float64)
    found = METHODS[METHOD](Histogram(low, high, count, count))
    told = {
        "range": [found.low, found.high],
        "by": f"{METHOD}, {len(photos)} training photos and views of them, after the conversion",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    done = golden.with_golden(_sealed(bundle, found, told))
    _require_same_scores(bundle, done, photos)
    done.save(out)
    print(f"map: {low:.1f} to {high:.1f} on the photos, range {found.low:.1f} to {found.high:.1f}")


def _sealed(bundle: Bundle, held: Range, told: dict[str, Any]) -> Bundle:
    net = unpack(bundle.model)
    places = {tensor.name.decode(): tensor for tensor in net.subgraphs[0].tensors}
    for name, zero in (("map/conv_2d", held.zero), ("map", held.zero + 128)):
        places[name].quantization.scale = [np.float32(held.scale)]
        places[name].quantization.zeroPoint = [zero]
    manifest = bundle.manifest
    made = dict(manifest.provenance)
    made["quantization"] = dict(made["quantization"]) | ({"map": told} if told else {})
    files = {name: content for name, content in bundle.files.items() if name != "labels.txt"}
    return Bundle.seal(
        pack(net),
        files,
        name=manifest.name,
        outputs=manifest.outputs,
        threshold=manifest.threshold,
        preprocessing=manifest.preprocessing,
        provenance=made,
        precision=manifest.precision,
        drift=manifest.drift,
        confidence=manifest.confidence,
    )


def _cells(bundle: Bundle, photos: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    with open_backend(bundle) as backend:
        return np.stack([backend.run(photo[None])["map"].real for photo in photos])


def _require_same_scores(before: Bundle, after: Bundle, photos: npt.NDArray[np.uint8]) -> None:
    with open_backend(before) as old, open_backend(after) as new:
        for photo in photos:
            pair = [backend.run(photo[None])["scores"].steps for backend in (old, new)]
            if (pair[0] != pair[1]).any():
                raise SystemExit("the scores differ: nothing was written")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
