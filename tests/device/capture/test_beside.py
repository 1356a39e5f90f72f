"""Followed folders beside other cameras: every picture, in its time; nobody waits for a share."""

import itertools
import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from kept import Kept
from PIL import Image

from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Beside, FollowedFolder, Several, Supervised, follow
from corrosion_edge.device.capture.bell import Bell
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.pipeline import Pipeline
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.sources.source import PhotoError
from corrosion_edge.device.store import Reader
from corrosion_edge.device.verdict import Verdict
from corrosion_edge.errors import BackendAway
from corrosion_edge.prediction import Prediction


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """A file is taken as it is, and looked for often."""
    monkeypatch.setattr(follow, "_GIVE_UP", 0.0)
    monkeypatch.setattr(follow, "_LOOK", 0.02)


def drop(folder, *names):
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        Image.fromarray(np.full((48, 64, 3), 10 + number, np.uint8)).save(folder / name)
    return folder


def several(told=None, live=None, **folders):
    bell, observe = Bell(), None if told is None else told.append
    made = {
        name: Beside(lambda tell, n=name, f=folder: FollowedFolder(f, observe=tell, camera=n),
                     bell, observe)
        for name, folder in folders.items()
    }  # fmt: skip
    cameras = {name: Supervised(camera, bell=bell) for name, camera in (live or {}).items()}
    return Several({**made, **cameras}, bell)


def test_pictures_of_all_come_with_their_cameras_name_and_a_broken_one_too(tmp_path):
    one = drop(tmp_path / "one", "0.png", "1.png", "2.png")
    two = drop(tmp_path / "two", "5.png")
    (two / "4.png").write_bytes(b"broken")
    seen = set()
    with several(a=one, b=two) as source:
        while len(seen) < 5:
            try:
                frame = source.read()
            except PhotoError as error:
                seen.add((error.camera, error.index, Path(error.name).name))
                assert [Path(file.path).name for file in source.taken(error.name)] == ["4.png"]
                continue
            seen.add((frame.camera, frame.index, Path(frame.name).name))
            assert [file.path for file in source.taken(frame.name)] == [frame.name]
            assert source.taken("another") == []
    assert {(camera, name) for camera, _, name in seen} == {
        ("a", "0.png"), ("a", "1.png"), ("a", "2.png"), ("b", "4.png"), ("b", "5.png")
    }  # fmt: skip
    assert sorted(index for _, index, _ in seen) == [0, 0, 1, 1, 2]
    assert not any(thread.name.startswith("reads") for thread in threading.enumerate())


def test_a_folder_that_hangs_or_is_gone_costs_the_others_nothing_and_is_told(tmp_path, monkeypatch):
    hangs = threading.Event()
    hung = drop(tmp_path / "hung")
    gone = drop(tmp_path / "gone")
    look = FollowedFolder._look
    monkeypatch.setattr(
        FollowedFolder, "_look", lambda self: hangs.wait(9) if self._path == hung else look(self)
    )
    told = []
    live = {"pole": FakeCamera(itertools.repeat("frame"), period=0.005)}
    with several(told, live=live, hung=hung, gone=gone) as source:
        source.read()
        gone.rmdir()
        end = time.monotonic() + 5
        while not told:
            assert source.read().camera == "pole"
            assert time.monotonic() < end
        hangs.set()
    assert (told[0].camera, told[0].event) == ("gone", "lost")


class Judge:
    """Says the same of everything, once the accelerator is back."""

    def __init__(self, away=0):
        self.away = away

    def classify(self, pixels):
        self.away -= 1
        if self.away >= 0:
            raise BackendAway("away")
        return Prediction(0.75, 0.5)


def judged(source, judge, until, **how):
    kept = Kept()
    pipeline = Pipeline(source, judge, [kept], **how)

    def write(result):
        Kept.write(kept, result)
        if until(kept.results):
            raise KeyboardInterrupt

    kept.write = write
    with source, pytest.raises(KeyboardInterrupt):
        pipeline.run()
    return pipeline.tally, kept.results


