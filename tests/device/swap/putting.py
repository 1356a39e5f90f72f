"""Putting files in place of others, and waiting for what comes of it."""

import time


def put(path, content):
    """Another file under the name, as rename(2) does it."""
    new = path.with_suffix(".new")
    new.write_bytes(content if isinstance(content, bytes) else content.to_bytes())
    new.replace(path)


def until(condition, seconds=60.0):
    """Wait for what another thread does; its value."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
    return found
