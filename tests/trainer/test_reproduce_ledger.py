import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reproduce_fake import made_up
from sklearn.metrics import f1_score, log_loss, precision_score, recall_score

from corrosion_edge.errors import DataError, UsageError
from corrosion_edge.trainer.reproduce.ledger import Ledger
from corrosion_edge.trainer.reproduce.paper import Size
from corrosion_edge.trainer.reproduce.rows import EXTRA, Figures, Outcome, Row

LABELS = np.array([1] * 9 + [0] * 7)
ROW = Row(3, "efficientnetv2-b0", "avg", 0.2)
IDENTITY = {"versions": {"keras": "3"}, "data": {"fingerprint": "a" * 64}, "epochs": [1, 2]}


def _outcome(seed: int = 1, row: Row = ROW) -> Outcome:
    return made_up(row, seed, "shared", LABELS, LABELS)


def test_rows_have_names_for_files_and_for_people():
    assert ROW.key == "efficientnetv2-b0_avg_top20"
    assert Row(2, "densenet121", "max").key == "densenet121_max_frozen"
    assert Row(EXTRA, "tiny", "max", 0.125).key == "tiny_max_top12.5"
    assert ROW.title == "EfficientNetV2B0, average pooling, 20 % fine-tuned"


@pytest.mark.parametrize(
    "words", [(1, "tiny", "avg", None), (2, "tiny", "mean", None), (2, "tiny", "avg", 0.1),
              (3, "tiny", "avg", None), (3, "tiny", "avg", 1.5)]
)  # fmt: skip
def test_rows_that_cannot_be(words):
    with pytest.raises(ValueError, match=r"expected|belong"):
        Row(*words)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1, width=32, allow_subnormal=False)),
                min_size=2, max_size=40))  # fmt: skip
def test_figures_are_scikit_learns_in_both_conventions(pairs):
    labels = np.array([1, 0, *(int(label) for label, _ in pairs)])
    scores = np.array([0.7, 0.6, *(score for _, score in pairs)])
    made = Figures.of(labels, scores)
    verdicts = scores >= 0.5
    for prefix, positive in (("", 1), ("paper_", 0)):
        words = {"pos_label": positive, "zero_division": 0}
        expected = [f(labels, verdicts, **words) for f in (precision_score, recall_score, f1_score)]
        got = [getattr(made, prefix + name) for name in ("precision", "recall", "f1")]
        assert got == pytest.approx(expected)
    assert made.accuracy == pytest.approx(np.mean(verdicts == labels)) == made.right / made.n
    clipped = np.clip(scores, 1e-7, 1 - 1e-7)
    assert made.loss == pytest.approx(log_loss(labels, clipped), rel=1e-6)


def test_an_outcome_survives_its_file(tmp_path):
    with Ledger.open(tmp_path / "ledger", IDENTITY) as ledger:
        ledger.add(_outcome(), "w")
        assert ledger.has(ROW, "shared", 1)
        assert not ledger.has(ROW, "shared", 2)
        assert not ledger.has(ROW, "independent", 1)
    (stored,) = Ledger.read(tmp_path / "ledger").outcomes()
    assert stored.outcome == _outcome()
    assert stored.weights == "w"


def test_an_outcome_refuses_what_is_no_number():
    value = _outcome().to_dict()
    for change in ({"seconds": float("nan")}, {"scores": value["scores"][1:]}, {"views": "own"}):
        with pytest.raises(ValueError, match="expected"):
            Outcome.from_dict(value | change)


def test_sizes_and_notes(tmp_path):
    with Ledger.open(tmp_path / "ledger", IDENTITY) as ledger:
        assert ledger.notes() == {}
        ledger.add_size("tiny", Size(31, 0.25))
        ledger.set_notes({"a": [1]})
        assert ledger.sizes() == {"tiny": Size(31, 0.25)}
        assert ledger.notes() == {"a": [1]}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"data": {"fingerprint": "b" * 64}}, "data fingerprint is bbbb"),
        ({"versions": {"keras": "4"}}, "versions keras is 4, was 3"),
        ({"epochs": [1, 3]}, r"epochs is \[1, 3\], was \[1, 2\]"),
        ({"more": 1}, "more is 1, was absent"),
    ],
)
def test_results_that_must_not_be_mixed_are_refused(tmp_path, change, named):
    with Ledger.open(tmp_path / "ledger", IDENTITY):
        pass
    with Ledger.open(tmp_path / "ledger", IDENTITY):
        pass
    with (
        pytest.raises(UsageError, match=named),
        Ledger.open(tmp_path / "ledger", IDENTITY | change),
    ):
        pytest.fail("it was opened")


def test_other_weights_are_refused(tmp_path):
    with Ledger.open(tmp_path / "ledger", IDENTITY) as ledger:
        ledger.add(_outcome(), "w")
        ledger.require_weights({ROW.backbone: "w", "tiny": "v"})
        with pytest.raises(UsageError, match="efficientnetv2-b0 with other weights"):
            ledger.require_weights({ROW.backbone: "v"})


def test_two_commands_at_once_are_refused(tmp_path):
    folder = tmp_path / "ledger"
    with Ledger.open(folder, IDENTITY):
        with pytest.raises(UsageError, match="another command"), Ledger.open(folder, IDENTITY):
            pytest.fail("it was opened twice")
        assert Ledger.read(folder).outcomes() == []
    with Ledger.open(folder, IDENTITY):
        pass


def test_what_a_killed_command_left_is_swept_and_never_read(tmp_path):
    folder = tmp_path / "ledger"
    with Ledger.open(folder, IDENTITY) as ledger:
        ledger.add(_outcome(), "w")
    part = folder / "rows" / ROW.key / ".shared-seed002.json.abc123"
    part.write_text("{half")
    other = folder / ".notes.json.xyz"
    other.write_text("{")
    assert len(Ledger.read(folder).outcomes()) == 1
    with Ledger.open(folder, IDENTITY) as ledger:
        assert not part.exists()
        assert not other.exists()
        assert len(ledger.outcomes()) == 1


@pytest.mark.parametrize("text", ["{half", "[]", '{"weights": "w", "outcome": {}}'])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, text: str):
    with Ledger.open(tmp_path / "ledger", IDENTITY) as ledger:
        ledger.add(_outcome(), "w")
        (path,) = (tmp_path / "ledger" / "rows").glob("*/*.json")
        path.write_text(text)
        with pytest.raises(DataError, match=r"shared-seed001\.json.*remove it"):
            ledger.outcomes()


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(DataError, match="no results here yet"):
        Ledger.read(tmp_path)


def test_files_are_plain_json(tmp_path):
    with Ledger.open(tmp_path / "ledger", IDENTITY) as ledger:
        ledger.add(_outcome(), "w")
    (path,) = (tmp_path / "ledger" / "rows").glob("*/*.json")
    assert path.name == "shared-seed001.json"
    assert json.loads(path.read_text())["outcome"]["row"]["backbone"] == ROW.backbone
