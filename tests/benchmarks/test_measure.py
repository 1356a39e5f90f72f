import dataclasses
import itertools
import json
import time

import numpy as np
import pytest
from latency_samples import fake_launch, make_model
from PIL import Image

from corrosion_edge.benchmarks import launching, runner, usage
from corrosion_edge.benchmarks import measure as measuring
from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.launching import launch
from corrosion_edge.benchmarks.layout import read
from corrosion_edge.benchmarks.measure import Bench, answer, measure
from corrosion_edge.benchmarks.pictures import RENDERED, choose, frames
from corrosion_edge.benchmarks.runner import Plan
from corrosion_edge.benchmarks.samples import Round
from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, BundleError, ImageError
from corrosion_edge.output import json_text
from corrosion_edge.render import SURFACES, surface

pytest.importorskip("ai_edge_litert", reason="no runtime is installed")


@pytest.fixture
def job(tmp_path):
    model = make_model(tmp_path / "a.tflite")
    pictures = (np.arange(3 * 24 * 32 * 3) % 251).astype(np.uint8)
    (tmp_path / "pictures.raw").write_bytes(pictures.tobytes())
    Image.fromarray(pictures.reshape(3, 24, 32, 3)[0]).save(tmp_path / "one.jpg")
    files = (str(tmp_path / "one.jpg"),)
    raw = str(tmp_path / "pictures.raw")
    return Job(str(model), 1, 7, raw, count=3, width=32, height=24, files=files)


class Seen(FakeBackend):
    """Keeps the first pixel of every picture."""

    def __init__(self):
        super().__init__()
        self.pixels = []

    def run(self, pixels):
        self.pixels.append(pixels.copy())
        return super().run(pixels)


def test_a_job_measures_every_run_and_closes(job):
    backend = FakeBackend()

    def open_fake(asked):
        assert asked == job
        return Classifier(Bundle.load(runner.Path(job.model)), backend)

    entered = time.monotonic_ns()
    plain = json.loads(json.dumps(measure(job, entered, open_fake)))
    plain["start"]["interpreter_ns"] = plain.pop("entered_ns") - entered
    part = read(Round, plain)
    assert len(part.samples.invoke_ns) == len(part.samples.gate_ns) == 7
    assert part.backend == "fake backend"
    assert part.warm_up.runs >= 20
    assert len(part.samples.read_ns) == len(part.samples.sink_ns) == 7
    assert part.xnnpack == "unavailable"
    assert backend.history.count("ran") == 1 + part.warm_up.runs + 2 * 7 + 1  # one for the sink
    assert backend.history[-1] == "closed"


def test_scaling_and_the_gate_make_up_what_comes_before_the_invoke(job, monkeypatch):
    bench = Bench(Classifier(Bundle.load(runner.Path(job.model)), FakeBackend()), job)
    bench.read_picture()
    now = itertools.count(0, 100)  # each look at the clock: path, gate, gate, path, path, path
    monkeypatch.setattr(measuring.time, "monotonic_ns", lambda: next(now))
    assert bench.path()[:4] == (200, 100, 100, 100)


def test_what_lies_around_a_path_is_taken_some_times_in_turn(job, tmp_path, monkeypatch):
    files = tuple(str(tmp_path / name) for name in ("one.jpg", "two.jpg"))
    read = []
    monkeypatch.setattr("corrosion_edge.image.read", lambda path: read.append(path.name))
    asked = dataclasses.replace(job, files=files, runs=500)
    bench = Bench(Classifier(Bundle.load(runner.Path(job.model)), FakeBackend()), asked)
    assert len(bench.reads()) == len(bench.sinks()) == 20
    assert read == ["one.jpg", "two.jpg"] * 10 + ["one.jpg"]  # the first is not counted


@pytest.mark.parametrize(("runs", "looks"), [(1, 1), (7, 7), (25, 9), (1000, 10)])
def test_the_clock_is_looked_at_about_ten_times(job, monkeypatch, runs, looks):
    clocks = itertools.count(1000)
    monkeypatch.setattr(measuring, "fastest_mhz", lambda: next(clocks))
    bench = Bench(Classifier(Bundle.load(runner.Path(job.model)), FakeBackend()), job)
    done, seen = measuring._runs(bench, runs)
    assert (len(done), seen) == (runs, list(range(1000, 1000 + looks)))


