"""A stand-in for the Edge TPU's library, and models that are compiled for it."""

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.accelerator.delegate import Delegate
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.network.graph import COMPILED, read

SOURCE = Path(__file__).parents[2] / "rigs" / "edgetpu_delegate.c"


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """The stand-in, see its source."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc to build the stand-in for libedgetpu")
    pytest.importorskip("ai_edge_litert", reason="no runtime is installed")
    path = tmp_path_factory.mktemp("delegate") / "libfake.so"
    words = ["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(path), str(SOURCE)]
    subprocess.run(words, check=True)
    return path


class Device:
    """The stand-in's device: what it does, in a file that the library reads each time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.does("ok")

    def does(self, word: str) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(word)
        beside.rename(self.file)

    def unplug(self) -> None:
        self.file.unlink()


@pytest.fixture
def device(tmp_path, monkeypatch, answers) -> Device:
    monkeypatch.setenv("FAKE_EDGETPU", str(tmp_path / "device"))
    monkeypatch.setenv("FAKE_EDGETPU_ANSWERS", str(answers))
    return Device(tmp_path / "device")


@pytest.fixture
def delegate(library) -> Delegate:
    return Delegate(str(library))


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """A folder with the default model, and with the same compiled for the Edge TPU."""
    pytest.importorskip("ai_edge_litert", reason="no runtime is installed")
    from edgetpu_fake import compiled

    from corrosion_edge.modelfile.compiled import wrap

    folder = tmp_path_factory.mktemp("models")
    shutil.copy(DEFAULT_MODEL, folder / "net.tflite")
    bundle = Bundle.load(DEFAULT_MODEL)
    wrap(bundle, compiled(bundle.model), "net.tflite").save(folder / "net_edgetpu.tflite")
    return folder


@pytest.fixture
def compiled_model(models) -> Bundle:
    return Bundle.load(models / "net_edgetpu.tflite")


@pytest.fixture(scope="session")
def answers(models) -> Path:
    """The default model's raw outputs for its golden pictures, as the stand-in reads them."""
    bundle = Bundle.load(models / "net_edgetpu.tflite")
    graph = read(bundle.model)
    (op,) = [op for op in graph.ops if op.custom == COMPILED]
    names = {tensor: name for name, tensor in bundle.manifest.outputs.items()}
    order = [names[graph.tensors[index].name] for index in op.outputs]
    with (models / "answers").open("wb") as file, Classifier.open(models / "net.tflite") as one:
        for golden in bundle.manifest.golden:
            prepared = one.prepare(one._picture(golden.picture))
            outputs = one.backend.run(prepared[None])
            file.write(struct.pack("=Q", int(prepared.astype(np.int64).sum())))
            file.write(b"".join(outputs[name].raw.tobytes() for name in order))
    return models / "answers"


@pytest.fixture
def words(models, library):
    return ("--model", models / "net_edgetpu.tflite", "--delegate", library)


@pytest.fixture
def live(serve, pictures):
    """A live camera on the network; its pictures are too small to be called blurred."""
    return ("--camera", serve(jpegs=pictures), "--no-quality")
