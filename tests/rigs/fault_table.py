"""Injects each fault of docs/faults.md that software can inject here, again and again.

``python tests/rigs/fault_table.py FOLDER [FAULT...] [--times N] [--seed N]`` prints a line a fault:
how often it was injected, seconds until all was well again, what was lost, and what told of it.
``--times`` is 10 unless said otherwise; a virtual machine's faults are injected 3 times at most.
``--help`` names the faults. Faults whose rig is not built (``tests/rigs/setup.sh``), or that need
root, are skipped with the reason. It ends with 1 if one failed.
"""

import argparse
import os
import sys
import tempfile
import traceback
from pathlib import Path
from random import Random

import fault_paths  # noqa: F401 - before what it finds
import pytest
from faulty_cameras import CAMERAS
from faulty_clients import CLIENTS
from faulty_clock import CLOCKS
from faulty_files import FILES
from faulty_stores import STORES
from faulty_vivid import MOST, VIVID
from injecting import Fault, Row
from rig import CHECKOUT

__all__ = ["FAULTS", "injected"]

FAULTS: dict[str, Fault] = {
    fault.__name__: fault for fault in (*CAMERAS, *CLOCKS, *STORES, *FILES, *CLIENTS)
}


def injected(name: str, into: Path, times: int, draw: Random) -> Row:
    """Inject the fault so often, each time in a folder of its own."""
    if name in VIVID:
        return Row(name, VIVID[name](into, min(times, MOST)))
    found = []
    for _ in range(times):
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=into))
        found.append(FAULTS[name](folder, draw))
    return Row(name, found)


def main() -> int:
    names = [*FAULTS, *VIVID]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("fault", nargs="*", metavar="FAULT", help=", ".join(names))
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_intermixed_args()
    if unknown := set(asked.fault) - set(names):
        parser.error(f"no fault {', '.join(sorted(unknown))}; see --help")
    asked.folder.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHONPATH"] = str(CHECKOUT)  # of the programs that are started
    failed = 0
    for name in asked.fault or names:
        try:
            row = injected(name, asked.folder.resolve(), asked.times, Random(asked.seed))
            print(row, flush=True)
        except pytest.skip.Exception as reason:
            print(f"{name}: skipped: {reason}", flush=True)
        except Exception:
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
