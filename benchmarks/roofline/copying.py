"""Memory's speed: copying arrays that no cache holds."""

import re
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

__all__ = ["Copying", "bytes_to_copy", "largest_cache"]

_TIMES_CACHE: Final = 4  # STREAM's rule for its arrays: https://www.cs.virginia.edu/stream/ref.html
_LEAST_BYTES: Final = 2**26
_MOST_BYTES: Final = 2**29


def bytes_to_copy(cache: int, memory: int | float | str) -> int:
    """How many bytes to copy: beyond the caches, and no more than an eighth of the memory."""
    most = _MOST_BYTES if isinstance(memory, str) else min(_MOST_BYTES, int(memory) // 8)
    return min(max(_LEAST_BYTES, _TIMES_CACHE * cache), most)


class Copying:
    """Copies ``size`` bytes, parted among ``threads``, from memory that is there to such."""

    def __init__(self, size: int, threads: int) -> None:
        part = size // threads
        # ones: memory that was never written is not there yet, and takes a fault a page.
        self._pairs = [(np.ones(part, np.uint8), np.ones(part, np.uint8)) for _ in range(threads)]
        self._bytes = 2 * part * threads

    def rate(self) -> float:
        """Bytes a second that are read and written."""
        gate = threading.Barrier(len(self._pairs) + 1)

        def copy(source: Any, target: Any) -> None:
            gate.wait()
            np.copyto(target, source)  # without the interpreter's lock
            gate.wait()

        workers = [threading.Thread(target=copy, args=pair) for pair in self._pairs]
        for worker in workers:
            worker.start()
        gate.wait()
        start = time.perf_counter()
        gate.wait()
        seconds = time.perf_counter() - start
        for worker in workers:
            worker.join()
        return self._bytes / seconds


def largest_cache(folder: Path) -> int:
    """Bytes of the largest cache of a processor's folder in /sys, 0 if it does not tell."""
    sizes = [0]
    for file in folder.glob("index*/size"):
        if found := re.fullmatch(r"(\d+)([KM])", file.read_text().strip()):
            sizes.append(int(found[1]) * {"K": 2**10, "M": 2**20}[found[2]])
    return max(sizes)
