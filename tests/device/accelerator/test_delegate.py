"""Loading a delegate: each way in which it fails is a sentence, and nothing else is printed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.accelerator.delegate import Delegate
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.backends.edgetpu import EdgeTpuBackend, in_use
from corrosion_edge.device.backends.litert import find_runtime
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, UsageError


def load(delegate):
    return delegate.load(find_runtime()[0])


def test_a_missing_library():
    with pytest.raises(BackendError, match=r"libedgetpu\.so\.0 cannot be loaded .*libedgetpu1-std"):
        load(Delegate("libedgetpu.so.0"))


def test_a_library_that_is_no_delegate():
    with pytest.raises(BackendError, match=r"libm\.so\.6 is no TFLite delegate"):
        load(Delegate("libm.so.6"))


@pytest.mark.parametrize("word", ["null", "text"])
def test_no_device(delegate, device, word):
    device.does(word)
    with pytest.raises(BackendError, match=r"found no Edge TPU.*plugdev") as error:
        load(delegate)
    assert ("and says: the fake has an error" in str(error.value)) == (word == "text")


def test_an_unplugged_device(delegate, device):
    device.unplug()
    with pytest.raises(BackendError, match="found no Edge TPU"):
        load(delegate)


def test_the_device_that_was_asked_for_reaches_the_library(library, device):
    load(Delegate(str(library), "usb:0"))
    with pytest.raises(BackendError, match="no Edge TPU usb:9, and says: the fake has no such"):
        load(Delegate(str(library), "usb:9"))


def test_nothing_is_printed_of_half_made_ones(delegate, device, capfd):
    device.does("null")
    for each in (delegate, Delegate("libedgetpu.so.0"), Delegate("libm.so.6")):
        with pytest.raises(BackendError):
            load(each)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("device", ["usb:", "tpu:0", "0", "usb:0,pci:0"])
def test_a_device_that_cannot_be(device):
    with pytest.raises(UsageError, match="expected usb, pci"):
        Delegate(device=device)


@pytest.mark.parametrize("device", ["", "usb", "pci", "usb:0", "pci:12", ":1"])
def test_devices_that_can_be(device):
    assert Delegate(device=device).device == device


def test_a_compiled_model_answers_its_golden_outputs(delegate, device, compiled_model):
    with Classifier(compiled_model, EdgeTpuBackend(compiled_model, delegate)) as classifier:
        assert classifier.check_golden("full") == []
        assert "Edge TPU, through libfake.so, its runtime 14" in classifier.backend.name
        picture = classifier._picture(compiled_model.manifest.golden[0].picture)
        prediction = classifier.classify(picture)
        assert prediction.backend == prediction.to_dict()["backend"] == classifier.backend.name
        assert in_use()
    assert not in_use()


def test_a_delegate_that_takes_nothing_never_means_the_cpu(delegate, device, compiled_model):
    device.does("idle")
    with pytest.raises(BackendError, match="unresolved custom op"):
        EdgeTpuBackend(compiled_model, delegate)


def test_a_model_that_is_not_compiled_is_refused(delegate, device, models):
    bundle = Bundle.load(models / "net.tflite")
    with pytest.raises(BackendError, match=r"not compiled for the Edge TPU.*--accelerator cpu"):
        EdgeTpuBackend(bundle, delegate)


def test_an_error_while_it_runs(delegate, device, compiled_model):
    with EdgeTpuBackend(compiled_model, delegate) as backend:
        device.does("invoke-error")
        with pytest.raises(BackendError, match="the fake device is gone"):
            backend.run(np.zeros((1, 224, 224, 3), np.uint8))


def test_operators_on_the_cpu_are_named(delegate, device, models, tmp_path):
    from edgetpu_fake import compiled

    from corrosion_edge.modelfile.compiled import wrap
    from corrosion_edge.network.graph import read

    bundle = Bundle.load(models / "net.tflite")
    last = len(read(bundle.model).ops) - 1
    made = wrap(bundle, compiled(bundle.model, [last]), "net.tflite")
    with EdgeTpuBackend(made, delegate) as backend:
        assert backend.name.endswith(", 1 operators on the CPU")


def test_a_compiled_model_is_never_run_on_the_cpu(compiled_model):
    with pytest.raises(BackendError, match=r"use net\.tflite"):
        open_backend(compiled_model)


def test_the_old_runtime_does_the_same(library, device, compiled_model, tmp_path):
    """With tflite-runtime 2.14 in a folder of its own, with NumPy 1, Pillow, click and jinja2."""
    site = os.environ.get("CORROSION_EDGE_TFLITE_RUNTIME")
    if not site:
        pytest.skip("CORROSION_EDGE_TFLITE_RUNTIME names no folder with tflite-runtime")
    code = (
        "import sys; from pathlib import Path\n"
        "from corrosion_edge.device.accelerator.delegate import Delegate\n"
        "from corrosion_edge.device.accelerator.trying import tried\n"
        "from corrosion_edge.errors import BackendError\n"
        "try: print(tried(Delegate(sys.argv[1]), Path(sys.argv[2]).read_bytes()))\n"
        "except BackendError as error: print(error)\n"
    )
    (tmp_path / "net").write_bytes(compiled_model.model)
    root = Path(__file__).parents[3]
    python = os.path.realpath(sys.executable)

    def said(which=library):
        words = [python, "-c", code, str(which), str(tmp_path / "net")]
        path = {"PYTHONPATH": f"{site}{os.pathsep}{root}"}
        done = subprocess.run(words, env=os.environ | path, capture_output=True, text=True)
        assert done.stderr == ""
        return done.stdout

    assert said() == "tflite-runtime 2.14.0\n"
    for word, told in (
        ("null", "found no Edge TPU"),
        ("text", "and says: the fake has an error"),
        ("invoke-error", "the fake device is gone"),
        ("idle", "unresolved custom op"),
    ):
        device.does(word)
        assert told in said()
    assert "cannot be loaded" in said("libedgetpu.so.0")
    assert "is no TFLite delegate" in said("libm.so.6")
