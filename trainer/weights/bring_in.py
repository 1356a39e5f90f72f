"""Importing a file of weights: read, check against what is known, keep."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from corrosion_edge.errors import UsageError, WeightsError
from corrosion_edge.trainer import backbones
from corrosion_edge.trainer.weights import store
from corrosion_edge.trainer.weights.arrays import content_sha256
from corrosion_edge.trainer.weights.catalogue import SOURCES
from corrosion_edge.trainer.weights.readers import read_into
from corrosion_edge.trainer.weights.variables import values

__all__ = ["Request", "bring_in", "guess"]

_ANY_SIZE = 224
"""The weights do not depend on the input's size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A file to import, and what the user says of it.

    ``expect_sha256`` is the SHA-256 of the file or of its content; ``unverified`` takes weights
    that no hash is known of; ``replace`` puts them in the place of others.
    """

    file: Path
    backbone: str | None = None
    expect_sha256: str | None = None
    unverified: bool = False
    replace: bool = False

    def __post_init__(self) -> None:
        if self.backbone is not None and self.backbone not in backbones.BACKBONES:
            raise UsageError(f"--backbone: expected one of {', '.join(backbones.BACKBONES)}")
        digest = self.expect_sha256
        if digest is not None and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
            raise UsageError(f"--expect-sha256: expected 64 hexadecimal digits, got {digest!r}")


def bring_in(request: Request, folder: Path) -> store.Record:
    """Read the file, check it, write NAME.npz and NAME.json into the folder.

    WeightsError if the file is none of the backbone's weights, or if its hash is not the
    expected or a known one and the request does not take unverified weights.
    """
    if not request.file.exists():
        raise WeightsError(f"{request.file}: no such file")
    name = request.backbone or guess(request.file)
    network, _ = backbones.build(name, _ANY_SIZE, "none")
    read_into(network, request.file)
    arrays = values(network)
    content = content_sha256(arrays)
    verified_by = _verified_by(request, name, content)
    source = SOURCES.get(name)
    known = source if verified_by in (store.BY_CATALOGUE, store.BY_KERAS) else None
    note = store.Record(
        backbone=name,
        source=request.file.name or str(request.file),
        origin=known.origin if known else "not known",
        licence=known.licence if known else "not known",
        verified_by=verified_by,
        content_sha256=content,
        file_sha256="not written yet",
        imported=datetime.now(UTC).date().isoformat(),
    )
    return store.save(folder, note, arrays, replace=request.replace)


def guess(path: Path) -> str:
    """The backbone that a file's name speaks of (WeightsError if of none)."""
    for name, source in SOURCES.items():
        if path.name == source.file:
            return name
    start = path.name.lower().replace("_", "-")
    fitting = [name for name in backbones.BACKBONES if start.startswith(name)]
    if not fitting:
        raise WeightsError(f"{path}: the name does not say of which network; say --backbone NAME")
    return max(fitting, key=len)


def _verified_by(request: Request, name: str, content: str) -> str:
    """Which hash vouches for the file (WeightsError if none does)."""
    path, source = request.file, SOURCES.get(name)
    if (expected := request.expect_sha256) is not None:
        if expected not in (content, _digest(path, "sha256")):
            raise WeightsError(f"{path}: SHA-256 is not as expected; its content has {content}")
        return (
            store.BY_USER if source is None or content not in source.content else store.BY_CATALOGUE
        )
    if source is not None and content in source.content:
        return store.BY_CATALOGUE
    if source is not None and source.md5 is not None and _digest(path, "md5") == source.md5:
        return store.BY_KERAS
    if request.unverified:
        return store.BY_NOBODY
    raise WeightsError(
        f"{path}: its content (SHA-256 {content}) is no known one of {name}; if you trust the "
        "file, say --unverified or --expect-sha256"
    )


def _digest(path: Path, algorithm: str) -> str | None:
    """A file's hash; MD5 because that is what Keras states. None for a folder."""
    if path.is_dir():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(
            stream, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()
