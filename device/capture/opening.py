"""Opening what ``--camera`` names: live sources under supervision, recordings as they are."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from corrosion_edge.device.capture.ahead import Ahead
from corrosion_edge.device.capture.bell import Bell
from corrosion_edge.device.capture.patience import Patience
from corrosion_edge.device.capture.state import Observer
from corrosion_edge.device.capture.supervised import Supervised
from corrosion_edge.device.sources import is_folder, is_live_kind, open_directly, require_known
from corrosion_edge.device.sources.address import redacted
from corrosion_edge.device.sources.source import Source
from corrosion_edge.device.sources.wish import NOTHING, Wish
from corrosion_edge.errors import NoSuchSource, SourceError

__all__ = ["open_camera", "within"]


def open_camera(
    spec: str,
    *,
    patience: Patience | None = None,
    reconnect: bool = True,
    observe: Observer | None = None,
    wish: Wish = NOTHING,
    name: str = "",
    bell: Bell | None = None,
    awaited: bool = False,
) -> Source:
    """Open what ``--camera`` names, see ``sources.open_directly``.

    A live source comes ``Supervised``: after its first frame it is opened again when it fails,
    unless ``reconnect`` is false. ``name`` is what ``observe`` is told it is called, ``bell`` one
    that it shares with others. The camera is asked for the ``wish`` at each opening.

    A live source that is ``awaited`` is opened by its own thread, and lost until it comes: what
    then turns out to be a recording is an error. Others are opened now.
    Raises SourceError, saying what to do, if it cannot be opened now or does not answer in time,
    DataError for a folder without photos.
    """
    patience = patience or Patience()
    if not is_live_kind(spec):
        return _recording(spec, wish, patience)
    how: dict[str, Any] = {"name": name, "patience": patience, "observe": observe, "bell": bell}
    again = lambda: _live(open_directly(spec, wish))  # noqa: E731
    if awaited:
        require_known(spec)
        return Supervised(None, again, called=redacted_spec(spec), **how)
    first = within(patience.open_within, lambda: open_directly(spec, wish), redacted_spec(spec))
    if not first.live:
        return _ahead(first, patience)
    return Supervised(first, again if reconnect else None, **how)


def within(seconds: float, make: Callable[[], Source], name: str) -> Source:
    """What ``make`` opens, or SourceError if it takes longer; then what comes late is closed."""
    opening = _Opening(make)
    threading.Thread(target=opening.run, name=f"opens {name}", daemon=True).start()
    return opening.result(seconds, name)


def _live(source: Source) -> Source:
    """The source again, or NoSuchSource: a recording would be read over and over."""
    if source.live:
        return source
    source.close()
    raise NoSuchSource(f"{source.name}: a recording, not a live stream; to watch it, start anew "
                       "with --no-await-cameras")  # fmt: skip


def _recording(spec: str, wish: Wish, patience: Patience) -> Source:
    """A file, a folder or the demo; a folder may take as long as it takes to look through it."""
    make = lambda: open_directly(spec, wish)  # noqa: E731
    if spec == "demo" or is_folder(spec):
        return make()
    return _ahead(within(patience.open_within, make, spec), patience)


def _ahead(source: Source, patience: Patience) -> Source:
    """A video file is decoded ahead; pictures may be too large, and the demo costs nothing."""
    return Ahead(source, patience.hung_after) if source.is_video else source


def redacted_spec(spec: str) -> str:
    """The name of a source that is not open yet, without a password."""
    return redacted(spec) if "://" in spec else spec


class _Opening:
    def __init__(self, make: Callable[[], Source]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._given_up = False
        self._source: Source | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._source = self._make()
        except BaseException as error:  # raised again where it is waited for
            self._error = error
        with self._lock:
            late = self._given_up
            self._done.set()
        if late and self._source is not None:
            with suppress(Exception):
                self._source.close()

    def result(self, seconds: float, name: str) -> Source:
        self._done.wait(seconds)
        with self._lock:
            self._given_up = not self._done.is_set()
        if self._error is not None:
            raise self._error
        if self._source is None or self._given_up:
            raise SourceError(f"{name}: no answer to its opening for {seconds:g} s; check it")
        return self._source
