"""``train --from`` on a rendered site: the tiny network, and a site in the dark."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge.cli import cli
from corrosion_edge.errors import DataError
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.site import photos as site_photos

HEADS = 'format = 1\n[[stage]]\nkind = "head"\nstrengths = [3.0, 300.0]\n'
TOP = '[[stage]]\nkind = "descent"\nepochs = 2\nrate = 1e-3\ntop = 0.3\nviews = 1\n'
ROOT = Path(__file__).parents[2]


def run(*words: object) -> Result:
    result = CliRunner().invoke(cli, [str(word) for word in words])
    assert "Traceback" not in result.output
    if result.exception is not None:
        assert isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Other surfaces, 24 of each class, in the dark: the old model calls all of them one class."""
    from corrosion_edge.render import write_dataset

    place = tmp_path_factory.mktemp("sites")
    write_dataset(place / "set", per_class=24, seed=77, size=(96, 72))
    for path in sorted((place / "set").rglob("*.jpg")):
        target = place / "site" / path.parent.name / f"{path.parent.parent.name}-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).point(lambda value: 0.4 * value).save(target, quality=95)
    return place / "site"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipes") / "own.toml"
    path.write_text(HEADS + TOP)
    return path


@pytest.fixture(scope="module")
def heads(recipe):
    path = recipe.with_name("heads.toml")
    path.write_text(HEADS)
    return path


@pytest.fixture(scope="module")
def tuned(site, recipe, tiny_run, rendered, tmp_path_factory):
    out = tmp_path_factory.mktemp("tuned") / "run"
    result = run("train", site, "--from", tiny_run, "--old", rendered, "--out", out,
                 "--recipe", recipe, "--forget-limit", 1, 1, "--json")  # fmt: skip
    assert result.exit_code == 0, result.output
    return out, json.loads(result.stdout)


def test_the_site_is_learned(tuned):
    _, said = tuned
    change = said["changes"]["site"]
    assert change["before"]["n"] == 48
    assert change["after"]["accuracy"] > change["before"]["accuracy"] + 0.15
    assert change["p"] < 0.05
    assert change["after"]["log_loss"] < change["before"]["log_loss"]
    assert set(said["changes"]) == {"site", "validation", "test"}
    assert said["measured_by"] == "cross-validation"
    assert [row["candidate"] for row in said["candidates"]][:3] == [
        "as it was", "head alone, strength 3", "head alone, strength 300"
    ]  # fmt: skip
    assert said["candidates"][3]["candidate"].endswith("then top 30 % of the layers")
    assert said["candidates"][3]["trained_weights"] > said["candidates"][1]["trained_weights"]
    assert said["chosen"] in [row["candidate"] for row in said["candidates"][1:]]


def test_the_result_is_a_run_that_tells_where_it_comes_from(tuned, tiny_run, rendered):
    out, said = tuned
    names = {path.name for path in out.iterdir()}
    assert names == {"model.keras", "run.json", "recipe.toml", "history.csv", "metrics.json",
                     "site.json", "before_and_after.png", "report.html"}  # fmt: skip
    info, old = (json.loads((folder / "run.json").read_text()) for folder in (out, tiny_run))
    assert info["from"]["folder"] == tiny_run.name
    assert info["from"]["command"] == old["command"]
    assert len(info["from"]["model_sha256"]) == 64
    assert info["data"] == old["data"]
    assert info["site"]["photos"] == {"learned": {"corrosion": 24, "no-corrosion": 24}}
    assert info["confidence"]["on"] == "old validation and site"
    assert info["confidence"]["n"] == 48 + 24
    measured = run("evaluate", out, rendered, "--split", "validation", "--json", "--no-slices")
    figures = json.loads(measured.stdout)
    after = said["changes"]["validation"]["after"]
    assert figures["accuracy"] == after["accuracy"]
    assert figures["log_loss"] == pytest.approx(after["log_loss"], abs=1e-4)
    page = (out / "report.html").read_text()
    assert "judged by a model that did not learn from it" in page
    assert "(chosen)" in page


def test_the_figures_before_are_those_of_the_run(tuned, tiny_run, rendered, site):
    _, said = tuned
    for name, data, split in (("site", site, "test"), ("validation", rendered, "validation")):
        words = ("evaluate", tiny_run, data, "--split", split, "--json", "--no-slices")
        figures = json.loads(run(*words).stdout)
        before = said["changes"][name]["before"]
        assert figures["confusion"]["fn"] == before["missed"]
        assert figures["auc"] == pytest.approx(before["auc"], abs=1e-9)


