"""``classify --out``: exactly one row a photo, whatever happens meanwhile."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from commands import run
from PIL import Image

from corrosion_edge import __version__
from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.compilation import Compilation
from corrosion_edge.device.archive.judge import JudgeOpening, Result
from corrosion_edge.device.archive.ledger import Ledger
from corrosion_edge.device.archive.table import write_table
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, FetchError, OutputError, UsageError
from corrosion_edge.prediction import Prediction

SETTINGS = {"model_sha256": "ab12", "threshold": 0.5, "band": None, "decode": "full"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(bundle, monkeypatch):
    """Three photos, one of them broken, and a model that is opened anew for each run."""
    monkeypatch.setattr(
        Classifier, "open", lambda model=None, **_: Classifier(bundle, FakeBackend())
    )
    Path("f").mkdir()
    for name, colour in (("a", (255, 0, 0)), ("b", (90, 90, 90))):
        Image.new("RGB", (20, 10), colour).save(f"f/{name}.png")
    Path("f/c.jpg").write_bytes(b"\xff\xd8 cut")
    return "f"


def lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_json_lines_hold_every_column(photos):
    result = run("classify", photos, "--out", "r.jsonl")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "r.jsonl: 3 photos; 1 could not be judged" in result.stderr
    rusty, clean, broken = lines("r.jsonl")
    assert list(rusty) == ["path", "score", "label", "unsure", "threshold", "error",
                           "model_sha256", "decode", "backend", "size", "mtime"]  # fmt: skip
    assert (rusty["label"], clean["label"], broken["label"]) == ("corrosion", "no-corrosion", None)
    assert broken["error"].startswith("f/c.jpg: ")
    assert rusty["size"] == Path("f/a.png").stat().st_size
    assert rusty["mtime"] == pytest.approx(Path("f/a.png").stat().st_mtime, abs=1e-3)
    assert not Path("r.jsonl.partial").exists()


def test_parquet_holds_the_same(photos):
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    run("classify", photos, "--out", "r.jsonl")
    run("classify", photos, "--out", "r.parquet")
    table = pq.read_table("r.parquet")
    rows = [{**row, "mtime": row["mtime"].timestamp()} for row in table.to_pylist()]
    assert rows == [{**row, "mtime": pytest.approx(row["mtime"], abs=1e-5)}
                    for row in lines("r.jsonl")]  # fmt: skip
    assert json.loads(table.schema.metadata[b"corrosion-edge"])["decode"] == "full"


def test_a_photo_that_is_named_twice_gets_one_row(photos):
    run("classify", photos, "f/a.png", photos, "--out", "r.jsonl")
    assert [line["path"] for line in lines("r.jsonl")] == ["f/a.png", "f/b.png", "f/c.jpg"]


def test_a_photo_of_several_names_is_one_photo(photos, here):
    Path("link").symlink_to("f")
    names = ("f/a.png", "./f/a.png", "f/../f/a.png", here / "f/a.png", f"file://{here}/f/a.png",
             "link/a.png")  # fmt: skip
    assert run("classify", *names, "--out", "r.jsonl").exit_code == 0
    assert [line["path"] for line in lines("r.jsonl")] == ["f/a.png"]


def test_a_link_to_a_photo_is_a_photo_of_its_own(photos):
    Path("f/linked.png").symlink_to("a.png")
    run("classify", "f/a.png", "f/linked.png", "--out", "r.jsonl")
    assert len(lines("r.jsonl")) == 2


def test_what_could_not_be_fetched_is_tried_again(photos, monkeypatch):
    """A store that does not answer for a while: the row is there, and mended by --resume."""
    away, content = [True], Path("f/a.png").read_bytes()

    def fetched(address):
        if away[0] and address.endswith("1.png"):
            raise FetchError(f"{address}: cannot be fetched (503)")
        return content

    monkeypatch.setattr("corrosion_edge.device.archive.judge.fetched", fetched)
    words = (
        "classify",
        "memory://b/0.png",
        "memory://b/1.png",
        "memory://b/2.png",
        "--out",
        "r.jsonl",
    )
    first = run(*words)
    assert first.exit_code == 1
    assert "3 photos; 1 could not be judged, 1 of them not fetched: --resume tries" in first.stderr
    assert "503" in lines("r.jsonl")[1]["error"]
    away[0] = False
    second = run(*words, "--resume")
    assert second.exit_code == 0, second.stderr
    assert [line["error"] for line in lines("r.jsonl")] == [None] * 3
    assert [line["path"][-5] for line in lines("r.jsonl")] == ["0", "1", "2"]
    assert not Path("r.jsonl.partial").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("f", "--out", "s3://b/r.jsonl"), "--out s3:/b/r.jsonl: expected a path"),
        (("f", "--ray", ""), "--ray: is empty"),
        (("",), "a PATH is empty"),
    ],
)
def test_what_is_empty_or_no_path_is_said(photos, words, said):
    result = run("classify", *words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr
    assert not Path("s3:").exists()


def test_a_node_with_another_runtime_is_refused(bundle):
    opening = JudgeOpening(bundle.to_bytes(), 0.5, 1, "xnnpack", __version__, "other runtime 1.0")
    with pytest.raises(BackendError, match=r"this command .* and other runtime 1\.0"):
        opening()


def test_a_name_that_is_no_unicode_is_kept(classifier):
    name = os.fsdecode(b"odd\xff.png")
    Image.new("RGB", (20, 10)).save(name)
    run("classify", name, "--out", "r.jsonl")
    assert lines("r.jsonl")[0]["path"] == name


@pytest.mark.parametrize(("words", "code", "said"), [
    (["--resume"], 2, "--resume: needs --out FILE"),
    (["--out", "r.csv"], 2, "ends in .parquet or .jsonl"),
    (["--out", "r.jsonl", "--json"], 2, "--json: prints lines"),
    (["--out", "none/file/../r.jsonl"], 1, "cannot be"),
])  # fmt: skip
def test_what_cannot_be_is_said(photos, words, code, said):
    Path("none").touch()
    result = run("classify", photos, *words)
    assert result.exit_code == code
    assert said in result.stderr


def test_what_is_there_is_not_replaced(photos):
    run("classify", photos, "--out", "r.jsonl")
    before = Path("r.jsonl").read_bytes()
    again = run("classify", photos, "--out", "r.jsonl")
    assert again.exit_code == 1
    assert "r.jsonl: exists already" in again.stderr
    done = run("classify", photos, "--out", "r.jsonl", "--resume")
    assert (done.exit_code, Path("r.jsonl").read_bytes()) == (0, before)
    assert "complete already" in done.stderr


@pytest.fixture
def cut(photos, bundle):
    """A run that was cut short after its first photo."""
    sha256 = bundle.manifest.model_sha256
    settings = {**SETTINGS, "model_sha256": sha256, "version": __version__,
                "runtime": "fake backend", "kernels": "xnnpack"}  # fmt: skip
    with Ledger(Path("r.jsonl.partial"), settings, resume=False) as ledger:
        ledger.add(Result("f/a.png", Prediction(0.125, 0.5)))
    return photos


def test_what_was_judged_is_not_judged_again(cut):
    result = run("classify", cut, "--out", "r.jsonl", "--resume")
    assert Path("r.jsonl").exists(), result.stderr
    assert [line["path"] for line in lines("r.jsonl")] == ["f/a.png", "f/b.png", "f/c.jpg"]
    assert lines("r.jsonl")[0]["score"] == 0.125


def test_photos_that_were_added_meanwhile_get_their_row(cut):
    Image.new("RGB", (20, 10)).save("f/Z.png")
    result = run("classify", cut, "--out", "r.jsonl", "--resume")
    assert Path("r.jsonl").exists(), result.stderr
    paths = [line["path"] for line in lines("r.jsonl")]
    assert paths == ["f/a.png", "f/Z.png", "f/b.png", "f/c.jpg"]


def test_without_resume_what_was_begun_is_left_alone(cut):
    result = run("classify", cut, "--out", "r.jsonl")
    assert result.exit_code == 1
    assert "r.jsonl.partial: left by a run that did not come to its end" in result.stderr


@pytest.mark.parametrize(("words", "name"), [(["--threshold", "0.3"], "threshold"),
                                             (["--decode", "reduced"], "decode"),
                                             (["--kernels", "builtin"], "kernels")])  # fmt: skip
def test_other_options_do_not_go_on_with_it(cut, words, name):
    result = run("classify", cut, "--out", "r.jsonl", "--resume", *words)
    assert result.exit_code == 2
    assert f"r.jsonl.partial was begun with {name} " in result.stderr


def test_another_model_does_not_go_on_with_it(here):
    with Ledger(here / "x.partial", SETTINGS, resume=False):
        pass
    with pytest.raises(UsageError, match="was begun with model_sha256 'ab12', not 'cd34'"):
        Ledger(here / "x.partial", {**SETTINGS, "model_sha256": "cd34"}, resume=True)


def test_two_cannot_write_the_same(here):
    with (
        Ledger(here / "x.partial", SETTINGS, resume=False),
        pytest.raises(OutputError, match="another classify is writing it"),
    ):
        Ledger(here / "x.partial", SETTINGS, resume=True)


def test_what_is_no_ledger_is_said(here):
    (here / "x.partial").write_bytes(b"something else" * 100)
    with pytest.raises(OutputError, match=r"x\.partial: cannot be written"):
        Ledger(here / "x.partial", SETTINGS, resume=True)


def test_groups_of_rows_keep_their_order(here, monkeypatch):
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    monkeypatch.setattr("corrosion_edge.device.archive.table.GROUP", 3)
    with Ledger(here / "x.partial", SETTINGS, resume=False) as ledger:
        for number in range(10):
            ledger.add(Result(f"{number}.png", Prediction(number / 10, 0.5)))
        write_table(here / "x.parquet", ledger.rows(), SETTINGS)
    read = pq.ParquetFile(here / "x.parquet")
    assert read.num_row_groups == 4
    assert read.read()["path"].to_pylist() == [f"{number}.png" for number in range(10)]


def test_without_pyarrow_the_extra_is_named(photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("classify", photos, "--out", "r.parquet")
    assert result.exit_code == 2
    assert "pip install 'corrosion-edge[archive]'" in result.stderr


def test_without_ray_the_extra_is_named(photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    result = run("classify", photos, "--ray", "local")
    assert result.exit_code == 2
    assert "pip install 'corrosion-edge[ray]'" in result.stderr


def test_an_edge_tpu_is_not_shared(bundle, photos, monkeypatch):
    told = Compilation(source="net.tflite", source_sha256="0" * 64, mapped_ops=1, cpu_ops=0)
    compiled = bundle.with_fields(compiled=told)
    monkeypatch.setattr(
        Classifier, "open", lambda model=None, **_: Classifier(compiled, FakeBackend())
    )
    assert run("classify", "f/a.png").exit_code == 0
    result = run("classify", photos, "--workers", "2")
    assert result.exit_code == 2
    assert "--workers: an Edge TPU serves one process" in result.stderr


PROGRAM = (sys.executable, "-m", "corrosion_edge", "classify")


@pytest.fixture(scope="module")
def thousands(tmp_path_factory):
    """Two thousand small photos, a few of them broken."""
    folder = tmp_path_factory.mktemp("many")
    noise = np.random.default_rng(5)
    for number in range(2000):
        coarse = noise.integers(0, 255, (6, 8, 3), np.uint8)
        path = folder / f"{number:04}.jpg"
        Image.fromarray(np.repeat(np.repeat(coarse, 4, 0), 4, 1)).save(path)
        if number % 500 == 7:
            path.write_bytes(b"cut")
    return folder


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")
@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_kills_leave_exactly_one_row_a_photo(thousands, kills):
    command = [*PROGRAM, str(thousands), "--workers", "2", "--out"]
    subprocess.run([*command, "whole.jsonl"], capture_output=True, check=False)
    command = [*command, "killed.jsonl", "--resume"]
    chance = random.Random(kills)
    killed = 0
    while killed < kills:
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        _wait_for_the_ledger(process)
        time.sleep(chance.uniform(0, 2.5))
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        if Path("killed.jsonl").exists() and not Path("killed.jsonl.partial").exists():
            assert lines("killed.jsonl") == lines("whole.jsonl")
            Path("killed.jsonl").unlink()  # it came to its end: once more
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert lines("killed.jsonl") == lines("whole.jsonl")
    assert len({line["path"] for line in lines("killed.jsonl")}) == 2000


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")
def test_a_kill_on_ray_leaves_exactly_one_row_a_photo(thousands):
    pytest.importorskip("ray", reason="Ray is not installed (the extra 'ray')")
    command = [*PROGRAM, f"{thousands}/0*.jpg", "--threads", "1", "--workers", "1", "--out"]
    subprocess.run([*command, "whole.jsonl"], capture_output=True, check=False)
    command = [*command, "killed.jsonl", "--resume", "--ray", "local"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _wait_for_rows(process)
    process.kill()
    process.wait()
    with closing(sqlite3.connect("killed.jsonl.partial")) as database:
        (judged,) = database.execute("SELECT count(*) FROM results").fetchone()
    assert 0 < judged < 1000
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert lines("killed.jsonl") == lines("whole.jsonl")
    assert len(lines("killed.jsonl")) == 1000


def _wait_for_rows(process: "subprocess.Popen[bytes]") -> None:
    """Until some were made safe: the file grows."""
    partial = Path("killed.jsonl.partial")
    sizes: set[int] = set()
    while process.poll() is None and len(sizes) < 2:
        sizes |= {partial.stat().st_size} - {0} if partial.exists() else set()
        time.sleep(0.01)


def _wait_for_the_ledger(process: "subprocess.Popen[bytes]") -> None:
    before = _changed()
    while process.poll() is None and _changed() == before:
        time.sleep(0.01)


def _changed():
    partial = Path("killed.jsonl.partial")
    with_journal = [partial, partial.with_name(f"{partial.name}-journal")]
    return [path.exists() and path.stat().st_mtime_ns for path in with_journal]
