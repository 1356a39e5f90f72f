import json

import pytest

from corrosion_edge.errors import DataError
from corrosion_edge.prediction import LABELS
from corrosion_edge.trainer.site.labels import read_labels


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "site"
    (place / "sub").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "sub/c.jpg"):
        (place / name).write_bytes(b"x")
    return place


def write(folder, text):
    file = folder.parent / "labels"
    file.write_text(text, encoding="utf-8")
    return file


def line(path, label="corrosion", **more):
    return json.dumps({"path": str(path), "label": label, **more}) + "\n"


def test_lines_of_classify_with_a_corrected_label(folder):
    text = line("a.jpg", "corrosion", score=0.9, threshold=0.5)
    text += line("b.jpg", "corrosion", score=0.2, threshold=0.5)  # corrected by hand
    text += "\n" + json.dumps({"path": "x.jpg", "error": "damaged"}) + "\n"
    text += line(folder / "sub" / "c.jpg", "no-corrosion", score=0.5, threshold=0.6)
    said = read_labels(write(folder, text), folder)
    assert [(p.path.name, p.label) for p in said.photos] == [
        ("a.jpg", 1), ("b.jpg", 1), ("c.jpg", 0)
    ]  # fmt: skip
    assert (said.skipped, said.repeated, said.corrected) == (1, 0, 1)
    assert str(said) == "3 labelled photos, 1 labels corrected, 1 lines of unreadable photos"


def test_a_table_of_a_spreadsheet(folder):
    text = "\ufeffpath,label,remark\na.jpg,Corrosion,weld\nsub/c.jpg, no-corrosion,\n"
    said = read_labels(write(folder, text), folder)
    assert [(p.path.name, LABELS[p.label]) for p in said.photos] == [
        ("a.jpg", "corrosion"), ("c.jpg", "no-corrosion")
    ]  # fmt: skip
    assert said.corrected is None


def test_paths_as_classify_printed_them_from_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    (folder.parent / "elsewhere.jpg").write_bytes(b"x")
    said = read_labels(write(folder, line("site/a.jpg") + line("elsewhere.jpg")), folder)
    assert [p.path for p in said.photos] == [folder / "a.jpg", folder.parent / "elsewhere.jpg"]


def test_the_same_photo_twice(folder):
    same = line("a.jpg") + line(folder / "a.jpg")
    assert read_labels(write(folder, same), folder).repeated == 1
    with pytest.raises(DataError, match=r"line 3: .*'no-corrosion' here and 'corrosion' in line 1"):
        read_labels(write(folder, line("a.jpg") + line("b.jpg") + line("a.jpg", LABELS[0])), folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("a.jpg") + line("b.jpg", "rust"), "line 2: expected the label .*got 'rust'"),
        (line("a.jpg") + line("b.jpg", None), "line 2: expected the label"),
        (line("a.jpg") + line("gone.jpg"), "line 2: no photo gone.jpg below"),
        (line("a.jpg") + "{broken\n", "line 2: not JSON"),
        (line("a.jpg") + "[1]\n", "line 2: expected an object"),
        (json.dumps({"label": "corrosion"}), "line 1: expected the path"),
        (line("a.jpg", score="high", threshold=0.5), "line 1: score and threshold"),
        ("photo,truth\na.jpg,corrosion\n", "line 1: expected .*columns path and label"),
        ("path,label\na.jpg,corrosion\nb.jpg,rust\n", "line 3: expected the label"),
        (json.dumps({"path": "a.jpg", "error": "damaged"}), "no labelled photo"),
        ("", "columns path and label"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder, text, message):
    with pytest.raises(DataError, match=message):
        read_labels(write(folder, text), folder)


def test_a_file_that_is_not_there_or_no_text(folder):
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(folder / "none", folder)
    (folder / "a.jpg").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="not UTF-8"):
        read_labels(folder / "a.jpg", folder)
