"""The first model of a watch: its file, or the last good copy of a file that is refused."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from corrosion_edge.device.store.last_good import LastGood
from corrosion_edge.device.swap.candidate import Candidate, Loading, Refusal
from corrosion_edge.errors import BundleError

__all__ = ["Start", "opened_first"]


@dataclass(frozen=True, slots=True)
class Start:
    """The ``model`` to begin with; if that is the copy, why the file was ``refused``.

    ``told`` is that refusal with what runs in place of the file.
    """

    model: Candidate
    refused: Refusal | None = None
    told: Refusal | None = None


def opened_first(
    loading: Loading, last_good: LastGood | None, warn: Callable[[str], None]
) -> Start:
    """Open and check the file, or else the copy, which has to pass all that the file has to.

    Without a copy that does, what was wrong with the file is raised. ``warn`` hears that the copy
    runs, or why it does not.
    """
    first = loading.examined()
    if isinstance(first, Candidate):
        return Start(first)
    copy = _copy(first, loading, last_good, warn)
    if copy is None or last_good is None:
        assert first.error is not None, "expected what was raised"
        raise first.error
    told = f"{first.reason}; the copy of the last good file, in {last_good.folder}, runs"
    warn(told)
    return Start(copy, first, replace(first, reason=told))


def _copy(
    refused: Refusal,
    loading: Loading,
    last_good: LastGood | None,
    warn: Callable[[str], None],
) -> Candidate | None:
    if last_good is None:
        return None
    try:
        content = last_good.find()
    except BundleError as error:
        warn(f"the copy of the last good file cannot be used either ({error})")
        return None
    found = loading.examined(content) if content is not None else refused
    if isinstance(found, Candidate):
        return found
    if found.reason != refused.reason:
        warn(f"the copy in {last_good.folder} is refused too ({found.reason})")
    return None