def test_pictures_come_in_turn_and_the_invoke_alone_sees_the_same(job):
    backend = Seen()
    bench = Bench(Classifier(Bundle.load(runner.Path(job.model)), backend), job)
    for _ in range(4):
        bench.run()
    path, alone = backend.pixels[::2], backend.pixels[1::2]
    assert all(np.array_equal(a, b) for a, b in zip(path, alone, strict=True))
    assert not np.array_equal(path[0], path[1])
    assert np.array_equal(path[0], path[3])  # three pictures, then the first again


def test_a_user_error_becomes_an_answer(job):
    asked = Job.from_json(json.dumps({**json.loads(job.to_json()), "model": "/none.tflite"}))
    reply = answer(asked, 0)
    assert reply["error"] == "BundleError"
    assert "/none.tflite" in reply["message"]


def test_a_model_that_is_refused_ends_in_one_sentence(job):
    with pytest.raises(BundleError, match="the network is damaged") as caught:
        launch(job)
    assert job.model in str(caught.value)


def test_a_crash_of_the_measuring_process_is_reported(job, monkeypatch):
    monkeypatch.setattr(launching.sys, "executable", "/bin/false")
    with pytest.raises(BackendError, match="the measuring process failed"):
        launch(job)


def test_a_signal_is_named(job, tmp_path, monkeypatch):
    killer = tmp_path / "killer"
    killer.write_text("#!/bin/sh\nkill -SEGV $$\n")
    killer.chmod(0o755)
    monkeypatch.setattr(launching.sys, "executable", str(killer))
    with pytest.raises(BackendError, match="SIGSEGV"):
        launch(job)


@pytest.mark.parametrize("runs", [1, 2, 3, 100])
def test_rounds_share_the_runs(runs):
    parts = Plan((None,), (1,), runs, ((64, 48),)).shares
    assert sum(parts) == runs
    assert min(parts) >= 1
    assert max(parts) - min(parts) <= 1


def test_configurations_take_turns(tmp_path):
    models = tuple(make_model(tmp_path / name) for name in ("a.tflite", "b.tflite"))
    order = []

    def spy(job):
        order.append((runner.Path(job.model).name, job.threads, job.runs))
        return fake_launch(job)

    report = runner.measure(Plan(models, (1, 2), 6, ((64, 48),)), spy)
    assert order[:4] == [
        ("a.tflite", 1, 2), ("a.tflite", 2, 2), ("b.tflite", 1, 2), ("b.tflite", 2, 2)
    ]  # fmt: skip
    assert order == order[:4] * 3
    assert [(runner.Path(r.model).name, r.threads) for r in report.results] == [
        (name, threads) for name, threads, _ in order[:4]
    ]


def test_every_model_is_checked_before_anything_is_measured(tmp_path):
    models = (make_model(tmp_path / "a.tflite"), tmp_path / "none.tflite")

    def never(job):
        raise AssertionError(job)

    with pytest.raises(BundleError, match=r"none\.tflite"):
        runner.measure(Plan(models, (1,), 3, ((64, 48),)), never)


def test_the_pictures_are_rendered_surfaces_not_noise(tmp_path):
    assert {kind for kind, _ in RENDERED} <= set(SURFACES)
    seen = []

    def look(job):
        raw = np.fromfile(job.pictures, np.uint8)
        seen.append(raw.reshape(job.count, job.height, job.width, 3))
        return fake_launch(job)

    runner.measure(Plan((make_model(tmp_path / "a.tflite"),), (1,), 1, ((64, 48),)), look)
    pictures = seen[0].astype(int)
    assert pictures.shape == (len(RENDERED), 48, 64, 3)
    assert pictures[1, ..., 0].mean() - pictures[1, ..., 2].mean() > 5  # rust is red


