"""The device room runs where none of the workstation's packages is installed."""

import pkgutil
import subprocess
import sys

import pytest
from PIL import Image

from corrosion_edge import device
from corrosion_edge.bundle import DEFAULT_MODEL

BARRED = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "imagehash")
BAR = f"import sys\nfor name in {BARRED!r}:\n    sys.modules[name] = None\n"


def run(code, *arguments):
    command = [sys.executable, "-c", BAR + code, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_the_bar_holds():
    assert "ModuleNotFoundError" in run("import tensorflow").stderr


def test_every_module_of_the_room_loads():
    found = pkgutil.walk_packages(device.__path__, "corrosion_edge.device.")
    names = [module.name for module in found]
    assert "corrosion_edge.device.sources.av_source" in names
    done = run("import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)", *names)
    assert done.stderr == ""
    assert done.returncode == 0


def test_the_help_of_the_commands_loads_no_numpy():
    code = (
        "from corrosion_edge.cli import cli\n"
        "for name in ('classify', 'watch'):\n"
        "    cli([name, '--help'], standalone_mode=False)\n"
        "assert 'numpy' not in sys.modules\n"
    )
    done = run(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="the package carries no default model yet")
def test_classify_works(tmp_path):
    Image.new("RGB", (64, 48), (150, 70, 30)).save(tmp_path / "a.png")
    done = run("from corrosion_edge.cli import main; main()", "classify", str(tmp_path / "a.png"))
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[1]) >= 0
    assert done.stdout.strip().endswith("a.png")
