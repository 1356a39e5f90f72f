"""Stores events as fast as it can, and says after each that it is stored; to be killed.

``python writer.py FOLDER [FIRST]``: a line "number hash" for each event that ``append`` returned.
"""

import itertools
import sys
from pathlib import Path

from happenings import happening, summary

from corrosion_edge.device.store import Keeper, Store


def main() -> None:
    keeper = Keeper(
        Store(Path(sys.argv[1])),
        told=lambda stored: print(stored.sequence, stored.hash, flush=True),
    )
    print("ready", flush=True)
    for number in itertools.count():
        kind = "corrosion_ended" if number % 2 else "corrosion_began"
        keeper.append(happening(kind, float(number % 50)))
        if number % 5 == 0:
            keeper.summarise(summary(number))


if __name__ == "__main__":
    main()
