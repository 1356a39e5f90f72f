"""What goes wrong in a network, in a sentence a person can act on."""

import errno
import socket
import ssl
import traceback
from datetime import UTC, datetime
from pathlib import Path

from corrosion_edge.device.clock import is_doubtful

__all__ = ["plain", "unexpected"]

_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_UNKNOWN_CA = (2, 7, 18, 19, 20, 21)  # no issuer, another key of that name, self-signed
_WORDS = {
    errno.ECONNREFUSED: "nobody answers there",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "no network leads there",
    errno.ECONNRESET: "the other side broke the connection off",
    errno.EPIPE: "the other side broke the connection off",
    errno.ETIMEDOUT: "no answer in time",
}


def plain(error: BaseException, host: str, ca_option: str) -> str:
    """What an error of a connection to ``host`` means, and what to do where that is known."""
    if isinstance(error, socket.gaierror):
        return f"the name {host} is not known to this network"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error, ca_option)
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "no reason given").lower().replace("_", " ")
        return f"no encrypted connection comes about ({reason}); is TLS spoken on that port?"
    if isinstance(error, TimeoutError):
        return _WORDS[errno.ETIMEDOUT]
    if isinstance(error, OSError):
        told = error.strerror or type(error).__name__
        return _WORDS.get(error.errno or 0, f"the connection failed ({told})")
    return f"the answer cannot be understood ({type(error).__name__})"


def unexpected(error: Exception) -> str:
    """An error that nobody foresaw: its kind and place, not its text, which may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}; please report this"


def _certificate(error: ssl.SSLCertVerificationError, ca_option: str) -> str:
    said = f"its certificate is not accepted ({error.verify_message.rstrip('.')})"
    if error.verify_code in (_NOT_YET_VALID, _EXPIRED) and is_doubtful(datetime.now(UTC)):
        return f"{said}; this machine's clock, which may be wrong, is {datetime.now(UTC):%Y-%m-%d}"
    if error.verify_code in _UNKNOWN_CA:
        return f"{said}; name the CA that signed it with {ca_option}"
    return said
