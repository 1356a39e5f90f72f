"""Outlets: options that open sinks, all or none, closed in turn."""

import click
import pytest
from click.testing import CliRunner

from corrosion_edge.device.outlets import Outlet, Watched, outlet_options


class Remembering:
    def __init__(self, name, history):
        self.name, self.history = name, history
        self.closed = False

    def __enter__(self):
        self.history.append(f"{self.name} opened")
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        if not self.closed:
            self.history.append(f"{self.name} closed")
        self.closed = True


@pytest.fixture
def history():
    return []


def command(history):
    def outlet(name):
        def opened(values, watched):
            history.append((values[name], watched.cameras))
            return Remembering(name, history) if values[name] else None

        return Outlet((click.option(f"--{name}"),), opened)

    def watch(outlets, other):
        with outlets.opened(Watched(None, ("deck",), None)) as begin:
            history.append(other)
            if other != "fails":
                history.append([sink.name for sink in begin()])

    wrapped = outlet_options(watch, (outlet("one"), outlet("two"), outlet("three")))
    return click.command()(click.option("--other")(wrapped))


def test_those_asked_for_are_opened_and_closed_in_turn(history):
    result = CliRunner().invoke(command(history), ["--three", "c", "--one", "a"])
    assert result.exit_code == 0, result.output
    deck = ("deck",)
    assert history == [("a", deck), (None, deck), ("c", deck), None, "one opened", "three opened",
                       ["one", "three"], "three closed", "one closed"]  # fmt: skip


def test_those_that_never_began_are_closed_too(history):
    CliRunner().invoke(command(history), ["--three", "c", "--one", "a", "--other", "fails"])
    assert history[3:] == ["fails", "three closed", "one closed"]


def test_options_stand_on_the_help_page_in_order(history):
    text = CliRunner().invoke(command(history), ["--help"]).output
    assert text.index("--one") < text.index("--two") < text.index("--three")
