"""The compiler's log, and a program that stands in for the compiler."""

import pytest
from edgetpu_fake import HEAD, TABLE, TAIL, WORKS, install
from edgetpu_models import chain

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.edgetpu import compiler
from corrosion_edge.quantize.edgetpu.check import check
from corrosion_edge.quantize.edgetpu.compiler import Log, LoggedOp

MODEL = chain("RELU", "SPACE_TO_DEPTH", "ABS", "RELU")


def test_what_the_compiler_prints():
    log = Log.parse(HEAD + TABLE + TAIL)
    assert log.version == "16.0.384591198"
    assert (log.subgraphs, log.operations, log.mapped) == (1, 4, 2)
    assert log.on_chip_used == round(6.02 * 2**20)
    assert log.on_chip_remaining == round(7.75 * 2**10)
    assert log.off_chip_used == 0
    assert log.ops == (
        LoggedOp("RELU", 1, "Mapped to Edge TPU"),
        LoggedOp("RELU", 1, "More than one subgraph is not supported"),
        LoggedOp("SPACE_TO_DEPTH", 1, "Mapped to Edge TPU"),
        LoggedOp("ABS", 1, "Operation not supported"),
    )


def test_the_log_file_has_the_table_alone():
    text = "Edge TPU Compiler version 16.0.384591198\nInput: a.tflite\nOutput: a_edgetpu.tflite\n\n"
    log = Log.parse(text + TABLE)
    assert (log.version, log.mapped, log.on_chip_used) == ("16.0.384591198", 2, None)


@pytest.mark.parametrize(
    "status",
    [
        "Operation is otherwise supported, but not mapped due to some unspecified limitation",
        "Operation is working on an unsupported data type",
        "Tensor has unsupported rank (up to 3 innermost dimensions mapped)",
        "Operation version not supported",
    ],
)
def test_every_status_is_kept_in_its_words(status):
    (row,) = Log.parse(f"CONV_2D                        12         {status}\n").ops
    assert row == LoggedOp("CONV_2D", 12, status)
    assert not row.mapped


def test_a_text_without_a_table_is_refused_with_its_error():
    text = "ERROR: Didn't find op for builtin opcode 'CONV_2D' version '6'.\n\nInvalid model: a\n"
    with pytest.raises(BackendError, match="CONV_2D"):
        Log.parse(text)


def test_where_the_two_agree_nothing_is_said():
    assert compiler.differences(check(MODEL), Log.parse(TABLE)) == []


def test_where_the_checker_was_wrong():
    table = TABLE.replace(
        "SPACE_TO_DEPTH                 1          Mapped to Edge TPU",
        "SPACE_TO_DEPTH                 1          Operation version not supported",
    )
    (wrong,) = compiler.differences(check(MODEL), Log.parse(table))
    assert (wrong.op, wrong.checked, wrong.unknown, wrong.compiled) == ("SPACE_TO_DEPTH", 1, 0, 0)
    assert wrong.statuses == ("1 Operation version not supported",)


@pytest.mark.parametrize("status", ["Mapped to Edge TPU", "Operation not supported"])
def test_an_unknown_op_is_never_wrong(status):
    report = check(chain("SOFTMAX"))
    assert compiler.differences(report, Log.parse(f"SOFTMAX      1          {status}\n")) == []


def test_the_program_on_path_is_run(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, WORKS)
    assert compiler.find() == tmp_path / "edgetpu_compiler"
    made = compiler.compile_model(MODEL)
    assert made.model == MODEL
    assert made.log == Log.parse(HEAD + TABLE)


def test_a_table_that_is_only_in_the_log_file_is_found(tmp_path, monkeypatch):
    script = f"""cp "$4" "$3/model_edgetpu.tflite"
cat > "$3/model_edgetpu.log" <<'EOF'
{TABLE}
EOF
"""
    install(tmp_path, monkeypatch, script)
    assert compiler.compile_model(MODEL).log.ops == Log.parse(TABLE).ops


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 'Internal compiler error. Aborting!' >&2; exit 1", "Internal compiler error"),
        (
            "echo 'ERROR: Restored original execution plan after delegate application failure.'\n"
            "echo 'Compilation failed: Compilation failed due to large activation tensors.'\n"
            "echo 'Compilation failed! '",
            "could not compile m.tflite: .*large activation tensors",
        ),
        ("exit 0", "could not compile m.tflite: it wrote nothing"),
        ("sleep 60", "more than 0.2 s"),
    ],
)
def test_a_failure_is_one_sentence(tmp_path, monkeypatch, script, sentence):
    install(tmp_path, monkeypatch, script.replace("sleep", "exec sleep"))
    with pytest.raises(BackendError, match=sentence):
        compiler.compile_model(MODEL, "m.tflite", timeout=0.2 if "sleep" in script else 30)


def test_without_the_program_the_sentence_says_where_it_exists(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiler.find() is None
    with pytest.raises(BackendError, match="not on PATH"):
        compiler.compile_model(MODEL)
