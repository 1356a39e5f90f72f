import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reproduce_fake import made_up
from sklearn.metrics import roc_curve

from corrosion_edge.trainer.reproduce import paper, weights
from corrosion_edge.trainer.reproduce.flow import flow_chart
from corrosion_edge.trainer.reproduce.page import page
from corrosion_edge.trainer.reproduce.paper import Method, Size
from corrosion_edge.trainer.reproduce.plots import curves, mean_roc, verdicts
from corrosion_edge.trainer.reproduce.rows import EXTRA, Figures, Outcome, Row, Views
from corrosion_edge.trainer.reproduce.sizes import SizeResult
from corrosion_edge.trainer.reproduce.summary import Report, RowResult
from corrosion_edge.trainer.reproduce.tables import beside, csv_files, grids, markdown

LABELS = np.array([1] * paper.NEGATIVES + [0] * paper.POSITIVES)
B0 = Row(3, "efficientnetv2-b0", "avg", 0.2)
FROZEN = Row(2, "efficientnetv2-b0", "avg")
DATA = {
    "fingerprint": "f" * 64,
    "photos": {name: {"corrosion": c, "no-corrosion": n} for name, (c, n) in paper.SPLIT.items()},
    "unreadable": [],
}


def _outcome(row: Row, seed: int, right: int, views: Views = "shared") -> Outcome:
    """A made-up outcome with so many right answers: the wrong ones are corrosion not found."""
    scores = np.where(LABELS == 1, 0.9, 0.1) + np.linspace(0, 0.01, len(LABELS))
    scores[: len(LABELS) - right] = 0.2
    base = made_up(row, seed, views, LABELS, LABELS)
    return replace(base, test=Figures.of(LABELS, scores), scores=tuple(scores.tolist()))


def _result(row: Row, *rights: int, views: Views = "shared", **words: object) -> RowResult:
    outcomes = tuple(_outcome(row, i + 1, right, views) for i, right in enumerate(rights))
    return RowResult(row, views, outcomes, **words)  # type: ignore[arg-type]


def _report(*results: RowResult, comparable: bool = True) -> Report:
    return Report(
        sizes=[SizeResult("efficientnetv2-b0", Size(270, 22.58)), SizeResult("tiny", None, "why")],
        results=results,
        data=DATA,
        method=Method().to_dict(),
        facts={"command": "corrosion-edge reproduce", "made": "2026-01-01", "machine": "m"},
        comparable=comparable,
    )


def test_sentences_for_every_case():
    cases = {
        "agrees. The paper's 0.9176 is a figure that one more seed": _result(B0, 166, 168, 167),
        "agrees, as far as 182 photos can tell. The paper's 0.9176 lies outside what one more seed "
        "of ours would give (0.938 to 0.970), but is within": _result(B0, 173, 174, 174),
        "agrees, as far as 182 photos can tell. The paper's 0.9176 is within": _result(B0, 170),
        "differs. The paper's 0.9176 lies outside": _result(B0, 140, 141, 142),
        "differs. The paper's 0.9176 is further from ours": _result(B0, 140),
        "the paper has no such row. Ours 0.9341": _result(Row(EXTRA, "tiny", "max", 0.2), 170),
        "a trial, not comparable": _result(B0, 170, comparable=False),
        "not run: no weights.": _result(B0, asked=(1, 2), reason="no weights"),
        "Only 1 of 2 seeds were run: it stopped.": _result(
            B0, 167, asked=(1, 2), reason="it stopped"
        ),
    }
    for words, result in cases.items():
        assert words in result.sentence, result.sentence
        assert result.sentence.startswith(result.row.title)


def test_a_seed_that_was_not_asked_for_does_not_make_a_row_whole():
    result = _result(B0, 167, 167, asked=(1, 3), reason="r")
    assert not result.complete
    assert replace(result, asked=(1, 2)).complete


def test_the_papers_figures_stand_beside_ours():
    frozen, fine_tuned = _result(FROZEN, 160, 162), _result(B0, 166, 167)
    tables = {grid.number: grid for grid in grids(_report(frozen, fine_tuned))}
    assert set(tables) == {1, 2, 3}
    assert tables[2].rows[0][:5] == ("EfficientNetV2B0", "avg", "0.8846", "0.885 ± 0.008", "agrees")
    papers, ours = tables[3].rows
    assert papers[:6] == ("20 %", "paper", "0.9048", "0.9157", "0.9102", "0.9176")
    assert papers[9] == "0.97"
    recall = f"{83 / 83:.3f} ± 0.000"
    assert ours[3] == recall  # no corrosion is positive: all wrong answers are corrosion
    assert ours[5] == "0.915 ± 0.004"
    assert "| 20 % | paper | 0.9048 |" in markdown(tables[3])


def test_the_csv_has_every_figure_by_name():
    files = csv_files(_report(_result(FROZEN, 160, 162), _result(B0, asked=(1,), reason="r")))
    assert set(files) == {"table1.csv", "table2.csv", "table3.csv"}
    (row,) = csv.DictReader(files["table2.csv"].splitlines())
    assert float(row["accuracy_mean"]) == pytest.approx(161 / 182)
    assert row["published_accuracy"] == "0.8846"
    assert row["verdict"] == "agrees"
    (row,) = csv.DictReader(files["table3.csv"].splitlines())
    assert (row["seeds"], row["accuracy_mean"], row["verdict"]) == ("0", "", "not run")


