import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import reproduce_fake
from click.testing import CliRunner, Result
from interrupts import interruptible
from matplotlib.figure import Figure
from reproduce_fake import FakeRunner

from corrosion_edge.errors import OutputError, UsageError
from corrosion_edge.report import png_of
from corrosion_edge.trainer.reproduce import crew, facts, paper, plots
from corrosion_edge.trainer.reproduce.cli import reproduce
from corrosion_edge.trainer.reproduce.plan import Selection
from corrosion_edge.trainer.reproduce.rows import EXTRA

SMALL = ["--tables", "2,3", "--backbones", "efficientnetv2-b0,efficientnet-lite0"]


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The fake runner; and, where the pictures are not looked at, the same one for all."""
    monkeypatch.setattr(FakeRunner, "stop_after", None)
    reproduce_fake.install(monkeypatch.setitem, monkeypatch.setattr)
    if "drawn" not in request.fixturenames:
        dot = png_of(Figure(figsize=(0.1, 0.1)))
        for name in ("curves", "verdicts"):
            monkeypatch.setattr(plots, name, lambda *_: dot)


@pytest.fixture
def drawn() -> None:
    """Asks for the real pictures."""


def _run(*words: object, code: int = 0) -> Result:
    from corrosion_edge.cli import cli

    result = CliRunner().invoke(cli, ["reproduce", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


def _results(out: Path) -> dict[str, Any]:
    """results.json without what says when and where."""
    value: dict[str, Any] = json.loads((out / "results.json").read_text())
    del value["facts"]
    return value


def test_everything_that_is_written(rendered, tmp_path, drawn):
    out = tmp_path / "out"
    ran = _run(rendered, "--out", out, "--tables", "1,2,3", "--seeds", 2,
               "--backbones", "efficientnetv2-b0,efficientnet-lite0")  # fmt: skip
    assert {p.name for p in out.iterdir()} == {
        "ledger", "figures", "results.json", "report.html", "table1.csv", "table1.md",
        "table2.csv", "table2.md", "table3.csv", "table3.md",
    }  # fmt: skip
    assert len(list((out / "figures").glob("*_curves.png"))) == 8
    assert len(list((out / "figures").glob("*_verdicts.png"))) == 4
    results = _results(out)
    assert [r["seeds"] for r in results["rows"]] == [[1, 2]] * 8
    assert len(results["rows"][0]["outcomes"][0]["scores"]) == 12
    page = (out / "report.html").read_text()
    assert 'src="http' not in page
    assert "The test photos are not the paper" in page
    assert "MADE UP" in page
    assert "[1/8] EfficientNetV2B0, average pooling, frozen: 2 seeds, predicted 2.0 min; " \
        "7 more rows to run" in ran.stderr  # fmt: skip
    assert "[1/8] took 3.0 min, predicted 2.0 min" in ran.stderr
    assert ran.stdout.count("\n") == 10
    with (out / "table3.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(r["published_accuracy"]) for r in rows] == [0.8956, 0.8901, 0.8681, 0.9176]
    figures = results["rows"][-1]["ours"]["paper_recall"]
    assert float(rows[-1]["paper_recall_mean"]) == figures["mean"]
    assert (out / "table2.md").read_text().startswith("### Table 2")


def test_a_repeat_runs_nothing_and_more_seeds_run_the_rest(rendered, tmp_path):
    out = tmp_path / "out"
    _run(rendered, "--out", out, *SMALL, "--seeds", 1)
    again = _run(rendered, "--out", out, *SMALL, "--seeds", 1)
    assert "predicted" not in again.stderr
    more = _run(rendered, "--out", out, *SMALL, "--seeds", 2)
    assert "1 seed, predicted 1.0 min" in more.stderr
    straight = tmp_path / "straight"
    _run(rendered, "--out", straight, *SMALL, "--seeds", 2)
    assert _results(out) == _results(straight)


def test_ctrl_c_ends_with_a_report_and_the_repeat_goes_on(rendered, tmp_path, monkeypatch):
    out, straight = tmp_path / "out", tmp_path / "straight"
    monkeypatch.setattr(FakeRunner, "stop_after", 3)
    stopped = _run(rendered, "--out", out, *SMALL, "--seeds", 2, code=1)
    assert "the same command goes on from here" in stopped.stderr
    assert "Only 1 of 2 seeds were run: the command was stopped" in stopped.stdout
    assert "5 % fine-tuned: not run: the command was stopped before it was done" in stopped.stdout
    assert len(_results(out)["rows"][0]["outcomes"]) == 2
    monkeypatch.setattr(FakeRunner, "stop_after", None)
    _run(rendered, "--out", out, *SMALL, "--seeds", 2)
    _run(rendered, "--out", straight, *SMALL, "--seeds", 2)
    assert _results(out) == _results(straight)


@pytest.mark.parametrize(
    ("by", "kills"), [([], 4), (["--workers", "2"], 2)], ids=["alone", "by two"]
)
def test_killed_at_random_moments_it_ends_with_the_same_results(rendered, tmp_path, by, kills):
    out, straight = tmp_path / "out", tmp_path / "straight"
    words = [sys.executable, reproduce_fake.__file__, "0.1", rendered, "--out", out, *SMALL,
             "--seeds", "3", *by]  # fmt: skip
    ledger, rng, seen = out / "ledger" / "rows", random.Random(5), set()
    for _ in range(kills):
        before = len(list(ledger.glob("*/*.json")))
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None and len(list(ledger.glob("*/*.json"))) == before:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.25))
        process.kill()
        process.communicate()
        assert process.returncode == -9
        seen.add(len(list(ledger.glob("*/*.json"))))
    assert len(seen) == kills  # each command added to what was there
    assert max(seen) < 24
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    _run(rendered, "--out", straight, *SMALL, "--seeds", 3)
    assert _results(out) == _results(straight)


def test_several_processes_give_the_same_results(rendered, tmp_path):
    out, straight = tmp_path / "out", tmp_path / "straight"
    ran = _run(rendered, "--out", out, *SMALL, "--seeds", 2, "--workers", 2)
    assert "16 trainings to run" in ran.stderr
    said = [line for line in ran.stderr.splitlines() if "test accuracy" in line]
    assert [line.split()[0] for line in said] == [f"[{n}/16]" for n in range(1, 17)]
    assert (
        sum("EfficientNetV2B0, average pooling, 5 % fine-tuned, seed 2: " in s for s in said) == 1
    )
    _run(rendered, "--out", straight, *SMALL, "--seeds", 2)
    assert _results(out) == _results(straight)
    again = _run(rendered, "--out", out, *SMALL, "--seeds", 2, "--workers", 2)
    assert "0 trainings to run" in again.stderr


def test_ctrl_c_ends_several_processes_with_a_report(rendered, tmp_path):
    out = tmp_path / "out"
    words = [sys.executable, reproduce_fake.__file__, "0.3", rendered, "--out", out, *SMALL,
             "--workers", "2"]  # fmt: skip
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=interruptible,  # noqa: PLW1509 - only a signal is set, and no thread runs
    )  # fmt: skip
    while process.poll() is None and not list(out.glob("ledger/rows/*/*.json")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    shown, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in said
    assert "Stopped; the same command goes on from here." in said
    assert "5 % fine-tuned: not run: the command was stopped before it was done." in shown
    assert (out / "report.html").exists()


@pytest.mark.parametrize("by", [[], ["--workers", "2"]], ids=["alone", "by two"])
def test_a_training_that_fails_is_named_and_the_others_run(rendered, tmp_path, by):
    out = tmp_path / "out"
    ran = _run(rendered, "--out", out, "--tables", "2", "--seeds", 3, "--pooling", "avg", *by,
               "--backbones", "efficientnetv2-m,efficientnetv2-b1", code=1)  # fmt: skip
    why = "ArithmeticError: the loss is not finite"
    assert f"seed 2: failed: {why}" in ran.stderr
    assert f"Only 2 of 3 seeds were run: seed 2 failed ({why})." in ran.stdout
    assert [row["seeds"] for row in _results(out)["rows"]] == [[1, 2, 3], [1, 3]]


def test_a_training_that_ends_its_process_is_named_and_the_others_run(rendered, tmp_path):
    out = tmp_path / "out"
    ran = _run(rendered, "--out", out, "--tables", "2", "--pooling", "avg", "--seeds", 2,
               "--backbones", "efficientnetv2-b3,efficientnetv2-b1", "--workers", 2,
               code=1)  # fmt: skip
    assert "[4/4] EfficientNetV2B3, average pooling, frozen, seed 1: failed: it ended" in ran.stderr
    assert "Only 1 of 2 seeds were run: seed 1 failed (it ended the process" in ran.stdout
    assert [row["seeds"] for row in _results(out)["rows"]] == [[1, 2], [2]]


@pytest.mark.parametrize("by", [[], ["--workers", "2"]], ids=["alone", "by two"])
def test_without_weights_a_backbone_says_so_once(rendered, tmp_path, by):
    ran = _run(rendered, "--out", tmp_path / "out", "--tables", "2", "--seeds", 2, *by,
               "--backbones", "efficientnetv2-l,efficientnetv2-b1", code=1)  # fmt: skip
    assert ran.stderr.count("the ImageNet weights of efficientnetv2-l cannot be downloaded") == 1
    assert ran.stdout.count("or name a file with --weights efficientnetv2-l=FILE.npz.") == 2


def test_a_disk_that_is_full_ends_it_with_a_sentence(rendered, tmp_path, monkeypatch):
    def full(self: FakeRunner, row: Any, seed: int) -> Any:
        raise OutputError("scratch: the cache cannot be written (No space left on device)")

    monkeypatch.setattr(FakeRunner, "run", full)
    ran = _run(rendered, "--out", tmp_path / "out", *SMALL, code=1)
    assert "Error: scratch: the cache cannot be written" in ran.stderr


def test_without_ray_the_extra_is_named(rendered, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    ran = _run(rendered, "--out", tmp_path / "out", *SMALL, "--ray", "local", code=2)
    assert "pip install 'corrosion-edge[ray]'" in ran.stderr


def test_a_node_with_other_versions_is_refused(monkeypatch):
    opening = crew._Opening(lambda setup, threads: str, None, 1)
    opening()
    monkeypatch.setattr(facts, "_version", lambda name: f"{name} of old")
    with pytest.raises(UsageError, match=r"--ray: \S+ has tensorflow tensorflow of old, and this"):
        opening()


def test_threads_are_the_part_of_the_cores(monkeypatch):
    monkeypatch.setattr(
        "corrosion_edge.trainer.reproduce.crew.sched_getaffinity", lambda _: range(8)
    )
    wanted = {(2, None): 4, (3, None): 2, (9, None): 1, (2, "local"): 1, (None, "local"): 1}
    for (workers, ray), threads in wanted.items():
        made = crew.Crew(workers=workers, ray=ray, make_trainer=crew.shared_trainer)
        assert made.threads == threads


def test_without_weights_a_row_says_so_and_the_others_run(rendered, tmp_path):
    out = tmp_path / "out"
    words = [rendered, "--out", out, "--tables", "2", "--seeds", 1]
    ran = _run(*words, "--backbones", "efficientnetv2-l,efficientnetv2-b1", code=1)
    assert "[1/4] EfficientNetV2L, average pooling, frozen: 1 seed, predicted" in ran.stderr
    assert "[2/4]" not in ran.stderr  # the weights are not asked for twice
    assert "1 seed, predicted 1.0 min; 1 more row to run" in ran.stderr
    sentence = ("EfficientNetV2L, maximum pooling, frozen: not run: the ImageNet weights of "
                "efficientnetv2-l cannot be downloaded; run corrosion-edge weights import FILE, "
                "or name a file with --weights efficientnetv2-l=FILE.npz.")  # fmt: skip
    assert sentence in ran.stdout
    rows = _results(out)["rows"]
    assert [bool(r["outcomes"]) for r in rows] == [True, True, False, False]
    later = _run(*words, "--backbones", "efficientnetv2-l", "--report-only", code=1)
    assert sentence in later.stdout
    assert "EfficientNetV2B1, average pooling" in later.stdout


def test_the_report_alone_reads_no_photos(rendered, tmp_path):
    out = tmp_path / "out"
    _run(rendered, "--out", out, *SMALL, "--seeds", 1)
    before = _results(out)
    (out / "report.html").unlink()
    _run(tmp_path / "gone", "--out", out, *SMALL, "--seeds", 1, "--report-only")
    assert _results(out) == before
    assert (out / "report.html").exists()
    _run(tmp_path / "gone", "--out", tmp_path / "none", "--report-only", code=2)


def test_a_narrower_command_keeps_the_other_tables_on_the_page(rendered, tmp_path):
    out = tmp_path / "out"
    _run(rendered, "--out", out, *SMALL, "--seeds", 1)
    _run(rendered, "--out", out, "--tables", "3", "--fine-tune", "0.2", "--independent-views",
         "--seeds", 2)  # fmt: skip
    results = _results(out)["rows"]
    assert len(results) == 9
    both = [r["views"] for r in results if r["key"] == "efficientnetv2-b0_avg_top20"]
    assert sorted(both) == ["independent", "shared"]
    assert "Independent views beside shared ones" in (out / "report.html").read_text()


def test_the_plan_runs_and_writes_nothing(rendered, tmp_path):
    out = tmp_path / "out"
    ran = _run(rendered, "--out", out, *SMALL, "--plan")
    assert not out.exists()
    assert "5.0 min  EfficientNetV2B0, average pooling, frozen  (seeds: 1,2,3,4,5)" in ran.stdout
    assert ran.stdout.splitlines()[-1].split() == ["40.0", "min", "in", "all"]
    _run(rendered, "--out", out, *SMALL, "--seeds", 1, "--tables", "3")
    plan = json.loads(_run(rendered, "--out", out, *SMALL, "--plan", "--json").stdout)
    assert [r["seeds"] for r in plan["rows"][-4:]] == [[2, 3, 4, 5]] * 4
    assert plan["seconds"] == 60 * (4 * 5 + 4 * 4)


def test_other_options_on_the_same_folder_are_refused(rendered, tmp_path):
    out = tmp_path / "out"
    _run(rendered, "--out", out, *SMALL, "--seeds", 1)
    refused = _run(rendered, "--out", out, *SMALL, "--epochs", "1,2,3", code=2)
    assert "method frozen epochs is 1, was 50" in refused.stderr
    assert "Error: --out" in refused.stderr
    _run(rendered, "--out", out, *SMALL, "--epochs", "1,2,3", "--plan", code=2)


def test_the_command_is_kept_without_the_users_folders(rendered, tmp_path):
    out, file = tmp_path / "out", tmp_path / "some.npz"
    file.write_bytes(b"x")
    _run(rendered, "--out", out, "--tables", "2", "--backbones", "efficientnetv2-b0", "--seeds", 1,
         "--weights", f"efficientnetv2-b0={file}", "--independent-views")  # fmt: skip
    facts = json.loads((out / "results.json").read_text())["facts"]
    assert facts["command"] == (
        "corrosion-edge reproduce DATA --out DIR --tables 2 --backbones efficientnetv2-b0 "
        "--seeds 1 --independent-views --weights efficientnetv2-b0=some.npz"
    )
    assert str(tmp_path) not in (out / "report.html").read_text()
    file.write_bytes(b"y")
    refused = _run(rendered, "--out", out, "--tables", "2", "--backbones", "efficientnetv2-b0",
                   "--weights", f"efficientnetv2-b0={file}", code=2)  # fmt: skip
    assert "efficientnetv2-b0 with other weights" in refused.stderr


def test_the_help_imports_nothing_heavy():
    code = (
        "import sys; from click.testing import CliRunner; "
        "from corrosion_edge.trainer.reproduce.cli import reproduce; "
        "assert CliRunner().invoke(reproduce, ['--help']).exit_code == 0; "
        "assert not {'numpy', 'keras', 'tensorflow', 'scipy', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_trial_is_not_compared(rendered, tmp_path):
    out = tmp_path / "out"
    words = [rendered, "--out", out, *SMALL, "--seeds", 1, "--epochs", "1,1,1", "--json"]
    rows = json.loads(_run(*words).stdout)["rows"]
    assert {r["verdict"] for r in rows} == {"trial"}
    assert all(r["judgement"] is None for r in rows)
    assert "outcomes" not in rows[0]
    assert "Nothing here is comparable with the paper" in (out / "report.html").read_text()


def test_without_a_test_split_there_is_nothing_to_compare(rendered, tmp_path):
    data = tmp_path / "data"
    for split in ("train", "validation"):
        shutil.copytree(rendered / split, data / split)
    refused = _run(data, "--out", tmp_path / "out", code=2)
    assert "no photos in the split 'test'" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_photos_are_shown_only_when_asked_for(rendered, tmp_path):
    out = tmp_path / "out"
    words = [rendered, "--out", out, "--tables", "2", "--backbones", "efficientnetv2-b0",
             "--seeds", 1]  # fmt: skip
    _run(*words)
    assert not (out / "photos").exists()
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    _run(*words, "--figures-with-photos")
    assert {p.name for p in (out / "photos").iterdir()} == {"figure4.png", "figure5.png"}
    assert "Figures 4 and 5" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tables", "9"], "--tables: expected 1, 2"),
        (["--backbones", "vgg"], "--backbones: expected efficientnetv2-b0"),
        (["--pooling", "mean"], "--pooling"),
        (["--fine-tune", "2"], "--fine-tune"),
        (["--fine-tune", "half"], "not a list of fractions"),
        (["--epochs", "5"], "not three whole numbers"),
        (["--epochs", "5,0,1"], "not three whole numbers"),
        (["--weights", "efficientnetv2-b0"], "NAME=FILE"),
        (["--weights", "efficientnetv2-b0=none"], "random weights reproduce nothing"),
        (["--weights", "efficientnetv2-b0=gone.npz"], "no such file"),
        (["--weights", "vgg=x"], "none of the backbones asked for"),
        (["--weights-dir", "gone"], "--weights-dir"),
        (["--tables", "3", "--backbones", "densenet121"], "--tables extra"),
        (["--plan", "--report-only"], "cannot be used together"),
        (["--workers", "0"], "--workers"),
        (["--ray", "127.0.0.1:9"], "--ray 127.0.0.1:9: no cluster can be reached"),
    ],
)
def test_wrong_usage_is_one_sentence(rendered, tmp_path, words, said):
    ran = _run(rendered, "--out", tmp_path / "out", *words, code=2)
    assert said in ran.stderr


def test_weights_are_found_by_name(tmp_path):
    from corrosion_edge.trainer.reproduce.weights import resolve

    for name in ("efficientnetv2-b0_notop.npz", "efficientnet-b0.npz", "densenet121.txt"):
        (tmp_path / name).write_bytes(b"x")
    names = ("efficientnetv2-b0", "efficientnet-b0", "densenet121", "tiny")
    found = resolve(names, {}, tmp_path)
    assert [Path(found[name]).name for name in names] == [
        "efficientnetv2-b0_notop.npz", "efficientnet-b0.npz", "imagenet", "none"]  # fmt: skip
    (tmp_path / "efficientnet-b0_2.npz").write_bytes(b"y")
    with pytest.raises(UsageError, match="would both do"):
        resolve(names, {}, tmp_path)


def test_the_papers_rows_are_asked_for_by_default():
    rows = Selection().rows()
    counts = {table: sum(row.table == table for row in rows) for table in (2, 3, 4, 5, EXTRA)}
    assert counts == {2: 26, 3: 4, 4: 4, 5: 4, EXTRA: 0}
    assert Selection().sizes() == (*paper.BACKBONES, *paper.OURS)
    extra = Selection(tables=("extra",)).rows()
    assert len(extra) == 13 * 2 * 4 - 12
    assert not {row.key for row in extra} & {row.key for row in rows}


def test_the_help_names_every_option():
    text = CliRunner().invoke(reproduce, ["--help"]).output
    assert text.count("--") > 14
