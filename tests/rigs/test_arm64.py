"""The device code on a Raspberry Pi's kind of machine: 64-bit Arm, emulated instruction by
instruction, with Debian's own Python and the packages that a Pi would install.

Two systems: Debian 13 (Python 3.13, ai-edge-litert, newest NumPy) and Debian 12 (Python 3.11,
tflite-runtime 2.14, NumPy 1.26). Nothing of TensorFlow is in either.

What this leaves untested: a Pi's own processor and memory, its cameras and image processor, an
Edge TPU, 32-bit systems, and every figure of latency, heat or power; an emulator's speed says
nothing of a Pi's.
"""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import rig
from PIL import Image

from corrosion_edge import __version__
from corrosion_edge.bundle import Bundle
from corrosion_edge.render import clip, surface

RUNTIMES = {"trixie": "ai-edge-litert", "bookworm": "tflite-runtime"}
ONE_STEP = 1
"""Steps of int8 by which machines may differ: kernels round differently, with XNNPACK or not."""


class Machine:
    """One emulated system."""

    def __init__(self, folder: Path, system: str) -> None:
        self.system = system
        self._folder = folder
        self._packages = folder / f"site-{system}"

    def python(self, *arguments: str | Path, within: float = 120):
        """Run its Python; -S keeps this machine's own packages out."""
        root = self._folder / self.system
        emulator = [self._folder / "qemu-aarch64", "-L", root, root / "usr/bin/python3", "-S"]
        path = f"{rig.CHECKOUT}:{self._packages}"
        return rig.run([*emulator, *arguments], within=within, environment={"PYTHONPATH": path})

    def command(self, *arguments: str | Path, within: float = 120):
        """Run ``corrosion-edge``."""
        return self.python("-m", "corrosion_edge", *arguments, within=within)


@pytest.fixture(params=RUNTIMES)
def machine(request: pytest.FixtureRequest) -> Machine:
    return Machine(rig.require("arm64"), request.param)


@pytest.fixture(scope="module")
def model() -> Path:
    return rig.model_file()


@pytest.fixture(scope="module")
def pictures(model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The model's golden pictures, and what a camera would give: larger, JPEG, upside down."""
    folder = tmp_path_factory.mktemp("pictures")
    bundle = Bundle.load(model)
    found = []
    for number, golden in enumerate(bundle.manifest.golden):
        picture = Image.open(io.BytesIO(bundle.files[golden.picture]))
        found.append(folder / f"golden {number}.png")
        picture.save(found[-1])
    found.append(folder / "photo.jpg")
    upside_down = Image.Exif()
    upside_down[0x0112] = 3
    Image.fromarray(surface("paint", rust=0.3, seed=5, size=(1280, 960))).save(
        found[-1], quality=85, exif=upside_down
    )
    return found


@pytest.fixture(scope="module")
def here(model: Path, pictures: list[Path]) -> dict:
    """What this machine makes of the pictures."""
    done = rig.native(rig.HERE / "arm64_probe.py", model, *pictures)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_golden_pictures_and_raw_scores_are_those_of_this_machine(machine, model, pictures, here):
    done = machine.python(rig.HERE / "arm64_probe.py", model, *pictures)
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout)
    assert there["machine"] == "aarch64"
    assert there["runtime"].startswith(RUNTIMES[machine.system])
    assert len(there["pictures"]) == len(pictures)
    for one, other in zip(there["pictures"], here["pictures"], strict=True):
        assert one["prepared"] == other["prepared"]
        assert one["raw"].keys() == other["raw"].keys()
        apart = np.subtract(one["raw"]["scores"], other["raw"]["scores"])
        assert np.abs(apart).max() <= ONE_STEP


def test_the_version_is_told(machine):
    done = machine.command("--version", within=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["corrosion-edge,", "version", __version__]


def test_classify_gives_json_verdicts_and_goes_on_after_a_broken_photo(
    machine, model, pictures, here, tmp_path
):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(pictures[-1].read_bytes()[:200])
    done = machine.command("classify", "--json", "--model", model, broken, *pictures)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert lines[0]["path"] == str(broken)
    assert str(broken) in lines[0]["error"]
    assert [line["path"] for line in lines[1:]] == [str(path) for path in pictures]
    for line, other in zip(lines[1:], here["pictures"], strict=True):
        assert line["score"] == pytest.approx(other["raw"]["scores"][1] / 256, abs=1.01 / 256)


def test_watch_reads_a_video_to_its_end(machine, model, tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    video = tmp_path / "clip.mkv"
    with av.open(str(video), "w") as container:
        track = container.add_stream("mjpeg", rate=10)
        track.width, track.height, track.pix_fmt = 320, 240, "yuvj420p"
        for pixels in clip(frames=4, size=(320, 240)):
            container.mux(track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(track.encode())
    done = machine.command("watch", "--json", "--camera", video, "--model", model)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [line["index"] for line in lines] == [0, 1, 2, 3]
    assert [line["position_s"] for line in lines] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert "4 classified" in done.stderr


def test_an_absent_camera_is_one_sentence(machine, model):
    done = machine.command("watch", "--camera", "/dev/video97", "--model", model)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: /dev/video97: no such device")
    assert len(done.stderr.splitlines()) == 1
