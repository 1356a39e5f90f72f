"""Names of tensors that mean something to who opens a model in a viewer.

The converter joins the paths of all that it fused with ``;`` and invents names for what it made
itself. Here a tensor is called after the layer, by its name in Keras, and after the operation
that makes it (``block1a_project_conv/conv_2d``) or its role in the one that reads it
(``block1a_project_conv/weights``).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.quantize.flatbuffer import enumerated, pack, unpack

__all__ = ["meaningful_names"]

_WEIGHTED = ("", "weights", "bias")
_ROLES: Final[Mapping[str, Sequence[str]]] = {
    "CONV_2D": _WEIGHTED,
    "DEPTHWISE_CONV_2D": _WEIGHTED,
    "FULLY_CONNECTED": _WEIGHTED,
    "MEAN": ("", "axes"),
    "REDUCE_MAX": ("", "axes"),
    "SUM": ("", "axes"),
    "PAD": ("", "paddings"),
    "PADV2": ("", "paddings"),
    "RESHAPE": ("", "shape"),
    "TRANSPOSE": ("", "permutation"),
}
_KERAS_NAME: Final = {
    "CONV_2D": "convolution",
    "DEPTHWISE_CONV_2D": "depthwise",
    "FULLY_CONNECTED": "matmul",
    "LOGISTIC": "sigmoid",
    "REDUCE_MAX": "max",
}
"""How Keras calls the operation inside a layer, where not by its own name in small letters."""

_WRAPPER = re.compile(r"(Stateful)?PartitionedCall(_\d+)?(:\d+)?")
_LAYERS_OF_A_MODEL = 3
_Path = tuple[str, ...]


def meaningful_names(model: bytes) -> bytes:
    """Rename every tensor but the graph's inputs and outputs; the subgraph is called ``main``.

    Names are unique, never empty, and depend on the graph and the converter's names alone.
    Nothing else in the model changes.
    """
    net = unpack(model)
    kinds = [enumerated(schema.BuiltinOperator, code.builtinCode) for code in net.operatorCodes]
    for number, graph in enumerate(net.subgraphs):
        graph.name = b"main" if number == 0 else f"subgraph_{number}".encode()
        for place, name in _Namer(graph, kinds).names().items():
            graph.tensors[place].name = name.encode()
    return pack(net)


class _Namer:
    """Names for one subgraph."""

    def __init__(self, graph: Any, kinds: Sequence[str]) -> None:
        self._old = [tensor.name.decode() for tensor in graph.tensors]
        self._ends = {int(p): self._old[p] for p in (*graph.inputs, *graph.outputs)}
        self._operators = graph.operators
        self._kinds = [kinds[op.opcodeIndex] for op in graph.operators]
        self._made = {int(place) for op in graph.operators for place in op.outputs}
        self._readers = Counter(int(p) for op in graph.operators for p in op.inputs if p >= 0)
        self._layers = _Layers(self._old)

    def names(self) -> dict[int, str]:
        """A name for each tensor, by its place."""
        wanted: dict[int, str] = dict(self._ends)
        layer_of = {place: name for place, name in self._ends.items() if place not in self._made}
        for op, kind in zip(self._operators, self._kinds, strict=True):
            layer = self._layer(op, kind, layer_of)
            for place in op.outputs:
                layer_of[int(place)] = layer
                wanted.setdefault(int(place), f"{layer}/{kind.lower()}")
            for place, role in self._constants(op, kind):
                shared = self._readers[place] > 1
                wanted.setdefault(place, f"{'shared' if shared else layer}/{role}")
        for place in range(len(self._old)):
            wanted.setdefault(place, "unused/tensor")
        return _unique(wanted, self._ends)

    def _layer(self, op: Any, kind: str, layer_of: Mapping[int, str]) -> str:
        """The layer that an operation belongs to, from the best source that there is."""
        own = [c for c, _ in self._constants(op, kind) if self._readers[c] == 1]
        for places in ([int(p) for p in op.outputs], own):
            if found := self._layers.of([self._old[place] for place in places], kind):
                return found
        delivered = [self._delivered(int(place)) for place in op.outputs]
        given = [layer_of[int(place)] for place in op.inputs if int(place) in layer_of]
        return next((name for name in (*delivered, *given) if name), "main")

    def _delivered(self, place: int) -> str:
        """The output of the graph that a tensor becomes, as it is or after a QUANTIZE."""
        if place in self._ends:
            return self._ends[place]
        for op, kind in zip(self._operators, self._kinds, strict=True):
            if kind == "QUANTIZE" and int(op.inputs[0]) == place:
                return self._ends.get(int(op.outputs[0]), "")
        return ""

    def _constants(self, op: Any, kind: str) -> list[tuple[int, str]]:
        """Places and roles of an operation's inputs that no operation makes."""
        roles = _ROLES.get(kind, ())
        return [
            (int(place), roles[i] if i < len(roles) and roles[i] else "constant")
            for i, place in enumerate(op.inputs)
            if place >= 0 and int(place) not in self._made and int(place) not in self._ends
        ]


class _Layers:
    """The layers of a network, as the converter's names tell of them."""

    def __init__(self, names: Iterable[str]) -> None:
        children: defaultdict[_Path, set[_Path]] = defaultdict(set)
        for path in (path for name in names for path in _paths(name)):
            for depth in range(1, len(path)):
                children[path[:depth]].add(path[: depth + 1])
        # A model holds layers, which hold operations; a layer holds operations.
        self._models = {
            path
            for path, held in children.items()
            if sum(child in children for child in held) >= _LAYERS_OF_A_MODEL
        }

    def of(self, names: Iterable[str], kind: str) -> str:
        """The layer that names of one operation's tensors speak of, or nothing.

        Where several were fused, the one with the operation itself: ``block1a_project_conv``,
        not the batch normalisation that went into its weights.
        """
        paths = [path for name in names for path in _paths(name)]
        sought = _KERAS_NAME.get(kind, kind.lower())
        best = [p for p in paths if any(part.lower().startswith(sought) for part in p[1:])]
        return self._layer((best or paths)[0]) if paths else ""

    def _layer(self, path: _Path) -> str:
        depth = 0
        while depth < len(path) - 1 and path[: depth + 1] in self._models:
            depth += 1
        # A second export of the same model gets the same suffix on all its names.
        suffix = re.search(r"_\d+$", path[0]) if depth else None
        return path[depth].removesuffix(suffix.group()) if suffix else path[depth]


def _paths(name: str) -> list[_Path]:
    """The paths in one of the converter's names; what has no ``/`` is none."""
    paths = []
    for text in name.split(";"):
        parts = [part for part in text.split("/") if part and not _WRAPPER.fullmatch(part)]
        if len(parts) > 1:
            paths.append(tuple(parts))
    return paths


def _unique(wanted: Mapping[int, str], kept: Mapping[int, str]) -> dict[int, str]:
    """Number what would be called alike, in the order of ``wanted``; ``kept`` stay as they are."""
    taken, names = set(kept.values()), dict(kept)
    for place, name in wanted.items():
        if place in kept:
            continue
        number, candidate = 0, name
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        names[place] = candidate
    return names
