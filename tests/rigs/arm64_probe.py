"""Run on each kind of machine: raw outputs and pixel digests as JSON, to be compared.

``arm64_probe.py MODEL PICTURE...`` tells first what the check of the golden pictures says.
"""

import json
import platform
import sys
from pathlib import Path

from corrosion_edge import image
from corrosion_edge.device.classifier import Classifier


def main(model: str, *pictures: str) -> None:
    """Print what this machine makes of the pictures."""
    with Classifier.open(Path(model)) as classifier:
        found: dict[str, object] = {
            "machine": platform.machine(),
            "runtime": classifier.backend.name,
        }
        found["golden"] = classifier.check_golden()
        results = [_result(classifier, Path(picture)) for picture in pictures]
        print(json.dumps({**found, "pictures": results}))


def _result(classifier: Classifier, path: Path) -> dict[str, object]:
    prepared = classifier.prepare(image.read(path))
    outputs = classifier.backend.run(prepared[None])
    raw = {name: output.raw.reshape(-1).tolist() for name, output in outputs.items()}
    return {"prepared": image.digest(prepared), "raw": raw}


if __name__ == "__main__":
    main(*sys.argv[1:])
