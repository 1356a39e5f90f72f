import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.errors import DataError, OutputError
from corrosion_edge.trainer import backbones, model, plan
from corrosion_edge.trainer.cut import above, cut
from corrosion_edge.trainer.descent import (
    Descender,
    Descent,
    State,
    load_state,
    save_state,
)
from corrosion_edge.trainer.views import Augmentation, Views

N = 70  # two whole batches and a part of one
AUGMENTATION = Augmentation(flip="horizontal_and_vertical", rotation=0.1, contrast=0.2)
HERE = str(Path(__file__).parent)


def descend(
    network: keras.Model,
    supply: Callable[[int], np.ndarray],
    targets: np.ndarray,
    plan: Descent,
    **more: Any,
) -> list[dict[str, float]]:
    return Descender(network, plan, len(targets)).run(supply, targets, **more)


def _photos(n: int = N, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    pixels = rng.integers(0, 200, (n, 32, 32, 3), np.uint8)
    pixels[labels == 1, 8:24, 8:24, 0] += 55
    return pixels, labels


def _parts(dropout: float = 0.0) -> model.Parts:
    keras.utils.set_random_seed(3)
    parts = model.assemble(backbones.build("tiny", 32, "none")[0], "avg")
    parts.model.get_layer("dropout").rate = dropout
    parts.backbone.set_weights(_weights())
    return parts


@functools.cache
def _weights() -> list[np.ndarray]:
    """Random, with statistics of the photos, so that the features differ from photo to photo."""
    keras.utils.set_random_seed(3)
    network = backbones.build("tiny", 32, "none")[0]
    for _ in range(20):
        network(_photos()[0], training=True)
    return network.get_weights()


def _thaw(parts: model.Parts, count: int) -> int:
    first = len(parts.backbone.layers) - count
    for index, layer in enumerate(parts.backbone.layers):
        layer.trainable = index >= first
    return first


def _views(number: int) -> np.ndarray:
    return np.concatenate(list(Views(AUGMENTATION, 1).make(*_photos(), number)))


def _targets() -> np.ndarray:
    return _photos()[1].astype(np.float32)


def _plain(parts: model.Parts, rate: float, epochs: range, seed: int) -> list[dict[str, float]]:
    """Keras's own training of the whole network, on the same views in the same order."""
    learner = parts.learner
    learner.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    rows = []
    for epoch in epochs:
        generator = parts.model.get_layer("dropout").seed_generator
        generator.state.assign([plan.word(seed, epoch, 0), 0])
        order = plan.order(N, seed, epoch)
        fitted = learner.fit(
            _views(epoch)[order], _targets()[order, None], batch_size=32, shuffle=False, verbose=0
        )
        rows.append({name: values[0] for name, values in fitted.history.items()})
    return rows


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_training_above_stored_maps_equals_kerass_training_of_the_whole(dropout):
    """The paper's two parts: head alone on pooled features, then head and top on maps at a cut."""
    rate, seed = 1e-2, 7
    theirs, ours = _parts(dropout), _parts(dropout)
    start = [v.numpy() for v in ours.model.weights]
    expected, history = [], []
    theirs.backbone.trainable = ours.backbone.trainable = False
    expected += _plain(theirs, rate, range(2), seed)
    history += descend(
        above(ours, None), lambda e: np.asarray(ours.features(_views(e))), _targets(),
        Descent(epochs=2, rate=rate), seed=seed,
    )  # fmt: skip
    _thaw(theirs, 8)
    expected += _plain(theirs, rate / 10, range(2, 5), seed)
    parts = cut(ours, _thaw(ours, 8))
    assert parts.at.layer > 10
    history += descend(
        above(ours, parts), lambda e: np.asarray(parts.prefix(_views(e))), _targets(),
        Descent(epochs=3, rate=rate / 10), seed=seed, first=2,
    )  # fmt: skip
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5]
    for row, wanted in zip(history, expected, strict=True):
        assert row["train_loss"] == pytest.approx(wanted["loss"], rel=1e-4)
        assert row["train_accuracy"] == pytest.approx(wanted["accuracy"], abs=1e-6)
    weights = list(zip(ours.model.weights, theirs.model.weights, start, strict=True))
    moved = [v.path for v, _, before in weights if not np.array_equal(v.numpy(), before)]
    assert {path.split("/")[-1] for path in moved} == {"kernel", "bias", "gamma", "beta"}
    assert len(moved) == len(ours.model.trainable_variables)  # no statistics, nothing frozen
    for one, other, _ in weights:
        np.testing.assert_allclose(
            one.numpy(), other.numpy(), rtol=2e-4, atol=2e-6, err_msg=one.path
        )


