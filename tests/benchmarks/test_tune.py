"""How many threads are fastest, and where that is written."""

import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.benchmarks.tune.cli import tune
from corrosion_edge.benchmarks.tune.measure import WITHIN, _compared, candidates, choose
from corrosion_edge.benchmarks.tune.writing import write_threads
from corrosion_edge.cli import cli
from corrosion_edge.device.backends.litert import usable_cores
from corrosion_edge.errors import UsageError

KEPT = """# the bridge's camera
[watch]
camera = "demo"  # for a trial
threads = 4 # all of them

[store]
keep-days = 30
"""


@given(st.integers(1, 256))
def test_candidates_reach_from_one_to_all_cores(cores):
    found = candidates(cores)
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (1, cores)
    assert len(found) <= 10


@given(st.dictionaries(st.integers(1, 64), st.lists(st.floats(0.1, 100), min_size=3, max_size=3),
                       min_size=1))  # fmt: skip
def test_the_chosen_is_as_good_as_the_fastest_and_has_fewest_threads(middle):
    choices = _compared({n: [[value] for value in rounds] for n, rounds in middle.items()})
    chosen = choose(choices)
    assert chosen.times <= WITHIN
    assert all(one.times > WITHIN for one in choices if one.threads < chosen.threads)


def test_a_disturbed_round_does_not_decide():
    found = {1: [[10.0], [10.0], [10.0]], 2: [[6.0], [60.0], [6.0]], 4: [[5.9], [5.9], [5.9]]}
    one, two, four = _compared(found)
    assert (one.times, two.times, four.times) == pytest.approx((10 / 5.9, 6 / 5.9, 1.0))
    assert choose([one, two, four]) is two


def test_the_rest_of_the_file_stays(tmp_path):
    file = tmp_path / "watch.toml"
    file.write_text(KEPT)
    assert write_threads(file, 2) == 4
    assert file.read_text() == KEPT.replace("threads = 4", "threads = 2")


@pytest.mark.parametrize("content", [None, "", "[store]\nkeep-days = 30\n", "# nothing yet\n"])
def test_what_is_missing_is_added(tmp_path, content):
    file = tmp_path / "watch.toml"
    if content is not None:
        file.write_text(content)
    assert write_threads(file, 3) is None
    document = tomllib.loads(file.read_text())
    assert document.pop("watch") == {"threads": 3}
    assert document == tomllib.loads(content or "")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"[watch", "no TOML"), (b"\xff", "cannot be read"), (b"watch = 1\n", r"expected a section")],
)
def test_what_is_no_configuration_is_refused_and_left_alone(tmp_path, content, told):
    file = tmp_path / "watch.toml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=rf"watch\.toml: {told}"):
        write_threads(file, 3)
    assert file.read_bytes() == content


def test_watch_reads_what_was_written(tmp_path):
    file = tmp_path / "watch.toml"
    file.write_text(KEPT)
    done = CliRunner().invoke(tune, ["--rounds", "1", "--config", str(file)],
                              catch_exceptions=False)  # fmt: skip
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == len(candidates(usable_cores())) + 1
    threads = tomllib.loads(file.read_text())["watch"]["threads"]
    assert 1 <= threads <= usable_cores()
    shown = CliRunner().invoke(cli, ["watch", "--config", str(file), "--print-config"])
    assert tomllib.loads(shown.stdout)["watch"]["threads"] == threads


def test_without_a_file_the_option_is_told():
    done = CliRunner().invoke(tune, ["--rounds", "1"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "--threads " in done.output.splitlines()[-1]
