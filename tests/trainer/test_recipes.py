import re

import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge.errors import UsageError
from corrosion_edge.trainer import recipe_file
from corrosion_edge.trainer.recipe import DescentStage, HeadStage

_SMALL = 'format = 1\n[[stage]]\nkind = "head"\nstrengths = [0.1]\n'


@pytest.mark.parametrize("name", recipe_file.RECIPES)
def test_every_recipe_that_ships_is_read_and_says_what_it_costs_and_gives(name):
    recipe = recipe_file.read(name)
    header = recipe.text[: recipe.text.index("format =")]
    assert header.startswith(f"# {name}: ")
    for word in ("Command: corrosion-edge train", "Cost: ", "Result"):
        assert f"# {word}" in header
    assert all(line.startswith("#") for line in header.strip().splitlines())


def test_the_papers_recipe_is_the_papers():
    recipe = recipe_file.read("paper")
    frozen, tuned = recipe.stages
    assert isinstance(frozen, DescentStage)
    assert isinstance(tuned, DescentStage)
    assert (recipe.backbone, recipe.image_size, recipe.pooling) == ("efficientnetv2-b0", 224, "avg")
    assert (frozen.plan.epochs, frozen.plan.rate, frozen.plan.batch, frozen.top) == (
        25,
        1e-4,
        32,
        0,
    )
    assert (tuned.plan.epochs, tuned.plan.rate, tuned.plan.batch, tuned.top) == (25, 1e-5, 32, 0.2)
    assert frozen.augmentation == tuned.augmentation
    assert frozen.views == 0
    assert not recipe.confidence.temperature


def test_a_users_own_recipe_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(_SMALL)
    recipe = recipe_file.read(str(path))
    assert recipe.name == "mine"
    assert recipe.stages == (HeadStage(strengths=(0.1,)),)
    assert recipe.text == _SMALL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "format: expected 1, got None"),
        ("format = 2", "format: expected 1, got 2"),
        ("format = 1", "at least one stage"),
        ("format = ", "Invalid value"),
        (_SMALL.replace("head", "heads"), "stage.kind: expected head or descent"),
        (_SMALL.replace("[0.1]", "[]"), "strengths: expected numbers above 0"),
        (_SMALL.replace("[0.1]", "[-1]"), "strengths"),
        (_SMALL.replace("strengths", "strength"), "the key 'strength' is unknown"),
        (_SMALL + "views = -1", "views: expected 0 to 1000"),
        (_SMALL + "augmentation = { flop = 1 }", "the key 'flop' is unknown"),
        (_SMALL + "augmentation = { rotation = 7 }", "rotation: expected 0 to 1"),
        (_SMALL.replace("[[", 'pooling = "sum"\n[['), "pooling: expected avg or max, got 'sum'"),
        (_SMALL.replace("[[", "image_size = 7\n[["), "image_size: expected 32 to 1024"),
        (_SMALL.replace("[[", "colour = 7\n[["), "the key 'colour' is unknown"),
        (_SMALL + "[confidence]\nrecall = 2", "confidence.recall"),
        ('format = 1\n[[stage]]\nkind = "descent"\nrate = 1e-3', "epochs"),
        ('format = 1\n[[stage]]\nkind = "descent"\nrate = -1\nepochs = 1', "rate"),
        ('format = 1\n[[stage]]\nkind = "descent"\nrate = 1\nepochs = 1\ntop = 2', "top: expected"),
        ('format = 1\nstage = 7', "stage"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_recipe_is_named_with_its_file(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        recipe_file.read(str(path))
    assert str(caught.value).startswith(f"--recipe: {path}: ")


def test_a_recipe_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read \(No such file"):
        recipe_file.read(str(tmp_path / "none.toml"))
    with pytest.raises(UsageError, match="expected fast, paper"):
        recipe_file.read("quick")


def test_a_users_choices_change_what_they_name_and_are_kept_as_typed():
    recipe = recipe_file.read("paper").changed(epochs=(2,), fine_tune=0.1, pooling="max")
    assert [s.plan.epochs for s in recipe.stages if isinstance(s, DescentStage)] == [2, 0]
    assert [s.top for s in recipe.stages if isinstance(s, DescentStage)] == [0, 0.1]
    assert recipe.pooling == "max"
    assert recipe.choices == ("--pooling max", "--epochs 2", "--fine-tune 0.1")
    assert recipe_file.read("paper").changed() == recipe_file.read("paper")


def test_choices_without_use_are_refused_not_ignored():
    for name, choice in (
        ("fast", {"epochs": (3,)}),
        ("paper", {"epochs": (1, 2, 3)}),
        ("paper", {"epochs": ()}),
        ("fast", {"fine_tune": 0.2}),
        ("paper", {"fine_tune": 0.0}),
        ("paper", {"fine_tune": 1.5}),
    ):
        with pytest.raises(UsageError):
            recipe_file.read(name).changed(**choice)
    for wrong in ({"pooling": "sum"}, {"image_size": 8}, {"epochs": (-1,)}):
        with pytest.raises((UsageError, ValueError)):
            recipe_file.read("paper").changed(**wrong)
