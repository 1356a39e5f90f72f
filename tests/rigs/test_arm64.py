"""The device code on a Raspberry Pi's kind of machine: 64-bit Arm, emulated instruction by
instruction, with Debian's own Python and the packages that a Pi would install.

Two systems: Debian 13 (Python 3.13, ai-edge-litert, newest NumPy) and Debian 12 (Python 3.11,
tflite-runtime 2.14, NumPy 1.26). Nothing of TensorFlow is in either.

What this leaves untested: a Pi's own processor and memory, its cameras and image processor, an
Edge TPU, 32-bit systems, and every figure of latency, heat or power; an emulator's speed says
nothing of a Pi's.
"""

import functools
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rig
from PIL import Image

from corrosion_edge import __version__, image
from corrosion_edge.bundle import Bundle
from corrosion_edge.render import clip, surface

RUNTIMES = {"trixie": "ai-edge-litert", "bookworm": "tflite-runtime"}
APART = {"trixie": 1, "bookworm": 64}
"""Steps of 1/256 by which a score may differ from this machine's ai-edge-litert.

The same runtime gives the same integers, or with other kernels one step more or less. The older
one rounds otherwise in every layer: over the 274 operations of an int8 EfficientNetV2-B0 that
made 8 to 38 steps, on x86 as on Arm. More would be a wrong picture, order or kernel.
"""

READ_VIDEO = """
import sys
from corrosion_edge import image
from corrosion_edge.device.sources import open_source
with open_source(sys.argv[1]) as source:
    while frame := source.read():
        print(frame.position, image.digest(frame.pixels))
"""


class Machine:
    """One emulated system."""

    def __init__(self, folder: Path, system: str) -> None:
        self.system = system
        self._folder = folder
        self._packages = folder / f"site-{system}"

    def python(self, *arguments: str | Path, within: float = 120):
        """Run its Python; -S keeps this machine's own packages out."""
        root = self._folder / self.system
        emulator: list[str | Path] = [
            self._folder / "qemu-aarch64",
            "-L",
            root,
            root / "usr/bin/python3",
            "-S",
        ]
        environment = {
            "PYTHONPATH": f"{rig.CHECKOUT}:{self._packages}",
            "PYTHONPYCACHEPREFIX": str(self._folder / f"bytecode-{self.system}"),
        }
        return rig.run([*emulator, *arguments], within=within, environment=environment)

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


@pytest.fixture(scope="module")
def there(model: Path, pictures: list[Path]) -> Callable[[Machine], dict]:
    """What an emulated machine makes of the pictures; asked once."""

    @functools.cache
    def answers(system: str) -> dict:
        emulated = Machine(rig.require("arm64"), system)
        done = emulated.python(rig.HERE / "arm64_probe.py", model, *pictures)
        assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
        return json.loads(done.stdout)

    return lambda machine: answers(machine.system)


def test_pictures_are_decoded_and_scaled_to_the_same_bytes(machine, here, there):
    found = there(machine)
    assert found["machine"] == "aarch64"
    assert found["runtime"].startswith(RUNTIMES[machine.system])
    assert found["pictures"]
    for one, other in zip(found["pictures"], here["pictures"], strict=True):
        assert one["prepared"] == other["prepared"]


def test_raw_scores_are_those_of_this_machine(machine, here, there):
    for one, other in zip(there(machine)["pictures"], here["pictures"], strict=True):
        assert one["raw"].keys() == other["raw"].keys()
        apart = np.subtract(one["raw"]["scores"], other["raw"]["scores"])
        assert np.abs(apart).max() <= APART[machine.system]


def test_the_golden_pictures_pass_or_the_difference_is_told(machine, model, pictures, there):
    """A runtime that answers otherwise than the model's maker saw must not watch in silence."""
    golden = there(machine)["golden"]
    done = machine.command("watch", "--json", "--camera", pictures[0], "--model", model,
                           "--verify", "full")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    warnings = [line for line in done.stderr.splitlines()
                if line.startswith("warning: ") and "the clock" not in line]  # fmt: skip
    if machine.system == "trixie":
        assert golden == []
        assert warnings == []
    else:
        assert "not measured with this runtime" in golden[0]
        assert f"warning: {golden[0]}" in warnings


def test_the_version_is_told(machine):
    done = machine.command("--version", within=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["corrosion-edge,", "version", __version__]


def test_classify_gives_json_verdicts_and_goes_on_after_a_broken_photo(
    machine, model, pictures, there, tmp_path
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
    for line, known in zip(lines[1:], there(machine)["pictures"], strict=True):
        assert line["score"] == pytest.approx(known["raw"]["scores"][1] / 256)


def test_an_absent_camera_is_one_sentence_and_no_package_is_missing(machine, tmp_path):
    """The wheels of PyAV load, and the kernel's answer about a device is understood."""
    code = (
        "import av; from corrosion_edge.device.sources import open_source as o; o('/dev/video97')"
    )
    done = machine.python("-c", code)
    assert done.stderr.splitlines()[-1].startswith(
        "corrosion_edge.errors.SourceError: /dev/video97: no such device; "
    )


def test_a_video_is_read_to_its_end(machine, tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    video = tmp_path / "clip.mkv"
    pictures = list(clip(frames=3, size=(160, 120)))
    with av.open(str(video), "w") as container:
        track = container.add_stream("ffv1", rate=10)
        track.width, track.height, track.pix_fmt = 160, 120, "bgr0"
        for pixels in pictures:
            container.mux(track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(track.encode())
    done = machine.python("-c", READ_VIDEO, video)
    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines()]
    assert [sha for _, sha in found] == [image.digest(pixels) for pixels in pictures]
    assert [float(position) for position, _ in found] == pytest.approx([0, 0.1, 0.2])


BENCHMARK_FACTS = """
import json, sys
from pathlib import Path
from corrosion_edge.benchmarks.machine import read_machine
from corrosion_edge.device.classifier import Classifier
facts = read_machine()
with Classifier.open(Path(sys.argv[1]), threads=1) as classifier:
    print(json.dumps([facts.architecture, facts.virtual, facts.int8_extensions.split(", "),
                      facts.runtime, classifier.backend.xnnpack]))
"""


def test_a_benchmark_knows_the_emulator_the_processor_and_whether_xnnpack_works(machine, model):
    done = machine.python("-c", BENCHMARK_FACTS, model)
    assert done.returncode == 0, done.stderr
    architecture, virtual, extensions, runtime, xnnpack = json.loads(done.stdout)
    assert (architecture, virtual) == ("aarch64", "yes")
    assert {"asimd", "asimddp"} <= {*extensions}
    assert runtime.startswith(RUNTIMES[machine.system])
    assert xnnpack == (machine.system == "trixie")  # not for this int8 network in the older one
