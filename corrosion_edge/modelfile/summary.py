"""What a model file is, for people and for programs."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corrosion_edge.bundle import Bundle, naming, read_file
from corrosion_edge.errors import BundleError
from corrosion_edge.modelfile import signature
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.keys import PublicKey
from corrosion_edge.network.sound import require_sound
from corrosion_edge.precision import INT8, PRECISIONS

__all__ = ["Opened", "facts", "lines", "open_file"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A model file that was read and whose hashes fit, with what it looks like inside."""

    path: Path
    content: bytes = field(repr=False)
    file: Container
    bundle: Bundle

    @property
    def signed_by(self) -> str | None:
        """The id of the key that the signature names, unchecked; None where there is none."""
        found = signature.find(self.file)
        return found.key if found else None


def open_file(path: Path, signed_with: PublicKey | None = None) -> Opened:
    """Read a model file (BundleError and SignatureError as ``Bundle.load``)."""
    content = read_file(path)
    with naming(path, content):
        file = Container.from_bytes(content)
        return Opened(path, content, file, Bundle.from_container(file, signed_with))


def facts(opened: Opened) -> dict[str, Any]:
    """Everything about a model file, as plain values."""
    return {
        "file": str(opened.path),
        "bytes": len(opened.content),
        "sha256": _sha256(opened.content),
        "signature": {"algorithm": "Ed25519", "key": opened.signed_by}
        if opened.signed_by
        else None,
        "network": network(opened.bundle),
        "members": [
            {"name": name, "bytes": len(content), "sha256": _sha256(content)}
            for name, content in opened.file.members
        ],
        "manifest": json.loads(opened.bundle.manifest.to_json()),
    }


def network(bundle: Bundle) -> dict[str, Any]:
    """Size of a bundle's network: bytes, tensors, how often each operator; or what is wrong."""
    size = {"sha256": bundle.manifest.model_sha256, "bytes": len(bundle.model)}
    try:
        graph = require_sound(bundle.model)
    except BundleError as error:
        return {**size, "not_sound": str(error)}
    names = [op.name for op in graph.ops]
    counts = {name: names.count(name) for name in sorted(set(names))}
    return {**size, "tensors": len(graph.tensors), "operators": counts}


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same for people; ``found`` are the ``facts``."""
    manifest, signed = found["manifest"], found["signature"]
    yield f"{manifest['name']}"
    yield f"  file        {found['file']}, {found['bytes']:,} bytes"
    yield f"  signature   {_signature(signed)}"
    precision = manifest.get("precision", INT8)
    yield f"  precision   {precision}: {PRECISIONS[precision]}"
    yield f"  network     {_network(found['network'])}"
    if manifest.get("compiled"):
        yield f"  compiled    {_compiled(manifest['compiled'])}"
    size = manifest["preprocessing"]
    yield f"  input       {size['width']} x {size['height']} pixels, {size['colour']}"
    yield f"  threshold   {manifest['threshold']:g}"
    yield f"  golden      {len(manifest['golden'])} pictures with their outputs"
    if manifest.get("confidence"):
        yield "confidence"
        yield from _nested(manifest["confidence"], 1)
    for name in ("provenance", "drift"):
        yield name
        yield from _nested(manifest[name], 1)
    yield "members"
    for member in found["members"]:
        yield f"  {member['name']:<20} {member['bytes']:>10,} bytes  {member['sha256'][:16]}…"


def _signature(signed: Mapping[str, Any] | None) -> str:
    if signed is None:
        return "none"
    return f"{signed['algorithm']}, key {signed['key'][:16]}… (check it with 'bundle verify --key')"


def _compiled(told: Mapping[str, Any]) -> str:
    version = f" by edgetpu_compiler {told['compiler']}" if told["compiler"] else ""
    return (
        f"for {told['target']}{version} from {told['source']}: {told['mapped_ops']} operators on "
        f"it, {told['cpu_ops']} on the CPU; golden outputs, drift and confidence are those of "
        f"{told['source']} on a CPU"
    )


def _network(size: Mapping[str, Any]) -> str:
    if "not_sound" in size:
        return f"{size['bytes']:,} bytes; refused: {size['not_sound']}"
    operators = size["operators"]
    listed = ", ".join(f"{count} {name}" for name, count in operators.items())
    return (
        f"{size['bytes']:,} bytes, {size['tensors']} tensors, {sum(operators.values())} operators: "
        f"{listed}"
    )


def _nested(values: Any, depth: int) -> Iterator[str]:
    """Fields one a line; what a file says of itself is printed without control characters."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{'  ' * depth}{_plain(name)}"
            yield from _nested(value, depth + 1)
        else:
            yield f"{'  ' * depth}{_plain(name)}: {_plain(value)}"


def _plain(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() else repr(text)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
