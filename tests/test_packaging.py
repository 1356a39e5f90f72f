"""The wheel, and an environment with only what a device installs."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("trainer", "quantize", "device", "benchmarks")
PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]


def _python(
    *words: object, executable: Path | str = sys.executable, cwd: Path = ROOT, code: int = 0
) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    ran = subprocess.run([executable, *map(str, words)], cwd=cwd, env=environment,
                         capture_output=True, text=True)  # fmt: skip
    assert ran.returncode == code, f"{words}: {ran.stdout}{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def device(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel and the extra ``device`` alone."""
    folder = tmp_path_factory.mktemp("device") / "venv"
    venv.create(folder, with_pip=True)
    _python(*PIP, "install", f"{wheel}[device]", executable=folder / "bin" / "python")
    return folder / "bin"


def test_the_wheel_holds_every_module_and_no_more(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "corrosion_edge").rglob("*")
        if path.suffix in (".py", ".html", ".tflite") or path.name == "py.typed"
        if not any(part in ROOMS for part in path.relative_to(ROOT).parts)
    }
    for room in ROOMS:
        expected |= {
            f"corrosion_edge/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / room).rglob("*")
            if path.suffix in (".py", ".toml", ".csv")
            or path.parent.name == "files"
            or path.name.endswith(".schema.json")
        }
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == expected
    assert "corrosion_edge/models/default.tflite" in inside
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_links_lead_to_the_rooms():
    for room in ROOMS:
        assert (ROOT / "corrosion_edge" / room).resolve() == ROOT / room


def test_a_device_installs_no_training_packages(device):
    listed = json.loads(_python("-m", "pip", "list", "--format=json", executable=device / "python"))
    installed = {entry["name"].lower() for entry in listed}
    assert not installed & {"tensorflow", "keras", "scikit-learn", "scipy", "matplotlib"}
    assert {"numpy", "pillow", "click", "av"} <= installed


def test_a_device_classifies_watches_and_benchmarks(device, tmp_path):
    program, python = device / "corrosion-edge", device / "python"
    _python("-c", "from corrosion_edge.render import surface; from PIL import Image; "
            "Image.fromarray(surface('steel', rust=0.6, seed=4)).save('rust.png')",
            executable=python, cwd=tmp_path)  # fmt: skip
    line = json.loads(_python("classify", "rust.png", "--json", "--heatmap", "maps",
                              executable=program, cwd=tmp_path))  # fmt: skip
    assert line["path"] == "rust.png"
    assert line["label"] in ("corrosion", "no-corrosion")
    assert len(list((tmp_path / "maps").rglob("*.png"))) == 1
    verdicts = _python("watch", "--camera", "demo", "--frames", 4, "--json",
                       executable=program, cwd=tmp_path)  # fmt: skip
    assert [json.loads(v)["index"] for v in verdicts.splitlines()] == [0, 1, 2, 3]
    report = json.loads(_python("benchmark", "--threads", 1, "--runs", 5, "--json", "-",
                                executable=program, cwd=tmp_path, code=3))  # fmt: skip
    assert "5 runs, fewer than 100" in report["results"][0]["void"]


@pytest.mark.parametrize("command", ["train", "quantize", "drift", "evaluate"])
def test_a_device_says_which_extra_training_needs(device, tmp_path, command):
    words = {"train": [tmp_path, "--out", tmp_path / "run"],
             "quantize": [tmp_path, "--data", tmp_path, "--out", tmp_path / "m.tflite"],
             "drift": [tmp_path, tmp_path / "m.tflite", tmp_path],
             "evaluate": [tmp_path, tmp_path]}[command]  # fmt: skip
    ran = subprocess.run([device / "corrosion-edge", command, *words],
                         capture_output=True, text=True)  # fmt: skip
    assert ran.returncode == 2
    assert ran.stderr.strip().endswith("run: pip install 'corrosion-edge[train]'")
