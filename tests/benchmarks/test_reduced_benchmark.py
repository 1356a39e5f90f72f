"""How far reduced decoding moves scores, on rendered pictures."""

import pytest
from click.testing import CliRunner
from PIL import Image

from corrosion_edge import image
from corrosion_edge.benchmarks.archive.reduced import SETS, Made, Told, main
from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.render import surface


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for seed, kind in enumerate(("steel", "paint", "dirt")):
        pixels = surface(kind, rust=0.3, seed=seed, size=(320, 240))
        Image.fromarray(pixels).save(folder / f"{kind}.jpg")
    return folder


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")
def test_each_set_has_a_row_and_what_is_small_is_not_reduced(photos, monkeypatch):
    decode, asked = image.read_prepared, []

    def noted(source, spec, name, *, at_least):
        asked.append(at_least)
        return decode(source, spec, name, at_least=at_least)

    monkeypatch.setattr(image, "read_prepared", noted)
    done = CliRunner().invoke(main, [str(photos), "--most", "2"])
    assert done.exit_code == 0, done.output
    rows = [line.strip("| ").split(" | ") for line in done.output.splitlines()[2:]]
    assert [row[0].rpartition(", ")[0] for row in rows] == list(SETS)
    assert rows[0][1:] == ["0.0000", "0.000", "0", "–", "–"]
    assert asked == [0, 448] * sum(int(row[0].rpartition(", ")[2]) for row in rows)


def test_the_same_photos_are_drawn_each_time(photos):
    files = sorted(photos.iterdir())
    made = Made((64, 48), side=2, count=3)
    drawn = list(made.paths(files, 10))
    assert drawn == list(made.paths(files, 10))
    assert [len(paths) for paths in drawn] == [4, 4, 4]
    assert made.picture(drawn[0]).shape == (48, 64, 3)
    assert list(Made((64, 48), step=2).paths(files, 10)) == [[files[0]], [files[2]]]


def test_a_row_of_the_table():
    told = Told((0.1, 0.2), 1, (0.01, 0.03), (0.02, 0.04))
    assert told.row("set") == "| set, 2 | 0.1500 | 0.200 | 1 | 0.0200 | 0.0300 |"
