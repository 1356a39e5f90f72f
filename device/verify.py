"""Whether a model file is what it says, and whether this machine answers as it promises."""

from collections.abc import Iterator
from pathlib import Path

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.modelfile.keys import PublicKey
from corrosion_edge.modelfile.summary import open_file
from corrosion_edge.network.sound import require_sound

__all__ = ["verify"]


def verify(path: Path, key: PublicKey | None, level: str) -> Iterator[str]:
    """Yield a sentence for each thing found right, in order; raise on the first that is not.

    Checked are the signature (with a ``key``), hashes and manifest, the network, and the golden
    outputs: one picture with the ``level`` quick, all with full. Raises BundleError for the
    file, BackendError where this machine answers otherwise, ExtraError without a runtime.
    """
    opened = open_file(path, key)
    bundle = opened.bundle
    yield _signature(opened.signed_by, key)
    yield f"manifest, network and {len(bundle.manifest.files)} other members: hashes fit"
    try:
        graph = require_sound(bundle.model)
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from None
    if graph.compiled != (bundle.manifest.compiled is not None):
        raise BundleError(f"{path}: the manifest does not say what the network is compiled for")
    yield f"network: {len(graph.ops)} operators, sound"
    yield _golden(path, bundle, level)


def _signature(named: str | None, key: PublicKey | None) -> str:
    if key is not None:
        return f"signature: made with the key {key.id[:16]}…"
    if named is None:
        return "signature: none"
    return f"signature: by the key {named[:16]}…, NOT checked; name the key with --key"


def _golden(path: Path, bundle: Bundle, level: str) -> str:
    if told := bundle.manifest.compiled:
        return (
            "golden outputs: NOT checked; the network is compiled for the Edge TPU, and they are "
            f"those of {told.source or 'what it was compiled from'} on a CPU"
        )
    if not bundle.manifest.golden:
        return "golden outputs: the file carries none, so this machine's answers are not checked"
    with Classifier(bundle, open_backend(bundle, threads=1)) as classifier:
        if found := classifier.check_golden(level):
            raise BackendError(f"{path}: {found[0]}")
        count = 1 if level == "quick" else len(bundle.manifest.golden)
        pictures = f"{count} picture{'s' if count > 1 else ''}"
        return f"golden outputs: {classifier.backend.name} gives the same on {pictures}"