def test_decoupled_weight_decay_is_kerass_but_for_vectors():
    theirs, ours = _parts(), _parts()
    maps = np.asarray(ours.features(_photos()[0]))
    head = above(theirs, None)
    optimizer = keras.optimizers.AdamW(1e-2, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    head.compile(optimizer, keras.losses.BinaryCrossentropy())
    order = np.concatenate([plan.order(N, 2, 0)])
    head.fit(maps[order], _targets()[order, None], batch_size=32, shuffle=False, verbose=0)
    descend(above(ours, None), lambda e: maps, _targets(),
            Descent(epochs=1, rate=1e-2, weight_decay=0.1), seed=2)  # fmt: skip
    for one, other in zip(ours.model.weights, theirs.model.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-7)


def _everything(epochs: int = 4) -> Descent:
    return Descent(epochs=epochs, rate=1e-2, schedule="cosine", warm_up=0.2, layer_decay=0.8,
                   average=0.9, mixup=0.4, weight_decay=0.01)  # fmt: skip


def _train(
    state: State | None = None, on_epoch: Callable[..., None] | None = None
) -> tuple[list[np.ndarray], list[dict[str, float]]]:
    parts = _parts(0.3)
    at = cut(parts, _thaw(parts, 8))
    held_out = np.asarray(at.prefix(_photos(20, 9)[0])), _photos(20, 9)[1].astype(np.float32)
    history = descend(
        above(parts, at), lambda e: np.asarray(at.prefix(_views(e))), _targets(), _everything(),
        seed=4, validation=held_out, state=state, on_epoch=on_epoch,
    )  # fmt: skip
    return [v.numpy() for v in parts.model.weights], history


def test_a_killed_run_that_goes_on_ends_with_the_same_bits(tmp_path):
    code = (
        "import sys, os, signal; sys.path.insert(0, sys.argv[1])\n"
        "from test_descent import _train, save_state\n"
        "def on_epoch(row, state):\n"
        "    save_state(__import__('pathlib').Path(sys.argv[2]), state())\n"
        "    if row['epoch'] == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "_train(on_epoch=on_epoch)\n"
    )
    path = tmp_path / "state.npz"
    killed = subprocess.run([sys.executable, "-c", code, HERE, path], capture_output=True)
    assert killed.returncode == -9, killed.stderr
    state = load_state(path)
    assert state.epoch == len(state.history) == 2
    seen = []
    resumed, history = _train(state, lambda row, _: seen.append(row["epoch"]))
    whole, expected = _train()
    assert seen == [3, 4]
    assert history == expected
    assert all(np.array_equal(a, b) for a, b in zip(resumed, whole, strict=True))


def test_a_state_after_the_last_epoch_gives_the_result_at_once():
    states = []
    whole, expected = _train(on_epoch=lambda _, state: states.append(state()))
    again, history = _train(states[-1])
    assert history == expected
    assert all(np.array_equal(a, b) for a, b in zip(again, whole, strict=True))


def test_states_that_cannot_be_used_are_said(tmp_path):
    states = []
    head = above(_parts(), None)
    maps = np.asarray(_parts().features(_photos()[0]))
    descend(head, lambda e: maps, _targets(), Descent(epochs=1, rate=0.1), seed=1,
            on_epoch=lambda _, state: states.append(state()))  # fmt: skip
    path = tmp_path / "state.npz"
    save_state(path, states[0])
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"nonsense"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"state\.npz"):
            load_state(path)
    with pytest.raises(OutputError):
        save_state(tmp_path / "no" / "folder", states[0])
    with pytest.raises(DataError, match="another network"):
        _train(states[0])


