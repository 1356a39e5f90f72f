import json
import re
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from latency_samples import fake_launch, make_model, make_report, make_sustained

from corrosion_edge.benchmarks import runner
from corrosion_edge.benchmarks.markdown import markdown
from corrosion_edge.benchmarks.page import html, page
from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.benchmarks.wording import names, result_rows, text, void_lines
from corrosion_edge.cli import cli


@pytest.fixture
def model(tmp_path):
    return make_model(tmp_path / "a.tflite")


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(runner, "launch", fake_launch)
    monkeypatch.setattr(runner, "machine_reasons", lambda *states: ())

    def invoke(*arguments):
        common = ["--size", "64x48"]
        return CliRunner().invoke(cli, ["benchmark", *common, *map(str, arguments)])

    return invoke


def test_a_table_on_stdout(run, model):
    done = run(model, "--threads", "1,2")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert re.match(
        r"model +threads +frame +first verdict +invoke p50 +p90 +p99 +frame path p50", lines[0]
    )
    assert [line.split()[:2] for line in lines[1:3]] == [["a.tflite", "1"], ["a.tflite", "2"]]
    assert len({len(line) for line in lines[:3]}) == 1  # aligned
    assert any(line.startswith("machine: ") for line in lines)
    assert "pictures: 4 rendered frames, yuv420p; runs: 100" in done.stdout
    assert done.stderr == ""  # no bar where nobody looks


def test_json_and_html_files(run, model, tmp_path):
    out, page = tmp_path / "new" / "r.json", tmp_path / "r.html"
    done = run(model, "--threads", "1", "--json", out, "--html", page)
    assert done.exit_code == 0, done.output
    report = LatencyReport.from_dict(json.loads(out.read_text()))
    assert report.results[0].model == str(model)
    assert report.results[0].file_bytes == model.stat().st_size
    assert "Latency on this machine" in page.read_text()


def test_the_markdown_has_the_pages_tables(run, model, tmp_path):
    out = tmp_path / "r.md"
    done = run(model, "--threads", "1", "--markdown", out)
    assert done.exit_code == 0, done.output
    lines = out.read_text().splitlines()
    head = next(line for line in lines if line.startswith("| model | threads | frame |"))
    assert lines[lines.index(head) + 1].startswith("| --- | --: | --: | --: |")
    assert lines[lines.index(head) + 2].startswith("| a.tflite | 1 | 64x48 | 288.0 ms | 18.40 ms")
    assert "## Machine" in lines


def test_what_a_name_holds_is_no_markdown():
    text = markdown(page(make_report("/m/a|<b>_x.tflite")))
    assert r"a\|\<b\>\_x.tflite" in text


@pytest.mark.parametrize("name", ["schema", "run", "--html"])
def test_a_model_called_like_a_command_is_given_with_its_folder(run, tmp_path, monkeypatch, name):
    make_model(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    done = run("--threads", "1", f"./{name}")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1].startswith(name)


def test_the_help_tells_options_and_commands_under_one_name():
    done = CliRunner().invoke(cli, ["benchmark", "--help"], prog_name="corrosion-edge")
    assert done.stdout.startswith("Usage: corrosion-edge benchmark [OPTIONS] [MODEL]...\n")
    commands = done.stdout.partition("Commands:\n")[2]
    assert {line.split()[0] for line in commands.splitlines()} >= {"schema"}
    assert "--threads" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"), [(["--thr"], "--threads"), (["compare", "--acro"], "--across-models")]
)
def test_a_shell_completes_options_of_both(words, expected):
    completer = ShellComplete(cli, {}, "corrosion-edge", "_CORROSION_EDGE_COMPLETE")
    found = completer.get_completions(["benchmark", *words[:-1]], words[-1])
    assert [item.value for item in found] == [expected]


def test_a_wrong_option_is_of_benchmark():
    done = CliRunner().invoke(cli, ["benchmark", "--nonsense"], prog_name="corrosion-edge")
    assert done.exit_code == 2
    assert "Usage: corrosion-edge benchmark [OPTIONS] [MODEL]..." in done.stderr
    assert "--nonsense" in done.stderr


def test_json_on_stdout_replaces_the_table(run, model):
    done = run(model, "--threads", "1", "--json", "-")
    assert LatencyReport.from_dict(json.loads(done.stdout)).runs == 100


def test_void_is_said_everywhere_and_the_exit_code_is_3(run, model, tmp_path):
    page, out = tmp_path / "r.html", tmp_path / "r.json"
    done = run(model, "--threads", "1", "--runs", "9", "--html", page, "--json", out)
    assert done.exit_code == 3
    reason = "a.tflite, 1 thread, 64x48: 9 runs, fewer than 100"
    assert f"void: {reason}" in done.stdout
    assert f"void: {reason}" in page.read_text()
    assert done.stderr == f"Error: figures are void, measure again: {reason}\n"
    assert json.loads(out.read_text())["results"][0]["void"] == ["9 runs, fewer than 100"]


