"""What is guarded: each measure gives the ratios of its rounds, all of one run."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from corrosion_edge import output
from corrosion_edge.benchmarks.archive.bare import bare, least_side
from corrosion_edge.benchmarks.archive.cost import measured
from corrosion_edge.benchmarks.archive.many import linked, rendered
from corrosion_edge.benchmarks.process import PROGRAM
from corrosion_edge.benchmarks.video import Network, both, watched, write_video
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.sources.source import Source
from corrosion_edge.errors import BackendError
from corrosion_edge.frame import Frame

__all__ = ["MEASURES", "Setting", "prepared"]

_FRAMES: Final = 180
_RUNS: Final = 12
_SERIES: Final = 30
_FEW, _MANY, _SIZE = 8, 200, (1920, 1080)

# What public examples do, and no more: open, resize, invoke.
_PLAIN: Final = """
import sys
import numpy as np
from PIL import Image
from {module} import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
given, made = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
height, width = given["shape"][1:3]
picture = Image.open(sys.argv[2]).convert("RGB").resize((width, height))
interpreter.set_tensor(given["index"], np.asarray(picture)[None])
interpreter.invoke()
print(interpreter.get_tensor(made["index"]))
"""


class Setting:
    """A recording, a photo, a folder of photos, and a bare network, in a folder."""

    def __init__(self, folder: Path) -> None:
        from PIL import Image

        from corrosion_edge.render import surface

        self.video, self.photo = folder / "surface.mp4", folder / "photo.jpg"
        self.network = folder / "network.tflite"
        write_video(self.video, _FRAMES, _SIZE)
        Image.fromarray(surface("paint", rust=0.2, seed=1, size=(640, 480))).save(self.photo)
        output.write(self.network, Bundle.load(DEFAULT_MODEL).model)
        few = folder / "few"
        few.mkdir()
        self.many = linked(rendered(few, _FEW, _SIZE), folder / "many", _MANY)


@contextmanager
def prepared() -> Iterator[Setting]:
    """A setting in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        yield Setting(Path(folder))


class _Scaled(Source):
    """``count`` frames of a recording that is decoded already, scaled as they are read."""

    name = "decoded"

    def __init__(
        self, pictures: Sequence[Any], sizes: Sequence[tuple[int, int]], count: int
    ) -> None:
        from corrosion_edge.device.sources.scaling import Scaling

        self._scaling, self._pictures, self._count = Scaling(sizes), pictures, count
        self._index = 0

    def read(self) -> Frame | None:
        """See ``Source.read``."""
        if self._index == self._count:
            return None
        picture = self._pictures[self._index % len(self._pictures)]
        whole, small = self._scaling.both(picture)
        self._index += 1
        return Frame.now(whole, self._index, scaled=small)

    def close(self) -> None:
        """See ``Source.close``."""


@contextmanager
def _frames(setting: Setting) -> Iterator[tuple[Callable[[int], Source], Any, Callable[[], Any]]]:
    """So many frames from a source, what judges one, and the invoke alone."""
    import av

    from corrosion_edge.device.capturing import Capture
    from corrosion_edge.device.classifier import Classifier

    with Classifier.open(threads=1) as classifier, av.open(str(setting.video)) as container:
        spec = classifier.manifest.preprocessing
        watch = Capture(blurred_below=0)
        judge, sizes = watch.view(classifier).judge, watch.sizes(classifier)
        pictures = [picture for picture, _ in zip(container.decode(video=0), range(8))]  # noqa: B905
        still = np.zeros((1, spec.height, spec.width, 3), np.uint8)
        yield (partial(_Scaled, pictures, sizes), judge, lambda: classifier.backend.run(still))


def frame_path(setting: Setting, rounds: int) -> tuple[float, ...]:
    """A decoded 1080p frame to its verdict, one step after the other, by the invoke alone."""
    with _frames(setting) as (frames, judge, invoke):
        source = frames(sys.maxsize)

        def path() -> Any:
            return judge(source.read())

        _seconds(path), _seconds(invoke)
        return tuple(_seconds(path) / _seconds(invoke) for _ in range(rounds))


def frame_rate(setting: Setting, rounds: int) -> tuple[float, ...]:
    """Decoded 1080p frames to verdicts as watch goes, scaled by another thread: time for each."""
    from corrosion_edge.device.capture.ahead import Ahead

    with _frames(setting) as (frames, judge, invoke):

        def series() -> float:
            with Ahead(frames(_SERIES)) as source:
                judge(source.read())
                begun = time.perf_counter()
                while (frame := source.read()) is not None:
                    judge(frame)
                return (time.perf_counter() - begun) / (_SERIES - 1)

        series()
        return tuple(series() / _seconds(invoke) for _ in range(rounds))


def watch(setting: Setting, rounds: int) -> tuple[float, ...]:
    """Frames a second of watch, by those of decoding and invoking side by side."""
    return tuple(
        watched(setting.video, Network())["fps"] / both(setting.video, Network())["fps"]
        for _ in range(rounds)
    )


def classify(setting: Setting, rounds: int) -> tuple[float, ...]:
    """Processor time of decoding and invoking alone, by that of classify on the same photos."""
    from corrosion_edge.device.backends.litert import usable_cores

    paths = sorted(str(photo) for photo in setting.many.rglob("*.jpg"))
    command = [*PROGRAM, "classify", str(setting.many), "--json", "--decode", "reduced"]
    at_least, cores = least_side("reduced", None), usable_cores()
    return tuple(
        bare(paths, cores, None, at_least, scaled=False).cpu / measured(command, len(paths)).cpu
        for _ in range(rounds)
    )


def start(setting: Setting, rounds: int) -> tuple[float, ...]:
    """A photo's verdict in a new process, by that of a script of a dozen lines."""
    from corrosion_edge.device.backends.litert import find_runtime

    runtime, _ = find_runtime()
    script = _PLAIN.format(module=runtime.__name__)
    plain = [sys.executable, "-c", script, str(setting.network), str(setting.photo)]
    ours = [*PROGRAM, "classify", "--threads", "1", str(setting.photo)]
    _until_first_line(plain), _until_first_line(ours)
    return tuple(_until_first_line(ours) / _until_first_line(plain) for _ in range(rounds))


def _seconds(work: Callable[[], Any]) -> float:
    """The median of some runs."""
    found = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return median(found)


def _until_first_line(command: list[str]) -> float:
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - begun
        process.stdout.read()
        told = process.stderr.read().decode(errors="replace")
    if not line:
        raise BackendError(f"{command[0]}: ended without a verdict ({told.strip()[-300:]})")
    return seconds


Measure = Callable[[Setting, int], tuple[float, ...]]
MEASURES: Final[dict[str, tuple[str, Measure, int]]] = {
    "frame-path": ("decoded 1080p frame to verdict / invoke alone", frame_path, 15),
    "frame-rate": ("the same, scaled by another thread meanwhile / invoke alone", frame_rate, 15),
    "watch": ("watch over 1080p / decoding and invoking alone, frames a second", watch, 5),
    "classify": ("decoding and invoking alone / classify, processor time", classify, 3),
    "start": ("first verdict of a new process / a plain script's", start, 7),
}
"""By name: what it is, what measures it, and in how many rounds."""
