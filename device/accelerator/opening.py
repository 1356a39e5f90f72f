"""From a model file and the options to a backend, with a sentence that says what was chosen."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.accelerator.delegate import Delegate
from corrosion_edge.device.accelerator.fallback import spare_for
from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.device.accelerator.probe import PATIENCE, Probe, probe
from corrosion_edge.device.accelerator.reviving import Polled, Reviving, usb_reset
from corrosion_edge.device.backends import Backend, open_backend
from corrosion_edge.device.backends.edgetpu import EdgeTpuBackend, in_use, require_compiled
from corrosion_edge.errors import BackendAway, BackendError, UsageError

if TYPE_CHECKING:
    from corrosion_edge.modelfile.keys import PublicKey

__all__ = ["Openings"]


class Openings:
    """Opens networks as the options say.

    ``threads`` is the CPU's; ``level`` (quick or full) says how many golden pictures are compared
    before an Edge TPU may judge, each time it is opened. With ``recover`` one that fails later is
    opened again. What stands in for it must be ``signed_with`` the key, if one is demanded.
    ``say`` is told what was chosen, and why. A ``trusted`` Edge TPU is neither tried nor compared
    first, as somebody did so already. Raises UsageError for options that cannot be
    together.
    """

    def __init__(
        self,
        options: Accelerator,
        *,
        threads: int | None = None,
        level: str = "quick",
        recover: bool = False,
        signed_with: "PublicKey | None" = None,
        say: Callable[[str], None] = lambda sentence: None,
        trusted: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        options.require_possible()
        self._options = options
        self._delegate = Delegate(_library(options.delegate), options.accelerator_device)
        self._threads, self._level, self._recover = threads, level, recover
        self._signed_with, self._say = signed_with, say
        self._trusted, self._patience = trusted, patience

    def __call__(self, bundle: Bundle, path: Path) -> Backend:
        """Open the network of the model file ``path``.

        Raises BackendError where it cannot run on what was asked for, or answers far from the
        golden outputs there, BackendAway where what was asked for does not work; BundleError for a
        network that is not sound.
        """
        wanted, compiled = self._options.accelerator, bundle.manifest.compiled is not None
        if wanted == "cpu" or (wanted == "auto" and not compiled):
            return self._on_cpu(bundle, wanted)
        require_compiled(bundle)
        why = "as the model is compiled for it" if wanted == "auto" else "as was asked for"
        backend = self._on_edge_tpu(bundle, path)
        self._say(f"accelerator: the {self._delegate}, {why}")
        return backend

    def _on_cpu(self, bundle: Bundle, wanted: str) -> Backend:
        if (idle := self._options.idle_on_cpu) and not self._trusted:
            raise UsageError(f"{idle}: the model is not compiled for an accelerator")
        backend = open_backend(bundle, threads=self._threads, kernels=self._options.kernels)
        why = "as was asked for"
        if wanted == "auto":
            why = "as the model is not compiled for an accelerator"
        self._say(f"accelerator: none, the CPU, {why}")
        return backend

    def _on_edge_tpu(self, bundle: Bundle, path: Path) -> Backend:
        spare = self._spare(bundle, path)
        reopen = partial(self._checked, bundle)
        try:
            first: Backend | str = self._tried(bundle)
        except BackendError as error:
            if spare is None:
                raise type(error)(f"{error}; {_without(bundle)}") from None
            first = str(error)
            self._say(f"warning: {first}; the CPU answers in place of the Edge TPU")
        if not self._recover:
            assert not isinstance(first, str), "expected no fallback without recovery"
            return first
        from corrosion_edge.device.accelerator.recovering import Recovering

        begin = partial(self._begun, bundle)
        return Recovering(str(self._delegate), first, reopen=reopen, probe=begin, spare=spare)

    def _begun(self, bundle: Bundle, again: bool) -> Polled:
        """A try that begins, ``again`` after a reset of the USB device."""
        begin = partial(Probe, self._delegate, bundle.model, self._patience)
        return Reviving(usb_reset(self._delegate.device), begin) if again else begin()

    def _tried(self, bundle: Bundle) -> Backend:
        """The Edge TPU, after another process tried it, where this one does not hold it already."""
        if not (self._trusted or in_use()):
            outcome = probe(self._delegate, bundle.model, self._patience)
            if not outcome.works:
                raise BackendAway(outcome.sentence)
        return self._checked(bundle)

    def _checked(self, bundle: Bundle) -> Backend:
        backend = EdgeTpuBackend(bundle, self._delegate, threads=self._threads)
        return backend if self._trusted else _golden(bundle, backend, self._level)

    def _spare(self, bundle: Bundle, path: Path) -> Callable[[], Backend] | None:
        """What opens the stand-in, once it was tried: it must not fail when it is needed."""
        if self._options.fallback == "none":
            return None
        if bundle.manifest.compiled is None:
            raise UsageError("--fallback: the model file does not say what it was compiled from")
        file = spare_for(bundle, path, self._options.fallback_model, self._signed_with)
        open_spare = partial(_stand_in, file, self._threads, self._options.kernels, self._level)
        open_spare().close()
        return open_spare


def _stand_in(bundle: Bundle, threads: int | None, kernels: str, level: str) -> Backend:
    backend = _golden(bundle, open_backend(bundle, threads=threads, kernels=kernels), level)
    backend.name += ", in place of the Edge TPU"
    return backend


def _golden(bundle: Bundle, backend: Backend, level: str) -> Backend:
    """The backend, if it answers near the golden outputs (BackendError, and then it is closed)."""
    from corrosion_edge.device.classifier import Classifier

    try:
        Classifier(bundle, backend).check_golden(level)
    except BaseException:
        backend.close()
        raise
    return backend


def _without(bundle: Bundle) -> str:
    told = bundle.manifest.compiled
    source = told.source if told and told.source else "the model file that it was compiled from"
    return f"without an Edge TPU use {source}"


def _library(name: str) -> str:
    """A path from here; a bare name is searched for by the loader."""
    return str(Path(name).absolute()) if "/" in name else name