def test_every_size_is_measured(run, model):
    done = run(model, "--threads", "1", "--size", "32x32", "--size", "64x48", "--json", "-")
    results = LatencyReport.from_dict(json.loads(done.stdout)).results
    assert [result.size for result in results] == ["64x48", "32x32"]


def test_so_many_processes_share_the_runs(run, model):
    done = run(model, "--threads", "1", "--processes", "5", "--json", "-")
    (result,) = LatencyReport.from_dict(json.loads(done.stdout)).results
    assert [len(part.samples.invoke_ns) for part in result.rounds] == [20] * 5


@pytest.mark.parametrize("content", [None, "empty"])
def test_a_folder_without_photos_names_the_option(run, model, tmp_path, content):
    folder = tmp_path / "photos"
    if content:
        folder.mkdir()
    done = run(model, "--pictures", folder)
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: --pictures: ")
    assert str(folder) in done.stderr


@pytest.mark.parametrize("threads", ["0", "1,", "two", "1,-2", "1.5", "9999", "", "٣"])
def test_wrong_threads_name_the_option(run, model, threads):
    done = run(model, "--threads", threads)
    assert done.exit_code == 2
    assert "--threads" in done.stderr


@pytest.mark.parametrize("size", ["1920", "0x0", "1920X1080", "8x8", "99999x16", "-1x20"])
def test_wrong_sizes_name_the_option(run, model, size):
    done = run(model, "--size", size)
    assert done.exit_code == 2
    assert "--size" in done.stderr


@pytest.mark.parametrize(
    "words", [("--rate", "5"), ("--meter", "ina219:1:0x40"), ("--meter-command", "true")]
)
def test_what_is_for_sustained_runs_needs_one(run, model, words):
    done = run(model, *words)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"Error: {words[0]}: needs --sustained MINUTES")


def test_a_sustained_run_of_each_configuration(run, model, monkeypatch, tmp_path):
    asked = []

    def fake(job, named, meter):
        asked.append((job.threads, job.seconds, job.rate, meter.name))
        return make_sustained(**named)

    monkeypatch.setattr(runner, "sustain", fake)
    page = tmp_path / "r.html"
    done = run(
        model, "--threads", "1,2", "--sustained", "2", "--rate", "5",
        "--meter-command", "sh -c 'while echo 2; do sleep 0.05; done'", "--html", page,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert asked == [(1, 120.0, 5.0, "the command sh"), (2, 120.0, 5.0, "the command sh")]
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[rows.index(["power:", "the", "command", "sh"]) - 2][:2] == ["a.tflite", "2"]
    assert "energy per frame" in done.stdout
    assert page.read_text().count("Over time: a.tflite") == 2


def test_runs_must_be_positive(run, model):
    done = run(model, "--runs", "0")
    assert done.exit_code == 2
    assert "--runs" in done.stderr


def test_a_model_that_is_not_there(run, tmp_path):
    done = run(tmp_path / "none.tflite", "--threads", "1")
    assert done.exit_code == 1
    assert done.stderr == f"Error: {tmp_path / 'none.tflite'}: no such model file\n"


def test_a_model_is_measured_once_though_named_twice(run, model):
    done = run(model, model, "--threads", "1,1", "--json", "-")
    assert len(json.loads(done.stdout)["results"]) == 1


def test_two_models_of_one_name_show_their_paths():
    first, second = make_report("/x/m.tflite"), make_report("/y/m.tflite")
    both = make_report(results=(*first.results, *second.results))
    assert names(both) == ["/x/m.tflite", "/y/m.tflite"]
    assert names(first) == ["m.tflite"]


def test_a_quiet_report_says_nothing_of_void():
    report = make_report()
    assert void_lines(report) == []
    assert result_rows(report)[0][-1] == "yes"
    assert "void" not in text(report)


def test_the_machines_voids_touch_every_row():
    report = make_report(void=("the firmware reports throttled now",))
    assert result_rows(report)[0][-1] == "void"
    assert "void: the firmware reports throttled now" in text(report)


def test_the_page_names_machine_method_and_figures():
    page = html(make_report())
    for part in ("Raspberry Pi 4 Model B", "18.45 ms", "26.00 ms", "1.41", "70.0 MB", "warm-up"):
        assert part in page


def test_a_models_name_is_escaped_in_the_page_and_its_pictures():
    page = html(make_report('/m/<b>&"x".tflite'))
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_help_loads_no_numpy():
    code = (
        "import sys\nfrom corrosion_edge.cli import cli\n"
        "cli(['benchmark', '--help'], standalone_mode=False)\n"
        "assert not {'numpy', 'jinja2', 'PIL'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