def test_independent_views_stand_beside_shared_ones():
    shared, own = _result(B0, 166, 167), _result(B0, 160, 164, views="independent")
    alone = _result(FROZEN, 160)
    grid = beside([shared, own, alone])
    assert grid is not None
    assert [row[1] for row in grid.rows] == ["shared", "independent"]
    assert beside([shared, alone]) is None
    (table,) = [g for g in grids(_report(own, shared)) if g.number == 3]
    assert table.rows[1][5] == "0.915 ± 0.004"  # the paper's table shows the shared ones
    assert "independent views" in own.sentence


def test_the_page_warns_where_it_must():
    result = _result(B0, 166, 167)
    pictures = {f"{result.stem}_{kind}": _png(result) for kind in ("curves", "verdicts")}
    text = page(_report(result), pictures)
    assert "not wholly independent" in text
    assert "are not the paper" not in text
    assert text.count("data:image/png;base64,") == 2
    assert text.count("data:image/svg+xml;base64,") == 1
    other = replace(_report(result), data=DATA | {"photos": DATA["photos"] | {
        "train": {"corrosion": 622, "no-corrosion": 580}}})  # fmt: skip
    assert "The training photos are not the paper&#39;s: 622 with" in page(other, pictures)
    one = _result(B0, 166)
    assert "not wholly independent" not in page(_report(one), pictures)


def _png(result: RowResult) -> bytes:
    return curves(result.outcomes)


def test_table_1_is_compared_to_two_places():
    assert SizeResult("efficientnetv2-b0", Size(270, 22.5843)).verdict == "agrees"
    assert SizeResult("efficientnetv2-b0", Size(271, 22.58)).verdict == "differs"
    assert SizeResult("efficientnetv2-b0", Size(270, 22.70)).verdict == "differs"
    assert SizeResult("efficientnet-lite0", Size(1, 1)).verdict == "not in the paper"


def test_what_is_missing_is_named():
    missing = _report(_result(B0, asked=(1,), reason="r"), _result(FROZEN, 160)).missing
    assert [sentence.split(":")[0] for sentence in missing] == [B0.title, "tiny, size"]


def test_the_mean_roc_passes_through_each_seeds_own():
    outcomes = [made_up(B0, seed, "shared", LABELS, LABELS) for seed in (1, 2)]
    rates, recalls = mean_roc(outcomes)
    assert recalls.shape == (2, paper.POSITIVES + 1)
    assert (np.diff(recalls, axis=1) >= 0).all()
    assert recalls[:, -1].tolist() == [1, 1]
    for outcome, own in zip(outcomes, recalls, strict=True):
        alarms, found, _ = roc_curve(outcome.labels, outcome.scores)
        for alarm in np.unique(alarms):
            place = int(np.argmin(abs(rates - alarm)))
            assert own[place] == pytest.approx(found[alarms == alarm].max())
        # The area under the steps, from each rate to the next, is the AUC but for ties.
        assert own[:-1].mean() == pytest.approx(outcome.test.auc, abs=0.01)


@pytest.mark.parametrize("seeds", [1, 3])
def test_pictures_are_drawn_for_one_seed_and_for_more(seeds):
    outcomes = [made_up(B0, seed, "shared", LABELS, LABELS) for seed in range(1, seeds + 1)]
    for picture in (curves(outcomes, 25), verdicts(outcomes)):
        assert picture.startswith(b"\x89PNG")


def test_the_flow_chart_says_what_was_done():
    method = Method(frozen_epochs=7, fine_tune_epochs=(3, 4)).to_dict()
    text = re.sub(r"<[^>]+>", "\n", flow_chart(DATA, method))
    for words in ("1819 photos, 224 × 224 pixels", "train: 1273 (693 corrosion, 580 no corrosion)",
                  "Table 2: 7 epochs", "3 such epochs, then 4 at 1e-05",
                  "horizontal and vertical flips, rotation ± 72°"):  # fmt: skip
        assert words in text


def test_weights_are_told_apart_by_their_content(tmp_path, monkeypatch):
    monkeypatch.setenv("CORROSION_EDGE_WEIGHTS", str(tmp_path))
    one, two, other = (tmp_path / name for name in ("one.npz", "two.npz", "other.npz"))
    one.write_bytes(b"a")
    two.write_bytes(b"a")
    other.write_bytes(b"b")
    same, different = (weights.identity("tiny", str(f)) for f in (two, other))
    assert weights.identity("tiny", str(one)) == same != different
    assert weights.identity("densenet121", "imagenet") == "imagenet"
    _vouched_for(tmp_path, "densenet121")
    assert weights.identity("densenet121", "imagenet") == "c" * 64


def _vouched_for(folder: Path, name: str) -> None:
    from corrosion_edge.output import json_text
    from corrosion_edge.trainer.weights.store import BY_USER

    note = {"backbone": name, "source": "s", "origin": "o", "licence": "l", "imported": "i",
            "verified_by": BY_USER, "content_sha256": "c" * 64, "file_sha256": "f"}  # fmt: skip
    (folder / f"{name}.json").write_text(json_text(note))
    (folder / f"{name}.npz").write_bytes(b"x")
