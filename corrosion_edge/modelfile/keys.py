"""Keys for Ed25519 signatures (RFC 8032) and the files they live in.

Private keys are PEM files in PKCS #8, public ones PEM files in SubjectPublicKeyInfo (RFC 8410),
as ``openssl pkey`` reads and writes them. The ``cryptography`` package does the mathematics.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from corrosion_edge.errors import KeyFileError, OutputError
from corrosion_edge.modelfile.reading import read_regular

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["PrivateKey", "PublicKey", "Signer", "public_path"]

_LARGEST: Final = 64 * 1024  # a key file has some hundred bytes
_PUBLIC_BYTES: Final = 32
T = TypeVar("T")


class Signer(Protocol):
    """Who can sign: has a public key, and makes an Ed25519 signature of 64 bytes."""

    @property
    def public(self) -> "PublicKey":
        """The key that checks the signatures."""

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``; the same message gives the same signature."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key: 32 bytes (ValueError otherwise)."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != _PUBLIC_BYTES:
            raise ValueError(f"raw: expected {_PUBLIC_BYTES} bytes, got {len(self.raw)}")

    @property
    def id(self) -> str:
        """The key's name: the SHA-256 of its 32 bytes, in hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()

    def accepts(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` was made of ``message`` with the private key to this one."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def load(cls, path: Path) -> "PublicKey":
        """Read a public key's file (KeyFileError if it is none)."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        content = _read(path)
        if b"PRIVATE KEY" in content:
            raise KeyFileError(f"{path}: holds a private key; name the public one, {path}.pub")
        key = _parsed(path, lambda: serialization.load_pem_public_key(content))
        if not isinstance(key, Ed25519PublicKey):
            raise KeyFileError(f"{path}: not an Ed25519 key; make one with 'bundle keygen'")
        return cls(key.public_bytes_raw())


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """An Ed25519 private key; a ``Signer``."""

    _key: "Ed25519PrivateKey" = field(repr=False)

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A new key from the operating system's random numbers."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @property
    def public(self) -> PublicKey:
        """The public key to it."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``, 64 bytes; Ed25519 needs no random numbers for it."""
        return self._key.sign(message)

    @classmethod
    def load(cls, path: Path, passphrase: Callable[[], str]) -> "PrivateKey":
        """Read a private key's file; ``passphrase`` is asked only if it is encrypted.

        Raises KeyFileError if it is no such key, others may read it, or the passphrase is wrong.
        """
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        content = _read(path, private=True)
        if b"PRIVATE KEY" not in content:
            raise KeyFileError(f"{path}: not a private key")
        secret = passphrase().encode() if b"ENCRYPTED" in content else None
        key = _parsed(path, lambda: serialization.load_pem_private_key(content, secret))
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileError(f"{path}: not an Ed25519 key; make one with 'bundle keygen'")
        return cls(key)

    def save(self, path: Path, passphrase: str = "") -> None:
        """Write ``path``, readable by its owner alone, and the public key beside it, PATH.pub.

        The private key is encrypted where there is a passphrase. An existing file is never
        overwritten (OutputError).
        """
        from cryptography.hazmat.primitives import serialization as pem

        hidden: pem.KeySerializationEncryption = pem.NoEncryption()
        if passphrase:
            hidden = pem.BestAvailableEncryption(passphrase.encode())
        private = self._key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, hidden)
        public = self._key.public_key().public_bytes(
            pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo
        )
        for place in (path, public_path(path)):
            if place.is_symlink() or place.exists():
                raise _taken(place)
        _write_new(path, private, 0o600)
        try:
            _write_new(public_path(path), public, 0o644)
        except OutputError:
            path.unlink()
            raise


def public_path(path: Path) -> Path:
    """Where the public key to the private key at ``path`` lies."""
    return path.with_name(f"{path.name}.pub")


def _read(path: Path, *, private: bool = False) -> bytes:
    """A key file's content; the permissions are those of the very file that is read."""
    try:
        content, mode = read_regular(path, _LARGEST)
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such key; make one with 'bundle keygen'") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror})") from None
    if private and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(
            f"{path}: other users may read or change this private key; run: chmod 600 {path}"
        )
    return content


def _parsed(path: Path, load: Callable[[], T]) -> T:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return load()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"{path}: not a key in a PEM file, or its passphrase is not the one given"
        ) from None


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None


def _taken(path: Path) -> OutputError:
    return OutputError(f"{path}: exists already, and a key is not overwritten; name another file")
