"""Which photos the arguments of ``classify`` name, and in which order."""

import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.device.archive.listing import listed
from corrosion_edge.errors import DataError
from corrosion_edge.photos import find_photos, walk_photos

FILES = ("a/1.jpg", "a/2.JPG", "a/deep/er/3.png", "a.jpg", "b/4.jpg", "b/notes.txt", "b/.h.jpg")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("pattern", "expected"), [
    ("a/*.jpg", ["a/1.jpg"]),
    ("**/*.jpg", ["a/1.jpg", "a.jpg", "b/4.jpg"]),
    ("*/?.[jp]*", ["a/1.jpg", "b/4.jpg"]),
    ("a/**/*.png", ["a/deep/er/3.png"]),
    ("**/deep/**", ["a/deep/er/3.png"]),
    ("./b/*", ["b/4.jpg"]),
])  # fmt: skip
def test_patterns_match_photos(pattern, expected):
    assert list(listed([pattern])) == expected


def test_an_absolute_pattern(here):
    assert list(listed([f"{here}/b/*.jpg"])) == [f"{here}/b/4.jpg"]


def test_a_pattern_without_a_match_is_wrong_usage():
    with pytest.raises(DataError, match="no photo matches"):
        list(listed(["c/*.jpg"]))


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(here):
    (here / "x[1].jpg").touch()
    assert list(listed(["x[1].jpg"])) == ["x[1].jpg"]


def test_a_list_holds_photos_folders_and_patterns(here):
    (here / "list.txt").write_bytes(b"b/4.jpg\r\n\na/deep\n*.jpg\nodd\xff.jpg\n")
    assert list(listed(["@list.txt"])) == [
        "b/4.jpg", "a/deep/er/3.png", "a.jpg", os.fsdecode(b"odd\xff.jpg")
    ]  # fmt: skip


def test_a_file_that_begins_with_an_at_is_a_photo(here):
    (here / "@a.jpg").touch()
    assert list(listed(["@a.jpg"])) == ["@a.jpg"]


def test_a_list_that_is_missing_is_wrong_usage():
    with pytest.raises(DataError, match=r"@none\.txt: the list cannot be read"):
        list(listed(["@none.txt"]))


def test_folders_are_looked_into_only_when_their_turn_comes(here, monkeypatch):
    opened = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (opened.append(path), scandir(path))[1])
    assert list(itertools.islice(listed(["a", "b"]), 2)) == ["a/1.jpg", "a/2.JPG"]
    assert opened == ["a"]


def test_a_folder_that_cannot_be_read_is_counted(here, monkeypatch):
    scandir = os.scandir

    def refusing(path):
        if path == "a/deep":
            raise PermissionError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert "1 folders that cannot be read" in str(find_photos(here.relative_to(here) / "a"))


names = st.text("ab.-_é", min_size=1, max_size=3).filter(lambda name: not name.startswith("."))


@given(st.sets(st.lists(names, min_size=1, max_size=4).map(tuple), max_size=12))
def test_photos_come_as_their_paths_sort(tmp_path_factory, files):
    top = tmp_path_factory.mktemp("tree")
    for parts in files:
        path = top.joinpath(*parts[:-1], f"{parts[-1]}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = [top / photo for photo in walk_photos(top, {})]
    assert found == sorted(top.rglob("*.png"))
