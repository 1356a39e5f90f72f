"""What a model runs on, by the options and by what it is; and what may stand in."""

import shutil

import pytest
from commands import run

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, CorrosionEdgeError, UsageError
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.keys import PrivateKey
from corrosion_edge.modelfile.signature import sign


@pytest.fixture
def asked(library):
    """Options with the stand-in for the library."""

    def ask(**options):
        return Accelerator(delegate=str(library), **options)

    return ask


def opened(model, options, **how):
    said = []
    opening = options.openings(say=said.append, **how)
    return Classifier.open(model, opening=opening), said


def test_auto_takes_the_edge_tpu_for_a_compiled_model_and_says_why(models, device, asked):
    classifier, said = opened(models / "net_edgetpu.tflite", asked())
    with classifier:
        assert "Edge TPU" in classifier.backend.name
    assert said == [
        "accelerator: the Edge TPU, through libfake.so, as the model is compiled for it"
    ]


def test_auto_takes_the_cpu_for_any_other_and_says_why(models):
    classifier, said = opened(models / "net.tflite", Accelerator())
    with classifier:
        assert "CPU" in classifier.backend.name
    assert said == ["accelerator: none, the CPU, as the model is not compiled for an accelerator"]


@pytest.mark.parametrize(
    ("model", "options", "told"),
    [
        ("net.tflite", {"accelerator": "edgetpu"}, "not compiled for the Edge TPU"),
        ("net_edgetpu.tflite", {"accelerator": "cpu"}, "--delegate: needs an accelerator, not"),
        ("net.tflite", {}, "--delegate: the model is not compiled for an accelerator"),
        ("net.tflite", {"fallback": "cpu"}, "not compiled for an accelerator"),
        ("net.tflite", {"accelerator": "cpu", "fallback": "cpu"}, "not --accelerator cpu"),
        ("net_edgetpu.tflite", {"fallback_model": "net.tflite"}, "needs --fallback cpu"),
        ("net_edgetpu.tflite", {"accelerator_device": "tpu"}, "expected usb, pci"),
    ],
)
def test_what_cannot_be_is_refused(models, device, asked, model, options, told):
    with pytest.raises(CorrosionEdgeError, match=told):
        opened(models / model, asked(**options))


def test_a_compiled_model_is_refused_on_the_cpu(models):
    with pytest.raises(BackendError, match=r"not on the CPU; use net\.tflite"):
        opened(models / "net_edgetpu.tflite", Accelerator("cpu"))


def test_which_device_is_refused_where_there_is_none(models):
    options = Accelerator(accelerator_device="usb")
    with pytest.raises(UsageError, match="--accelerator-device: the model is not compiled"):
        opened(models / "net.tflite", options)


@pytest.mark.parametrize(
    "command",
    [("watch", "--frames", "1", "--camera", "demo", "--model"), ("classify",), ("benchmark",),
     ("benchmark", "tune")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("options", "told"),
    [((), "--delegate: the model is not compiled for an accelerator"),
     (("--accelerator", "cpu"), "--delegate: needs an accelerator, not --accelerator cpu")],
)  # fmt: skip
def test_every_command_refuses_a_library_for_the_cpu(models, folder, command, options, told):
    model = str(models / "net.tflite")
    photos = [str(folder), "--model", model] if command == ("classify",) else [model]
    result = run(*command, *photos, "--delegate", "/nope.so", *options)
    assert result.exit_code == 2, result.output
    assert f"Error: {told}" in result.stderr.replace(f"{model}: ", "")


def test_no_edge_tpu_is_an_error_that_names_the_model(models, device, asked):
    device.unplug()
    with pytest.raises(BackendError, match=r"net_edgetpu\.tflite: .*found no Edge TPU"):
        opened(models / "net_edgetpu.tflite", asked(), recover=True)


def test_answers_far_from_the_golden_outputs_are_refused(
    models, device, asked, monkeypatch, tmp_path
):
    wrong = bytearray((models / "answers").read_bytes())
    wrong[8:] = bytes(255 - byte for byte in wrong[8:])
    (tmp_path / "wrong").write_bytes(wrong)
    monkeypatch.setenv("FAKE_EDGETPU_ANSWERS", str(tmp_path / "wrong"))
    with pytest.raises(BackendError, match="steps away from the golden outputs"):
        opened(models / "net_edgetpu.tflite", asked())


def test_another_file_is_not_compared_with_a_process_while_this_one_holds_the_device(
    models, device, asked, monkeypatch
):
    """As when another model is put in place: only one process can have the device."""
    first, _ = opened(models / "net_edgetpu.tflite", asked())
    module = "corrosion_edge.device.accelerator.opening"
    monkeypatch.setattr(f"{module}.probe", lambda *_: pytest.fail("a process was started"))
    with first, opened(models / "net_edgetpu.tflite", asked())[0] as second:
        assert second.check_golden() == []


def test_the_fallback_is_found_beside_by_its_name(models, device, asked):
    device.unplug()
    options = asked(fallback="cpu")
    classifier, said = opened(models / "net_edgetpu.tflite", options, recover=True)
    with classifier:
        assert classifier.backend.name.endswith(", in place of the Edge TPU")
        assert classifier.check_golden("full") == []
        assert classifier.news().state == "replaced"
    assert said[0].startswith("warning: ")
    assert said[0].endswith("the CPU answers in place of the Edge TPU")


def test_without_it_the_fallback_has_to_be_named(models, device, asked, tmp_path):
    shutil.copy(models / "net_edgetpu.tflite", tmp_path)
    with pytest.raises(UsageError, match=r"net\.tflite is not beside .*--fallback-model"):
        opened(tmp_path / "net_edgetpu.tflite", asked(fallback="cpu"), recover=True)
    options = asked(fallback="cpu", fallback_model=models / "net.tflite")
    with opened(tmp_path / "net_edgetpu.tflite", options, recover=True)[0] as classifier:
        assert "libfake" in classifier.backend.name


def test_another_network_does_not_stand_in(models, device, asked, tmp_path):
    with Classifier.open(models / "net.tflite") as one:
        other = one.bundle.model + b"\0"
        manifest = one.manifest
    made = Bundle.seal(other, one.bundle.files, name="other", outputs=manifest.outputs)
    made.save(tmp_path / "other.tflite")
    options = asked(fallback="cpu", fallback_model=tmp_path / "other.tflite")
    with pytest.raises(UsageError, match=r"is not what .* was compiled from"):
        opened(models / "net_edgetpu.tflite", options, recover=True)


def test_the_fallback_has_to_be_signed_too(models, device, asked, tmp_path):
    key = PrivateKey.generate()
    file = Container.from_bytes((models / "net_edgetpu.tflite").read_bytes())
    (tmp_path / "net_edgetpu.tflite").write_bytes(sign(file, key).to_bytes())
    shutil.copy(models / "net.tflite", tmp_path)
    options = asked(fallback="cpu")
    with pytest.raises(CorrosionEdgeError, match=r"net\.tflite.*not signed"):
        opened(tmp_path / "net_edgetpu.tflite", options, recover=True, signed_with=key.public)
