"""What scaling at the source does to scores: the benchmark's own arithmetic, and its ways."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

pytest.importorskip("av", reason="PyAV is not installed")

from corrosion_edge.benchmarks.parity import WAYS, main, moved
from corrosion_edge.device.capture.parity import LIMIT
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.render import surface


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for seed, kind in enumerate(("steel", "paint")):
        pixels = surface(kind, rust=0.4, seed=seed, size=(640, 480))
        Image.fromarray(pixels).save(folder / f"{kind}.png")
    return folder


def test_what_is_right_passes_and_what_is_wrong_is_noticed(photos):
    files = sorted(photos.iterdir())
    with Classifier.open() as classifier:
        found = moved(files, classifier)
    for name, one in found.items():
        assert one.photos == 2
        assert 0 <= one.mean <= one.largest <= 1
        assert 0 < one.levels <= one.most_levels
        if name.startswith("wrong") and "BT.709" not in name:
            assert one.noticed == 2, name
            assert one.most_levels > LIMIT
        elif not name.startswith(("wrong", "one scaler")):
            assert one.noticed == 0, name


def test_the_table_has_a_row_for_each(photos):
    done = CliRunner().invoke(main, [str(photos)])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0].startswith("2 photos, ")
    assert [line.split(" | ")[0].strip("| ") for line in done.output.splitlines()[3:]] == list(WAYS)


def test_a_folder_without_photos_is_refused(tmp_path):
    done = CliRunner().invoke(main, [str(tmp_path)])
    assert done.exit_code != 0
    assert "holds no photo" in done.output


def test_the_pictures_compared_are_of_one_moment():
    pixels = surface("paint", rust=0.3, seed=5, size=(640, 480))
    frames = [way(pixels, (224, 224)) for way in WAYS.values()]
    assert all(frame.fitting((224, 224)) is not None for frame in frames)
    assert all(np.asarray(frame.pixels).ndim == 3 for frame in frames)
