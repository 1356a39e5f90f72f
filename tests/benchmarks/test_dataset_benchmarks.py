from pathlib import Path

import pytest

pytest.importorskip("cv2", reason="OpenCV is not installed")

from PIL import Image

from corrosion_edge.benchmarks.dataset import cost, found
from corrosion_edge.benchmarks.dataset.versions import VERSIONS
from corrosion_edge.render import SURFACES, surface


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures, one of them with a mirrored copy, and one too small."""
    root = tmp_path_factory.mktemp("pictures")
    for name in ("NOCORROSION", "CORROSION"):
        (root / name).mkdir()
    for number in range(6):
        _picture(number).save(root / ("NOCORROSION", "CORROSION")[number % 2] / f"{number}.png")
    VERSIONS["mirrored"](_picture(5)).save(root / "CORROSION" / "copy.png")
    _picture(7, (90, 80)).save(root / "CORROSION" / "small.png")
    return root


def _picture(number: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    kind = SURFACES[number % len(SURFACES)]
    return Image.fromarray(surface(kind, rust=0.3 * (number % 2), seed=700 + number, size=size))


def test_copies_of_single_photos_are_looked_for(folder, monkeypatch):
    monkeypatch.setattr(found, "VERSIONS", {k: VERSIONS[k] for k in ("mirrored", "crop 75 %")})
    result = found.find(folder, photos=10, seed=1)
    assert result == found.Found(5, {"mirrored": 5, "crop 75 %": 5}, ())
    assert result.lines()[-2:] == [
        "all: 10 of 10 found (100.0%)",
        "pairs of different photos: 0, 0.0% of all pairs",
    ]


def test_missed_copies_and_pairs_of_different_photos_are_told(folder, monkeypatch):
    answers = iter([set(), {(0, 3), (0, 4), (1, 2)}])
    monkeypatch.setattr(found, "_pairs", lambda described: next(answers))
    monkeypatch.setattr(found, "VERSIONS", {"mirrored": VERSIONS["mirrored"]})
    result = found.find(folder, photos=3, seed=1)
    assert result.by_kind == {"mirrored": 1}
    assert len(result.strange) == 2
    assert "pairs of different photos: 2, 66.7% of all pairs" in result.lines()


def test_an_audit_is_measured_on_parts_that_are_all_different(folder):
    whole = list(cost.parts(folder))
    assert len({picture.tobytes() for _, picture in whole}) == len(whole) == 6 * 8
    assert {name for name, _ in whole} == {"CORROSION", "NOCORROSION"}
    seconds, megabytes = cost._audited(folder)
    assert seconds > 0
    assert megabytes > 10
