"""Whether this machine's clock can be believed.

A Raspberry Pi up to model 4 has no clock of its own: until the network sets it, it goes on from
the time of the last shutdown, or from 1970. The kernel knows: whoever sets the clock from
elsewhere (systemd-timesyncd, chrony, ntpd) clears its flag STA_UNSYNC (adjtimex(2)), and any
process may read it.
"""

import ctypes
import os
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Final

__all__ = [
    "EARLIEST",
    "SYNCHRONISED_VARIABLE",
    "is_believable",
    "is_doubtful",
    "is_synchronised",
    "local_time",
]

EARLIEST: Final = 1_767_225_600
"""2026-01-01 in seconds since 1970: this program is younger, so an earlier clock is wrong."""

SYNCHRONISED_VARIABLE: Final = "CORROSION_EDGE_CLOCK"
"""Environment variable that overrules the kernel's flag: ``trusted`` or ``untrusted``.

For machines whose clock is set by something that does not tell the kernel (a host under a virtual
machine, a good battery-backed clock without a network), and for trials.
"""

_STA_UNSYNC: Final = 0x0040
_TIME_ERROR: Final = 5


class _Timex(ctypes.Structure):
    """The head of ``struct timex`` (adjtimex(2)); the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def is_synchronised() -> bool | None:
    """Whether the kernel says that its clock is set by a better one; None if it cannot be asked."""
    told = {"trusted": True, "untrusted": False}.get(os.environ.get(SYNCHRONISED_VARIABLE, ""))
    if told is not None:
        return told
    answer = _Timex()
    ask = _adjtimex()
    state = ask(ctypes.byref(answer)) if ask else -1
    if state < 0:
        return None
    return state != _TIME_ERROR and not answer.status & _STA_UNSYNC


@cache
def _adjtimex() -> Callable[[Any], int] | None:
    """The C library's function, which with no mode set only reads; None where there is none."""
    try:
        # PyDLL keeps the interpreter's lock: giving it up for a microsecond may cost milliseconds.
        found: Callable[[Any], int] = ctypes.PyDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    return found


def is_doubtful(moment: datetime) -> bool:
    """Whether a moment that was just read off the clock may be wrong: set by nobody, or past."""
    return is_synchronised() is False or not is_believable(moment)


def is_believable(moment: datetime) -> bool:
    """Whether a moment, with a time zone, is not before this program was made."""
    return moment.timestamp() >= EARLIEST


def local_time(moment: datetime) -> str:
    """The moment as ISO 8601 in this machine's time zone, with milliseconds and offset."""
    return moment.astimezone().isoformat(timespec="milliseconds")
