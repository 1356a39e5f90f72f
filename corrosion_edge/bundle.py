"""The model file: a TFLite flatbuffer with its manifest behind it, in one file.

The layout is that of TensorFlow Lite's metadata convention for associated files: a ZIP archive
is appended to the flatbuffer. A flatbuffer is read from its start and a ZIP archive from its
end, so any TFLite runtime runs the file and any unzip program lists it.
https://ai.google.dev/edge/litert/models/metadata
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from corrosion_edge import output
from corrosion_edge.errors import BundleError
from corrosion_edge.manifest import Manifest

__all__ = ["DEFAULT_MODEL", "MANIFEST_NAME", "MAX_MEMBER", "Bundle"]

DEFAULT_MODEL: Final = Path(__file__).parent / "models" / "default.tflite"
"""The model that ships in the package."""

MANIFEST_NAME: Final = "manifest.json"
MAX_MEMBER: Final = 32 * 2**20
"""Largest member that is read from a bundle, in bytes; what claims more is refused."""

_LABELS_NAME = "labels.txt"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # fixed, so that equal content gives equal bytes
_MAKE_ANOTHER = "make it again with 'corrosion-edge quantize'"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A flatbuffer, its manifest, and the files the manifest names (golden pictures)."""

    model: bytes = field(repr=False)
    manifest: Manifest
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def seal(cls, model: bytes, files: Mapping[str, bytes], **fields: Any) -> "Bundle":
        """Make a bundle and a manifest that fits it; ``fields`` are the Manifest's others."""
        everything = {_LABELS_NAME: b"no-corrosion\ncorrosion\n", **files}
        manifest = Manifest(
            model_sha256=_sha256(model),
            model_bytes=len(model),
            files={name: _sha256(content) for name, content in everything.items()},
            **fields,
        )
        return cls(model, manifest, everything)

    def with_fields(self, **fields: Any) -> "Bundle":
        """The same bundle with some of the manifest's fields changed."""
        return replace(self, manifest=replace(self.manifest, **fields))

    def to_bytes(self) -> bytes:
        """The model file's content; equal bundles give equal bytes."""
        archive = io.BytesIO(self.model)
        archive.seek(0, io.SEEK_END)
        with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as members:
            for name, content in [
                *sorted(self.files.items()),
                (MANIFEST_NAME, self.manifest.to_json().encode()),
            ]:
                members.writestr(zipfile.ZipInfo(name, _EPOCH), content)
        return archive.getvalue()

    def save(self, path: Path) -> None:
        """Write the model file atomically (OutputError)."""
        output.write(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> "Bundle":
        """Read and check a model file.

        Raises BundleError, with the reason, if it cannot be read, is truncated, altered,
        carries no manifest, or carries the manifest of another model.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise BundleError(f"{path}: no such model file") from None
        except OSError as error:
            raise BundleError(f"{path}: cannot be read ({error.strerror})") from None
        try:
            return cls.from_bytes(content)
        except BundleError as error:
            raise BundleError(f"{path}: {error}; {_MAKE_ANOTHER}") from None

    @classmethod
    def from_bytes(cls, content: bytes) -> "Bundle":
        """Read a model file's content (BundleError, without a path, as ``load``)."""
        if content[4:8] != b"TFL3":
            raise BundleError("not a TFLite model")
        members = _members(content)
        manifest = _manifest(members)
        model = content[: manifest.model_bytes]
        _check_model(model, manifest)
        _check_files(members, manifest)
        return cls(model, manifest, {name: members[name] for name in manifest.files})


def _members(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {info.filename: _member(archive, info) for info in archive.infolist()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise BundleError(f"truncated, damaged, or without a manifest ({error})") from None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > MAX_MEMBER or info.compress_type != zipfile.ZIP_STORED:
        raise BundleError(f"member {info.filename!r} is compressed or larger than {MAX_MEMBER} B")
    return archive.read(info)


def _manifest(members: Mapping[str, bytes]) -> Manifest:
    if MANIFEST_NAME not in members:
        raise BundleError("carries no manifest of this program")
    try:
        return Manifest.from_json(members[MANIFEST_NAME])
    except ValueError as error:
        raise BundleError(f"its manifest is not valid ({error})") from None


def _check_model(model: bytes, manifest: Manifest) -> None:
    if len(model) != manifest.model_bytes or _sha256(model) != manifest.model_sha256:
        raise BundleError(
            "the network is not the one its manifest describes (SHA-256 differs): "
            "it was altered, or carries another model's manifest"
        )


def _check_files(members: Mapping[str, bytes], manifest: Manifest) -> None:
    for name, expected in manifest.files.items():
        if name not in members:
            raise BundleError(f"member {name!r} is missing")
        if _sha256(members[name]) != expected:
            raise BundleError(f"member {name!r} was altered (SHA-256 differs)")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
