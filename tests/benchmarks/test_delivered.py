"""Frames as sources deliver them: the way of ``watch`` to the network's input."""

import numpy as np
import pytest
from click.testing import CliRunner
from latency_samples import fake_launch, make_model

from corrosion_edge import image
from corrosion_edge.benchmarks import delivered, runner
from corrosion_edge.benchmarks.delivered import PIXEL_FORMATS, Delivered
from corrosion_edge.bundle import Bundle
from corrosion_edge.cli import cli
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture.quality import Gate
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.frame import Deferred
from corrosion_edge.render import surface

pytest.importorskip("av", reason="PyAV is not installed")

LARGE, SMALL = (640, 360), (64, 48)


@pytest.fixture
def classifier(tmp_path):
    return Classifier(Bundle.load(make_model(tmp_path / "a.tflite")), FakeBackend())


def shown(classifier, pixel_format, pixels):
    source = Delivered(classifier, pixel_format)
    source.show(pixels)
    return source


@pytest.mark.parametrize("size", [LARGE, SMALL])
@pytest.mark.parametrize("pixel_format", PIXEL_FORMATS)
def test_the_network_gets_what_the_reference_makes_of_it(classifier, pixel_format, size):
    pixels = surface("steel", rust=0.3, seed=1, size=size)
    (found,) = shown(classifier, pixel_format, pixels).prepared()
    expected = image.prepare(pixels, classifier.manifest.preprocessing)
    away = np.abs(found.astype(int) - expected)
    if pixel_format == "rgb24":
        assert away.max() == 0
    else:  # half the colour each way is lost, and never none of it
        assert 0 < away.mean() < 4


@pytest.mark.parametrize("pixel_format", PIXEL_FORMATS)
def test_the_quality_gate_is_passed_as_in_watch(classifier, pixel_format, monkeypatch):
    seen = []
    check = Gate.check
    monkeypatch.setattr(Gate, "check", lambda self, *picture: seen.append(picture)
                        or check(self, *picture))  # fmt: skip
    dark = np.zeros((LARGE[1], LARGE[0], 3), np.uint8)
    assert shown(classifier, pixel_format, dark).prepared().shape == (1, 224, 224, 3)
    ((small, size),) = seen
    assert small.shape == (224, 224, 3)
    assert size == LARGE


def test_a_frame_of_a_decoder_is_not_turned_into_rgb_as_a_whole(classifier, monkeypatch):
    source = shown(classifier, "yuv420p", surface("paint", seed=2, size=LARGE))
    monkeypatch.setattr(Deferred, "pixels", lambda self: pytest.fail("made whole"))
    source.prepared()


def test_the_option_reaches_the_measuring_process(tmp_path, monkeypatch):
    jobs = []
    monkeypatch.setattr(runner, "launch", lambda job: jobs.append(job) or fake_launch(job))
    monkeypatch.setattr(runner, "machine_reasons", lambda *states: ())
    words = [
        "benchmark",
        str(make_model(tmp_path / "a.tflite")),
        "--threads",
        "1",
        "--size",
        "64x48",
    ]
    for more in ([], ["--pixel-format", "rgb24"]):
        done = CliRunner().invoke(cli, [*words, *more])
        assert done.exit_code == 0, done.output
        assert f"rendered frames, {jobs[-1].pixel_format}; runs" in done.output
    assert list(dict.fromkeys(job.pixel_format for job in jobs)) == ["yuv420p", "rgb24"]


def test_without_what_scales_it_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(delivered, "find_spec", lambda name: None)
    model = str(make_model(tmp_path / "a.tflite"))
    done = CliRunner().invoke(cli, ["benchmark", model, "--size", "64x48"])
    assert done.exit_code == 2
    assert "or measure with --pixel-format rgb24" in done.output


def test_a_network_of_another_size_costs_no_whole_picture_either(tmp_path, monkeypatch):
    spec = image.Preprocessing(96, 96)
    bundle = Bundle.load(make_model(tmp_path / "a.tflite")).with_fields(preprocessing=spec)
    classifier = Classifier(bundle, FakeBackend())
    source = shown(classifier, "yuv420p", surface("paint", seed=2, size=LARGE))
    monkeypatch.setattr(Deferred, "pixels", lambda self: pytest.fail("made whole"))
    assert source.prepared().shape == (1, 96, 96, 3)


@pytest.mark.parametrize("pixel_format", PIXEL_FORMATS)
def test_the_gates_time_is_its_own_and_part_of_the_whole(classifier, pixel_format, monkeypatch):
    source = shown(classifier, pixel_format, surface("steel", seed=1, size=LARGE))
    now = iter([100, 350])
    monkeypatch.setattr("corrosion_edge.benchmarks.timed_gate.time.monotonic_ns", lambda: next(now))
    source.prepared()
    assert source.gate_ns == 250
    assert next(now, None) is None
