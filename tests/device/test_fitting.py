"""Pictures that do not hold what is judged of them: which are a mistake, and which a result."""

import itertools

import numpy as np
import pytest
from click.testing import CliRunner
from kept import Kept
from PIL import Image

from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Framing, Look, Patience, Region, Supervised, follow
from corrosion_edge.device.capture.tiles import Tiled
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.judging import Sole, View
from corrosion_edge.device.pipeline import Pipeline
from corrosion_edge.device.sources import open_source
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.store import Reader
from corrosion_edge.device.verdict import Tally, Unreadable, Unusable, Verdict
from corrosion_edge.errors import UsageError

ROI = "40,30,20,10"


class Changing(FakeCamera):
    """Its pictures have the next size each time."""

    def __init__(self, *sizes, **how):
        super().__init__(["frame"] * len(sizes), period=0.01, **how)
        self._sizes = iter(sizes)

    def read(self):
        self._size = next(self._sizes, (1, 1))
        self._picture = None
        return super().read()


LARGE, SMALL = (64, 48), (32, 24)


def looking(bundle, *, roi=None, tiles=None, awaited=False):
    classifier = Classifier(bundle, FakeBackend())
    look = Look(Framing(roi=Region.parse(roi) if roi else None), print)
    return Sole(View(Tiled(classifier, *tiles) if tiles else classifier, look, awaited=awaited))


def judged(source, judging):
    kept = Kept()
    pipeline = Pipeline(source, judging, [kept])
    pipeline.run()
    return pipeline.tally, kept.results


@pytest.mark.parametrize("asked", [{"roi": ROI}, {"tiles": (16, 16)}])
def test_a_smaller_picture_among_others_is_unusable_and_the_next_is_judged(asked, bundle):
    sizes = [LARGE, (15, 12), LARGE]
    tally, results = judged(Changing(*sizes, live=False), looking(bundle, **asked))
    assert [type(result) for result in results] == [Verdict, Unusable, Verdict]
    assert tally == Tally(delivered=3, classified=2, unusable=1)
    told = results[1].quality.to_dict()
    assert told["unusable"] == "misfit"
    assert f"--{next(iter(asked))} " in told["reason"]
    assert "15x12" in str(results[1].quality)
    assert results[1].frame.size == (15, 12)


def test_the_first_picture_of_a_camera_is_a_mistake_unless_it_was_awaited(bundle):
    sizes = [SMALL, LARGE]
    sentence = rf"fake camera: --roi {ROI}: reaches beyond the picture of 32x24"
    with pytest.raises(UsageError, match=sentence):
        judged(Changing(*sizes, live=False), looking(bundle, roi=ROI))
    awaited = looking(bundle, roi=ROI, awaited=True)
    _, results = judged(Changing(*sizes, live=False), awaited)
    assert [type(result) for result in results] == [Unusable, Verdict]


def test_a_photo_that_does_not_fit_is_unreadable_and_names_its_file(tmp_path, bundle):
    for number, size in enumerate([SMALL, LARGE, SMALL]):
        Image.fromarray(np.full((*size[::-1], 3), 99, np.uint8)).save(tmp_path / f"{number}.png")
    tally, results = judged(open_source(str(tmp_path)), looking(bundle, roi=ROI))
    assert [type(result) for result in results] == [Unreadable, Verdict, Unreadable]
    assert tally == Tally(delivered=3, classified=1, unreadable=2)
    assert results[2].index == 2
    assert results[2].error.startswith(f"{tmp_path / '2.png'}: --roi {ROI}: reaches beyond")


@pytest.fixture(autouse=True)
def fresh(bundle, monkeypatch):
    """A classifier of its own for each watch."""
    made = lambda *_, **__: Classifier(bundle, FakeBackend())  # noqa: E731
    monkeypatch.setattr(Classifier, "open", made)


def watched(monkeypatch, *arguments, **cameras):
    def opened(spec, *, observe=None, bell=None, name="", **_):
        return Supervised(cameras[name], patience=Patience(), observe=observe, bell=bell, name=name)

    monkeypatch.setattr(capture, "open_camera", opened)
    named = [f"--camera={name}=/dev/{name}" for name in cameras]
    return CliRunner().invoke(cli, ["watch", *named, "--no-quality", "--json", *arguments])


def test_one_camera_whose_size_changes_does_not_end_the_watch_of_the_other(monkeypatch, tmp_path):
    bad = Changing(*[LARGE] * 9, *[SMALL] * 9, *itertools.repeat(LARGE, 10_000))
    good = Changing(*[LARGE] * 10_000)
    result = watched(monkeypatch, "--roi", ROI, "--frames", "60", "--store", str(tmp_path),
                     "--smooth", "1/1", bad=bad, good=good)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.count('"camera": "good"') > 20
    with Reader(tmp_path) as reader:
        told = {each.fields["kind"]: each.fields for each in reader.events()}
    assert "misfit (--roi" in told["unusable"]["reason"]
    assert told["unusable"]["camera"] == told["usable"]["camera"] == "bad"


def test_at_the_start_it_is_wrong_usage_that_names_the_camera(monkeypatch):
    cameras = {"good": Changing(*[LARGE] * 500), "bad": Changing(*[SMALL] * 500)}
    result = watched(monkeypatch, "--roi", ROI, **cameras)
    assert result.exit_code == 2
    assert f"Error: bad: --roi {ROI}: reaches beyond the picture of 32x24" in result.stderr
    result = watched(
        monkeypatch, "--roi", ROI, "--await-cameras", "--frames", "5",
        good=Changing(*[LARGE] * 500), bad=Changing(*[SMALL] * 500),
    )  # fmt: skip
    assert result.exit_code == 0, result.output


def test_a_photo_that_does_not_fit_is_taken_once_and_the_folder_watched_on(monkeypatch, tmp_path):
    monkeypatch.setattr(follow, "_GIVE_UP", 0.0)
    folder = tmp_path / "drop"
    folder.mkdir()
    Image.fromarray(np.full((24, 32, 3), 99, np.uint8)).save(folder / "small.png")
    Image.fromarray(np.full((48, 64, 3), 99, np.uint8)).save(folder / "z.png")
    words = ["watch", "--camera", str(folder), "--follow", "--no-quality", "--roi", ROI,
             "--store", str(tmp_path / "store"), "--frames", "1"]  # fmt: skip
    first = CliRunner().invoke(cli, words)
    assert (first.exit_code, first.stderr.count("small.png: --roi")) == (1, 1), first.output
    Image.fromarray(np.full((48, 64, 3), 9, np.uint8)).save(folder / "new.png")
    second = CliRunner().invoke(cli, words)
    assert (second.exit_code, second.stderr.count("small.png")) == (0, 0), second.output
