"""What an emulated device is asked, all in one process, as starting and importing cost most.

``arm64_guest.py FOUND EXCHANGE MODEL TESTS``: FOUND gets what was found as JSON; EXCHANGE holds the
pictures and the video; TESTS are files of the project's tests and pytest's options. ``judged`` also
runs on the machine that compares.
"""

import importlib.metadata
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from corrosion_edge import image
from corrosion_edge.device.classifier import Classifier

__all__ = ["Device", "judged", "pictures"]


def pictures(exchange: Path) -> list[Path]:
    """The pictures to be judged."""
    return sorted((exchange / "pictures").iterdir())


def judged(model: Path, paths: Sequence[Path]) -> dict[str, Any]:
    """What this machine makes of the golden pictures and of files: pixels' digest, raw scores."""
    with Classifier.open(model) as classifier:
        return {
            "machine": platform.machine(),
            "python": platform.python_version(),
            "runtime": classifier.backend.name,
            "golden": classifier.check_golden(),
            "pictures": [_judged(classifier, path) for path in paths],
            "smallest": sys.float_info.min / 2,
        }


def _judged(classifier: Classifier, path: Path) -> dict[str, Any]:
    prepared = classifier.prepare(image.read(path))
    outputs = classifier.backend.run(prepared[None])
    scores = outputs["scores"].raw.reshape(-1).tolist()
    return {"prepared": image.digest(prepared), "scores": scores}


class Device:
    """The scenarios, in a device's words; ``here`` is a folder of its own."""

    def __init__(self, here: Path, exchange: Path, model: Path, tests: Sequence[str]) -> None:
        self._here = here
        self._exchange = exchange
        self._model = model
        self._tests = tests

    def suite(self) -> dict[str, Any]:
        """The outcome of the project's own tests, with what was said of those that failed."""
        import hypothesis
        import pytest

        hypothesis.settings.register_profile(
            "emulated", max_examples=5, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        hypothesis.settings.load_profile("emulated")
        outcomes: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}

        class Recorder:
            def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
                if report.when == "call" or report.outcome != "passed":
                    outcomes[report.outcome].append(f"{report.nodeid}\n{report.longreprtext}")

        words = ["-q", "-p", "no:cacheprovider", f"--basetemp={self._here / 'tests'}"]
        code = pytest.main([*words, *self._tests], plugins=[Recorder()])
        return {"code": int(code), **outcomes}

    def judged(self) -> dict[str, Any]:
        """See the function of this name."""
        return judged(self._model, pictures(self._exchange))

    def classify(self) -> dict[str, Any]:
        """The golden pictures and a photo, after one that is broken."""
        paths = (self._exchange / "broken.jpg", *pictures(self._exchange)[:4])
        return _command("classify", "--json", "--model", self._model, *paths)

    def verify(self) -> dict[str, Any]:
        """The model file, with all its golden pictures."""
        return _command("bundle", "verify", "--level", "full", self._model)

    def watch(self) -> dict[str, Any]:
        """One frame of the demonstration, as rendering costs seconds here."""
        return _command("watch", "--json", "--camera", "demo", "--frames", 1,
                        "--model", self._model, "--verify", "quick")  # fmt: skip

    def doctor(self) -> dict[str, Any]:
        """Its trial of the runtime is a process of its own."""
        return _command("doctor", "--json", "--patience", 100, "--folder", self._here)

    def benchmark(self) -> dict[str, Any]:
        """The shortest there is, in a process of its own."""
        folder = self._exchange / "pictures"
        return _command("benchmark", self._model, "--threads", 1, "--runs", 1, "--processes", 1,
                        "--size", "224x224", "--pictures", folder, "--json", "-")  # fmt: skip

    def absent_camera(self) -> str:
        """What is said of a camera that is not there; PyAV has been loaded by then."""
        import av  # noqa: F401

        from corrosion_edge.device.sources import open_source
        from corrosion_edge.errors import SourceError

        try:
            open_source("/dev/video97").close()
        except SourceError as error:
            return str(error)
        return "opened"

    def video(self) -> list[tuple[float | None, str]]:
        """Position and digest of each frame of a video."""
        from corrosion_edge.device.sources import open_source

        with open_source(str(self._exchange / "clip.mkv")) as source:
            return [(one.position, image.digest(one.pixels)) for one in iter(source.read, None)]

    def unmet(self) -> list[str]:
        """What the wheel's extra ``device`` asks for, or a package in turn, and is not there.

        The old runtime is asked for on 32-bit Arm alone.
        """
        bits = "armv7l" if _installed("tflite-runtime") else platform.machine()
        wheel = importlib.metadata.distribution("corrosion-edge")
        missing = list(_missing(wheel, {"platform_machine": bits, "extra": "device"}))
        for found in importlib.metadata.distributions():
            if found.metadata["Name"] != "corrosion-edge":
                missing += _missing(found, {"extra": ""})
        return missing

    def origins(self) -> list[str]:
        """The file of each module of the product that was loaded."""
        loaded = [sys.modules[name] for name in sorted(sys.modules)
                  if name.partition(".")[0] == "corrosion_edge"]  # fmt: skip
        return [str(module.__file__) for module in loaded]


def _command(*words: object) -> dict[str, Any]:
    """What ``corrosion-edge`` said to these words."""
    from commands import run

    result = run(*words)
    return {"code": result.exit_code, "out": result.stdout, "err": result.stderr}


def _missing(of: importlib.metadata.Distribution, where: dict[str, str]) -> Iterator[str]:
    from packaging.requirements import Requirement

    for text in of.requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate(where):
            version = _installed(wanted.name)
            if version is None or version not in wanted.specifier:
                yield f"{of.metadata['Name']}: {text}, but {version}"


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def main(found: str, exchange: str, model: str, *tests: str) -> None:
    """Ask everything; the tests come first, before a runtime is loaded."""
    from guest import play

    device = Device(Path(found).parent, Path(exchange), Path(model), tests)
    scenarios = (
        device.suite, device.judged, device.classify, device.verify, device.watch, device.doctor,
        device.benchmark, device.absent_camera, device.video, device.unmet, device.origins,
    )  # fmt: skip
    play(scenarios, Path(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
