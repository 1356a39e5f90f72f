"""Cutting a network in two where its graph is one tensor: what is frozen below, the rest above."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import keras

from corrosion_edge.trainer.model import Parts

__all__ = ["Above", "Cut", "Place", "above", "between", "cut", "depths", "places"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place where all of a network's graph passes through one tensor.

    ``layer`` is the index, in ``network.layers``, of the layer that gives it, ``name`` that
    layer's name, ``shape`` the tensor's per photo.
    """

    layer: int
    name: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Bytes of the tensor per photo, in float32."""
        return 4 * prod(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A network cut at ``at``: suffix(prefix(pixels)) is what the network gives.

    Both share the layers, and so the weights, of the network.
    """

    prefix: keras.Model
    suffix: keras.Model
    at: Place


def cut(network: Parts | keras.Model, first_trainable: int) -> Cut:
    """Cut a functional backbone at the last possible place below layer ``first_trainable``.

    ``first_trainable`` is an index in ``network.layers``; their number means that nothing above
    the backbone's end is wanted, and the suffix is the identity. 0 or 1 leaves the identity as the
    prefix. Raises ValueError for an index out of range and for a network that ``places`` refuses.
    """
    backbone = network.backbone if isinstance(network, Parts) else network
    if not 0 <= first_trainable <= len(backbone.layers):
        raise ValueError(
            f"first_trainable: expected 0 to {len(backbone.layers)}, got {first_trainable}"
        )
    found = places(backbone)
    at = [place for place in found if place.layer < max(first_trainable, 1)][-1]
    return Cut(between(backbone, found[0], at), between(backbone, at, found[-1]), at)


def places(network: keras.Model) -> list[Place]:
    """All places where a functional network can be cut, from its input to its output.

    Inside a residual branch or a squeeze-and-excite block there is none. Raises ValueError for a
    network with several inputs or outputs, or with a layer that is used twice.
    """
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ValueError(f"{network.name}: expected one input and one output")
    layers, sources = network.layers, _sources(network)
    last_use = {name: place for place, names in enumerate(sources) for name in names}
    found, alive = [], set[str]()
    for index, layer in enumerate(layers):
        alive = {name for name in alive if last_use[name] > index} | {layer.name}
        if len(alive) == 1:
            found.append(Place(index, layer.name, tuple(layer.output.shape[1:])))
    return found


def _sources(network: keras.Model) -> list[set[str]]:
    """For each layer the names of those whose outputs it takes, from the public configuration."""
    rows = network.get_config()["layers"]
    names = {row["name"]: row["inbound_nodes"] for row in rows}
    for name, nodes in names.items():
        if len(nodes) > 1:
            raise ValueError(f"{network.name}: layer {name!r} is used {len(nodes)} times")
    return [set(_tensors(names[layer.name])) for layer in network.layers]


def _tensors(config: Any) -> Iterator[str]:
    """The layers' names behind all tensors in a serialised call."""
    if isinstance(config, dict):
        if config.get("class_name") == "__keras_tensor__":
            yield config["config"]["keras_history"][0]
        else:
            yield from _tensors(list(config.values()))
    elif isinstance(config, list | tuple):
        for part in config:
            yield from _tensors(part)


def between(network: keras.Model, start: Place, end: Place) -> keras.Model:
    """The part of a network from one place to a later one, sharing layers and weights.

    Takes a batch of the map at ``start``, gives that at ``end``; the identity if they are one.
    """
    if start.layer > end.layer:
        raise ValueError(f"expected a later place than layer {start.layer}, got {end.layer}")
    if start == end:
        same = keras.Input(start.shape)
        return keras.Model(same, same)
    first, last = (network.layers[place.layer].output for place in (start, end))
    return keras.Model(first, last)


class Above(keras.Model):
    """What is trained on stored maps: map to probability of corrosion [n, 1].

    Shares the weights of a cut's suffix and of a model's dropout and unit. In training mode only
    the dropout acts; batch normalisation stays in inference mode.
    """

    def __init__(self, suffix: keras.Model, head: list[keras.layers.Layer]) -> None:
        super().__init__()
        self.suffix = suffix
        self.head = head

    def call(self, maps: Any, training: bool = False) -> Any:
        """Probabilities of corrosion [n, 1] for a batch of maps."""
        x = self.suffix(maps, training=False)
        for layer in self.head:
            x = layer(x, training=training) if layer.name == "dropout" else layer(x)
        return x


def above(parts: Parts, cut: Cut | None) -> Above:
    """What of a model lies above a cut: a network for ``descent.Descender``.

    Without a cut it takes pooled features [n, c], and consists of dropout and unit alone.
    """
    head = [parts.model.get_layer("dropout"), parts.model.get_layer("corrosion")]
    if cut is None:
        same = keras.Input(parts.features.output_shape[1:])
        suffix = keras.Model(same, same)
    else:
        pool = next(x for x in parts.model.layers if x.name in ("avg_pool", "max_pool"))
        suffix, head = cut.suffix, [pool, *head]
    network = Above(suffix, head)
    network(keras.ops.zeros((1, *suffix.input_shape[1:])))
    return network


def depths(network: keras.Model) -> dict[str, int]:
    """The depth of each weight's path below the top, counted in blocks: 0 for the last one.

    A block ends where the graph is one tensor, and has at least one kernel (a weight of two or
    more dimensions): what normalises a kernel's output is as deep as that kernel. A network
    within the network counts as one block. Raises ValueError where ``places`` does.
    """
    if isinstance(network, Above):
        below = {path: depth + 1 for path, depth in depths(network.suffix).items()}
        return below | {v.path: 0 for layer in network.head for v in layer.weights}
    result: dict[str, int] = {}
    depth, ends = 0, [place.layer for place in places(network)]
    for start, end in reversed(list(pairwise([-1, *ends]))):
        weights = [v for x in network.layers[start + 1 : end + 1] for v in x.weights]
        result |= {v.path: depth for v in weights}
        depth += any(len(v.shape) > 1 for v in weights)
    return result
