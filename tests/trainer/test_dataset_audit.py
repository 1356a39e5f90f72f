import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from dataset_pictures import noise, picture, save
from PIL import Image

from corrosion_edge.benchmarks.dataset.versions import VERSIONS
from corrosion_edge.cli import cli
from corrosion_edge.errors import DataError
from corrosion_edge.image import read
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.dataset.audit import audit
from corrosion_edge.trainer.dataset.facts import FEATURES, facts_of, numbers_of
from corrosion_edge.trainer.dataset.features import shrink
from corrosion_edge.trainer.dataset.header import jpeg_quality, read_header
from corrosion_edge.trainer.dataset.results import GROUPS_HEAD, PAIRS_HEAD
from corrosion_edge.trainer.dataset.shortcuts import majority, shortcuts

ODD = "a <b> & “c”.png"


def _exif(**values):
    exif = Image.Exif()
    exif[274] = values.get("orientation", 1)
    exif[271], exif[272] = "Ricoh", "Ricoh WG-6"
    if "gps" in values:
        exif.get_ifd(0x8825)[1] = "N"
    return exif


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split folder with everything in it that real folders have."""
    root = tmp_path_factory.mktemp("messy") / "data"
    number = 0
    for split, count in (("train", 5), ("validation", 3), ("test", 3)):
        for name in ("CORROSION", "NOCORROSION"):
            for i in range(count):
                save(noise(number), root / split / name / f"{i}.png")
                number += 1
    one, two = picture(1), picture(3)
    save(one, root / "train/CORROSION/one.png")
    save(VERSIONS["crop 75 %"](one), root / "test/CORROSION/one cut.jpg", quality=70)
    save(VERSIONS["mirrored"](one), root / "validation/CORROSION" / ODD)
    save(two, root / "train/CORROSION/two.png")
    save(VERSIONS["half size"](two), root / "train/NOCORROSION/two again.png")
    shutil.copy(root / "train/CORROSION/two.png", root / "train/CORROSION/two copy.png")
    save(noise(90), root / "train/CORROSION/really a png.jpg", format="PNG")
    save(noise(91).convert("L"), root / "train/NOCORROSION/grey.png")
    save(noise(92).convert("L").convert("RGB"), root / "train/NOCORROSION/grey rgb.jpg")
    save(noise(93), root / "train/CORROSION/turned.jpg", exif=_exif(orientation=6, gps=True))
    (root / "train/CORROSION/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (root / "train/CORROSION/._0.png").write_bytes(b"AppleDouble")
    (root / "train/CORROSION/.hidden.png").write_bytes(b"hidden")
    (root / "train/CORROSION/Thumbs.db").write_bytes(b"no image")
    return root


@pytest.fixture(scope="module")
def found(messy: Path):
    return audit(messy)


def _places(found, pair):
    return tuple(sorted((found.facts[pair.a].place, found.facts[pair.b].place)))


ONE = ("test/CORROSION/one cut.jpg", "train/CORROSION/one.png", f"validation/CORROSION/{ODD}")
TWO = ("train/CORROSION/two copy.png", "train/CORROSION/two.png",
       "train/NOCORROSION/two again.png")  # fmt: skip


def test_pairs_groups_conflicts_and_leaks(found):
    expected = {(a, b) for group in (ONE, TWO) for a in group for b in group if a < b}
    assert {_places(found, pair) for pair in found.pairs} == expected
    groups = [tuple(sorted(f.place for f in group)) for group in found.duplicate_groups()]
    assert groups == [TWO, ONE]  # the one with both labels first
    copies = found.to_dict()["duplicates"]
    assert copies["label_conflicts"] == [sorted(TWO)]
    assert copies["identical_files"] == 1
    assert copies["groups_across_splits"] == 1
    leaks = copies["photos_with_a_version_in"]
    assert leaks["test"] == {"train": 1, "validation": 1}
    assert leaks["train"] == {"validation": 1, "test": 1}


def test_what_the_files_are(found):
    summary = found.to_dict()
    assert summary["photos"] == {
        "train": {"corrosion": 10, "no-corrosion": 8},
        "validation": {"corrosion": 4, "no-corrosion": 3},
        "test": {"corrosion": 4, "no-corrosion": 3},
    }
    assert summary["passed_over"] == {
        "AppleDouble files": 1, "hidden files": 1, "files that are no images": 1,
    }  # fmt: skip
    assert [Path(line.split(":")[0]).name for line in summary["unreadable"]] == ["broken.jpg"]
    assert summary["misnamed"] == {"train/CORROSION/really a png.jpg": "PNG"}
    assert summary["greyscale"] == {"corrosion": 0, "no-corrosion": 2}
    assert summary["modes"]["L"] == 1
    assert summary["exif"] == {
        "turned": ["train/CORROSION/turned.jpg"],
        "gps": ["train/CORROSION/turned.jpg"],
        "cameras": {"Ricoh WG-6": 1},
    }
    turned = next(f for f in found.facts if f.place.endswith("turned.jpg"))
    assert (turned.numbers["width"], turned.numbers["height"]) == (48, 64)
    assert (turned.header.width, turned.header.height) == (64, 48)
    assert summary["sizes"]["width"]["least"] == 48


def _run(*arguments: str | Path):
    return CliRunner().invoke(cli, ["dataset", "audit", *map(str, arguments)])


def test_the_command_writes_page_and_tables_and_ends_with_1_for_the_broken_photo(messy, tmp_path):
    out = tmp_path / "out"
    result = _run(messy, "--out", out, "--json")
    assert result.exit_code == 1
    assert "broken.jpg" in result.stderr
    summary = json.loads(result.stdout)
    assert summary == json.loads((out / "audit.json").read_text())
    with (out / "pairs.csv").open(newline="") as file:
        head, *pairs = csv.reader(file)
    assert tuple(head) == PAIRS_HEAD
    assert len(pairs) == 6
    assert all(a < b for a, b, *_ in pairs)
    assert pairs == sorted(pairs)
    mirrored = {(a, b) for a, b, *_, last in pairs if last == "1"}
    assert mirrored == {(ONE[0], ONE[2]), (ONE[1], ONE[2])}
    with (out / "groups.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    assert tuple(head) == GROUPS_HEAD
    assert [(row[0], row[1], row[5]) for row in rows[:3]] == [("1", place, "1") for place in
        (TWO[0], TWO[1], TWO[2])]  # fmt: skip


def test_the_page_shows_the_groups_and_fetches_nothing(messy, tmp_path):
    _run(messy, "--out", tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<figure>") == 3  # two groups, one plot
    assert "1 of 7 test photos (14%) have a version in train" in page
    assert "both labels" in page
    assert "The same thing photographed again" in page
    assert "<b>" not in page
    assert not re.search(r"(src|href)=.?.?(https?:|//|file:)", page)
    assert "<script" not in page


def test_without_out_nothing_is_written_and_the_warnings_stand_out(messy):
    before = sorted(messy.rglob("*"))
    result = _run(messy)
    assert sorted(messy.rglob("*")) == before
    assert result.exit_code == 1
    assert "! Photos that cannot be read: 1." in result.stdout
    assert "! Photos that hold the place where they were taken (GPS): 1." in result.stdout
    assert "6 pairs of versions of one photo, in 2 groups" in result.stdout
    assert any(line.startswith("! ") and "train" in line for line in result.stdout.splitlines())


def test_an_unsplit_folder_is_cross_validated_and_has_no_leaks(rendered, tmp_path):
    for name in ("CORROSION", "NOCORROSION"):
        shutil.copytree(rendered / "validation" / name, tmp_path / name)
    found = audit(tmp_path)
    assert found.splits == ("",)
    assert found.to_dict()["duplicates"]["photos_with_a_version_in"] == {"": {}}
    assert [list(rule.accuracy) for rule in found.shortcuts[:1]] == [["cross-validated"]]
    assert found.majority == {"cross-validated": 0.5}


def test_a_folder_that_is_no_data_set(tmp_path, messy):
    with pytest.raises(DataError, match="no such folder"):
        audit(tmp_path / "missing")
    for path in ("rust/a.png", "clean/b.png"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_bytes(b"broken")
    with pytest.raises(DataError, match="none of its photos can be read"):
        audit(tmp_path)
    result = _run(tmp_path / "missing")
    assert result.exit_code == 2
    assert "no such folder" in result.stderr


def _facts(tmp_path, colours, split):
    """Facts of flat pictures, (colour, label) each."""
    facts = []
    for number, (colour, label) in enumerate(colours):
        path = save(Image.new("RGB", (40, 30), colour), tmp_path / f"{split}{number}.png")
        data, pixels = path.read_bytes(), read(path)
        facts.append(facts_of(Photo(path, label, split), path.name, data, pixels, shrink(pixels)))
    return facts


RUST, STEEL = (180, 90, 40), (120, 130, 140)


def test_a_shortcut_is_fitted_on_train_and_judged_on_the_others(tmp_path):
    train = _facts(tmp_path, [(RUST, 1)] * 6 + [(STEEL, 0)] * 4, "train")
    test = _facts(tmp_path, [(RUST, 1), (STEEL, 0), (STEEL, 1), (RUST, 0)], "test")
    facts = train + test
    rules = {rule.feature: rule for rule in shortcuts(facts, np.arange(len(facts)))}
    assert set(rules) == set(FEATURES)
    assert rules["orange"].accuracy == {"train": 1.0, "test": 0.5}
    assert rules["orange"].corrosion_above
    assert 0 < rules["orange"].threshold < 1
    assert not rules["blue"].corrosion_above
    assert rules["width"].accuracy == {"train": 0.6, "test": 0.5}  # no threshold: the majority
    assert majority(facts) == {"train": 0.6, "test": 0.5}
    assert shortcuts([f for f in facts if f.photo.label], np.arange(8)) == []


def test_the_numbers_of_a_picture():
    half = np.zeros((20, 40, 3), np.uint8)
    half[:, :20] = RUST
    numbers = numbers_of(half)
    assert numbers["orange"] == pytest.approx(0.5)
    assert numbers["red"] == pytest.approx(90)
    assert 15 < numbers["hue"] < 25
    assert numbers["saturation"] == pytest.approx(0.5 * 140 / 180, abs=0.01)
    assert numbers["contrast"] == pytest.approx(numbers["brightness"], abs=0.5)
    assert numbers["sharpness"] > numbers_of(np.full((20, 40, 3), 90, np.uint8))["sharpness"] == 0


@pytest.mark.parametrize("quality", [20, 50, 75, 90, 95])
def test_the_quality_of_a_jpeg_is_recovered(quality, tmp_path):
    path = save(noise(1), tmp_path / "x.jpg", quality=quality)
    assert read_header(path.read_bytes()).quality == quality
    assert jpeg_quality(None) == 0
    assert jpeg_quality({0: [1, 2]}) == 0


def test_the_ending_is_compared_with_the_content(tmp_path):
    for name, kind, fits in (("a.JPG", "JPEG", True), ("a.jpeg", "PNG", False),
                             ("a.png", "PNG", True), ("a.tif", "TIFF", True)):  # fmt: skip
        path = save(noise(2), tmp_path / name, format=kind)
        assert read_header(path.read_bytes()).fits(path) is fits
