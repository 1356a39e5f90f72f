"""Which structure a camera looked at, and when: cameras are moved."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from corrosion_edge.device.events.event import Asset
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.history.downtime import moment
from corrosion_edge.device.store.event import Event

__all__ = ["Places", "named"]

_NAMES: Final = ("camera", "asset", "position")


class Places:
    """What the events of a whole store say of it.

    An event of a camera names what that looks at, and ``started`` does for every camera. Minutes
    name it since version 5 of the store; for older ones it is what was said before, or else next.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self._said: dict[str, list[tuple[datetime, Asset]]] = defaultdict(list)
        for event in events:
            for camera, asset in named(event.fields) if event.at else ():
                self._said[camera].append((moment(event.at), asset))
        for each in self._said.values():
            each.sort(key=itemgetter(0))

    def at(self, camera: str, when: datetime) -> Asset:
        """What the camera looked at, as far as that was said."""
        said = self._said.get(camera)
        if not said:
            return Asset()
        return said[max(0, bisect_right(said, when, key=itemgetter(0)) - 1)][1]

    def of(self, what: Event | Summary) -> Asset:
        """What an event of a camera, or a minute, is of."""
        if isinstance(what, Event):
            return Asset(str(what.fields["asset"]), str(what.fields.get("position", "")))
        if what.asset is not None:
            return Asset(what.asset, what.position or "")
        return self.at(what.camera, what.at)


def named(fields: dict[str, Any]) -> Iterator[tuple[str, Asset]]:
    """Each camera that an event with these fields names, with what it looks at."""
    details = fields.get("details")
    listed = details.get("cameras") if isinstance(details, dict) else None
    for one in [fields, *(listed if isinstance(listed, list) else [])]:
        camera, asset, position = (str(one.get(name) or "") for name in _NAMES)
        if camera:
            yield camera, Asset(asset, position)
