"""The cameras that are watched, each with what was said of it alone or of all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from corrosion_edge.device.capturing import Capture
from corrosion_edge.device.config.tables import tables_of
from corrosion_edge.errors import NoSuchSource, SourceError, UsageError

if TYPE_CHECKING:
    from corrosion_edge.device.capture import Observer
    from corrosion_edge.device.capture.bell import Bell
    from corrosion_edge.device.classifier import Classifier
    from corrosion_edge.device.events.event import Asset
    from corrosion_edge.device.judging import View
    from corrosion_edge.device.sources import Source

__all__ = ["Camera", "Cameras"]

_FRAMING: Final = ("resolution", "rate", "rotate", "roi", "tiles")


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera; one that is alone may have no name. ``interval`` is in seconds."""

    name: str
    source: str
    capture: Capture = field(default_factory=Capture)
    interval: float = 0.0
    asset: str = ""
    position: str = ""

    def but(self, values: Mapping[str, Any]) -> "Camera":
        """The same with other values, by the names of the command's parameters."""
        framing = {name: values[name] for name in _FRAMING if name in values}
        others = {name: value for name, value in values.items() if name not in _FRAMING}
        return replace(self, capture=replace(self.capture, **framing), **others)


class Cameras:
    """Opens them, and knows how the frames of each are judged.

    Raises UsageError when made of what cannot go together, NoSuchSource of what is no source.
    """

    def __init__(self, cameras: Sequence[Camera]) -> None:
        if not cameras:
            raise UsageError("cameras: expected one or more")
        if any(one.capture.await_cameras and not one.capture.reconnect for one in cameras):
            raise UsageError("--await-cameras: with --no-reconnect no camera is waited for; leave "
                             "one of them out")  # fmt: skip
        self._cameras = {camera.name: camera for camera in cameras}
        _require_sources({camera.name: camera.source for camera in cameras})
        self._looks = {camera.name: camera.capture.look() for camera in cameras}

    @classmethod
    def of(cls, ctx: click.Context, capture: Capture) -> "Cameras":
        """Those that the command line or else the configuration names.

        ``ctx`` is that of a command with the options for one or all of them; what a camera's
        table says beats a value for all, unless that was given on the command line.
        """
        from corrosion_edge.device.capture import named

        said = ctx.params
        everyone = Camera("", "auto", capture, said["interval"], said["asset"] or "",
                          said["position"] or "")  # fmt: skip
        if tables := tables_of(ctx):
            return cls([everyone.but({**table.values, "name": name})
                        for name, table in tables.items()])  # fmt: skip
        sources = named(said["camera"] or ["auto"])
        return cls([replace(everyone, name=name, source=each) for name, each in sources.items()])

    @property
    def names(self) -> tuple[str, ...]:
        """Their names; empty for one that has none."""
        return tuple(filter(None, self._cameras))

    @property
    def folders(self) -> tuple[Path, ...]:
        """Those that are folders of pictures, followed or not."""
        from corrosion_edge.device.sources import is_folder

        return tuple(Path(one.source) for one in self._cameras.values()
                     if _is_followed(one) or is_folder(one.source))  # fmt: skip

    def open(
        self, observe: "Observer | None" = None, classifier: "Classifier | None" = None
    ) -> "Source":
        """Open all or none (UsageError, and what opening raises), or await them if that is asked.

        Where whole pictures are judged, sources are asked for the sizes that are judged too.
        """
        from corrosion_edge.device.capture import open_several

        first = next(iter(self._cameras.values()))
        followed = any(map(_is_followed, self._cameras.values()))
        if first.capture.follow and not followed:
            raise UsageError("--follow: none of the cameras is a folder; leave it out")

        def open_one(spec: str, name: str = "", bell: "Bell | None" = None) -> "Source":
            camera = self._cameras[name]
            if _is_followed(camera):
                return _followed(camera, observe, bell)
            with _naming_the_way_out(spec, camera.capture):
                return camera.capture.open(spec, observe, classifier, name, bell)

        if not first.name:
            return open_one(first.source)
        return open_several({name: one.source for name, one in self._cameras.items()}, open_one)

    def view(self, classifier: "Classifier", camera: str) -> "View":
        """How this camera's frames are judged by this classifier; '' is one without a name."""
        return self._cameras[camera].capture.view(classifier, self._looks[camera])

    @property
    def spacings(self) -> dict[str, float]:
        """Each camera's seconds from one verdict to the next, as asked for: interval or rate."""
        return {name: max(one.interval, 1 / one.capture.rate if one.capture.rate else 0.0)
                for name, one in self._cameras.items()}  # fmt: skip

    def interval(self, source: "Source", camera: str) -> float:
        """The camera's least time between two verdicts, in seconds; it has delivered a frame."""
        one = self._cameras[camera]
        return one.capture.interval(one.interval, source, camera)

    def assets(self, alone: str) -> "dict[str, Asset]":
        """What each looks at; one without a name is called ``alone``."""
        from corrosion_edge.device.events.event import Asset

        return {name or alone: Asset(camera.asset, camera.position)
                for name, camera in self._cameras.items()}  # fmt: skip


def _require_sources(sources: Mapping[str, str]) -> None:
    from corrosion_edge.device.sources import require_distinct, require_known

    for spec in sources.values():
        require_known(spec)
    require_distinct(sources)


def _is_followed(camera: Camera) -> bool:
    """Whether it is taken for a folder that is followed; live ones beside it are not."""
    from corrosion_edge.device.sources import is_live_kind

    alone = not camera.name
    return camera.capture.follow and (alone or not is_live_kind(camera.source))


def _followed(camera: Camera, observe: "Observer | None", bell: "Bell | None") -> "Source":
    from corrosion_edge.device.capture import Beside, FollowedFolder

    def made(observe: "Observer | None") -> FollowedFolder:
        how: dict[str, Any] = {"camera": camera.name, "awaited": camera.capture.await_cameras}
        return FollowedFolder(Path(camera.source), observe=observe, **how)

    return Beside(made, bell, observe) if bell else made(observe)


@contextmanager
def _naming_the_way_out(spec: str, capture: Capture) -> Iterator[None]:
    """Say how a live camera that is not there yet could be waited for."""
    from corrosion_edge.device.sources import is_live_kind

    try:
        yield
    except NoSuchSource:
        raise
    except SourceError as error:
        if not (capture.reconnect and is_live_kind(spec)):
            raise
        raise SourceError(f"{error}; to wait until it comes, add --await-cameras") from None