def test_corrected_lines_of_classify_are_labels(
    tiny_model, tiny_run, rendered, site, heads, tmp_path
):
    lines = run("classify", site, "--model", tiny_model, "--json").stdout.splitlines()
    assert len(lines) == 48
    corrected, wrong = [], 0
    for fields in map(json.loads, lines):
        truth = "no-corrosion" if "NO" in Path(fields["path"]).parent.name else "corrosion"
        wrong += fields["label"] != truth
        corrected.append(json.dumps(fields | {"label": truth}))
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(corrected))
    out = tmp_path / "run"
    result = run("train", site, "--labels", file, "--from", tiny_run, "--old", rendered,
                 "--out", out, "--recipe", heads, "--forget-limit", 1, 1)  # fmt: skip
    assert result.exit_code == 0, result.output
    info = json.loads((out / "run.json").read_text())
    assert info["site"]["labels"] == f"labels.jsonl: 48 labelled photos, {wrong} labels corrected"
    assert info["site"]["photos"]["learned"] == {"corrosion": 24, "no-corrosion": 24}
    assert "--labels labels.jsonl" in info["command"]
    assert "Accuracy on 48 photos of the site" in result.stdout


def test_a_model_that_forgets_is_refused_and_says_why(site, heads, tiny_run, rendered, tmp_path):
    """The old photos' own surfaces with their labels exchanged cannot be learned with them."""
    swapped = tmp_path / "swapped"
    names = ("CORROSION", "NOCORROSION")
    for name, other in (names, names[::-1]):
        (swapped / name).mkdir(parents=True)
        for path in sorted((rendered / "train" / other).iterdir())[:12]:
            shutil.copy(path, swapped / name)
    out = tmp_path / "run"
    result = run("train", swapped, "--from", tiny_run, "--old", rendered, "--out", out,
                 "--recipe", heads, "--forget-limit", 0, 0)  # fmt: skip
    assert result.exit_code == 3
    assert not out.exists()
    assert "on the 24 old validation photos falls by" in result.stderr
    assert "the limit is 0" in result.stderr
    page = tmp_path / "run.refused.html"
    assert str(page) in result.stderr
    assert "Not delivered" in page.read_text()
    assert "24 of the site&#39;s photos are versions of old" in page.read_text()
    said = json.loads((tmp_path / "run.refused.json").read_text())
    assert said["broken"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "swapped", "run.refused.html", "run.refused.json"
    }  # fmt: skip


def test_clean_photos_alone_need_the_old_ones(site, heads, tiny_run, rendered, tmp_path):
    clean = tmp_path / "clean"
    shutil.copytree(site / "NOCORROSION", clean / "NOCORROSION")
    words = ["train", clean, "--from", tiny_run, "--out", tmp_path / "run", "--recipe", heads]
    refused = run(*words, "--no-replay")
    assert refused.exit_code == 2
    assert "all photos are no-corrosion" in refused.stderr
    assert "--old" in refused.stderr
    result = run(*words, "--old", rendered, "--forget-limit", 1, 1, "--json")
    assert result.exit_code == 0, result.output
    assert "the recall there cannot be told" in result.stderr
    after = json.loads(result.stdout)["changes"]["site"]["after"]
    assert after["recall"] is after["auc"] is None
    assert after["specificity"] is not None


def test_without_replay_nothing_old_is_judged(site, heads, tiny_run, tmp_path):
    words = ["train", site, "--from", tiny_run, "--out", tmp_path / "run", "--recipe", heads]
    result = run(*words, "--no-replay", "--json")
    assert result.exit_code == 0, result.output
    assert "what was forgotten is not known" in result.stderr
    said = json.loads(result.stdout)
    assert set(said["changes"]) == {"site"}
    assert said["confidence"]["on"] == "site"


