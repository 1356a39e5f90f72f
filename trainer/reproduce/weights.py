"""Which file each backbone's weights come from, and what identifies them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from corrosion_edge.errors import UsageError, WeightsError
from corrosion_edge.trainer.weights import store

__all__ = ["assignments", "identity", "resolve"]

_RANDOM = {"tiny"}  # for trials; every other backbone needs ImageNet weights here


def assignments(words: Sequence[str]) -> dict[str, str]:
    """NAME=FILE, each name once, as a dict (UsageError)."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--weights: expected NAME=FILE, got {word!r}")
        if name in found:
            raise UsageError(f"--weights: {name} is given twice")
        found[name] = value
    return found


def resolve(
    backbones: Iterable[str], given: Mapping[str, str], folder: Path | None
) -> dict[str, str]:
    """For each backbone the value that ``backbones.build`` takes.

    ``given`` goes before ``folder``, in which NAME.npz or NAME_anything.npz is looked for; what
    neither has is ``imagenet``. Raises UsageError for a file that is not there, for two that
    would do, and for random weights, which are for ``tiny`` alone.
    """
    names = list(dict.fromkeys(backbones))
    if unknown := sorted(set(given) - set(names)):
        raise UsageError(f"--weights: {unknown[0]} is none of the backbones asked for")
    if folder is not None and not folder.is_dir():
        raise UsageError(f"--weights-dir: {folder}: no such folder")
    return {name: _one(name, given.get(name), folder) for name in names}


def _one(name: str, given: str | None, folder: Path | None) -> str:
    if given == "none" and name not in _RANDOM:
        raise UsageError(f"--weights: {name}: random weights reproduce nothing; name a file")
    if given is None:
        return _found(name, folder) or ("none" if name in _RANDOM else "imagenet")
    if given not in ("imagenet", "none") and not Path(given).is_file():
        raise UsageError(f"--weights: {name}: {given}: no such file")
    return given


def _found(name: str, folder: Path | None) -> str | None:
    if folder is None:
        return None
    files = sorted({*folder.glob(f"{name}.npz"), *folder.glob(f"{name}_*.npz")})
    if len(files) > 1:
        raise UsageError(
            f"--weights-dir: {files[0]} and {files[1].name} would both do for {name}; "
            f"choose with --weights {name}=FILE"
        )
    return str(files[0]) if files else None


def identity(name: str, value: str) -> str:
    """What tells one set of a backbone's weights from another.

    A file's SHA-256; for ``imagenet`` that word, or the SHA-256 of the content if the user's
    weights folder has weights that only the user vouches for.
    """
    if value == "imagenet":
        return _vouched(name) or value
    if value == "none":
        return value
    try:
        return hashlib.sha256(Path(value).read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"--weights: {value}: cannot be read ({error.strerror})") from None


def _vouched(name: str) -> str | None:
    try:
        found = store.record(store.default_folder(), name)
    except WeightsError:  # damaged: who builds the network will say so
        return None
    return found.content_sha256 if found and found.verified_by == store.BY_USER else None
