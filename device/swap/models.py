"""The model that judges, and all that is made for it: another one takes over between two frames."""

from collections.abc import Callable
from datetime import UTC, datetime

from corrosion_edge.closing import Closing
from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events.event import ModelName
from corrosion_edge.device.judging import Judging, View
from corrosion_edge.device.store.last_good import LastGood
from corrosion_edge.device.swap.candidate import Candidate, Loading, Refusal
from corrosion_edge.device.swap.start import opened_first
from corrosion_edge.device.swap.version import Version
from corrosion_edge.device.swap.watcher import ModelWatch
from corrosion_edge.device.verdict import ModelChange

__all__ = ["Models"]


class Models(Judging, Closing):
    """Owns the running classifier; with a ``watch`` over its file, those after it too.

    ``make`` makes a camera's view for a classifier: once for each camera, and anew for each model.
    ``watch`` is closed with it. ``last_good`` keeps what is accepted, ``refused`` is why the
    file itself does not run. All but ``check_now`` belongs to the judging thread.
    """

    def __init__(
        self,
        classifier: Classifier,
        make: Callable[[Classifier, str], View],
        watch: ModelWatch | None = None,
        file: str = "",
        *,
        last_good: LastGood | None = None,
        refused: Refusal | None = None,
    ) -> None:
        self._classifier = classifier
        self._make = make
        self._watch = watch
        self._file = file
        self._last_good = last_good
        self._first = refused
        self._content = b""
        self._views: dict[str, View] = {}
        self._back: AcceleratorState | None = None

    @classmethod
    def opened(
        cls,
        loading: Loading,
        make: Callable[[Classifier, str], View],
        warn: Callable[[str], None],
        *,
        watched: bool,
        last_good: LastGood | None = None,
    ) -> "Models":
        """Open and check the first one (whatever that raises), and ``warn`` of its differences.

        Where the file is refused, ``last_good`` may have a copy of the one before it, which runs.
        """
        seen = Version.of(loading.file)  # before the content is read
        start = opened_first(loading, last_good, warn)
        first = start.model.classifier
        try:
            for warning in start.model.warnings:
                warn(warning)
            watch = None
            if watched:
                watch = ModelWatch(loading, first.bundle, seen, last_good, start.refused)
        except BaseException:
            first.close()
            raise
        made = cls(first, make, watch, str(loading.file), last_good=last_good, refused=start.told)
        made._content = start.model.content if last_good else b""
        return made

    def keep(self) -> None:
        """From here on keep a copy of what is accepted, the first one too: the store is open."""
        if self._last_good:
            self._last_good.begin()
            self._last_good.accept(self._content)
            self._content = b""

    @property
    def classifier(self) -> Classifier:
        """The one that judges now."""
        return self._classifier

    def view(self, camera: str) -> View:
        """See ``Judging.view``."""
        if camera not in self._views:
            self._views[camera] = self._make(self._classifier, camera)
        return self._views[camera]

    def renewed(self) -> ModelChange | None:
        """See ``Judging.renewed``."""
        if (first := self._first) is not None:
            self._first = None
            return self._refused(first)
        outcome = self._watch.take() if self._watch else None
        if outcome is None:
            return None
        return self._swap(outcome) if isinstance(outcome, Candidate) else self._refused(outcome)

    def news(self) -> AcceleratorState | None:
        """See ``Judging.news``."""
        news, self._back = self._back or self._classifier.news(), None
        if news is not None and news.state == "recovered" and self._watch:
            self._watch.again()  # what could not be opened without it
        return news

    def check_now(self, *_: object) -> None:
        """Have the file looked at; usable as a signal handler."""
        if self._watch:
            self._watch.check_now()

    def close(self) -> None:
        """End the watch over the file and close the classifier."""
        if self._watch:
            self._watch.close()
        self._classifier.close()

    def _swap(self, candidate: Candidate) -> ModelChange:
        if self._last_good:
            self._last_good.accept(candidate.content)  # before anybody hears that it judges
        old, self._classifier = self._classifier, candidate.classifier
        self._views = {}
        before, now = RunsOn.now(old), RunsOn.now(self._classifier)
        old.close()
        warnings = candidate.warnings + _elsewhere(before, now)
        self._back = _back(before, now)
        return ModelChange(
            at=datetime.now(UTC), file=self._file, old=ModelName.of(old),
            new=ModelName.of(self._classifier), accepted=True, reason="the file was replaced",
            warnings=warnings, band=self._classifier.band,
            file_sha256=candidate.file_sha256,
        )  # fmt: skip

    def _refused(self, refusal: Refusal) -> ModelChange:
        return ModelChange(
            at=datetime.now(UTC), file=self._file, old=ModelName.of(self._classifier),
            new=refusal.name, reason=refusal.reason, file_sha256=refusal.file_sha256,
        )  # fmt: skip


def _elsewhere(before: RunsOn, now: RunsOn) -> tuple[str, ...]:
    """A warning where the CPU stands in, or only one of them is for an accelerator."""
    if now.stand_in:
        return (f"the CPU answers in place of the {now.accelerator}: {now.reason}",)
    if bool(before.accelerator) == bool(now.accelerator):
        return ()
    return (f"it runs on {now.name}, the one before on {before.name}",)


def _back(before: RunsOn, now: RunsOn) -> AcceleratorState | None:
    """The end of an absence that the model before this one did not see any more."""
    if not now.up or before.up or not before.accelerator:
        return None
    return AcceleratorState(
        now.accelerator, "recovered", "it works with the new model", datetime.now(UTC), now.name,
        before.failures,
    )  # fmt: skip
