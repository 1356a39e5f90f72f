"""The published schema and the program's own reader: they agree on every report."""

import copy
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from latency_samples import make_report, make_second, make_sustained

from corrosion_edge.benchmarks import layout, runner
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.cli import cli
from corrosion_edge.output import json_text

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

PUBLISHED = Path(layout.__file__).with_name("report.schema.json")
SCHEMA = json.loads(PUBLISHED.read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def plain(report):
    return json.loads(json_text(report.to_dict()))


FULL = plain(
    make_report(
        sustained=(make_sustained(seconds=(make_second(1.0), make_second(2.0, watts=UNAVAILABLE))),)
    )
)


def test_what_is_published_is_what_the_types_say():
    assert LatencyReport.schema() == SCHEMA, (
        "run: corrosion-edge benchmark schema > benchmarks/report.schema.json"
    )


def test_the_command_prints_it():
    done = CliRunner().invoke(cli, ["benchmark", "schema"])
    assert done.exit_code == 0
    assert done.stdout == PUBLISHED.read_text()


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "report",
    [
        make_report(),
        make_report(sustained=(make_sustained(),), meter="ina219 at 0x40 on I2C bus 1"),
        make_report(others_cores=UNAVAILABLE, swapped_pages=UNAVAILABLE, void=("hot",)),
    ],
)
def test_reports_follow_it(report):
    VALIDATOR.validate(plain(report))


def test_a_real_report_follows_it():
    pytest.importorskip("ai_edge_litert", reason="no runtime is installed")
    plan = runner.Plan((DEFAULT_MODEL,), (1,), 3, ((64, 48),), minutes=1.5 / 60)
    content = plain(runner.measure(plan))
    VALIDATOR.validate(content)
    assert LatencyReport.from_dict(content).sustained[0].seconds


def places(content, path=()):
    """The path of each value in JSON, itself included; of a list the first and last alone."""
    yield path
    if isinstance(content, dict):
        for name, value in content.items():
            yield from places(value, (*path, name))
    elif isinstance(content, list) and content:
        for n in {0, len(content) - 1}:
            yield from places(content[n], (*path, n))


PLACES = [place for place in places(FULL) if place]
OTHER = st.sampled_from([None, True, -1, 0, 3, 2.5, "", "unavailable", [], {}, ["x"], {"x": 1}])


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(PLACES), OTHER)
def test_what_the_schema_refuses_the_reader_refuses(place, value):
    content = copy.deepcopy(FULL)
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    if not VALIDATOR.is_valid(content):
        with pytest.raises(ValueError):
            LatencyReport.from_dict(content)


@pytest.mark.parametrize("place", [p for p in PLACES if isinstance(p[-1], str)])
def test_both_miss_a_field_and_name_it(place):
    content = copy.deepcopy(FULL)
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    assert not VALIDATOR.is_valid(content)
    with pytest.raises(ValueError, match=f"{place[-1]}: expected a value, got nothing"):
        LatencyReport.from_dict(content)


def test_both_refuse_a_field_that_is_not_theirs():
    content = {**copy.deepcopy(FULL), "hostname": "pi"}
    assert not VALIDATOR.is_valid(content)
    with pytest.raises(ValueError, match="hostname: there is no such field"):
        LatencyReport.from_dict(content)


@pytest.mark.parametrize("content", [None, [], "report", 3, {}])
def test_what_is_no_report_at_all_is_refused(content):
    with pytest.raises(ValueError, match="expected"):
        LatencyReport.from_dict(content)
