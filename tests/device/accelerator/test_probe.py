"""The delegate in a process of its own: a hang or a crash there is a sentence here."""

import os
import time
from pathlib import Path

import pytest

from corrosion_edge.device import trial
from corrosion_edge.device.accelerator.probe import Probe, outcome_of, probe
from corrosion_edge.device.trial import CrashError, Trial, ask_child

LONG = 60.0  # seconds, for what should not hang


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("abort", "ended its process with SIGABRT"),
        ("segv", "ended its process with SIGSEGV"),
        ("null", "found no Edge TPU"),
        ("text", "and says: the fake has an error"),
        ("idle", "does not run the network (Encountered unresolved custom op"),
        ("invoke-error", "does not run the network (the fake device is gone"),
        ("invoke-abort", "ended its process with SIGABRT"),
    ],
)
def test_what_does_not_work_is_said(delegate, device, compiled_model, word, told):
    device.does(word)
    outcome = probe(delegate, compiled_model.model, LONG)
    assert not outcome.works
    assert told in outcome.sentence


def test_what_works_is_said_with_the_runtime(delegate, device, compiled_model):
    for model in (b"", compiled_model.model):
        outcome = probe(delegate, model, LONG)
        assert outcome.works
        assert f"{delegate.library} works with ai-edge-litert " in outcome.sentence


@pytest.mark.parametrize("word", ["hang", "invoke-hang"])
def test_what_hangs_is_given_up_and_its_process_is_gone(delegate, device, compiled_model, word):
    device.does(word)
    before = children()
    outcome = probe(delegate, compiled_model.model, 3.0)
    assert not outcome.works
    assert outcome.sentence.endswith("libfake.so hangs: no answer within 3 s")
    assert children() == before


def test_one_that_is_polled_never_waits(delegate, device):
    with Probe(delegate) as one:
        while (outcome := one.poll()) is None:
            time.sleep(0.01)
    assert outcome.works


def test_closing_a_try_ends_its_process(delegate, device):
    device.does("hang")
    before = children()
    with Probe(delegate) as one:
        assert one.poll() is None
        assert len(children()) == len(before) + 1
    assert children() == before


def test_a_child_whose_parent_is_gone_ends_itself(delegate, device):
    """By its alarm, which comes after the time that the parent would have waited."""
    device.does("hang")
    with Trial("delegate", 0.5, delegate.library, "", clock=lambda: 0.0) as one:
        end = time.monotonic() + LONG
        with pytest.raises(CrashError, match="SIGALRM"):
            while time.monotonic() < end:
                one.poll()
                time.sleep(0.05)


def test_a_large_input_and_a_talkative_library_block_nobody(monkeypatch, tmp_path):
    """More than any pipe holds, in both directions."""
    (tmp_path / "chatter.py").write_text(
        "import sys, json\n"
        "content = sys.stdin.buffer.read()\n"
        "print('x' * 1_000_000); print('y' * 1_000_000, file=sys.stderr)\n"
        "print(json.dumps({'bytes': len(content)}))\n"
    )
    monkeypatch.setattr(trial, "_CHILD", "chatter")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert ask_child("any", LONG, content=bytes(8_000_000)) == {"bytes": 8_000_000}


def test_the_childs_words_are_the_outcome(delegate):
    assert outcome_of(delegate, lambda: {"error": "no such thing"}).sentence == "no such thing"


def children():
    task = Path(f"/proc/{os.getpid()}/task")
    return {pid for each in task.iterdir() for pid in (each / "children").read_text().split()}
