"""Which threads and kernels are fastest, and where that is written."""

import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.benchmarks.tune.cli import tune
from corrosion_edge.benchmarks.tune.measure import (
    GIVEN_UP,
    WITHIN,
    Setting,
    _compared,
    _refused,
    _worth_it,
    candidates,
    choose,
)
from corrosion_edge.benchmarks.tune.writing import write_keys
from corrosion_edge.cli import cli
from corrosion_edge.device.backends.litert import usable_cores
from corrosion_edge.device.kernels import KERNELS
from corrosion_edge.errors import UsageError

KEPT = """# the bridge's camera
[watch]
camera = "demo"  # for a trial
threads = 4 # all of them

[store]
folder = "events"
keep-days = 30
"""


@given(st.integers(1, 256))
def test_candidates_reach_from_one_to_all_cores(cores):
    found = [each.threads for each in candidates(cores)]
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (1, cores)
    assert len(found) <= 10
    assert candidates(cores, KERNELS) == [Setting(n, name) for name in KERNELS for n in found]


@given(st.dictionaries(st.integers(1, 64), st.lists(st.floats(0.1, 100), min_size=3, max_size=3),
                       min_size=1))  # fmt: skip
def test_the_chosen_is_as_good_as_the_fastest_and_has_fewest_threads(middle):
    found = {Setting(n): [[value] for value in rounds] for n, rounds in middle.items()}
    choices = _compared(found, {})
    chosen = choose(choices)
    assert chosen.times <= WITHIN
    fewer = [one for one in choices if one.setting.threads < chosen.setting.threads]
    assert all(one.times > WITHIN for one in fewer)


def test_a_disturbed_round_does_not_decide():
    took = {1: [[10.0], [10.0], [10.0]], 2: [[6.0], [60.0], [6.0]], 4: [[5.9], [5.9], [5.9]]}
    one, two, four = _compared({Setting(n): rounds for n, rounds in took.items()}, {})
    assert (one.times, two.times, four.times) == pytest.approx((10 / 5.9, 6 / 5.9, 1.0))
    assert choose([one, two, four]) is two


class Answers:
    def __init__(self, *differences):
        self.check_golden = lambda: list(differences)


def test_what_answers_otherwise_is_not_chosen_however_fast():
    fast, slow = Setting(1, "builtin"), Setting(2)
    refused = _refused({fast: Answers("9 of 256 steps away"), slow: Answers()})
    choices = _compared({fast: [[1.0]], slow: [[4.0]]}, refused)
    assert [one.refused for one in choices] == ["9 of 256 steps away", ""]
    assert choose(choices).setting == slow


def test_where_no_setting_answers_as_measured_none_is_refused():
    both = {Setting(1): Answers("differs"), Setting(1, "builtin"): Answers("differs", "more")}
    assert not any(_refused(both).values())


def test_what_is_far_behind_in_the_warm_up_gets_no_turns_and_is_told():
    far = Setting(1, "builtin")
    found = {Setting(1): [[5.0]], Setting(2): [[5.0 * GIVEN_UP]], far: [[5.1 * GIVEN_UP]]}
    assert _worth_it(found) == [Setting(1), Setting(2)]
    _, _, last = _compared({**found, Setting(1): [[5.0], [5.0]]}, {})
    assert last.times == pytest.approx(1.02 * GIVEN_UP)


def test_the_rest_of_the_file_stays(tmp_path):
    file = tmp_path / "watch.toml"
    file.write_text(KEPT)
    assert write_keys(file, {"threads": 2}) == {"threads": 4}
    assert file.read_text() == KEPT.replace("threads = 4", "threads = 2")


@pytest.mark.parametrize("content", [None, "", "[store]\nkeep-days = 30\n", "# nothing yet\n"])
def test_what_is_missing_is_added(tmp_path, content):
    file = tmp_path / "watch.toml"
    if content is not None:
        file.write_text(content)
    assert write_keys(file, {"threads": 3, "kernels": "builtin"}) == {}
    document = tomllib.loads(file.read_text())
    assert document.pop("watch") == {"threads": 3, "kernels": "builtin"}
    assert document == tomllib.loads(content or "")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"[watch", "no TOML"), (b"\xff", "cannot be read"), (b"watch = 1\n", r"expected a section")],
)
def test_what_is_no_configuration_is_refused_and_left_alone(tmp_path, content, told):
    file = tmp_path / "watch.toml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=rf"watch\.toml: {told}"):
        write_keys(file, {"threads": 3})
    assert file.read_bytes() == content


def test_watch_reads_what_was_written(tmp_path):
    file = tmp_path / "watch.toml"
    file.write_text(KEPT)
    done = CliRunner().invoke(tune, ["--rounds", "1", "--config", str(file)],
                              catch_exceptions=False)  # fmt: skip
    assert done.exit_code == 0
    measured = [line for line in done.output.splitlines() if "times the fastest" in line]
    assert len(measured) == len(candidates(usable_cores(), KERNELS))
    written = tomllib.loads(file.read_text())["watch"]
    assert 1 <= written["threads"] <= usable_cores()
    assert written["kernels"] in KERNELS
    shown = CliRunner().invoke(cli, ["watch", "--config", str(file), "--print-config"])
    watch = tomllib.loads(shown.stdout)["watch"]
    assert (watch["threads"], watch["kernels"]) == (written["threads"], written["kernels"])


def test_the_files_own_model_is_measured_and_a_file_that_is_not_sound_is_told_first(tmp_path):
    file = tmp_path / "watch.toml"
    file.write_text('[watch]\nmodel = "other.tflite"\n')
    done = CliRunner().invoke(cli, ["benchmark", "tune", "--config", str(file)])
    assert done.exit_code == 1
    assert f"model: {tmp_path / 'other.tflite'}" in done.stdout
    assert "other.tflite: no such model file" in done.stderr
    file.write_text("[watch]\nbogus = 1\n")
    done = CliRunner().invoke(cli, ["benchmark", "tune", "--config", str(file)])
    assert done.exit_code == 2
    assert "watch.toml:2: " in done.stderr


def test_without_a_file_the_option_is_told():
    done = CliRunner().invoke(tune, ["--rounds", "1"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "--threads " in (last := done.output.splitlines()[-1])
    assert "--kernels " in last