def photos(results):
    return [Path(r.frame.name).name for r in results if isinstance(r, Verdict) and r.frame.name]


def test_an_interval_keeps_pictures_back_and_skips_none_while_a_camera_goes_on(tmp_path):
    folder = drop(tmp_path / "drop", "0.png", "1.png", "2.png")
    live = {"pole": FakeCamera(itertools.repeat("frame"), period=0.005)}
    spacing = {"drop": 0.1, "pole": 0.0}
    tally, results = judged(several(live=live, drop=folder), Judge(),
                            lambda found: len(photos(found)) == 3,
                            interval=spacing.__getitem__)  # fmt: skip
    assert photos(results) == ["0.png", "1.png", "2.png"]
    times = [i for i, r in enumerate(results) if r.frame.name]
    assert all(later - earlier > 3 for earlier, later in itertools.pairwise(times))
    assert tally.skipped == 0


def test_while_an_accelerator_is_away_no_picture_of_a_folder_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr("corrosion_edge.device.pipeline.WAIT_STEP", 0.02)
    folder = drop(tmp_path / "drop", "0.png", "1.png")
    tally, results = judged(several(drop=folder), Judge(away=3),
                            lambda found: len(photos(found)) == 2)  # fmt: skip
    assert photos(results) == ["0.png", "1.png"]
    assert (tally.delivered, tally.dropped) == (1, 0)  # the second one's write ended it


@pytest.fixture(autouse=True)
def fresh(bundle, monkeypatch):
    """A classifier of its own for each watch."""
    made = lambda *_, **__: Classifier(bundle, FakeBackend())  # noqa: E731
    monkeypatch.setattr(Classifier, "open", made)


def watch(*arguments):
    return CliRunner().invoke(cli, ["watch", "--no-quality", "--json", *arguments])


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_two_folders_and_a_camera_are_watched_by_tables_and_taken_once(tmp_path, monkeypatch):
    def opened(spec, *, observe=None, bell=None, name="", **_):
        made = FakeCamera(itertools.repeat("frame"), period=0.01)
        return Supervised(made, observe=observe, bell=bell, name=name)

    monkeypatch.setattr(capture, "open_camera", opened)
    drop(tmp_path / "one", "0.png", "1.png")
    drop(tmp_path / "two", "2.png")
    (tmp_path / "two" / "bad.png").write_bytes(b"broken")
    file = tmp_path / "watch.toml"
    file.write_text(
        "[watch]\nfollow = true\nframes = 40\n[store]\nfolder = 'events'\n"
        "[camera.a]\nsource = 'one'\nasset = 'Bridge'\n[camera.b]\nsource = 'two'\n"
        "[camera.pole]\nsource = '/dev/video0'\n"
    )
    first = watch("--config", str(file))
    told = [(line["camera"], Path(line["path"]).name) for line in lines(first) if "path" in line]
    assert sorted(told) == [("a", "0.png"), ("a", "1.png"), ("b", "2.png"), ("b", "bad.png")]
    assert first.exit_code == 1, first.output
    frames = [line for line in lines(first) if "event" not in line]
    assert {line["camera"] for line in frames} == {"a", "b", "pole"}
    drop(tmp_path / "two", "3.png")
    second = watch("--config", str(file))
    told = [(line["camera"], Path(line["path"]).name) for line in lines(second) if "path" in line]
    assert told == [("b", "3.png")]
    with Reader(tmp_path / "events") as reader:
        assert next(iter(reader.events())).fields["kind"] == "started"


def test_what_is_no_folder_among_several_is_an_error_that_says_what_is_followed(tmp_path):
    drop(tmp_path / "one", "0.png")
    one = f"--camera=a={tmp_path / 'one'}"
    result = watch(one, f"--camera=b={tmp_path / 'one' / '0.png'}", "--follow")
    assert "0.png: no folder; only a folder can be followed" in result.stderr
    assert watch(one, "--camera=b=demo").exit_code == 2
    result = watch("--camera=a=/dev/video0", "--follow")
    assert (result.exit_code, "--follow: none of the cameras" in result.stderr) == (2, True)