def test_a_descender_trains_again_from_other_weights_as_if_new():
    parts = _parts(0.2)
    maps = np.asarray(parts.features(_photos()[0]))
    head = above(parts, None)
    start = head.get_weights()
    descender = Descender(head, Descent(epochs=3, rate=1e-2, average=0.5), N)
    results = []
    for seed in (1, 2, 1):
        head.set_weights(start)
        history = descender.run(lambda e: maps, _targets(), seed=seed)
        results.append((history, [w.tobytes() for w in head.get_weights()]))
    assert results[0] == results[2]
    assert results[0][0] != results[1][0]


def test_the_averaged_weights_are_the_result_and_are_what_is_validated():
    parts = _parts()
    maps = np.asarray(parts.features(_photos()[0]))
    head = above(parts, None)
    passed = [head.get_weights()]
    descender = Descender(head, Descent(epochs=6, rate=1e-2, batch=N, average=0.4), N)
    history = descender.run(
        lambda e: maps, _targets(), seed=1, validation=(maps, _targets()),
        on_epoch=lambda _, state: passed.append(list(state().arrays[:2])),
    )  # fmt: skip
    mean = passed[0]
    for step, weights in enumerate(passed[1:], start=1):  # one step an epoch
        decay = min(0.4, (1 + step) / (10 + step))
        mean = [decay * m + (1 - decay) * w for m, w in zip(mean, weights, strict=True)]
    np.testing.assert_allclose(head.get_weights()[0], mean[0], rtol=1e-4, atol=1e-6)
    assert not np.allclose(passed[-1][0], mean[0], atol=1e-4)
    plain = descend(_again(parts, passed[0]), lambda e: maps, _targets(),
                    Descent(epochs=6, rate=1e-2, batch=N), seed=1)  # fmt: skip
    assert [r["train_loss"] for r in history] == [r["train_loss"] for r in plain]
    head.set_weights(mean)
    p = np.asarray(head(maps))[:, 0]
    expected = -np.mean(np.where(_targets() == 1, np.log(p), np.log(1 - p)))
    assert history[-1]["validation_loss"] == pytest.approx(expected, rel=1e-4)


def _again(parts: model.Parts, weights: list[np.ndarray]) -> keras.Model:
    head = above(parts, None)
    head.set_weights(weights)
    return head


def test_layer_decay_slows_what_is_deeper():
    """Adam's first step is the rate, whatever the gradient; so it shows each weight's rate."""
    parts = _parts()
    at = cut(parts, _thaw(parts, 12))
    maps = np.asarray(at.prefix(_photos()[0]))
    before = {v.path: v.numpy() for v in parts.model.weights}
    descend(above(parts, at), lambda e: maps, _targets(),
            Descent(epochs=1, rate=1e-3, batch=N, layer_decay=0.5), seed=1)  # fmt: skip
    steps = {v.path: np.abs(v - before[v.path]).max() for v in parts.model.trainable_variables}
    kernels = [steps[v.path] for v in parts.model.trainable_variables if len(v.shape) > 1]
    expected = [1e-3 * 0.5 ** (len(kernels) - 1 - i) for i in range(len(kernels))]
    assert len(kernels) == 5
    assert [float(step) for step in kernels] == pytest.approx(expected, rel=0.02)


