"""Another model file put in place under a running pipeline."""

import gc
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from kept import Kept
from putting import put, until

from corrosion_edge.device.events.event import ModelName
from corrosion_edge.device.pipeline import Pipeline
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.swap import Settling, Version
from corrosion_edge.device.verdict import ModelChange, Verdict
from corrosion_edge.errors import UsageError
from corrosion_edge.modelfile import signature
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.keys import PrivateKey

PIXELS = np.full((224, 224, 3), 128, np.uint8)


def after(models):
    """The next thing that is told."""
    return until(models.renewed)


def test_a_new_file_takes_over_and_the_old_interpreter_is_closed(models, file, other):
    running = models()
    first = running.classifier
    put(file, other)
    change = after(running)
    assert change.accepted
    assert (change.old.name, change.old.threshold) == (first.name, first.threshold)
    assert (change.new.name, change.new.threshold) == ("another", 0.875)
    assert running.view("").classifier is running.classifier is not first
    assert running.view("").judge(FakeCamera(["frame"]).read()).prediction.threshold == 0.875
    assert first.backend._interpreter is None
    assert running.renewed() is None


def test_the_old_file_put_back_rolls_back(models, file, default, other):
    running = models()
    for bundle in (other, default):
        put(file, bundle)
        assert after(running).new.name == bundle.manifest.name


