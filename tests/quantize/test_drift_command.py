"""The command ``drift``, ``quantize --also``, and what both write."""

import csv
import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from commands import run

from corrosion_edge.errors import DataError, UsageError
from corrosion_edge.prediction import Prediction
from corrosion_edge.quantize.evidence import flips
from corrosion_edge.quantize.evidence.float_tflite import FloatTflite
from corrosion_edge.quantize.evidence.further import Further, require_names
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.models import keras_look
from corrosion_edge.quantize.evidence.sets import Evidence, Scored
from corrosion_edge.quantize.evidence.text import headline, limit_rows, unsure_sentence
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.model import deliverable, load, predict
from corrosion_edge.trainer.samples import Samples

WIDE = ("--max-accuracy-drop", 1, "--max-auc-drop", 1, "--max-mean-change", 1, "--max-change", 1,
        "--min-agreement", 0, "--max-map-change", 1, "--max-false-alarm-rise", 1)  # fmt: skip


@pytest.fixture(scope="module")
def clean(rendered, tmp_path_factory) -> Path:
    """A plain folder of photos without corrosion, with a file that is none."""
    folder = tmp_path_factory.mktemp("further") / "lookalikes"
    shutil.copytree(rendered / "train" / "NOCORROSION", folder)
    (folder / "notes.txt").write_text("not a photo")
    return folder