def test_mixing_stays_inside_the_batch_and_mixes_inputs_and_targets_alike():
    parts = _parts()
    chosen = Descent(epochs=1, rate=0.0, mixup=0.5)
    partners, shares = plan.mixing(N, chosen, 3, 0)
    assert (partners // 32 == np.arange(N) // 32).all()
    assert 0.5 <= shares.min() < shares.max() <= 1
    maps = np.asarray(parts.features(_photos()[0]))
    order = plan.order(N, 3, 0)
    inputs, targets = maps[order], _targets()[order]
    inputs = shares[:, None] * inputs + (1 - shares[:, None]) * inputs[partners]
    targets = shares * targets + (1 - shares) * targets[partners]
    p = np.asarray(above(parts, None)(inputs))[:, 0]
    expected = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    row = descend(above(parts, None), lambda e: maps, _targets(), chosen, seed=3)[0]
    assert row["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_arrays_are_read_in_parts_of_whole_batches(monkeypatch, tmp_path):
    parts = _parts()
    maps = np.asarray(parts.features(_photos()[0]))
    np.save(tmp_path / "maps.npy", maps)
    weights = []
    for size in (64_000_000, 1):
        monkeypatch.setattr("corrosion_edge.trainer.descent._CHUNK", size)
        parts = _parts(0.2)
        stored = np.load(tmp_path / "maps.npy", mmap_mode="r")
        descend(above(parts, None), lambda e, stored=stored: stored, _targets(),
                Descent(epochs=2, rate=1e-2, mixup=0.3), seed=3,
                validation=(stored, _targets()))  # fmt: skip
        weights.append(parts.model.get_layer("corrosion").get_weights())
    np.testing.assert_array_equal(weights[0][0], weights[1][0])


def test_soft_targets_and_photos_as_they_are():
    parts = _parts()
    whole = above(parts, cut(parts, 0))
    targets = np.clip(_targets(), 0.1, 0.9)
    history = descend(whole, lambda e: _photos()[0], targets, Descent(epochs=4, rate=3e-3), seed=1)
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert history[-1]["train_auc"] > 0.9


@settings(max_examples=50)
@given(st.integers(1, 9), st.integers(1, 99), st.floats(0, 1, allow_subnormal=False),
       st.sampled_from(["constant", "cosine"]))  # fmt: skip
def test_rates_rise_to_the_peak_then_stay_or_fall_to_nothing(epochs, photos, warm_up, schedule):
    chosen = Descent(epochs=epochs, rate=0.5, batch=8, warm_up=warm_up, schedule=schedule)
    values = plan.rates(chosen, photos)
    assert values.shape == (epochs, -(-photos // 8))
    flat = values.ravel()
    warm = round(warm_up * flat.size)
    assert 0 <= flat.min() <= flat.max() <= 0.5
    assert (np.diff(flat[:warm]) > 0).all()
    assert flat[max(warm - 1, 0)] == 0.5
    after = np.diff(flat[max(warm, 1) :])
    assert (after <= 0).all() if schedule == "cosine" else (after == 0).all()


def test_an_epoch_takes_every_photo_once_in_an_order_of_its_own():
    orders = [plan.order(50, seed, epoch) for seed in (1, 2) for epoch in (0, 1)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({order.tobytes() for order in orders}) == 4
    assert np.array_equal(orders[0], plan.order(50, 1, 0))


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": -1}, {"batch": 0}, {"rate": -1.0}, {"schedule": "step"}, {"warm_up": 2.0},
     {"layer_decay": 0.0}, {"average": 1.0}, {"mixup": -1.0}, {"weight_decay": np.inf}],
)  # fmt: skip
def test_plans_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Descent(**({"epochs": 1, "rate": 0.1} | wrong))


def test_plans_come_back_from_plain_values():
    assert Descent.from_dict(_everything().to_dict()) == _everything()
    with pytest.raises(ValueError, match="momentum"):
        Descent.from_dict({"epochs": 1, "rate": 0.1, "momentum": 0.9})


def test_what_does_not_fit_is_refused():
    parts = _parts()
    maps = np.asarray(parts.features(_photos()[0]))
    run = Descender(above(parts, None), Descent(epochs=1, rate=0.1), N).run
    with pytest.raises(ValueError, match="70 targets"):
        run(lambda e: maps, _targets()[1:], seed=1)
    with pytest.raises(ValueError, match="70 photos in epoch 0"):
        run(lambda e: maps[1:], _targets(), seed=1)
    for wrong in (np.ones(N), _targets() * 2, _targets()[:, None]):
        with pytest.raises(ValueError, match="both sides"):
            run(lambda e: maps, wrong, seed=1)
