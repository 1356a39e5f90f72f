"""``corrosion-edge classify`` from the outside, with the fake interpreter."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.cli import COMMANDS, cli
from corrosion_edge.confidence import Confidence
from corrosion_edge.device.archive.cli import classify
from corrosion_edge.device.archive.judge import LARGEST_OVERLAY, overlay_path, write_overlay
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.cli import watch
from corrosion_edge.prediction import Prediction

RED, GREY = (255, 0, 0), (128, 128, 128)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, classifier):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photo(path, colour=GREY, size=(20, 10)):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)  # noqa: PTH103, PTH120
    Image.new("RGB", size, colour).save(path)
    return path


def run(*arguments):
    return CliRunner().invoke(cli, ["classify", *arguments])


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_photo_gives_one_json_line():
    result = run("--json", photo("a.png", RED))
    assert result.exit_code == 0
    (line,) = lines(result)
    assert list(line) == ["path", "label", "score", "threshold", "backend"]
    assert (line["path"], line["label"], line["threshold"]) == ("a.png", "corrosion", 0.5)
    assert line["score"] == pytest.approx(1, abs=0.01)


def test_the_order_is_that_of_the_input_and_folders_are_sorted():
    photo("z.png"), photo("f/c.png"), photo("f/a/b.png"), photo("./y.png")
    result = run("--json", "z.png", "f", "./y.png")
    assert [line["path"] for line in lines(result)] == ["z.png", "f/a/b.png", "f/c.png", "./y.png"]


def test_people_get_aligned_lines():
    result = run(photo("a.png", RED), photo("b.png"))
    assert result.stdout == "corrosion     0.996  a.png\nno-corrosion  0.000  b.png\n"
    assert result.stderr == ""


def test_a_broken_photo_is_a_line_and_the_rest_goes_on(here):
    (here / "b.jpg").write_bytes(b"\xff\xd8 cut")
    result = run("--json", photo("a.png"), "b.jpg", photo("c.png"))
    assert result.exit_code == 1
    first, second, third = lines(result)
    assert list(second) == ["path", "error"]
    assert second["path"] == "b.jpg"
    assert "label" in first
    assert "label" in third


def test_for_people_the_error_goes_to_standard_error(here):
    (here / "b.jpg").write_bytes(b"\xff\xd8 cut")
    result = run("b.jpg", photo("c.png"))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: b.jpg: ")
    assert result.stdout.endswith("c.png\n")


def test_a_path_that_does_not_exist_is_a_line_too():
    result = run("--json", "nowhere.jpg", photo("a.png"))
    assert result.exit_code == 1
    assert lines(result)[0] == {"path": "nowhere.jpg", "error": "nowhere.jpg: no such file"}
    assert lines(result)[1]["path"] == "a.png"


def test_a_named_file_is_tried_whatever_its_name(here):
    shutil.copy(photo("a.png", RED), "scan.dat")
    (here / "notes.txt").write_text("no photo")
    assert run("scan.dat").exit_code == 0
    assert run("notes.txt").exit_code == 1


def test_junk_in_a_folder_is_counted_aloud(here):
    photo("f/a.png")
    (here / "f/notes.txt").write_text("x")
    result = run("--json", "f")
    assert result.exit_code == 0
    assert len(lines(result)) == 1
    assert result.stderr == "f: 1 photos; passed over: 1 files that are no images\n"


def test_an_empty_folder_is_wrong_usage(here):
    (here / "empty").mkdir()
    result = run("empty")
    assert result.exit_code == 2
    assert "Error: empty: no photos in there or below" in result.stderr


def test_an_empty_folder_among_photos_is_only_said(here):
    (here / "empty").mkdir()
    result = run("empty", photo("a.png"))
    assert result.exit_code == 0
    assert "empty: 0 photos" in result.stderr


def test_overlays_of_equal_names_do_not_meet(here):
    for path in ("f/a.png", "f/deep/a.png", "a.png", "f/a.bmp"):
        photo(path, RED)
    assert run("f", "a.png", "--heatmap", "maps").exit_code == 0
    written = sorted(
        str(path.relative_to(here / "maps")) for path in (here / "maps").rglob("*.png")
    )
    assert len(written) == 4
    assert written == ["a.png.png", "f/a.bmp.png", "f/a.png.png", "f/deep/a.png.png"]


def test_an_overlay_shows_where():
    run(photo("a.png", RED), photo("b.png", GREY), "--heatmap", "maps")
    with Image.open("maps/a.png.png") as rusty, Image.open("maps/b.png.png") as clean:
        assert rusty.size == clean.size == (20, 10)
        assert np.array_equal(np.asarray(clean), np.full((10, 20, 3), 128))
        assert not np.array_equal(np.asarray(rusty), np.full((10, 20, 3), RED))


@pytest.mark.parametrize(
    ("photo_path", "expected"),
    [("a.jpg", "m/a.jpg.png"), ("/x/a.jpg", "m/x/a.jpg.png"), ("../a.jpg", "m/up/a.jpg.png")],
)
def test_nothing_is_written_outside_the_folder(here, photo_path, expected):
    assert overlay_path(here / "m", photo_path) == here / expected


def test_large_photos_get_reduced_overlays(here):
    pixels = np.zeros((30, LARGEST_OVERLAY * 2, 3), np.uint8)
    heat = np.full((7, 7), 5, np.float32)
    write_overlay(here / "x.png", pixels, Prediction(0.9, 0.5, heat))
    with Image.open(here / "x.png") as written:
        assert written.size == (LARGEST_OVERLAY, 15)


def test_a_model_without_a_map_has_no_heat_map(bundle, backend, monkeypatch):
    bare = Bundle.seal(bundle.model, {}, name="max pooling", outputs={"scores": "a"})
    made = Classifier(bare, backend)
    monkeypatch.setattr(Classifier, "open", lambda model=None, **_: made)
    result = run(photo("a.png"), "--heatmap", "maps")
    assert result.exit_code == 2
    assert "has no heat map" in result.stderr
    assert result.stdout == ""


def test_a_heatmap_folder_that_cannot_be_made_is_said_before_the_work(here):
    (here / "file").touch()
    result = run(photo("a.png"), "--heatmap", "file/maps")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "file/maps" in result.stderr


CONFIDENCE = Confidence(
    temperature=1.3, ece_before=0.05, ece_after=0.02, n=364, corroded=198, on="validation",
    recall_target=0.98, recall_threshold=0.125, alpha=0.02, unsure=None,
)  # fmt: skip
ORANGE = (96, 40, 32)  # a quarter of the way to red: the fake's score is 0.25


@pytest.mark.parametrize(("words", "label", "threshold"), [
    ([], "no-corrosion", 0.5),
    (["--threshold", "recall"], "corrosion", 0.125),
    (["--threshold", "0.25"], "corrosion", 0.25),
    (["--threshold", "1"], "no-corrosion", 1.0),
])  # fmt: skip
def test_the_threshold_is_the_users_choice(bundle, backend, monkeypatch, words, label, threshold):
    made = Classifier(bundle.with_fields(confidence=CONFIDENCE), backend)
    monkeypatch.setattr(Classifier, "open", lambda model=None, **_: made)
    (line,) = lines(run("--json", *words, photo("a.png", ORANGE)))
    assert (line["label"], line["threshold"]) == (label, threshold)
    assert line["score"] == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("words", "own", "unsure"), [
    ([], 0.5, False), (["--threshold", "0.1875"], 0.5, True),
    (["--threshold", "0.3125"], 0.5, False),
    (["--threshold", "0.125"], 0.5, True), ([], 0.125, True),
])  # fmt: skip
def test_no_verdict_is_sure_between_the_band_and_the_threshold(
    bundle, backend, monkeypatch, words, own, unsure
):
    confidence = replace(CONFIDENCE, unsure=(0.375, 0.4375))
    made = Classifier(bundle.with_fields(confidence=confidence, threshold=own), backend)
    monkeypatch.setattr(Classifier, "open", lambda model=None, **_: made)
    (line,) = lines(run("--json", *words, photo("a.png", ORANGE)))
    assert line["score"] == pytest.approx(0.25, abs=0.01)
    assert line["unsure"] is unsure


def test_a_model_without_a_recall_threshold_says_so():
    result = run("--threshold", "recall", photo("a.png"))
    assert result.exit_code == 2
    assert "fake model carries no threshold for a stated recall" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [[], ["--threads", "0", "a.png"], ["--model"],
                                       ["--threshold", "1.5", "a.png"],
                                       ["--threshold", "low", "a.png"]])  # fmt: skip
def test_wrong_usage(arguments):
    assert run(*arguments).exit_code == 2


def test_a_model_file_that_is_refused(monkeypatch, here):
    monkeypatch.undo()
    monkeypatch.chdir(here)
    (here / "m.tflite").write_bytes(b"no model")
    result = run(photo("a.png"), "--model", "m.tflite")
    assert result.exit_code == 1
    assert "m.tflite" in result.stderr
    assert "Traceback" not in result.output


def test_photos_are_held_one_at_a_time(monkeypatch):
    """The next photo is not read before the last one's line is out."""
    events = []
    from corrosion_edge import image
    from corrosion_edge.device.archive import judge as module

    read, emit = image.read_prepared, module.emit
    monkeypatch.setattr(
        image, "read_prepared", lambda *which, **_: (events.append("read"), read(*which))[1]
    )
    monkeypatch.setattr(module, "emit", lambda *line: (events.append("line"), emit(*line))[1])
    run(*[photo(f"{number}.png") for number in range(3)])
    assert events == ["read", "line"] * 3


def test_the_help_begins_as_in_the_table():
    for name, command in (("classify", classify), ("watch", watch)):
        assert (command.help or "").splitlines()[0] == COMMANDS[name][1]


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="the package carries no default model yet")
def test_the_default_model_tells_rust_from_paint(monkeypatch, here):
    monkeypatch.undo()
    monkeypatch.chdir(here)
    from corrosion_edge.render import surface

    for rust in (0.0, 0.6):
        Image.fromarray(surface("steel", rust=rust, seed=1, size=(320, 240))).save(f"{rust}.png")
    result = run("--json", "0.0.png", "0.6.png", "--heatmap", "maps")
    clean, rusty = lines(result)
    assert result.exit_code == 0
    assert rusty["score"] > clean["score"]
    assert (here / "maps/0.6.png.png").exists()
