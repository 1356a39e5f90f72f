import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras

from corrosion_edge.trainer import backbones, engine, model, recipe_file
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.recipe import Recipe
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.store import Store


def samples(n: int = 24, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    pixels = rng.integers(0, 120, (n, 64, 64, 3), np.uint8)
    pixels[labels == 1, 16:48, 16:48, 0] += 120
    return Samples(pixels, labels, (Photo(Path("x.jpg"), 0),) * n)


def task(work: Path, recipe: Recipe, seed: int = 5, network: str = "tiny") -> engine.Task:
    keras.utils.set_random_seed(3)
    recipe = recipe.changed(image_size=64)
    backbone, _ = backbones.build(network, 64, "none")
    return engine.Task(
        recipe=recipe,
        parts=engine.start(recipe, backbone),
        train=samples(64),
        validation=samples(24, seed=9),
        seed=seed,
        work=work,
        store=Store(work / "views", 10**9),
    )


def weights(trained: keras.Model) -> list[np.ndarray]:
    return [np.asarray(v) for v in trained.weights]


def test_the_head_is_the_logistic_regression_it_chose(tmp_path):
    todo = task(tmp_path, recipe_file.read("fast"))
    fitted = engine.fit(todo)
    losses = [row["validation_loss"] for row in fitted.history]
    best = fitted.history[int(np.argmin(losses))]
    assert fitted.chosen == {"stage 1 strength": best["strength"]}
    p = model.predict(fitted.model, todo.validation.pixels)
    y = todo.validation.labels
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert loss == pytest.approx(min(losses), rel=1e-3)


def test_views_of_the_photos_are_more_photos_for_the_head(tmp_path):
    path = tmp_path / "views.toml"
    path.write_text(
        'format = 1\n[[stage]]\nkind = "head"\nstrengths = [0.1]\nviews = 2\n'
        "augmentation = { brightness = 0.3 }\n"
    )
    plain = engine.fit(task(tmp_path / "a", recipe_file.read("fast")))
    more = engine.fit(task(tmp_path / "b", recipe_file.read(str(path))))
    assert len(list((tmp_path / "b" / "views").glob("*.array"))) == 4
    assert len(list((tmp_path / "a" / "views").glob("*.array"))) == 2
    assert not np.allclose(weights(plain.model)[-2], weights(more.model)[-2])


def test_the_papers_two_parts_change_only_what_they_may(tmp_path):
    recipe = recipe_file.read("paper")
    todo = task(tmp_path / "a", recipe.changed(epochs=(2, 0)))
    backbone = todo.parts.backbone
    moving = [v for x in backbone.layers for v in x.weights if "moving" in v.name]
    start = {v.path: v.numpy() for v in backbone.weights}
    statistics = [v.numpy() for v in moving]
    frozen = engine.fit(todo)
    assert all(np.array_equal(start[v.path], v.numpy()) for v in backbone.weights)
    assert len(frozen.history) == 2

    todo = task(tmp_path / "b", recipe.changed(epochs=(1, 2)))
    backbone = todo.parts.backbone
    moving = [v for x in backbone.layers for v in x.weights if "moving" in v.name]
    start = {v.path: v.numpy() for v in backbone.weights}
    tuned = engine.fit(todo)
    changed = {v.path for v in backbone.weights if not np.array_equal(start[v.path], v.numpy())}
    top = {v.path for x in backbone.layers[-round(0.2 * len(backbone.layers)) :] for v in x.weights}
    assert changed
    assert changed <= top
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(statistics, moving, strict=True))
    assert [(row["stage"], row["epoch"]) for row in tuned.history] == [(1, 1), (2, 2), (2, 3)]


def test_training_from_random_weights_moves_the_statistics_too(tmp_path):
    todo = task(tmp_path, recipe_file.read("scratch").changed(epochs=(2,)))
    moving = [v for x in todo.parts.backbone.layers for v in x.weights if "moving" in v.name]
    before = [v.numpy() for v in moving]
    engine.fit(todo)
    assert not any(np.array_equal(a, b.numpy()) for a, b in zip(before, moving, strict=True))


def test_the_same_seed_trains_the_same_model_and_another_one_another(tmp_path):
    recipe = recipe_file.read("paper").changed(epochs=(1, 2))
    runs = [
        weights(engine.fit(task(tmp_path / str(i), recipe, seed)).model)
        for i, seed in enumerate((5, 5, 6))
    ]
    for one, same, _ in zip(*runs, strict=True):
        np.testing.assert_allclose(one, same, rtol=1e-5, atol=1e-7)
    assert not np.allclose(runs[0][-2], runs[2][-2])


_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.trainer.test_engine import engine, recipe_file, task
work, epochs = Path(sys.argv[1]), int(sys.argv[2])
todo = task(work, recipe_file.read("paper").changed(epochs=(2, 2)))
seen = []
def listen(row):
    seen.append(row)
    if len(seen) == epochs:
        os.kill(os.getpid(), signal.SIGKILL)
object.__setattr__(todo, "listen", listen)
engine.fit(todo)
"""


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_weights(tmp_path, epochs):
    recipe = recipe_file.read("paper").changed(epochs=(2, 2))
    whole = engine.fit(task(tmp_path / "whole", recipe))
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "killed"), str(epochs)]
    root = Path(__file__).parents[2]
    killed = subprocess.run(command, cwd=root, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    resumed = engine.fit(task(tmp_path / "killed", recipe))
    assert resumed.history == whole.history
    for one, other in zip(weights(whole.model), weights(resumed.model), strict=True):
        np.testing.assert_array_equal(one, other)
