"""The model file: a TFLite flatbuffer with its manifest behind it, in one file.

The layout is that of TensorFlow Lite's metadata convention for associated files: a ZIP archive
is appended to the flatbuffer. A flatbuffer is read from its start and a ZIP archive from its
end, so any TFLite runtime runs the file and any unzip program lists it.
https://ai.google.dev/edge/litert/models/metadata
The bytes are those of ``modelfile.container``, and no others; ``modelfile.signature`` signs them.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from corrosion_edge import output
from corrosion_edge.errors import BundleError, SignatureError
from corrosion_edge.manifest import Manifest
from corrosion_edge.modelfile import signature
from corrosion_edge.modelfile.container import MAX_FILE, MAX_MEMBER, Container
from corrosion_edge.modelfile.reading import read_regular
from corrosion_edge.network.graph import COMPILED

if TYPE_CHECKING:
    from corrosion_edge.modelfile.keys import PublicKey

__all__ = ["DEFAULT_MODEL", "MANIFEST_NAME", "MAX_MEMBER", "Bundle", "naming", "read_file"]

DEFAULT_MODEL: Final = Path(__file__).parent / "models" / "default.tflite"
"""The model that ships in the package."""

MANIFEST_NAME: Final = "manifest.json"

_LABELS_NAME = "labels.txt"
_MAKE_ANOTHER = "make it again with 'corrosion-edge quantize'"
_WRAP = "an Edge TPU compiler's file becomes a model file by 'corrosion-edge bundle compiled'"
_LONGEST = 400  # of an error's sentence: what a file says of itself may be of any length


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
        """The model file's content, unsigned; equal bundles give equal bytes."""
        manifest = (MANIFEST_NAME, self.manifest.to_json().encode())
        return Container(self.model, (*sorted(self.files.items()), manifest)).to_bytes()

    def save(self, path: Path) -> None:
        """Write the model file atomically (OutputError)."""
        output.write(path, self.to_bytes())

    @classmethod
    def load(
        cls,
        path: Path,
        signed_with: "PublicKey | None" = None,
        content: bytes | None = None,
    ) -> "Bundle":
        """Read and check a model file, or its ``content`` that was read before.

        Raises BundleError, with the reason, if it cannot be read, is truncated, altered,
        carries no manifest, or carries the manifest of another model; SignatureError if a key
        is given and the file is not signed with it. Nothing of the file is interpreted before
        its signature was checked.
        """
        content = read_file(path) if content is None else content
        with naming(path, content):
            return cls.from_bytes(content, signed_with)

    @classmethod
    def from_bytes(cls, content: bytes, signed_with: "PublicKey | None" = None) -> "Bundle":
        """Read a model file's content (BundleError, without a path, as ``load``)."""
        return cls.from_container(Container.from_bytes(content), signed_with)

    @classmethod
    def from_container(cls, file: Container, signed_with: "PublicKey | None" = None) -> "Bundle":
        """Read a model file that was taken apart."""
        if signed_with is not None:
            signature.check(file, signed_with)
        signature.find(file)
        manifest = _manifest(file)
        _check_model(file.model, manifest)
        members = dict(signature.unsigned(file).members)
        _check_files(members, manifest)
        return cls(file.model, manifest, {name: members[name] for name in manifest.files})


def read_file(path: Path) -> bytes:
    """A model file's content (BundleError if it cannot be read, or is no file but a device)."""
    try:
        return read_regular(path, MAX_FILE)[0]
    except FileNotFoundError:
        raise BundleError(f"{path}: no such model file") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror})") from None


@contextmanager
def naming(path: Path, content: bytes = b"") -> Iterator[None]:
    """Put the file's name and the way out into the block's errors about its ``content``."""
    try:
        yield
    except SignatureError as error:
        raise SignatureError(f"{path}: refused, {_brief(error)}") from None
    except BundleError as error:
        raise BundleError(f"{path}: {_brief(error)}; {_way_out(content)}") from None


def _way_out(content: bytes) -> str:
    bare = COMPILED.encode() in content and MANIFEST_NAME.encode() not in content
    return _WRAP if bare else _MAKE_ANOTHER


def _manifest(file: Container) -> Manifest:
    content = file.get(MANIFEST_NAME)
    if content is None:
        raise BundleError("carries no manifest of this program")
    try:
        return Manifest.from_json(content)
    except ValueError as error:
        raise BundleError(f"its manifest is not valid ({_brief(error)})") from None


def _check_model(model: bytes, manifest: Manifest) -> None:
    if len(model) != manifest.model_bytes or _sha256(model) != manifest.model_sha256:
        raise BundleError(
            "the network is not the one its manifest describes (SHA-256 differs): "
            "it was altered, or carries another model's manifest"
        )


def _check_files(members: Mapping[str, bytes], manifest: Manifest) -> None:
    """Each member is there and is what the manifest says, and there is no other."""
    for name, expected in manifest.files.items():
        if name not in members:
            raise BundleError(f"member {name!r:.120} is missing")
        if _sha256(members[name]) != expected:
            raise BundleError(f"member {name!r} was altered (SHA-256 differs)")
    if list(members) != [*sorted(manifest.files), MANIFEST_NAME]:
        raise BundleError("has members that its manifest does not name, or in another order")


def _brief(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
