"""The one way in which certificates are checked, for every protocol."""

import ssl
from pathlib import Path

from corrosion_edge.errors import KeyFileError, UsageError

__all__ = ["client_context"]


def client_context(
    ca: Path | None, option: str, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """TLS 1.2 or later, names checked, trust in ``ca`` alone or else in the system's CAs.

    ``certificate`` and its unencrypted ``key`` (None: in the same file) are our own.
    Raises UsageError for a CA file, KeyFileError for a certificate that cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise UsageError(f"{option} {ca}: no CA's certificate in PEM ({_reason(error)})") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        try:
            # An encrypted key must not ask a terminal for its passphrase.
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except (OSError, ValueError) as error:
            raise KeyFileError(
                f"{certificate}: with {key or 'no key file'} no certificate and unencrypted key "
                f"in PEM ({_reason(error)})"
            ) from None
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "unreadable").lower().replace("_", " ")
    return getattr(error, "strerror", None) or str(error)
