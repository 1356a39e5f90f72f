import csv
import json
import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from dataset_pictures import noise, save
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.cli import cli
from corrosion_edge.errors import DataError, UsageError
from corrosion_edge.image import Preprocessing
from corrosion_edge.trainer.data import SPLITS, scan
from corrosion_edge.trainer.dataset.resplit import MANIFEST_HEAD
from corrosion_edge.trainer.load import load
from corrosion_edge.trainer.split import assign, duplicate_groups, grouped

CLASSES = ("clean", "rusty")


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two class folders, 30 photos each; 6 of each class once more as a JPEG of half the size."""
    root = tmp_path_factory.mktemp("flat") / "data"
    for label, name in enumerate(CLASSES):
        for i in range(30):
            whole = noise(1000 * label + i)
            save(whole, root / name / f"{i:02}.png")
            if i < 6:
                save(whole.resize((48, 36)), root / name / f"copy of {i:02}.jpg", quality=80)
    return root


@pytest.fixture
def presplit(flat: Path, tmp_path: Path) -> Path:
    """The same photos in splits, badly: the copies are in test, names occur twice."""
    root = tmp_path / "presplit"
    for path in sorted(flat.rglob("*.*")):
        copy = path.name.startswith("copy")
        split = "test" if copy else "validation" if path.stem > "25" else "train"
        place = root / split / path.parent.name / path.name.removeprefix("copy of ")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return root


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1)), min_size=40, max_size=120),
    unreadable=st.integers(0, 3),
    seed=st.integers(0, 2**31),
)
def test_groups_stay_whole_and_the_shares_are_kept(sizes, unreadable, seed):
    labels = np.array([label for size, label in sizes for _ in range(size)] + [0] * unreadable)
    groups = np.array(
        [number for number, (size, _) in enumerate(sizes) for _ in range(size)] + [-1] * unreadable
    )
    counts = [sum(label == want for _, label in sizes) for want in (0, 1)]
    if min(counts) < 10:
        with pytest.raises(DataError, match="10 different photos of each class"):
            assign(labels, groups, seed)
        return
    splits = np.array(assign(labels, groups, seed))
    assert assign(labels, groups, seed) == splits.tolist()
    assert all(len(set(splits[groups == group])) == 1 for group in range(len(sizes)))
    assert set(splits[groups < 0]) <= {"train"}
    total = int((groups >= 0).sum())
    for name, share in zip(SPLITS, (0.7, 0.2, 0.1), strict=True):
        inside = (splits == name) & (groups >= 0)
        assert abs(inside.sum() - share * total) <= 8
        for label in (0, 1):
            whole = int(((labels == label) & (groups >= 0)).sum())
            assert abs((inside & (labels == label)).sum() - share * whole) <= 8


def test_other_seeds_give_other_splits():
    labels = np.repeat([0, 1], 50)
    results = {tuple(assign(labels, np.arange(100), seed)) for seed in range(5)}
    assert len(results) == 5


def _by_split(parts):
    return {photo.path.name: photo.split for part in parts for photo in part}


def test_grouped_pools_whatever_split_there_was(flat, presplit):
    photos = scan(presplit).photos
    parts = grouped(photos, seed=2)
    assert [part[0].split for part in parts] == list(SPLITS)
    assert sum(map(len, parts)) == len(photos) == 72
    for part in parts:
        labels = [photo.label for photo in part]
        assert 0.3 < np.mean(labels) < 0.7
    split_of = {photo.path: photo.split for part in parts for photo in part}
    for photo in photos:  # a photo and its copy have one stem and one class
        same = {
            split
            for path, split in split_of.items()
            if (path.stem, path.parent.name) == (photo.path.stem, photo.path.parent.name)
        }
        assert len(same) == 1  # fmt: skip


def test_neither_order_nor_names_matter(flat, tmp_path):
    photos = scan(flat).photos
    first = grouped(photos, seed=5)
    assert grouped(photos[::-1], seed=5) == first
    renamed = []
    for number, photo in enumerate(photos):
        path = tmp_path / f"{997 * number % 1000:03}{photo.path.suffix}"
        shutil.copy(photo.path, path)
        renamed.append(replace(photo, path=path))
    splits = {new.path.name: old.path for new, old in zip(renamed, photos, strict=True)}
    again = {splits[photo.path.name]: photo.split for part in grouped(renamed, 5) for photo in part}
    assert again == {photo.path: photo.split for part in first for photo in part}


def test_an_unreadable_photo_has_no_group_and_goes_to_train(flat, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(flat, root)
    (root / "rusty" / "29.png").write_bytes(b"broken")
    photos = scan(root).photos
    groups = duplicate_groups(photos)
    broken = [photo.path.name == "29.png" and photo.label == 1 for photo in photos]
    assert (groups < 0).tolist() == broken
    train = grouped(photos, seed=1)[0]
    assert any(photo.path == root / "rusty" / "29.png" for photo in train)
    loaded = load(root, Preprocessing(32, 32), positive=None, seed=1)
    assert [str(root / "rusty" / "29.png") in line for line in loaded.unreadable] == [True]


def test_load_splits_anew_where_it_is_told_to(presplit):
    spec = Preprocessing(32, 32)
    given_ = load(presplit, spec, positive=None, seed=3)
    assert {n: len(s) for n, s in given_.samples.items()} == {
        "train": 52, "validation": 8, "test": 12,
    }  # fmt: skip
    anew = load(presplit, spec, positive=None, seed=3, split="grouped")
    assert (given_.describe()["split"], anew.describe()["split"]) == (
        "given", "70/20/10, duplicates kept together",
    )  # fmt: skip
    assert sum(len(samples) for samples in anew.samples.values()) == 72
    assert abs(len(anew.samples["train"]) - 50) <= 4
    assert all(photo.split == name for name, samples in anew.samples.items()
               for photo in samples.photos)  # fmt: skip
    with pytest.raises(UsageError, match="given or grouped"):
        load(presplit, spec, positive=None, seed=3, split="random")


def _run(*arguments: str | Path):
    return CliRunner().invoke(cli, ["dataset", "split", *map(str, arguments)])


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_command_writes_the_split_and_its_manifest(presplit, tmp_path):
    out = tmp_path / "out"
    result = _run(presplit, "--to", out, "--seed", 4, "--json")
    assert result.exit_code == 0, result.output
    rows = _rows(out)
    assert tuple(rows[0]) == MANIFEST_HEAD
    assert len(rows) == 72
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert files == {row["path"] for row in rows} | {"manifest.csv"}
    splits = defaultdict(set)
    for row in rows:
        assert row["path"].split("/")[:2] == [row["split"], row["class"]]
        assert row["old_path"].split("/")[1] == row["class"]
        assert (out / row["path"]).read_bytes() == (presplit / row["old_path"]).read_bytes()
        splits[row["group"]].add(row["split"])
    assert len(splits) == 60
    assert all(len(split) == 1 for split in splits.values())
    summary = json.loads(result.stdout)
    assert summary["groups"] == 60
    assert sum(n for counts in summary["photos"].values() for n in counts.values()) == 72
    assert scan(out).presplit


def test_an_unsplit_folder_and_the_same_seed_again(flat, tmp_path):
    for name in ("one", "two", "three"):
        seed = 9 if name == "three" else 8
        assert _run(flat, "--to", tmp_path / name, "--seed", seed).exit_code == 0
    one, two, three = (_rows(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert one != three


def test_files_of_one_name_are_told_apart_and_case_counts_for_nothing(tmp_path):
    root = tmp_path / "data"
    for label, name in enumerate(CLASSES):
        for i in range(12):
            save(
                noise(2000 * label + i), root / name / f"{i % 4}" / ("A.png" if i % 2 else "a.PNG")
            )
            save(noise(3000 + 2000 * label + i), root / name / f"x{i}" / "photo.png")
    shutil.copytree(root / "rusty" / "x1", root / "rusty" / "x1 again")
    out = tmp_path / "out"
    assert _run(root, "--to", out).exit_code == 0
    rows = _rows(out)
    assert len(rows) == len({row["path"].lower() for row in rows}) == 2 * (4 + 12) + 1
    for row in rows:
        assert (out / row["path"]).read_bytes() == (root / row["old_path"]).read_bytes()


def test_links_share_the_file_and_copies_do_not(flat, tmp_path):
    for option, same in (("--link", True), ("--copy", False)):
        out = tmp_path / option
        assert _run(flat, "--to", out, option).exit_code == 0
        row = _rows(out)[0]
        assert (out / row["path"]).samefile(flat / row["old_path"]) is same


def test_nothing_is_overwritten_and_nothing_half_written(flat, tmp_path, monkeypatch):
    out = tmp_path / "out"
    (out / "train").mkdir(parents=True)
    (out / "train" / "mine").write_text("mine")
    result = _run(flat, "--to", out)
    assert result.exit_code == 1
    assert "exists already" in result.stderr
    assert [p.name for p in out.rglob("*")] == ["train", "mine"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    result = _run(flat, "--to", tmp_path / "full")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def test_conflicts_and_broken_photos_are_named(flat, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(flat, root)
    shutil.copy(root / "rusty" / "03.png", root / "clean" / "same.png")
    (root / "clean" / "05.png").write_bytes(b"broken")
    result = _run(root, "--to", tmp_path / "out")
    assert result.exit_code == 1
    assert "both labels: clean/same.png, rusty/03.png, rusty/copy of 03.jpg" in result.stderr
    assert f"left out: {root / 'clean' / '05.png'}: not a picture" in result.stderr
    rows = _rows(tmp_path / "out")
    assert "clean/05.png" not in {row["old_path"] for row in rows}
    both = {row["split"] for row in rows if row["old_path"] in ("clean/same.png", "rusty/03.png")}
    assert len(both) == 1


def test_too_few_photos_leave_nothing(tmp_path):
    for name in CLASSES:
        for i in range(5):
            save(noise(hash(name) % 1000 + i), tmp_path / "data" / name / f"{i}.png")
    result = _run(tmp_path / "data", "--to", tmp_path / "out")
    assert result.exit_code == 2
    assert "10 different photos of each class" in result.stderr
    assert not (tmp_path / "out").exists()
