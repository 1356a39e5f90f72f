from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras

from corrosion_edge.errors import WeightsError
from corrosion_edge.trainer import backbones, model, plan
from corrosion_edge.trainer.data import Dataset, Photo
from corrosion_edge.trainer.load import Splits
from corrosion_edge.trainer.reproduce import runner as module
from corrosion_edge.trainer.reproduce.maps import Maps
from corrosion_edge.trainer.reproduce.paper import Method
from corrosion_edge.trainer.reproduce.rows import EXTRA, Outcome, Row, Setup
from corrosion_edge.trainer.reproduce.runner import SharedRunner
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.views import Augmentation, Views

METHOD = Method(
    frozen_epochs=5, fine_tune_epochs=(2, 3), rates=(1e-2, 2e-3), dropout=0.4, image_size=64,
    augmentation={"flip": "horizontal", "contrast": 0.3},
)  # fmt: skip
FROZEN = Row(2, "tiny", "avg")
THAWED = Row(EXTRA, "tiny", "avg", 0.2)


def _samples(n: int, seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    pixels = rng.integers(0, 200, (n, 64, 64, 3), np.uint8)
    pixels[labels == 1, 16:48, 16:48, 0] += 55
    return Samples(pixels, labels, (Photo(Path("x.jpg"), 0),) * n)


SAMPLES = {"train": _samples(70, 0), "validation": _samples(40, 1), "test": _samples(36, 2)}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Random weights with statistics of the photos, so that the features differ."""
    path = tmp_path_factory.mktemp("weights") / "tiny.npz"
    keras.utils.set_random_seed(3)
    network, _ = backbones.build("tiny", 64, "none")
    for _ in range(20):
        network(SAMPLES["train"].pixels, training=True)
    names = [f"{x.name}/{v.name}" for x in network.layers for v in x.weights]
    np.savez(path, **dict(zip(names, network.get_weights(), strict=True)))
    return str(path)


@pytest.fixture
def setup(tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch) -> Setup:
    def build(name: str, image_size: int, value: str) -> tuple[keras.Model, str]:
        network, _ = real(name, image_size, "none")
        if value != "none":
            with np.load(value) as archive:
                network.set_weights([archive[key] for key in archive.files])
        return network, value

    real = backbones.build
    monkeypatch.setattr(backbones, "build", build)
    return Setup(
        splits=Splits(
            dataset=Dataset(tmp_path, (), ("clean", "rust")), samples=SAMPLES, unreadable=()
        ),
        method=METHOD,
        weights={"tiny": weights},
        views="shared",
        seeds=(1, 2),
        scratch=tmp_path / "scratch",
    )


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The views that went through the frozen part from the pixels."""
    made: list[Any] = []
    compute = Maps._compute

    def counted(self: Maps, view: Any, together: Any) -> None:
        made.append(view)
        compute(self, view, together)

    monkeypatch.setattr(Maps, "_compute", counted)
    yield made


def _same(one: Outcome, other: Outcome) -> bool:
    return replace(one, seconds=0.0) == replace(other, seconds=0.0)


def _plain(weights: str, row: Row, seed: int) -> tuple[list[float], np.ndarray]:
    """The paper's method in Keras alone, on the same views; losses and test scores."""
    network, _ = backbones.build("tiny", 64, weights)
    parts = model.assemble(network, row.pooling)
    dropout, unit = (parts.model.get_layer(n) for n in ("dropout", "corrosion"))
    dropout.rate = METHOD.dropout
    kernel = keras.initializers.GlorotUniform(seed)(unit.kernel.shape)
    unit.set_weights([np.asarray(kernel), np.zeros(1)])
    views = Views(Augmentation.from_dict(METHOD.augmentation), 0)
    train = SAMPLES["train"]
    stages = [(METHOD.rates[0], range(METHOD.frozen_epochs), 0.0)]
    if row.fine_tune is not None:
        stages = [(METHOD.rates[0], range(2), 0.0), (METHOD.rates[1], range(2, 5), row.fine_tune)]
    losses = []
    for rate, epochs, fraction in stages:
        first = len(network.layers) - round(fraction * len(network.layers))
        for place, layer in enumerate(network.layers):
            layer.trainable = place >= first
        parts.learner.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
        for epoch in epochs:
            dropout.seed_generator.state.assign([plan.word(seed, epoch, 0), 0])
            order = plan.order(70, seed, epoch)
            made = np.concatenate(list(views.make(train.pixels, train.labels, epoch)))
            fitted = parts.learner.fit(
                made[order], train.labels[order, None].astype(np.float32), batch_size=32,
                shuffle=False, verbose=0,
            )  # fmt: skip
            losses.append(fitted.history["loss"][0])
    return losses, model.predict(parts.model, SAMPLES["test"].pixels)


@pytest.mark.parametrize("row", [FROZEN, Row(2, "tiny", "max"), THAWED], ids=lambda row: row.key)
def test_a_row_equals_plain_keras_training_on_the_same_views(setup, weights, row):
    with SharedRunner(setup) as runner:
        runner.run(row, 1)
        outcome = runner.run(row, 2)
    losses, scores = _plain(weights, row, 2)
    assert [e["train_loss"] for e in outcome.history] == pytest.approx(losses, rel=1e-4)
    np.testing.assert_allclose(outcome.scores, scores, rtol=1e-3, atol=1e-5)
    assert [e["epoch"] for e in outcome.history] == [1, 2, 3, 4, 5]
    assert outcome.labels == tuple(SAMPLES["test"].labels)
    assert outcome.validation.n == 40
    assert outcome.history[-1]["validation_loss"] == pytest.approx(
        outcome.validation.loss, rel=1e-5
    )


@pytest.mark.parametrize("kept", [{"tiny"}, set()])
def test_the_order_of_rows_and_what_is_stored_change_nothing(setup, kept):
    setup = replace(setup, thawed=frozenset(kept))
    rows = [FROZEN, THAWED, replace(THAWED, fine_tune=0.4), replace(FROZEN, pooling="max")]
    with SharedRunner(setup) as runner:
        first = {(row, seed): runner.run(row, seed) for row in rows for seed in (1, 2)}
    with SharedRunner(setup) as runner:  # all views are stored now
        assert _same(runner.run(rows[1], 2), first[rows[1], 2])
    with SharedRunner(replace(setup, scratch=setup.scratch / "new")) as runner:
        for row in reversed(rows):
            assert _same(runner.run(row, 2), first[row, 2])
    assert len({outcome.scores for outcome in first.values()}) == 8


@pytest.mark.parametrize("paper", [True, False])
def test_each_view_goes_through_the_frozen_part_once(setup, passes, monkeypatch, paper):
    """Of a backbone that a table of the paper fine-tunes, or of which such a row is asked for."""
    if paper:
        monkeypatch.setattr(module, "FINE_TUNED", {3: "tiny"})
    else:
        setup = replace(setup, thawed=frozenset({"tiny"}))
    with SharedRunner(setup) as runner:
        for row in (FROZEN, replace(FROZEN, pooling="max")):
            for seed in (1, 2):
                runner.run(row, seed)
        for fraction in (0.05, 0.1, 0.2):
            runner.run(replace(THAWED, fine_tune=fraction), 1)
    assert sorted(passes) == [("test", 0, 0), *[("train", 0, n) for n in range(5)],
                              ("validation", 0, 0)]  # fmt: skip


def test_independent_views_are_each_seeds_own(setup, passes):
    apart = replace(setup, views="independent")
    with SharedRunner(apart) as runner:
        outcomes = [runner.run(FROZEN, seed) for seed in (1, 2)]
    assert {view[1] for view in passes if view[0] == "train"} == {1, 2}
    assert all(outcome.views == "independent" for outcome in outcomes)
    with SharedRunner(setup) as runner:
        assert runner.run(FROZEN, 1).scores != outcomes[0].scores


def test_predictions_train_nothing_and_count_a_view_once(setup, passes):
    with SharedRunner(setup) as runner:
        first = runner.predict(FROZEN, (1, 2))
        again = runner.predict(FROZEN, (1, 2))
        other = runner.predict(replace(FROZEN, pooling="max"), (1, 2))
        thawed = runner.predict(THAWED, (1, 2))
        assert not passes
        assert not setup.scratch.exists()
        assert first == again
        assert 0 < other < first
        assert other / 2 == pytest.approx(5 * 70 * runner._pace._seconds["head"])
        assert thawed > 2 * (3 * 70) * 3 * runner._pace._seconds["tiny", 0.2]
        runner.run(FROZEN, 1)
        assert runner.predict(FROZEN, (2,)) == pytest.approx(other / 2)


def test_seconds_of_what_is_shared_are_divided_among_seeds(setup):
    with SharedRunner(setup) as runner:
        seconds = [runner.run(FROZEN, seed).seconds for seed in (1, 2)]
        shared = runner.passes
    assert len(shared) == METHOD.frozen_epochs + 2
    assert min(seconds) >= sum(shared) / 2


def test_weights_that_cannot_be_had(setup, monkeypatch):
    def build(*_: object) -> None:
        raise WeightsError("no weights")

    monkeypatch.setattr(backbones, "build", build)
    with SharedRunner(setup) as runner, pytest.raises(WeightsError):
        runner.run(FROZEN, 1)
