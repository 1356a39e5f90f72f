"""How far each consumer has got, for people."""

from collections.abc import Iterator
from pathlib import Path

from corrosion_edge.device.history.listing import local
from corrosion_edge.device.lines import printable
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.device.telling.ledger import DELIVERIES, Ledger

__all__ = ["lines"]


def lines(folder: Path) -> Iterator[str]:
    """A line a consumer, and one for each event that it refused (StoreError, OutputError)."""
    with Reader(folder) as reader:
        newest = reader.last()
    if not (folder / DELIVERIES).is_file():
        yield f"nothing is delivered from this store; it has {newest} events"
        return
    with Ledger(folder, reading=True) as ledger:
        for consumer, place in ledger.consumers().items():
            aside = ledger.set_aside(consumer)
            waiting = max(newest - place.sequence, 0)
            yield (f"{consumer}: up to event {place.sequence} of {newest}; {waiting} waiting, "
                   f"{len(aside)} set aside")  # fmt: skip
            for each in aside:
                told = f"set aside {local(each.at)}: event {each.place.sequence}: {each.reason}"
                yield printable(f"  {told}")
