"""Counts of what the quality gate refuses, on rendered pictures."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from corrosion_edge.benchmarks.gate import COPIES, counted, main
from corrosion_edge.render import surface


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        pixels = surface("steel", rust=0.4, seed=seed, size=(320, 240))
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    Image.fromarray(np.full((40, 60, 3), 130, np.uint8)).save(folder / "plain.png")
    return folder


def test_each_copy_has_a_row(photos):
    done = CliRunner().invoke(main, [str(photos), "--step", "1"])
    assert done.exit_code == 0, done.output
    rows = [line.strip("| ").split(" | ") for line in done.output.splitlines()[2:]]
    names = ["as they are", *COPIES]
    assert [name.rpartition(", ")[0] for name, _ in rows] == names
    found = {name.rpartition(", ")[0]: unusable for name, unusable in rows}
    assert found["as they are"] == "1 covered"
    assert found["an eighth of the brightness"] == "4 dark"
    assert found["blurred by 25 % with noise of 3 levels"] == "4 covered"
    assert [name for name, _ in rows][4] == "blurred by 0.5 % of the width, 3"


def test_brightness_is_clipped_and_does_not_wrap():
    grey = np.full((224, 224, 3), 100, np.uint8)
    assert counted([COPIES["brightness times 3, clipped"](grey)]) == {"bright": 1}


def test_a_folder_without_photos_is_refused(tmp_path):
    done = CliRunner().invoke(main, [str(tmp_path)])
    assert done.exit_code != 0
    assert "holds no photo" in done.output