BAD = {
    "truncated": (lambda content: content[:-1000], "model.tflite: "),
    "garbage": (lambda content: b"\xff" * 4096, "model.tflite: "),
    "empty": (lambda content: b"", "model.tflite: "),
    "altered": (lambda content: content[:5000] + b"?" + content[5001:], "SHA-256 differs"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_once_and_the_old_model_runs_on(models, file, other, kind):
    spoil, expected = BAD[kind]
    running = models()
    first = running.classifier
    put(file, spoil(other.to_bytes()))
    change = after(running)
    assert not change.accepted
    assert expected in change.reason
    assert len(change.file_sha256) == 64
    assert change.new is None
    for _ in range(20):
        time.sleep(0.01)
        assert running.renewed() is None
    assert running.classifier is first
    first.classify(PIXELS)
    running.check_now()
    assert after(running).reason == change.reason
    put(file, other)
    assert after(running).accepted


def test_wrong_golden_outputs_are_refused(models, file, wrong):
    running = models()
    put(file, wrong)
    change = after(running)
    assert "of 256 steps away from the golden outputs of wrong" in change.reason
    assert change.new.name == "wrong"
    assert not change.accepted


def test_what_the_options_ask_for_decides(models, file, other):
    def check(classifier):
        if classifier.name == "another":
            raise UsageError("--threshold recall: another carries no such threshold")
        return ["a warning"]

    running = models(check)
    put(file, other)
    assert after(running).reason.startswith("--threshold recall: another")


def test_what_nobody_foresaw_is_a_refusal_too(models, file, other):
    def check(classifier):
        if classifier.name == "another":
            raise ZeroDivisionError("by nought")
        return []

    running = models(check)
    put(file, other)
    assert after(running).reason == "it failed with ZeroDivisionError: by nought"


def test_warnings_go_with_the_change(models, file, other):
    running = models(lambda classifier: ["it differs"])
    put(file, other)
    change = after(running)
    assert change.warnings == ("it differs",)
    assert "warning: it differs" in str(change)


def test_a_file_that_is_gone_is_told_once_and_may_come_back(models, file, default, other):
    running = models()
    file.unlink()
    assert "is gone" in after(running).reason
    time.sleep(0.1)
    assert running.renewed() is None
    put(file, default)
    time.sleep(0.1)
    assert running.renewed() is None
    put(file, other)
    assert after(running).accepted


def test_a_slow_copy_in_place_is_waited_for(models, file, other):
    running = models(patience=5.0)
    content = other.to_bytes()
    part = len(content) // 10 + 1
    with file.open("r+b") as stream:
        stream.truncate(0)
        for start in range(0, len(content), part):
            stream.write(content[start : start + part])
            stream.flush()
            os.fsync(stream.fileno())
            time.sleep(0.05)
            assert running.renewed() is None or start + part >= len(content)
    change = running.renewed() or after(running)
    assert change.accepted
    assert change.new.name == "another"


def test_a_pipe_in_its_place_blocks_nobody(models, file):
    running = models()
    file.unlink()
    os.mkfifo(file)
    reasons = []
    until(lambda: reasons.append(change.reason) if (change := running.renewed()) else
          any("not a regular file" in reason for reason in reasons))  # fmt: skip


def test_a_candidate_that_nobody_took_gives_way_to_a_newer_one(models, file, default, other):
    opened = []
    running = models(lambda classifier: opened.append(classifier) or [])
    put(file, other)
    until(lambda: len(opened) == 2)
    third = default.with_fields(name="third")
    put(file, third)
    until(lambda: len(opened) == 3)
    until(lambda: opened[1].backend._interpreter is None)
    assert after(running).new.name == "third"
    assert running.renewed() is None


def test_closing_closes_what_waits(models, file, other):
    opened = []
    running = models(lambda classifier: opened.append(classifier) or [])
    put(file, other)
    until(lambda: len(opened) == 2)
    running.close()
    assert [each.backend._interpreter for each in opened] == [None, None]
    assert "model watch" not in {thread.name for thread in threading.enumerate()}


def signed(content, key):
    return signature.sign(Container.from_bytes(content), key).to_bytes()


def test_a_signature_is_demanded_of_the_new_one_too(models, file, other, tmp_path):
    pytest.importorskip("cryptography")
    key = PrivateKey.generate()
    put(file, signed(file.read_bytes(), key))
    running = models(key=key.public)
    put(file, other)
    change = after(running)
    assert not change.accepted
    assert "signed" in change.reason
    put(file, signed(other.to_bytes(), key))
    assert after(running).accepted


def test_no_frame_is_lost_or_judged_by_a_mixture(models, file, default, other):
    running, sink = models(), Kept()

    class Swapping(FakeCamera):
        def read(self):
            if self._index in (5, 15):
                put(file, other if self._index == 5 else default)
                until(lambda: running._watch._offers)
            return super().read()

    camera = Swapping(["frame"] * 25, live=False)
    tally = Pipeline(camera, running, [sink]).run()
    assert tally.classified == 25
    changes = [n for n, each in enumerate(sink.results) if isinstance(each, ModelChange)]
    verdicts = [each for each in sink.results if isinstance(each, Verdict)]
    assert [each.frame.index for each in verdicts] == list(range(25))
    assert len(changes) == 2
    threshold = default.manifest.threshold
    expected = [threshold] * 6 + [0.875] * 10 + [threshold] * 9
    assert [each.prediction.threshold for each in verdicts] == expected


def resident():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def counts():
    return len(list(Path("/proc/self/task").iterdir())), len(list(Path("/proc/self/fd").iterdir()))


def test_two_hundred_swaps_leave_nothing_behind(models, file, default, other):
    running = models()
    settled = 0.0
    for number in range(200):
        put(file, other if number % 2 == 0 else default)
        assert after(running).accepted
        running.view("").classifier.classify(PIXELS)
        if number == 50:
            gc.collect()
            before, settled = counts(), resident()
    gc.collect()
    assert counts() == before
    assert resident() - settled < 40  # MB; one interpreter more for each swap would be thousands


def test_a_version_is_due_once_it_is_quiet(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"1")
    first = Version.of(file)
    settling = Settling(first)
    assert not settling.due(first, 0)
    file.write_bytes(b"22")
    second = Version.of(file)
    assert [settling.due(second, 1), settling.due(second, 3)] == [False, True]
    assert settling.quiet_for(4) == 3
    settling.handled(second)
    assert not settling.due(second, 5)
    settling.again()
    assert settling.due(second, 6)
    assert [settling.due(None, 7), settling.due(None, 8)] == [False, True]


def test_a_change_validates():
    old = ModelName("m", "ab" * 32, 0.5)
    now = datetime.now(UTC)
    with pytest.raises(ValueError, match="time zone"):
        ModelChange(at=datetime(2026, 1, 1), file="f", old=old, reason="r")
    with pytest.raises(ValueError, match="accepted"):
        ModelChange(at=now, file="f", old=old, accepted=True)
    with pytest.raises(ValueError, match="refused"):
        ModelChange(at=now, file="f", old=old)