@pytest.fixture(scope="module")
def compared(tiny_run, tiny_model, rendered, clean, tmp_path_factory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("compared") / "out"
    result = run("drift", tiny_run, tiny_model, rendered, "--also", f"site={rendered / 'test'}",
                  "--also-clean", clean, "--out", out, *WIDE)  # fmt: skip
    return result, out


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_drift_writes_what_it_found(compared):
    result, out = compared
    assert result.exit_code == 0, result.stderr
    assert "float against int8 on 24 validation photos" in result.stdout
    assert {path.name for path in out.iterdir()} == {"drift.json", "drift.csv", "drift.html"}
    found = json.loads((out / "drift.json").read_text())
    assert (found["n"], found["on"], found["broken"]) == (24, "validation", [])
    assert set(found["also"]) == {"site", "lookalikes"}
    assert "accuracy_drop" in found["also"]["site"]
    assert "accuracy_drop" not in found["also"]["lookalikes"]
    assert found["also"]["lookalikes"]["n"] == found["also"]["lookalikes"]["clean"] == 42


def test_the_csv_holds_both_scores_of_every_photo(compared):
    rows = _rows(compared[1] / "drift.csv")
    found = json.loads((compared[1] / "drift.json").read_text())
    sets = {name: [r for r in rows if r["set"] == name] for name in ("validation", "lookalikes")}
    for name, report in (("validation", found), ("lookalikes", found["also"]["lookalikes"])):
        changes = [float(r["int8_score"]) - float(r["float_score"]) for r in sets[name]]
        assert len(changes) == report["n"]
        assert np.abs(changes).mean() == pytest.approx(report["mean_change"], abs=1e-6)
        assert np.mean(changes) == pytest.approx(report["mean_signed_change"], abs=1e-6)
    assert {r["label"] for r in sets["lookalikes"]} == {"no-corrosion"}


def test_drift_and_quantize_find_the_same(compared, tiny_model):
    ours = [r for r in _rows(compared[1] / "drift.csv") if r["set"] == "validation"]
    assert ours == _rows(tiny_model.with_suffix(".drift.csv"))
    mine = json.loads((compared[1] / "drift.json").read_text())
    theirs = json.loads(tiny_model.with_suffix(".drift.json").read_text())
    for name in ("float", "int8", "mcnemar", "flips", "ci95", "agreement", "largest_change"):
        assert mine[name] == theirs[name], name


def test_the_page_says_the_verdict_first_and_whom_it_is_for(compared):
    page = (compared[1] / "drift.html").read_text()
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    assert text.index("All 8 limits are kept.") < text.index("drop of accuracy")
    assert "it is for you, not for publication" in text
    for title in ("Verdicts that turned", "Largest changes", "On site", "On lookalikes"):
        assert f"<h2>{title}</h2>" in page
    assert "What the int8 scores are worth" in text
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_too_few_photos_to_tell_is_said(tiny_run, tiny_model, rendered):
    """No 24 photos can tell whether accuracy drops by more than a hundredth."""
    result = run("drift", tiny_run, tiny_model, rendered, *WIDE, "--max-accuracy-drop", 0.01)
    assert result.exit_code in (0, 3)
    (line,) = (line for line in result.stdout.splitlines() if "drop of accuracy" in line)
    assert line.endswith("24 photos cannot tell")


@pytest.mark.parametrize("split", ["test", "train"])
def test_other_splits_and_json(tiny_run, tiny_model, rendered, split):
    result = run("drift", tiny_run, tiny_model, rendered, "--split", split, "--json", *WIDE)
    found = json.loads(result.stdout)
    assert found["on"] == split
    assert found["n"] == {"test": 12, "train": 84}[split]


def test_a_broken_limit_is_exit_code_3_and_the_report_is_written(
    tiny_run, tiny_model, rendered, tmp_path
):
    result = run("drift", tiny_run, tiny_model, rendered, "--max-mean-change", 0, "--out",
                  tmp_path / "out")  # fmt: skip
    assert result.exit_code == 3
    assert "Error: beyond the limits: a probability changes by" in result.stderr
    assert "drift.html" in result.stderr
    assert json.loads((tmp_path / "out" / "drift.json").read_text())["broken"]


def test_a_float_tflite_file_answers_as_the_run(tiny_run, tiny_model, rendered, tmp_path):
    path = _float_tflite(tiny_run, tmp_path)
    from_run, from_file = (
        json.loads(run("drift", model, tiny_model, rendered, "--json", *WIDE).stdout)
        for model in (tiny_run, path)
    )
    assert from_file["mean_change"] == pytest.approx(from_run["mean_change"], abs=1e-4)
    assert from_file["flips"] == from_run["flips"]
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    expected = keras_look(load(tiny_run / "model.keras"), 0.5)(picture)
    with FloatTflite(path) as model:
        found = model.look(picture, 0.5)
    assert found.score == pytest.approx(expected.score, abs=1e-4)
    assert found.heatmap == pytest.approx(expected.heatmap, abs=1e-2)


def test_the_float_heat_map_is_that_of_the_score(tiny_run):
    """The mean of the map is the log-odds of the network's own probability."""
    network = load(tiny_run / "model.keras")
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    seen = keras_look(network, 0.5)(picture)
    assert seen.score == pytest.approx(predict(network, picture[None])[0], abs=1e-5)
    assert seen.heatmap is not None
    assert 1 / (1 + np.exp(-seen.heatmap.mean())) == pytest.approx(seen.score, abs=1e-5)


def _float_tflite(run: Path, folder: Path) -> Path:
    import tensorflow as tf

    deliverable(load(run / "model.keras")).export(folder / "saved", verbose=False)
    path = folder / "float.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved")).convert())
    return path


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["{run}", "{int8}", "{data}", "--also", "{data}"], 2, "it is split; name one of"),
        (["{run}", "{int8}", "{data}", "--also-clean", "{empty}"], 2, "no photos in it"),
        (["{run}", "{int8}", "{data}", "--also-clean", "{none}"], 2, "no such folder"),
        (["{run}", "{int8}", "{data}", "--also", "a={data}/test", "--also-clean", "a={clean}"], 2,
         "two sets of photos are called 'a'"),
        (["{run}", "{int8}", "{data}", "--also-clean", "validation={clean}"], 2, "two sets"),
        (["{run}", "{int8}", "{data}", "--also", "={data}/test"], 2, "needs a name"),
        (["{int8}", "{int8}", "{data}"], 2, "expected a float model"),
        (["{none}", "{int8}", "{data}"], 2, "no such model"),
        (["{run}", "{none}", "{data}"], 1, "no such model"),
        (["{run}", "{int8}", "{none}"], 2, "no such folder"),
        (["{junk}", "{int8}", "{data}"], 1, "refuses the model"),
        (["{run}", "{int8}", "{data}", "--max-change", "2"], 2, "--max-change"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_sentence(
    words, code, said, tiny_run, tiny_model, rendered, clean, tmp_path
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk.tflite").write_bytes(b"junk")
    places = {"run": tiny_run, "int8": tiny_model, "data": rendered, "clean": clean,
              "empty": tmp_path / "empty", "none": tmp_path / "none",
              "junk": tmp_path / "junk.tflite"}  # fmt: skip
    result = run("drift", *(word.format(**places) for word in words))
    assert result.exit_code == code, result.stderr
    assert said in result.stderr


def test_networks_of_different_sizes_are_refused(tiny_model, rendered, tmp_path):
    from corrosion_edge.trainer import backbones, model

    network, _ = backbones.build("tiny", 32, "none")
    model.assemble(network, "avg").model.save(tmp_path / "other.keras")
    result = run("drift", tmp_path / "other.keras", tiny_model, rendered)
    assert result.exit_code == 2
    assert "FLOAT takes pictures of 32 x 32 pixels, INT8 of 64 x 64" in result.stderr


def test_an_unreadable_further_photo_is_named(tiny_run, tiny_model, rendered, clean, tmp_path):
    folder = tmp_path / "further"
    shutil.copytree(clean, folder)
    (folder / "broken.jpg").write_bytes(b"broken")
    result = run("drift", tiny_run, tiny_model, rendered, "--also-clean", folder, *WIDE)
    assert result.exit_code == 1
    assert f"left out: {folder / 'broken.jpg'}" in result.stderr


def test_quantize_judges_further_folders_too(tiny_run, rendered, clean, tmp_path):
    out = tmp_path / "m.tflite"
    result = run("quantize", tiny_run, "--data", rendered, "--out", out, "--calibration", 10,
                  "--also-clean", f"mud={clean}", *WIDE, "--json")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found["also"]) == ["mud"]
    assert json.loads(out.with_suffix(".drift.json").read_text()) == found
    assert {row["set"] for row in _rows(out.with_suffix(".drift.csv"))} == {"validation", "mud"}


def test_a_wrong_further_folder_is_said_before_the_conversion(tiny_run, rendered, tmp_path):
    result = run("quantize", tiny_run, "--data", rendered, "--out", tmp_path / "m.tflite",
                  "--also", tmp_path / "none")  # fmt: skip
    assert result.exit_code == 2
    assert "no such folder" in result.stderr
    assert not list(tmp_path.iterdir())


def test_names_of_further_folders(tmp_path):
    (tmp_path / "a=b").mkdir()
    assert Further.parse("mud=x/y", clean=True) == Further("mud", Path("x/y"), True)
    assert Further.parse("x/yard", clean=False) == Further("yard", Path("x/yard"))
    assert Further.parse(str(tmp_path / "a=b"), clean=False).name == "a=b"
    with pytest.raises(UsageError, match="called 'yard'"):
        require_names((Further("yard", Path("x")), Further("yard", Path("y"))))
    with pytest.raises(DataError, match="no such folder"):
        Further("x", tmp_path / "none").photos()


@pytest.fixture
def turned(tmp_path) -> Scored:
    """60 photos, 15 of each kind of flip but one, which has none; scores made up."""
    path = tmp_path / "folder" / "photo<1>.png"
    path.parent.mkdir()
    Image.fromarray(np.full((30, 50, 3), 128, np.uint8)).save(path)
    labels = np.repeat([1, 0, 0, 1], 15)
    before = np.repeat([0.9, 0.2, 0.7, 0.9], 15) + np.tile(np.arange(15) / 1000, 4)
    after = np.repeat([0.3, 0.8, 0.1, 0.8], 15)
    pixels = np.full((60, 8, 8, 3), 128, np.uint8)
    photos = tuple(Photo(path, int(label)) for label in labels)
    return Scored("made up", Samples(pixels, labels, photos), before, after)


def _look(score: float, heatmap: np.ndarray | None):
    return lambda pixels: Prediction(score, 0.5, heatmap)


def test_flips_come_dearest_first(turned):
    found = flips.find_flips(turned, 0.5)
    assert [(f.label, f.missed) for f in found] == [(1, True)] * 15 + [(0, False)] * 15 + [
        (0, True)
    ] * 15
    changes = [abs(turned.before[f.place] - turned.after[f.place]) for f in found[:15]]
    assert changes == sorted(changes, reverse=True)


def test_twenty_flips_are_shown_with_both_heat_maps_and_the_rest_is_counted(turned):
    looks = _look(0.9, np.full((2, 2), 20, np.float32)), _look(0.1, np.zeros((2, 2), np.float32))
    blocks = flips.flip_blocks(turned, 0.5, looks)
    texts = [b.text for b in blocks if isinstance(b, flips.Text)]
    figures = [b for b in blocks if isinstance(b, flips.Figure)]
    assert "20 of 45 are shown, the other 25 are in the CSV file." in texts[0]
    assert [text.split(":")[0] for text in texts[1:]] == ["Corrosion missed", "Corrosion added"]
    assert len(figures) == 20
    pictures = re.findall(r"base64,([^\"]+)", str(figures[0].image))
    assert len(pictures) == 3
    assert pictures[0] == pictures[2] != pictures[1]  # int8's map is empty, float's is full
    assert "float: 0.914" in figures[0].image
    assert figures[0].caption == "folder/photo<1>.png"


def test_a_model_without_heat_maps_shows_the_photos_alone(turned):
    blocks = flips.flip_blocks(turned, 0.5, (_look(0.9, None), _look(0.1, None)))
    assert "has no heat map" in blocks[0].text


def test_no_flips_are_said(turned):
    same = Scored("same", turned.samples, turned.before, turned.before)
    (block,) = flips.flip_blocks(same, 0.5, (_look(0.9, None), _look(0.1, None)))
    assert block == flips.Text("No verdict turned.")


def test_the_evidence_names_the_set_of_a_broken_limit(turned):
    same = Scored("same", turned.samples, turned.before, turned.before)
    evidence = Evidence.of(same, [turned], 0.5, Limits(false_alarm_rise=0))
    swapped = Scored("site", turned.samples, turned.after, turned.before)
    worse = Evidence.of(same, [swapped], 0.5, Limits(false_alarm_rise=0))
    assert evidence.broken == worse.broken == []  # as many alarms were added as went
    rise = Scored("site", turned.samples, turned.before * 0.5, turned.after)
    broken = Evidence.of(same, [rise], 0.5, Limits(false_alarm_rise=0.05)).broken
    assert broken == ["false alarms rise by 0.5000, more than 0.05, on site"]
    assert headline(evidence) == "All 6 limits are kept."
    assert "rise of false alarms (made up)" in unsure_sentence(evidence)
    assert [row[1] for row in limit_rows(evidence)] == ["same, 60"] * 5 + ["made up, 30"]


def test_scores_belong_to_photos(turned):
    with pytest.raises(ValueError, match="expected two scores for each of 60 photos"):
        Scored("short", turned.samples, turned.before[:5], turned.after)
