"""``quantize --target edgetpu`` on a tiny run: what is delivered, and what is refused and why."""

import json

import pytest
from click.testing import CliRunner
from edgetpu_fake import install, install_real_one

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge.bundle import Bundle
from corrosion_edge.cli import cli
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError
from corrosion_edge.network.graph import read
from corrosion_edge.quantize.edgetpu import compiler, rules

WIDE = ("--max-accuracy-drop", 1, "--max-auc-drop", 1, "--max-mean-change", 1, "--max-change", 1,
        "--min-agreement", 0, "--max-map-change", 1)  # fmt: skip


@pytest.fixture
def quantize(tiny_run, rendered, tmp_path):
    out = tmp_path / "models" / "m.tflite"

    def run(*more, code=0, target="edgetpu"):
        words = ("quantize", tiny_run, "--data", rendered, "--out", out, "--calibration", 10,
                 "--effort", "plain", "--target", target, *WIDE, *more)  # fmt: skip
        ran = CliRunner().invoke(cli, [str(word) for word in words])
        assert ran.exit_code == code, ran.output
        return ran

    return out, run


@pytest.fixture
def alone(monkeypatch):
    """No compiler on PATH, whatever this machine has."""
    monkeypatch.setattr(compiler.shutil, "which", lambda name: None)


@pytest.fixture
def without_mean(monkeypatch):
    """The checker believes that MEAN does not map."""
    monkeypatch.setattr(rules, "RULES", {k: v for k, v in rules.RULES.items() if k != "MEAN"})


def _told(out):
    return json.loads(out.with_suffix(".drift.json").read_text())["edgetpu"]


def _ops(out):
    return [op.name for op in read(out.read_bytes()).ops]


def test_without_the_compiler_it_is_a_prediction_with_the_next_steps(quantize, alone):
    out, run = quantize
    ran = run()
    assert "no split: every op runs on the Edge TPU" in ran.stdout
    assert "not compiled: edgetpu_compiler is not on PATH" in ran.stderr
    made = out.with_name("m_edgetpu.tflite")
    assert "  edgetpu_compiler m.tflite\n" in ran.stderr
    assert f"  corrosion-edge check {out} --compiled {made}  #" in ran.stderr
    assert f"  corrosion-edge bundle compiled {out} {made}  #" in ran.stderr
    told, count = _told(out), len(_ops(out))
    assert (told["predicted"], told["passed"], told["edgetpu_ops"]) == (True, True, count)
    assert told["ops"] == []
    page = out.with_suffix(".drift.html").read_text()
    assert "<h2>Edge TPU" in page
    assert f"which was not run: all {count} ops run on the Edge TPU." in page
    summary = Bundle.load(out).manifest.provenance["edgetpu"]
    assert summary == {
        "predicted": True, "edgetpu_ops": count, "cpu_ops": 0, "unknown_ops": 0,
        "parameters_bytes": told["parameters_bytes"],
    }  # fmt: skip
    assert list(out.parent.glob("*_edgetpu*")) == []


def test_what_does_not_map_is_not_delivered(quantize, alone, without_mean):
    out, run = quantize
    ran = run(code=3)
    assert "ops would run on the CPU and 0 may: op " in ran.stderr
    assert "(MEAN): not in Coral's list of supported ops -> replace it" in ran.stderr
    assert "MEAN v" in ran.stdout
    assert not out.exists()
    told = _told(out)
    assert told["cpu_ops"] == len(told["ops"]) > 0
    assert "MEAN" in [op["op"] for op in told["ops"]]
    assert all(op["rule"] and op["source"] for op in told["ops"])
    page = out.with_suffix(".drift.html").read_text()
    assert "Ops that do not surely run on the Edge TPU" in page
    assert "which was not run: " in page


def test_for_a_cpu_it_is_told_and_stops_nothing(quantize, without_mean, tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "exit 1")  # is not called
    out, run = quantize
    ran = run(target="cpu")
    assert out.exists()
    assert "Edge TPU" not in ran.stdout + ran.stderr
    assert _told(out)["cpu_ops"] > 0


