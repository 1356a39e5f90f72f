"""Ed25519 signatures over a whole model file.

What is signed is every byte of the file before it was signed, flatbuffer, manifest and members
alike, behind a prefix that no other use of the key shares. The signature is the last member of
the signed file, so taking it out gives the very bytes that were signed.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Final

from corrosion_edge.errors import SignatureError
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.keys import PublicKey, Signer

__all__ = ["PREFIX", "SIGNATURE_NAME", "Signature", "check", "find", "sign", "unsigned"]

SIGNATURE_NAME: Final = "signature.json"

PREFIX: Final = b"corrosion-edge model file, signature format 1\0"
"""Stands before the signed bytes, so that a signature of anything else is never one of these."""

_ALGORITHM: Final = "Ed25519"
_KEY_DIGITS, _SIGNATURE_DIGITS = 64, 128


@dataclass(frozen=True, slots=True)
class Signature:
    """What the member says: the signing key's id, and the signature; both in hexadecimal."""

    key: str
    signature: str
    format: int = 1
    algorithm: str = _ALGORITHM

    def __post_init__(self) -> None:
        if (self.format, self.algorithm) != (1, _ALGORITHM) or isinstance(self.format, bool):
            raise ValueError(f"expected format 1 and {_ALGORITHM}")
        for value, digits in ((self.key, _KEY_DIGITS), (self.signature, _SIGNATURE_DIGITS)):
            if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
                raise ValueError(f"expected {digits} hexadecimal digits")

    def to_bytes(self) -> bytes:
        """The member's content."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Signature":
        """Read ``to_bytes``'s content back, and nothing else (SignatureError)."""
        try:
            found = cls(**json.loads(content))
        except (ValueError, TypeError, RecursionError):
            raise SignatureError("its signature is damaged or of another version") from None
        if found.to_bytes() != content:
            raise SignatureError("its signature is not written as this program writes it")
        return found


def find(file: Container) -> Signature | None:
    """The signature that a file carries, unchecked; None if it carries none.

    SignatureError if it is damaged, or not the last member.
    """
    content = file.get(SIGNATURE_NAME)
    if content is None:
        return None
    if file.members[-1][0] != SIGNATURE_NAME:
        raise SignatureError("its signature is not at its end")
    return Signature.from_bytes(content)


def unsigned(file: Container) -> Container:
    """The file without its signature: what was, or will be, signed."""
    members = tuple((name, content) for name, content in file.members if name != SIGNATURE_NAME)
    return Container(file.model, members)


def sign(file: Container, signer: Signer) -> Container:
    """The file with ``signer``'s signature in place of any other. Equal input gives equal bytes."""
    bare = unsigned(file)
    value = signer.sign(_message(bare)).hex()
    made = Signature(signer.public.id, value)
    return Container(bare.model, (*bare.members, (SIGNATURE_NAME, made.to_bytes())))


def check(file: Container, key: PublicKey) -> None:
    """SignatureError unless the file is signed with ``key`` and was not changed since."""
    found = find(file)
    if found is None:
        raise SignatureError("it is not signed; sign it with 'corrosion-edge bundle sign'")
    if found.key != key.id:
        raise SignatureError(
            f"it is signed with another key ({found.key[:16]}…) than the one asked for "
            f"({key.id[:16]}…)"
        )
    if not key.accepts(bytes.fromhex(found.signature), _message(unsigned(file))):
        raise SignatureError("it was changed after it was signed; get it again from its maker")


def _message(bare: Container) -> bytes:
    return PREFIX + bare.to_bytes()