def test_photos_are_brought_to_the_size_and_their_files_left_alone(tmp_path):
    for name, size in (("a.jpg", (90, 50)), ("b.png", (40, 80))):
        Image.new("RGB", size, "red").save(tmp_path / name)
    pictures, photos = choose(tmp_path)
    assert (pictures.kind, pictures.count) == ("photos", 2)
    with frames(photos, [(64, 48), (20, 20)]) as shown:
        assert shown[20, 20].files == shown[64, 48].files == photos
        raw = np.fromfile(shown[64, 48].raw, np.uint8).reshape(2, 48, 64, 3)
    assert raw[..., 0].min() > 250 and raw[..., 1].max() < 5


def test_photos_are_known_by_their_content_and_not_by_their_names(tmp_path):
    for folder, names, colour in (("x", "ab", "red"), ("y", "cd", "red"), ("z", "ab", "blue")):
        (tmp_path / folder).mkdir()
        for n, name in enumerate(names):
            Image.new("RGB", (32 + n, 32), colour).save(tmp_path / folder / f"{name}.png")
    known = [choose(tmp_path / folder)[0].sha256 for folder in "xyz"]
    assert known[0] == known[1] != known[2]


def test_of_many_photos_some_are_taken_from_all_over(tmp_path):
    for n in range(40):
        Image.new("RGB", (16 + n, 16)).save(tmp_path / f"{n:02}.png")
    pictures, photos = choose(tmp_path)
    assert pictures.count == len(photos) == 16
    assert (photos[0].name, photos[8].name, photos[-1].name) == ("00.png", "20.png", "37.png")


def test_photos_are_measured_for_real(tmp_path):
    for n, size in enumerate([(640, 480), (300, 400)]):
        pixels = surface("steel", rust=0.2, seed=n, size=size)
        Image.fromarray(pixels).save(tmp_path / f"{n}.jpg")
    report = runner.measure(Plan((None,), (1,), 3, ((320, 240),), photos=tmp_path))
    assert (report.pictures.kind, report.pictures.count) == ("photos", 2)
    assert str(tmp_path) not in json_text(report.to_dict())


def test_a_photo_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"broken\.jpg: not a picture"):
        runner.measure(Plan((None,), (1,), 3, ((320, 240),), photos=tmp_path))


def test_the_default_model_is_measured_for_real(tmp_path):
    if not DEFAULT_MODEL.exists():
        pytest.skip(f"{DEFAULT_MODEL} is not there yet")
    report = runner.measure(Plan((None,), (1,), 4, ((320, 240),)))
    (result,) = report.results
    assert result.model == "default"
    assert "1 thread" in result.backends[0]
    assert len(result.samples.path_ns) == 4
    assert result.file_bytes == DEFAULT_MODEL.stat().st_size
    peak = result.summary.peak_memory_bytes
    assert isinstance(peak, int)
    assert peak > result.file_bytes
    assert {part.xnnpack for part in result.rounds} == {"on"}
    assert "4 runs, fewer than 100" in result.void
    assert LatencyReport.from_dict(json.loads(json_text(report.to_dict()))) == report


@pytest.mark.parametrize(
    ("busy", "own", "expected"),
    [
        ((100.0, 130.0), (5.0, 25.0), 1.0),  # 30 s busy, 20 s of them ours, in 10 s
        ((100.0, 120.0), (5.0, 25.1), 0.0),  # never below 0 for a tick counted twice
        ((100.0, None), (5.0, 25.0), "unavailable"),
        ((None, 100.0), (5.0, 25.0), "unavailable"),
    ],
)
def test_the_others_share_is_what_we_did_not_use(monkeypatch, busy, own, expected):
    busy, own, now = iter(busy), iter(own), itertools.count(0.0, 10.0)
    monkeypatch.setattr(usage.state, "busy_seconds", lambda: next(busy))
    monkeypatch.setattr(usage.state, "own_seconds", lambda: next(own))
    monkeypatch.setattr(usage.time, "monotonic", lambda: next(now))
    counted = usage.Usage()
    assert counted.others_cores() == expected
