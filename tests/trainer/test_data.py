import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from corrosion_edge.errors import DataError
from corrosion_edge.image import Preprocessing
from corrosion_edge.trainer.data import fingerprint, positive_class, scan
from corrosion_edge.trainer.load import load
from corrosion_edge.trainer.samples import decode

SPEC = Preprocessing(32, 32)


def _photo(path: Path, seed: int, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8)
    Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC).save(path, **options)
    return path


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """Two class folders, not split, 40 photos each."""
    root = tmp_path / "flat"
    for label, name in enumerate(("clean", "Rusty")):
        for i in range(40):
            _photo(root / name / f"{i:02}.png", 1000 * label + i)
    return root


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("CORROSION", "NOCORROSION"), "CORROSION"),
        (("no-corrosion", "corrosion"), "corrosion"),
        (("rust", "no_rust"), "rust"),
        (("corroded", "uncorroded"), "corroded"),
        (("Rusty", "clean"), "Rusty"),
        (("non corroded", "Corroded"), "Corroded"),
        (("rust", "rust-free"), "rust"),
        (("rust", "rustless"), "rust"),
        (("good", "bad"), None),
        (("rust", "corrosion"), None),
    ],
)
def test_the_corroded_class_is_known_by_its_name(names, expected):
    assert positive_class(names) == expected


def test_splits_classes_and_junk(rendered, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(rendered, root)
    (root / "train" / "CORROSION" / "._x.jpg").write_bytes(b"junk")
    (root / "test" / "NOCORROSION" / "notes.txt").write_bytes(b"junk")
    (root / "validation").rename(root / "val")
    (root / "README.md").write_text("about")
    dataset = scan(root)
    assert dataset.presplit
    assert dataset.classes == ("NOCORROSION", "CORROSION")
    assert [len(dataset.of(s)) for s in ("train", "validation", "test")] == [84, 24, 12]
    assert all(p.label == ("NOCORROSION" not in p.path.parts) for p in dataset.photos)
    assert dataset.passed_over == {"AppleDouble files": 1, "files that are no images": 2}


def test_positive_names_the_class(flat):
    (flat / "clean").rename(flat / "a")
    (flat / "Rusty").rename(flat / "b")
    with pytest.raises(DataError, match="--positive"):
        scan(flat)
    assert scan(flat, "b").classes == ("a", "b")
    with pytest.raises(DataError, match="--positive"):
        scan(flat, "c")


def test_folders_that_are_no_data_set(tmp_path, flat):
    with pytest.raises(DataError, match="no such folder"):
        scan(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="found none"):
        scan(tmp_path / "empty")
    shutil.rmtree(flat / "clean")
    with pytest.raises(DataError, match="two class folders"):
        scan(flat)
    (flat / "clean").mkdir()
    with pytest.raises(DataError, match="no photos in it"):
        scan(flat)
    (flat / "third").mkdir()
    with pytest.raises(DataError, match="two class folders"):
        scan(flat)


def test_missing_split_and_differing_classes(rendered, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(rendered, root)
    shutil.rmtree(root / "validation")
    with pytest.raises(DataError, match="'validation'"):
        load(root, SPEC, positive=None, seed=1)
    (root / "test" / "CORROSION").rename(root / "test" / "rust")
    with pytest.raises(DataError, match="not those of train"):
        scan(root)


def test_a_broken_photo_is_named_and_left_out(flat):
    (flat / "Rusty" / "05.png").write_bytes(b"broken")
    samples = decode(scan(flat).photos, SPEC)
    assert len(samples) == 79
    assert [str(flat / "Rusty" / "05.png") in line for line in samples.unreadable] == [True]
    assert [p.path.parent.name == "Rusty" for p in samples.photos] == samples.labels.tolist()


def test_only_broken_photos(flat):
    for path in flat.glob("Rusty/*"):
        path.write_bytes(b"broken")
    with pytest.raises(DataError, match="only one class"):
        decode(scan(flat).photos, SPEC)
    for path in flat.glob("clean/*"):
        path.write_bytes(b"broken")
    with pytest.raises(DataError, match="none of the 80 photos"):
        decode(scan(flat).photos, SPEC)


def test_a_flat_folder_is_split_stratified_seeded_and_duplicates_stay_together(flat):
    for i in range(12):  # re-encoded copies under other names
        original = Image.open(flat / "Rusty" / f"{i:02}.png")
        original.save(flat / "Rusty" / f"copy{i}.jpg", quality=80)
    first = load(flat, SPEC, positive=None, seed=4)
    sizes = {name: len(samples) for name, samples in first.samples.items()}
    assert sum(sizes.values()) == 92
    assert abs(sizes["train"] - 64) <= 4
    assert abs(sizes["validation"] - 18) <= 4
    place = {p.path.name: name for name, s in first.samples.items() for p in s.photos
             if p.path.parent.name == "Rusty"}  # fmt: skip
    assert all(place[f"{i:02}.png"] == place[f"copy{i}.jpg"] for i in range(12))
    for samples in first.samples.values():
        assert 0.35 < samples.labels.mean() < 0.75
    again = load(flat, SPEC, positive=None, seed=4)
    other = load(flat, SPEC, positive=None, seed=5)
    assert again.samples["test"].photos == first.samples["test"].photos
    assert other.samples["test"].photos != first.samples["test"].photos


def test_too_few_photos_to_split(tmp_path):
    for name in ("rust", "clean"):
        for i in range(5):
            _photo(tmp_path / name / f"{i}.png", hash(name) % 1000 + i)
    with pytest.raises(DataError, match="10 different photos of each class"):
        load(tmp_path, SPEC, positive=None, seed=1)


def test_the_fingerprint_sees_content_and_place(flat):
    photos = scan(flat).photos
    before = fingerprint(photos, flat)
    assert before == fingerprint(scan(flat).photos, flat)
    _photo(photos[0].path, 77)
    assert fingerprint(photos, flat) != before