def test_photos_that_cannot_be_read_are_named_and_end_with_1(
    site, heads, tiny_run, rendered, tmp_path
):
    spoilt = tmp_path / "site"
    shutil.copytree(site, spoilt)
    victim = next((spoilt / "CORROSION").iterdir())
    victim.write_bytes(b"broken")
    result = run("train", spoilt, "--from", tiny_run, "--old", rendered, "--out", tmp_path / "run",
                 "--recipe", heads, "--forget-limit", 1, 1)  # fmt: skip
    assert result.exit_code == 1
    assert f"left out: {victim}" in result.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["site"]["unreadable"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "RUN"], "--old: name the photos"),
        (["--from", "RUN", "--old", "OLD", "--no-replay"], "one of the two"),
        (["--from", "RUN", "--old", "OLD", "--epochs", "3"], "--epochs: with --from"),
        (["--from", "RUN", "--old", "OLD", "--weights", "none"], "--weights: with --from"),
        (["--old", "OLD"], "--old: is for a run to go on from"),
        (["--labels", "x"], "--labels: is for a run"),
        (["--forget-limit", "0", "0"], "--forget-limit: is for a run"),
        (["--from", "OLD", "--old", "OLD"], "not a run"),
        (["--from", "RUN", "--old", "SITE"], "holds other photos than those of"),
        (["--from", "RUN", "--old", "OLD", "--labels", "gone"], "--labels: gone: cannot be read"),
        (["--from", "RUN", "--old", "OLD", "--recipe", "paper"], "temperature"),
    ],
)
def test_what_cannot_be_is_said(words, message, site, tiny_run, rendered, tmp_path):
    if "paper" in words:  # a recipe of one's own may not speak of what the run decides
        own = tmp_path / "own.toml"
        own.write_text('backbone = "tiny"\n' + HEADS)
        words, message = [*words[:-1], own], "backbone is the run's own"
    larger = site.parent / "set"
    places = {"RUN": tiny_run, "OLD": rendered, "SITE": larger}
    words = [places.get(word, word) for word in words]
    result = run("train", site, "--out", tmp_path / "run", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_too_few_photos(site, tiny_run, rendered, tmp_path):
    few = tmp_path / "few"
    for name in ("CORROSION", "NOCORROSION"):
        (few / name).mkdir(parents=True)
        for path in sorted((site / name).iterdir())[:3]:
            shutil.copy(path, few / name)
    words = ["--from", tiny_run, "--old", rendered, "--out", tmp_path / "run"]
    result = run("train", few, *words)
    assert result.exit_code == 2
    assert "too few photos of the site: 4 different ones" in result.stderr


def test_a_run_that_is_killed_does_not_try_again_what_it_tried(
    site, heads, tiny_run, rendered, tmp_path
):
    program = (
        "import os, signal, sys\n"
        "from corrosion_edge.cli import main\n"
        "from corrosion_edge.trainer.site import trials\n"
        "real, done = trials._fold, []\n"
        "def fold(*words):\n"
        "    done.append(real(*words))\n"
        "    if len(done) == 6: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return done[-1]\n"
        "trials._fold = fold\n"
        "main()\n"
    )
    words = ["train", site, "--from", tiny_run, "--old", rendered, "--out", tmp_path / "run",
             "--recipe", heads, "--forget-limit", "1", "1"]  # fmt: skip
    killed = subprocess.run([sys.executable, "-c", program, *map(str, words)], cwd=ROOT,
                            capture_output=True, check=False, env=os.environ.copy())  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    left = list((tmp_path / ".run.unfinished" / "views").glob("stage-*.array"))
    assert len(left) == 6
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "run.json").exists()
    assert not (tmp_path / ".run.unfinished").exists()


def samples(n: int, splits: tuple[str, ...] = ()) -> Samples:
    labels = np.arange(n) // 2 % 2
    splits = splits or ("",) * n
    photos = tuple(Photo(Path(f"{i}.jpg"), int(labels[i]), splits[i]) for i in range(n))
    return Samples(np.zeros((n, 2, 2, 3), np.uint8), labels, photos)


def test_copies_stay_together_and_many_photos_are_held_out():
    """Every photo is there twice."""
    few = site_photos.divide(samples(40), np.arange(40) // 2, seed=1)
    assert few.how == "cross-validation"
    assert set(few.folds) == {0, 1, 2, 3}
    assert not few.held_out.any()
    many = site_photos.divide(samples(120), np.arange(120) // 2, seed=1)
    assert many.how == "held out"
    assert 30 <= many.held_out.sum() <= 50
    assert np.array_equal(many.held_out, many.folds < 0)
    for division in (few, many):
        assert np.array_equal(division.folds[::2], division.folds[1::2])
        assert np.array_equal(division.held_out[::2], division.held_out[1::2])
    again = site_photos.divide(samples(120), np.arange(120) // 2, seed=2)
    assert not np.array_equal(many.held_out, again.held_out)


def test_copies_do_not_count_as_photos():
    groups = np.arange(40) // 2
    groups[np.arange(40) // 2 % 2 == 0] = 0
    with pytest.raises(DataError, match="no-corrosion has 1"):
        site_photos.divide(samples(40), groups, seed=1)


def test_a_site_that_came_split_keeps_its_split():
    names = ("train",) * 32 + ("validation",) * 8 + ("test",) * 8
    division = site_photos.divide(samples(48, names), np.arange(48), seed=1)
    assert division.how == "given"
    assert np.flatnonzero(division.held_out).tolist() == list(range(32, 40))
    assert np.flatnonzero(division.test).tolist() == list(range(40, 48))


def test_a_class_folder_alone_is_known_by_its_name_only(tmp_path):
    (tmp_path / "sound").mkdir()
    (tmp_path / "sound" / "a.jpg").write_bytes(b"x")
    classes = {"no-corrosion": "SOUND", "corrosion": "PITTED"}
    found = site_photos.find(tmp_path, None, None, classes)
    assert [photo.label for photo in found.photos] == [0]
    with pytest.raises(DataError, match="two class folders"):
        site_photos.find(tmp_path, None, None, {"no-corrosion": "A", "corrosion": "B"})
