"""The type of options that are numbers."""

import click
import pytest
from click.testing import CliRunner

from corrosion_edge.number import Number


@click.command()
@click.option("--share", type=Number(0, 1, min_open=True))
def command(share):
    click.echo(share)


@pytest.mark.parametrize("value", ["nan", "-nan", "0", "1.5", "inf", "much"])
def test_what_is_no_number_within_the_limits_is_refused_by_the_options_name(value):
    result = CliRunner().invoke(command, ["--share", value])
    assert result.exit_code == 2
    assert "Invalid value for '--share'" in result.output


def test_a_number_within_the_limits_is_one():
    assert CliRunner().invoke(command, ["--share", "0.25"]).output == "0.25\n"
    assert Number().convert("-inf", None, None) == float("-inf")
