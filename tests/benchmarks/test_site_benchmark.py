"""A stand-in for a site, made of photos that came split."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

pytest.importorskip("keras", reason="the extra train is not installed")

from corrosion_edge.benchmarks.training import site
from corrosion_edge.trainer.data import Photo, scan


def test_a_group_leaves_the_old_set():
    photos = [Photo(Path(f"{n}.png"), n % 2, split)
              for n, split in enumerate(("train", "validation", "test") * 2)]  # fmt: skip
    assert site.placed(photos, [0, 0, 0, 1, 1, 1], 1) == [
        "old/train", "old/validation", "old/test", "later", "site", "later"
    ]  # fmt: skip


@pytest.fixture
def photos(tmp_path):
    """Two kinds of pictures, dark ones and bright ones, in each split and class."""
    for split in ("train", "validation", "test"):
        for name in ("corrosion", "no-corrosion"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for number, level in enumerate((20, 30, 220)):
                Image.new("RGB", (8, 8), (level,) * 3).save(folder / f"{number}.png")
    (tmp_path / "photos/train/corrosion/0.png").unlink()  # the dark ones are less even
    return tmp_path / "photos"


def test_from_end_to_end(photos, tmp_path, monkeypatch):
    def levels(chosen, _):
        return np.array([[np.asarray(Image.open(photo.path)).mean()] for photo in chosen])

    monkeypatch.setattr(site, "_features", levels)
    words = [str(photos), "--out", str(tmp_path / "out"), "--groups", "2"]
    done = CliRunner().invoke(site.main, words)
    assert done.exit_code == 0, done.output
    assert len(scan(tmp_path / "out" / "old").photos) == 11
    for name, count in (("site", 2), ("later", 4)):
        kept = scan(tmp_path / "out" / name)
        assert len(kept.photos) == count
        assert {Image.open(photo.path).getpixel((0, 0))[0] for photo in kept.photos} == {220}
    again = CliRunner().invoke(site.main, words)
    assert again.exit_code == 2
    assert "exists already" in again.output


def test_what_came_in_one_folder_is_refused(photos, tmp_path, monkeypatch):
    words = [str(photos / "train"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(site.main, words)
    assert done.exit_code != 0
    assert "expected the folders train, validation and test" in done.output
