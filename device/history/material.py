"""What a page is made of: a stretch of a store, by asset and camera."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.history.downtime import moment
from corrosion_edge.device.history.period import period
from corrosion_edge.device.history.places import Places, named
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.device.store.verify import verify
from corrosion_edge.errors import TamperError
from corrosion_edge.report import Text

__all__ = ["Material", "View", "gather"]


@dataclass(frozen=True, slots=True)
class View:
    """A camera while it looked at one asset, which is empty where none was named."""

    asset: str
    camera: str


@dataclass(frozen=True, slots=True)
class Material:
    """``events`` and ``summaries`` within ``period``, its first and last moment."""

    folder: Path
    events: Sequence[Event]
    summaries: Sequence[Summary]
    period: tuple[datetime, datetime]
    chain: Text
    places: Places

    @property
    def assets(self) -> Mapping[str, Sequence[View]]:
        """The views of each asset, by name; a camera that was moved has one of several."""
        seen = {(self.places.of(s).name, s.camera) for s in self.summaries}
        for event in self.events:
            seen |= {(asset.name, camera) for camera, asset in named(event.fields)}
        found: dict[str, list[View]] = defaultdict(list)
        for asset, camera in sorted(seen):
            found[asset].append(View(asset, camera))
        return dict(found)

    def events_of(self, view: View) -> list[Event]:
        """The camera's own events, those of the whole watch left out."""
        return [e for e in self.events
                if e.fields["camera"] == view.camera
                and self.places.of(e).name == view.asset]  # fmt: skip

    def summaries_of(self, view: View) -> list[Summary]:
        """The minutes of the camera."""
        return [s for s in self.summaries
                if s.camera == view.camera and self.places.of(s).name == view.asset]  # fmt: skip

    def position(self, view: View) -> str:
        """Where the camera looked from, as it was said last; empty where it was not."""
        told = [self.places.of(s) for s in self.summaries_of(view)[-1:]]
        told += [self.places.of(e) for e in self.events_of(view)[-1:]]
        told += [self.places.at(view.camera, self.period[1])]
        return next((t.position for t in told if t.name == view.asset and t.position), "")

    def concerns(self, view: View, when: datetime) -> bool:
        """Whether the camera looked at the asset at that moment."""
        return self.places.at(view.camera, when).name == view.asset


def gather(folder: Path, since: datetime | None = None, until: datetime | None = None) -> Material:
    """Read a store, verify it, and take what lies within; the last ``WEEKS`` of it by default.

    Times later than now, of a clock that was wrong, are left out. StoreError for no store.
    """
    with Reader(folder) as reader:
        events, summaries = list(reader.events()), list(reader.summaries())
    times = [moment(e.at) for e in events if e.at] + [s.at for s in summaries]
    begin, end = period(times, since, until)
    return Material(
        folder,
        [e for e in events if e.at and begin <= moment(e.at) <= end],
        [s for s in summaries if begin <= s.at <= end],
        (begin, end),
        _chain(folder),
        Places(events),
    )


def _chain(folder: Path) -> Text:
    try:
        found = verify(folder)
    except TamperError as error:
        return Text(f"The store was changed by another hand: {error}", "warning")
    told = (
        f"Hash chain whole: {found.events} events, {found.pictures} pictures; head {found.head}. "
        "It cannot show whether newer events were cut off: compare the head. The scores of each "
        "minute, which the charts show, are not in it."
    )
    if not found.aside:
        return Text(told, "good")
    places = ", ".join(str(one.get("place")) for one in found.aside)
    return Text(f"{told} What was set aside is not in this page: {places}.", "warning")
