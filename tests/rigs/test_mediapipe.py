"""The model file in somebody else's hands: MediaPipe's ImageClassifier, as it comes.

MediaPipe gets pictures of the network's own size, so that its scaling plays no part. What it does
with others is in docs/quantizer.md. It sends figures about its use to its makers; here it runs
in a network name space of its own, without any way out.
"""

import functools
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rig

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytest.importorskip("cv2", reason="MediaPipe needs OpenCV")
pytest.importorskip("matplotlib", reason="MediaPipe needs Matplotlib")

from corrosion_edge import image
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.quantize.drift import Limits
from corrosion_edge.quantize.quantize import Request, quantize
from corrosion_edge.render import SURFACES, surface

Pictures = Sequence[npt.NDArray[np.uint8]]
STEP = 1 / 256
"""Another build of the same runtime may round a score one step up or down."""


@functools.cache
def _without_network() -> tuple[str, ...]:
    """What runs a command without any network; skips where nothing can."""
    for command in (("unshare", "--net"), ("unshare", "--net", "--map-root-user")):
        try:
            if subprocess.run([*command, "true"], capture_output=True).returncode == 0:
                return command
        except FileNotFoundError:
            break
    pytest.skip("no network name space can be made here (unshare --net)")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Pictures], Any]:
    """What MediaPipe says of pictures with a model file."""
    site = rig.require("mediapipe") / "site"
    isolated = _without_network()
    folder = tmp_path_factory.mktemp("asked")

    def ask(model: Path, pictures: Pictures) -> Any:
        np.savez(folder / "pictures.npz", *pictures)
        done = rig.run(
            [*isolated, sys.executable, rig.HERE / "mediapipe_probe.py", model,
             folder / "pictures.npz"],
            within=300,
            environment={"PYTHONPATH": str(site)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.fixture(scope="module")
def single(tiny_run: Path, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run's model file with one output, as ``quantize --no-heatmap`` writes it."""
    out = tmp_path_factory.mktemp("single") / "single.tflite"
    limits = Limits(accuracy_drop=1, auc_drop=1)
    quantize(
        Request(run=tiny_run, data=rendered, out=out, calibration=40, seed=1, limits=limits,
                heatmap=False, author="A. Maker", license="CC0-1.0")
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def pictures(single: Path) -> Pictures:
    """Rendered surfaces of every kind, rusted and not, of the network's size."""
    spec = Bundle.load(single).manifest.preprocessing
    return [
        image.prepare(surface(kind, rust=rust, seed=seed, size=(320, 240)), spec)
        for kind in SURFACES
        for seed, rust in enumerate((0.0, 0.0, 0.1, 0.3, 0.5))
    ]


def _scores(model: Path, pictures: Pictures) -> npt.NDArray[np.float64]:
    """Our own classifier's probabilities of corrosion."""
    with Classifier.open(model, threads=1) as classifier:
        return np.array([classifier.classify(pixels).score for pixels in pictures])


def _compare(answers: list[Any], ours: npt.NDArray[np.float64]) -> None:
    for answer, score in zip(answers, ours, strict=True):
        top, best = answer["scores"][0]
        known = dict(answer["scores"])
        assert known.keys() == {"no-corrosion", "corrosion"}
        assert known["corrosion"] == pytest.approx(score, abs=STEP)
        assert best == known[top]
        if abs(score - 0.5) > STEP:
            assert top == ("corrosion" if score > 0.5 else "no-corrosion")


def test_mediapipe_gives_our_label_and_score(asked, single, pictures):
    ours = _scores(single, pictures)
    assert ours.min() < 0.2 and ours.max() > 0.8, "pictures that tell nothing"
    answers = asked(single, pictures)["answers"]
    assert all(answer.keys() == {"scores"} for answer in answers)
    _compare(answers, ours)


def test_the_model_with_a_map_gives_the_same_first_head(asked, tiny_model, pictures):
    answers = asked(tiny_model, pictures)["answers"]
    assert all(list(answer) == ["scores", "map"] for answer in answers)
    _compare(answers, _scores(tiny_model, pictures))


def test_without_the_map_the_scores_are_the_same(single, tiny_model, pictures):
    assert np.array_equal(_scores(single, pictures), _scores(tiny_model, pictures))


def test_mediapipes_own_classes_read_the_metadata(asked, single, pictures):
    metadata = asked(single, pictures[:1])["metadata"]
    assert (metadata["author"], metadata["license"]) == ("A. Maker", "CC0-1.0")
    assert metadata["name"] == Bundle.load(single).manifest.name
    assert metadata["minParserVersion"] == "1.0.0"
    (graph,) = metadata["subgraphMetadata"]
    (given,), (scores,) = graph["inputTensorMetadata"], graph["outputTensorMetadata"]
    assert given["content"]["contentProperties"] == {
        "colorSpace": 1, "defaultSize": {"width": 64, "height": 64}
    }  # fmt: skip
    assert given["processUnits"] == [{"optionsType": 1, "options": {"mean": [0.0], "std": [1.0]}}]
    (labels,) = scores["associatedFiles"]
    assert (labels["name"], labels["type"]) == ("labels.txt", 2)
    with zipfile.ZipFile(single) as archive:
        assert archive.read(labels["name"]).split() == [b"no-corrosion", b"corrosion"]


def test_a_file_without_metadata_has_no_labels_there(asked, single, pictures, tmp_path):
    """The labels above are our metadata's doing."""
    from corrosion_edge.quantize.flatbuffer import pack, unpack

    net = unpack(Bundle.load(single).model)
    net.metadata = []
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(pack(net))
    answer = asked(bare, pictures[:1])
    assert answer["metadata"] is None
    assert [name for name, _ in answer["answers"][0][""]] == [None, None]


@pytest.mark.photos
def test_how_far_its_own_scaling_moves_scores_of_photos(asked, shared, tmp_path):
    """Prints the figures that the documentation gives; the default model, with metadata."""
    from corrosion_edge.quantize.about import About
    from corrosion_edge.quantize.metadata import with_metadata
    from corrosion_edge.trainer.data import scan

    model = tmp_path / "default.tflite"
    bundle = Bundle.load(DEFAULT_MODEL)
    about = About(name="default", description="The default model.", version="0")
    fields = {n: getattr(bundle.manifest, n) for n in ("outputs", "preprocessing", "threshold")}
    Bundle.seal(with_metadata(bundle.model, about), {}, name="default", **fields).save(model)
    photos = scan(shared / "data" / "corrosion" / "validation").photos
    pictures = [image.read(photo.path) for photo in photos]
    ours = _scores(model, pictures)
    spec = bundle.manifest.preprocessing
    prepared = asked(model, [image.prepare(p, spec) for p in pictures])["answers"]
    _compare(prepared, ours)
    theirs = np.array(
        [dict(answer["scores"])["corrosion"] for answer in asked(model, pictures)["answers"]]
    )
    change, same = np.abs(theirs - ours), np.mean((theirs >= 0.5) == (ours >= 0.5))
    truth = np.array([photo.label for photo in photos])
    right = [float(np.mean((scores >= 0.5) == truth)) for scores in (ours, theirs)]
    print(
        f"\n{len(photos)} photos: a score moves by {change.mean():.4f} on average, "
        f"{np.quantile(change, 0.99):.3f} for 1 %, {change.max():.3f} at most; same verdict "
        f"{same:.2%}, accuracy {right[0]:.4f} -> {right[1]:.4f}"
    )
    assert 0 < change.mean() < 0.1
    assert same > 0.9
