"""Ctrl-C for processes that tests start."""

import signal

__all__ = ["interruptible"]


def interruptible() -> None:
    """For ``preexec_fn``: a shell lets what it starts in the background ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
