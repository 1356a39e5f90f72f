import pytest

from corrosion_edge.trainer import recipe_file
from corrosion_edge.trainer.backbones import BACKBONES
from corrosion_edge.trainer.recipe import DescentStage
from corrosion_edge.trainer.reproduce import paper
from corrosion_edge.trainer.reproduce.paper import FineTuned, Method
from corrosion_edge.trainer.views import Augmentation


def test_every_table_has_all_its_rows():
    assert list(paper.TABLE_1) == list(paper.BACKBONES)
    assert list(paper.TABLE_2) == [(n, p) for n in paper.BACKBONES for p in ("avg", "max")]
    fine_tuned = [(n, r) for n in paper.FINE_TUNED.values() for r in paper.RATIOS]
    assert list(paper.TABLES_3_TO_5) == fine_tuned
    assert set(paper.AUC) < set(fine_tuned)


def test_accuracies_are_counts_of_182_photos():
    """A slip in copying would hardly hit a multiple of 1/182; the paper cuts one figure short."""
    cells = [*paper.TABLE_2.values(), *paper.TABLES_3_TO_5.values()]
    for cell in cells:
        right = round(cell.accuracy * paper.TEST_PHOTOS)
        assert cell.accuracy == pytest.approx(right / paper.TEST_PHOTOS, abs=1.01e-4), cell


def test_tables_3_to_5_agree_within_themselves():
    """Recall, precision, F1 and accuracy of one confusion matrix: no-corrosion is positive."""
    for key, cell in paper.TABLES_3_TO_5.items():
        tp = round(cell.recall * paper.POSITIVES)
        fp = round(tp / cell.precision) - tp
        right = tp + paper.NEGATIVES - fp
        exact = FineTuned(
            tp / (tp + fp), tp / paper.POSITIVES,
            2 * tp / (tp + fp + paper.POSITIVES), right / paper.TEST_PHOTOS,
        )  # fmt: skip
        for name in ("precision", "recall", "f1", "accuracy"):
            got = getattr(cell, name)
            assert got == pytest.approx(getattr(exact, name), abs=1.01e-4), (key, name)


def test_the_split_sums_up():
    assert sum(map(sum, paper.SPLIT.values())) == 1819
    assert sum(paper.SPLIT["test"]) == paper.TEST_PHOTOS


def test_the_method_is_that_of_the_recipe():
    head, top = recipe_file.read("paper").stages
    method = Method()
    assert isinstance(head, DescentStage)
    assert isinstance(top, DescentStage)
    assert method.fine_tune_epochs == (head.plan.epochs, top.plan.epochs)
    assert method.rates == (head.plan.rate, top.plan.rate)
    assert method.batch == head.plan.batch == top.plan.batch
    assert Augmentation.from_dict(method.augmentation) == head.augmentation == top.augmentation


def test_the_trainer_knows_every_backbone():
    assert set(paper.BACKBONES) | set(paper.OURS) <= set(BACKBONES)


def test_a_method_without_epochs_is_refused():
    with pytest.raises(ValueError, match="epochs"):
        Method(frozen_epochs=0)
