"""What an event says of what judged: the runtime, and the network that really answered."""

import csv
import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from happenings import START, happening, stamp
from losable import Named

from corrosion_edge.cli import cli
from corrosion_edge.compilation import Compilation
from corrosion_edge.device.accelerator.recovering import Recovering
from corrosion_edge.device.capture.tiles import Tiled
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events.event import Asset, Happening, ModelName
from corrosion_edge.device.events.recorder import Recorder
from corrosion_edge.device.events.settings import Detection, Votes
from corrosion_edge.device.store import Keeper, Reader, Store
from corrosion_edge.device.store.pictures import jpegs
from corrosion_edge.device.store.store import Entry
from corrosion_edge.device.store.verify import verify
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

PIXELS = np.zeros((4, 6, 3), np.uint8)
SOURCE = "cd" * 32


@pytest.fixture
def compiled(bundle):
    told = Compilation(source="net.tflite", source_sha256=SOURCE, mapped_ops=1, cpu_ops=0)
    return bundle.with_fields(compiled=told)


def recovering(first, spare=None):
    return Recovering("Edge TPU", first, reopen=lambda: Named("tpu"), probe=lambda: None,
                      spare=spare)  # fmt: skip


def test_a_verdict_names_the_network_that_answered(compiled):
    spare = lambda: Named("cpu, in place of the Edge TPU")  # noqa: E731
    one = Classifier(compiled, recovering(Named("tpu", fails_at=[1]), spare))
    first, second = (one.classify(PIXELS) for _ in range(2))
    assert (first.backend, first.model_sha256) == ("tpu", compiled.manifest.model_sha256)
    assert (second.backend, second.model_sha256) == ("cpu, in place of the Edge TPU", SOURCE)
    now = ModelName.answering(one)
    assert (now.name, now.sha256, now.backend) == ("fake model", SOURCE, second.backend)
    assert ModelName.of(one).sha256 == compiled.manifest.model_sha256
    assert Tiled(one, 2, 1).classify(PIXELS).model_sha256 == SOURCE


def test_what_is_away_is_no_backend(compiled):
    one = Classifier(compiled, recovering("it is not there"))
    assert ModelName.answering(one).backend == ""


def frame(second):
    at = stamp(second)
    return Frame(PIXELS, second, at.wall, monotonic=at.seconds)


def said(score, backend, digest):
    return Prediction(score, 0.5, backend=backend, model_sha256=digest)


@pytest.fixture
def stored(tmp_path):
    """Corrosion that began on the Edge TPU and had its peak while the CPU stood in."""
    answers = [ModelName("m", "ab" * 32, 0.5, "tpu")]
    keeper = Keeper(Store(tmp_path), now=lambda: stamp(100), warn=print)
    settings = Detection(enter=0.5, leave=0.4, smoothing=Votes(1, 1))
    with Recorder(keeper, settings, ModelName("m", "ab" * 32, 0.5), {"north": Asset()},
                  now=lambda: stamp(100), answering=lambda: answers[0]) as recorder:  # fmt: skip
        recorder.verdict("north", frame(1), said(0.7, "tpu", "ab" * 32))
        answers[0] = ModelName("m", SOURCE, 0.5, "cpu")
        recorder.accelerator("accelerator_replaced", "unplugged", {"backend": "cpu"})
        recorder.verdict("north", frame(2), said(0.9, "cpu", SOURCE))
        answers[0] = ModelName("m", "ab" * 32, 0.5, "")
        recorder.accelerator("accelerator_lost", "gone", {"backend": None})
        answers[0] = ModelName("m", "ab" * 32, 0.5, "tpu")
        recorder.verdict("north", frame(3), said(0.1, "tpu", "ab" * 32))
    return tmp_path


def test_events_say_what_judged_their_peak_and_else_what_runs(stored):
    with Reader(stored) as reader:
        told = [(e.fields["kind"], e.fields["backend"], e.fields["model_sha256"][:2])
                for e in reader.events()]  # fmt: skip
    assert told == [
        ("started", "tpu", "ab"), ("corrosion_began", "tpu", "ab"),
        ("accelerator_replaced", "cpu", "cd"), ("accelerator_lost", None, "ab"),
        ("corrosion_ended", "cpu", "cd"), ("stopped", "tpu", "ab"),
    ]  # fmt: skip
    assert verify(stored).events == 6


def invoke(*words):
    result = CliRunner().invoke(cli, ["events", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_people_and_programs_read_it(stored, tmp_path):
    assert "backend           cpu\n" in invoke("show", stored, 5)
    assert json.loads(invoke("show", stored, 5, "--json"))["backend"] == "cpu"
    invoke("export", stored, "--out", tmp_path / "e.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "e.csv").read_text())))
    assert [row["backend"] for row in rows] == ["tpu", "tpu", "cpu", "", "cpu", "tpu"]
    invoke("report", stored, "--out", tmp_path / "r.html", "--since", START.isoformat())
    page = (tmp_path / "r.html").read_text()
    assert "made on" in page
    assert ">cpu</td>" in page


def test_a_store_of_events_without_it_verifies_and_can_be_read(tmp_path, monkeypatch):
    def older(self):
        return {name: value for name, value in told(self).items() if name != "backend"}

    told = Happening.to_dict
    monkeypatch.setattr(Happening, "to_dict", older)
    with Store(tmp_path) as store:
        for kind in ("started", "corrosion_began", "corrosion_ended", "model_changed", "stopped"):
            one = happening(kind)
            store.append(Entry(one.to_dict(), jpegs(one.scene)))
    monkeypatch.undo()
    with Store(tmp_path) as store:
        store.append(Entry(happening("started").to_dict()))
    assert verify(tmp_path).events == 6
    assert "backend" not in invoke("show", tmp_path, 2)
    invoke("export", tmp_path, "--out", tmp_path / "e.csv")
    invoke("report", tmp_path, "--out", tmp_path / "r.html", "--since", "2026-02-01")
