"""Training a network on stored arrays with Adam, so that a killed run can be resumed exactly."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from corrosion_edge.errors import DataError
from corrosion_edge.trainer import plan as plans
from corrosion_edge.trainer.cut import depths
from corrosion_edge.trainer.plan import Descent
from corrosion_edge.trainer.state import Array, Row, State, load_state, save_state

__all__ = ["Descender", "Descent", "State", "load_state", "save_state"]

_CHUNK: Final = 64_000_000  # bytes that are read into memory at once
_CLIP: Final = 1e-7  # of probabilities in the loss, as in Keras

Supply = Callable[[int], Array]
Validation = tuple[Array, Array]
OnEpoch = Callable[[Row, Callable[[], State]], None]


class Descender:
    """Trains what is trainable in ``network`` by one plan, as often as wanted.

    ``network`` maps a batch of what it is fed with to probabilities [n, 1]; ``photos`` is how many
    rows each epoch has. The compiled step is kept: for another seed, set the network's weights and
    run again.
    """

    def __init__(self, network: keras.Model, plan: Descent, photos: int) -> None:
        self.network, self.plan, self.photos = network, plan, photos
        self._weights = network.trainable_variables
        self._optimizer = _Adam(network, plan)
        self._optimizer.build(self._weights)
        self._means = [tf.Variable(w) for w in self._weights] if plan.average else []
        self._generators = [
            v for v in network.non_trainable_variables if v.name == "seed_generator_state"
        ]
        self._loss = keras.losses.BinaryCrossentropy()
        self._rates = plans.rates(plan, photos)
        self._train = tf.function(self._steps)
        self._predict = tf.function(self._scores)

    def run(
        self,
        supply: Supply,
        targets: Array,
        *,
        seed: int,
        validation: Validation | None = None,
        state: State | None = None,
        on_epoch: OnEpoch | None = None,
        first: int = 0,
    ) -> list[Row]:
        """Train from the weights as they are; a row for each epoch, from the first.

        ``supply(epoch)`` gives [photos, ...] float32 or uint8 for epoch ``first``, ``first`` + 1,
        ...; it is read in parts. ``targets`` are probabilities [photos]; ``validation`` is an
        array and its targets. Rows have ``epoch`` (from ``first`` + 1), ``train_loss``,
        ``train_accuracy``, ``train_auc``, and the same for validation; the training figures are
        those of the steps themselves, dropout and mixing included.

        Everything random follows from ``seed`` and the epoch. ``on_epoch`` is called with each
        row and a function that gives the ``State`` to save; with that ``state``, equal arguments
        and ``keras.config``, a later process ends with the same weights. Raises DataError for a
        state of another network, ValueError for targets that do not fit.
        """
        self._check(targets, *([validation[1]] if validation else []))
        history = self._start(state)
        for done in range(len(history), self.plan.epochs):
            epoch = first + done
            row = {"epoch": epoch + 1.0} | self._epoch(supply(epoch), targets, seed, epoch, done)
            if validation is not None:
                row |= self._judged(*validation)
            history.append(row)
            if on_epoch is not None:
                on_epoch(row, lambda: self._state(history))
        self._to_means()
        return history

    def _check(self, targets: Array, *others: Array) -> None:
        if len(targets) != self.photos:
            raise ValueError(f"expected {self.photos} targets, got {len(targets)}")
        for values in (targets, *others):
            if values.ndim != 1 or not 0 <= values.min() < 0.5 <= values.max() <= 1:
                raise ValueError("targets: expected probabilities [n] on both sides of 0.5")

    def _start(self, state: State | None) -> list[Row]:
        for variable in self._optimizer.variables[2:]:  # after its step count and its rate
            variable.assign(tf.zeros(variable.shape))
        self._optimizer.iterations.assign(0)
        for mean, weight in zip(self._means, self._weights, strict=bool(self._means)):
            mean.assign(weight)
        if state is None:
            return []
        variables = self._variables()
        if [tuple(v.shape) for v in variables] != [a.shape for a in state.arrays]:
            raise DataError("the saved state of training is of another network; remove it")
        for variable, array in zip(variables, state.arrays, strict=True):
            variable.assign(array)
        return [dict(row) for row in state.history]

    def _variables(self) -> list[Any]:
        return [*self.network.weights, *self._optimizer.variables, *self._means]

    def _state(self, history: Sequence[Row]) -> State:
        arrays = tuple(v.numpy().copy() for v in self._variables())
        return State(len(history), tuple(dict(row) for row in history), arrays)

    def _epoch(self, array: Array, targets: Array, seed: int, epoch: int, done: int) -> Row:
        """One pass over ``array`` in the epoch's order."""
        for place, generator in enumerate(self._generators):
            generator.assign([plans.word(seed, epoch, place), 0])
        chosen = plans.order(self.photos, seed, epoch)
        partners, shares = plans.mixing(self.photos, self.plan, seed, epoch)
        wanted = targets[chosen].astype(np.float32)
        mixed = shares * wanted + (1 - shares) * wanted[partners]
        if len(array) != self.photos:
            raise ValueError(f"expected {self.photos} photos in epoch {epoch}, got {len(array)}")
        train = self._compiled(self._train, array, 5)
        scores = []
        for part in _parts(array, self.plan.batch):
            start = part.start
            rate = self._rates[done, start // self.plan.batch :]
            given = array[chosen[part]], mixed[part], partners[part] - start, shares[part], rate
            scores.append(train(*map(tf.constant, given)))
        return _figures("train", np.concatenate(scores), mixed, wanted)

    def _judged(self, array: Array, targets: Array) -> Row:
        """The figures of a validation set, by the averaged weights where there are any."""
        kept = [weight.numpy() for weight in self._weights] if self._means else []
        self._to_means()
        scores = self.scores(array)
        for weight, value in zip(self._weights, kept, strict=bool(kept)):
            weight.assign(value)
        return _figures("validation", scores, targets, targets)

    def scores(self, array: Array) -> Array:
        """What the network gives for an array [m, ...]: probabilities, float32 [m]."""
        predict = self._compiled(self._predict, array, 1)
        parts = _parts(array, self.plan.batch)
        return np.concatenate([predict(tf.constant(array[part])) for part in parts])

    def _to_means(self) -> None:
        for mean, weight in zip(self._means, self._weights, strict=bool(self._means)):
            weight.assign(mean)

    def _compiled(self, function: Any, array: Array, arguments: int) -> Any:
        """One graph for parts of any length, so that the last one costs no second."""
        kinds = (tf.float32, tf.int64, tf.float32, tf.float32)
        specs = [tf.TensorSpec((None, *array.shape[1:]), array.dtype)]
        specs += [tf.TensorSpec((None,), kind) for kind in kinds]
        return function.get_concrete_function(*specs[:arguments])

    def _steps(self, x: Any, targets: Any, partners: Any, shares: Any, rates: Any) -> Any:
        """Steps of ``batch`` photos over a part [m, ...]; the scores [m]."""

        def step(number: Any, rows: slice) -> Any:
            batch = tf.cast(x[rows], tf.float32)
            if self.plan.mixup:
                others = tf.cast(tf.gather(x, partners[rows]), tf.float32)
                share = tf.reshape(shares[rows], [-1] + [1] * (len(x.shape) - 1))
                batch = share * batch + (1 - share) * others
            return self._step(batch, targets[rows], rates[number])

        return self._in_batches(step, tf.shape(x)[0])

    def _scores(self, x: Any) -> Any:
        """Probabilities [m] in inference mode."""

        def step(_number: Any, rows: slice) -> Any:
            return self.network(tf.cast(x[rows], tf.float32), training=False)[:, 0]

        return self._in_batches(step, tf.shape(x)[0])

    def _in_batches(self, step: Callable[[Any, slice], Any], total: Any) -> Any:
        size = self.plan.batch
        scores = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)
        for number in tf.range(-(-total // size)):
            rows = slice(number * size, tf.minimum((number + 1) * size, total))
            scores = scores.write(number, step(number, rows))
        return scores.concat()

    def _step(self, batch: Any, targets: Any, rate: Any) -> Any:
        with tf.GradientTape() as tape:
            scores = self.network(batch, training=True)
            loss = self._loss(targets[:, None], scores)
        gradients = tape.gradient(loss, self._weights)
        self._optimizer.learning_rate = rate
        self._optimizer.apply(gradients, self._weights)
        steps = tf.cast(self._optimizer.iterations, tf.float32)
        decay = tf.minimum(self.plan.average, (1 + steps) / (10 + steps))
        for mean, weight in zip(self._means, self._weights, strict=bool(self._means)):
            mean.assign_sub((1 - decay) * (mean - weight))
        return scores[:, 0]


class _Adam(keras.optimizers.Adam):
    """Adam whose rate and decoupled weight decay differ from weight to weight."""

    def __init__(self, network: keras.Model, plan: Descent) -> None:
        super().__init__(plan.rate)
        known = depths(network) if plan.layer_decay < 1 else {}
        weights = network.trainable_variables
        self._factors = [plan.layer_decay ** known[w.path] if known else 1.0 for w in weights]
        self._decay = plan.weight_decay

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One weight's step."""
        rate = learning_rate * self._factors[self._get_variable_index(variable)]
        if self._decay and len(variable.shape) > 1:  # biases and batch normalisation are vectors
            variable.assign_sub(variable * self._decay * rate)
        super().update_step(gradient, variable, rate)


def _parts(array: Array, batch: int) -> Iterator[slice]:
    """Whole batches, of as many rows as may be in memory at once."""
    row = array.dtype.itemsize * int(np.prod(array.shape[1:]))
    size = batch * max(1, _CHUNK // (batch * row))
    for start in range(0, len(array), size):
        yield slice(start, min(start + size, len(array)))


def _figures(name: str, scores: Array, targets: Array, truth: Array) -> Row:
    """Loss in nats against ``targets``; accuracy and ROC-AUC against ``truth`` rounded."""
    p = np.clip(scores.astype(np.float64), _CLIP, 1 - _CLIP)
    positive = truth >= 0.5
    return {
        f"{name}_loss": float(-np.mean(targets * np.log(p) + (1 - targets) * np.log1p(-p))),
        f"{name}_accuracy": float(np.mean((scores >= 0.5) == positive)),
        f"{name}_auc": float(roc_auc_score(positive, scores)),
    }
