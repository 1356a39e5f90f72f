"""What was said of how cameras are read, and what opens and judges them so."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from corrosion_edge.device.capture import Framing, Gate, Look, Observer
    from corrosion_edge.device.capture.bell import Bell
    from corrosion_edge.device.classifier import Classifier
    from corrosion_edge.device.judging import Classifies, View
    from corrosion_edge.device.sources import Source

__all__ = ["Capture"]


@dataclass(frozen=True, slots=True)
class Capture:
    """What the options of ``capture_options`` said; ``frozen_after`` 0 means never.

    ``resolution`` is width and height in pixels, ``tiles`` columns and rows.
    """

    follow: bool = False
    resolution: tuple[int, int] | None = None
    rate: float | None = None
    rotate: str = "0"
    roi: str | None = None
    tiles: tuple[int, int] | None = None
    scale_at_source: bool = True
    quality: bool = True
    dark_below: float = 48.0
    bright_above: float = 240.0
    covered_below: float = 5.0
    blurred_below: float = 20.0
    reconnect: bool = True
    await_cameras: bool = False
    hung_after: float = 10.0
    frozen_after: float = 60.0

    def open(
        self,
        spec: str,
        observe: "Observer | None" = None,
        classifier: "Classifier | None" = None,
        name: str = "",
        bell: "Bell | None" = None,
    ) -> "Source":
        """Open a source (UsageError, and what opening raises); of several by ``name``.

        Whole pictures are asked for in the ``sizes`` that serve the ``classifier`` too.
        """
        from corrosion_edge.device.capture import Patience, open_camera
        from corrosion_edge.device.sources import Wish

        frozen_after = self.frozen_after or float("inf")
        patience = Patience(hung_after=self.hung_after, frozen_after=frozen_after)
        return open_camera(
            spec,
            patience=patience,
            reconnect=self.reconnect,
            observe=observe,
            wish=Wish(self.resolution, self.rate, self.sizes(classifier) if classifier else ()),
            name=name,
            bell=bell,
            awaited=self.await_cameras,
        )

    def sizes(self, classifier: "Classifier") -> tuple[tuple[int, int], ...]:
        """The sizes in which a whole picture serves the network and the gate before it."""
        from corrosion_edge.device.capture.quality import SPEC

        if not (self.scale_at_source and self._framing().takes_all):
            return ()
        network = () if self.tiles else (classifier.manifest.preprocessing.size,)
        gate = (SPEC.size,) if self.quality else ()
        return tuple(dict.fromkeys(network + gate))

    def view(self, classifier: "Classifier", look: "Look | None" = None) -> "View":
        """How frames are judged by this classifier (UsageError)."""
        from corrosion_edge.device.judging import View

        size = None if self.tiles else classifier.manifest.preprocessing.size
        return View(self._judge(classifier), look, self._gate(), size, self.await_cameras)

    def look(self) -> "Look":
        """What turns a delivered frame into the judged one (UsageError)."""
        from corrosion_edge.device.capture import Look

        return Look(self._framing(), _say)

    def _framing(self) -> "Framing":
        from corrosion_edge.device.capture import Framing, Region

        roi = Region.parse(self.roi) if self.roi else None
        return Framing(self.resolution, int(self.rotate), roi)

    def _judge(self, classifier: "Classifies") -> "Classifies":
        from corrosion_edge.device.capture.tiles import Tiled

        return Tiled(classifier, *self.tiles) if self.tiles else classifier

    def _gate(self) -> "Gate | None":
        from corrosion_edge.device.capture import Gate, Limits

        if not self.quality:
            return None
        limits = Limits(self.dark_below, self.bright_above, self.covered_below, self.blurred_below)
        return Gate(limits)

    def interval(self, least: float, source: "Source", camera: str = "") -> float:
        """The least time between verdicts where the source does not keep the rate itself."""
        if self.rate is None or source.keeps_rate(camera):
            return least
        whose = f"{camera}: " if camera else ""
        _say(f"{whose}the source keeps no rate of {self.rate:g}: frames are skipped here")
        return max(least, 1 / self.rate)


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