def test_with_the_compiler_the_compiled_model_lies_beside(quantize, tmp_path, monkeypatch):
    install_real_one(tmp_path, monkeypatch)
    out, run = quantize
    ran = run()
    beside = out.with_name("m_edgetpu.tflite")
    assert f"Written: {beside}, compiled for the Edge TPU" in ran.stderr
    assert "the checker was right about every op that it told" in ran.stdout
    assert _ops(beside) == ["CUSTOM"]
    one, two = Bundle.load(out).manifest, Bundle.load(beside).manifest
    assert two.compiled is not None
    assert (two.compiled.source, two.compiled.source_sha256) == ("m.tflite", one.model_sha256)
    assert (two.compiled.mapped_ops, two.compiled.cpu_ops) == (len(_ops(out)), 0)
    assert two.compiled.compiler == "16.0.384591198"
    assert (two.golden, two.outputs, two.threshold) == (one.golden, one.outputs, one.threshold)
    assert two.provenance["edgetpu"]["predicted"] is False
    told = _told(out)["edgetpu_compiler"]
    assert (told["checker_wrong"], told["cpu_ops"]) == ([], 0)
    assert told["on_chip_used"] == round(6.02 * 2**20)
    page = out.with_suffix(".drift.html").read_text()
    assert f"Compiled by edgetpu_compiler: all {len(_ops(out))} ops run on the Edge TPU." in page
    assert "6.02 MiB" in page
    with pytest.raises(BackendError, match=r"use m\.tflite"):
        Classifier.open(beside)


def test_the_compilers_word_is_the_last(quantize, tmp_path, monkeypatch, without_mean):
    """The checker says no, the compiler maps all: delivered, and the checker was wrong."""
    install_real_one(tmp_path, monkeypatch)
    out, run = quantize
    ran = run()
    assert "(MEAN): said cpu (not in Coral's list of supported ops), it is edgetpu" in ran.stdout
    assert out.with_name("m_edgetpu.tflite").exists()
    wrong = _told(out)["edgetpu_compiler"]["checker_wrong"]
    assert "MEAN" in [one["op"] for one in wrong]
    assert {(one["checked"], one["compiled"]) for one in wrong} == {("cpu", "edgetpu")}
    mean = next(one for one in wrong if one["op"] == "MEAN")
    assert all("Mapped to Edge TPU" in status for status in mean["statuses"])


def test_what_the_compiler_leaves_is_not_delivered(quantize, tmp_path, monkeypatch, alone):
    out, run = quantize
    run()
    last = len(_ops(out)) - 1
    monkeypatch.undo()
    out.unlink()
    install_real_one(tmp_path, monkeypatch, [last])
    ran = run(code=3)
    assert f"edgetpu_compiler leaves 1 of {last + 1} ops on the CPU: op {last} (" in ran.stderr
    assert f"the checker was wrong on op {last} " in ran.stdout
    assert not out.exists()
    assert list(out.parent.glob("*_edgetpu*")) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'Internal compiler error. Aborting!' >&2; exit 1", "Internal compiler error"),
        ('cp "$4" "$3/model_edgetpu.tflite"; echo "RELU      1          Mapped to Edge TPU"',
         "what edgetpu_compiler made of m.tflite: nothing in it is compiled"),
    ],
)  # fmt: skip
def test_a_compiler_that_fails_stops_it_with_its_words(
    quantize, tmp_path, monkeypatch, script, said
):
    install(tmp_path, monkeypatch, script)
    out, run = quantize
    assert said in run(code=3).stderr
    assert not out.exists()
    assert said in _told(out)["edgetpu_compiler"]["failure"]
    assert said in out.with_suffix(".drift.html").read_text()


def test_an_older_compiled_model_is_called_old(quantize, alone):
    out, run = quantize
    out.parent.mkdir()
    out.with_name("m_edgetpu.tflite").write_bytes(b"older")
    assert "note: the m_edgetpu.tflite that is there is an older one" in run().stderr
