"""A model file around what the Edge TPU compiler made of another one's network."""

from corrosion_edge.bundle import Bundle
from corrosion_edge.compilation import Compilation
from corrosion_edge.errors import BundleError
from corrosion_edge.modelfile.container import Container
from corrosion_edge.network.compiled import left_on_cpu, same_ends
from corrosion_edge.network.graph import read
from corrosion_edge.network.sound import require_sound

__all__ = ["network_of", "wrap"]


def network_of(content: bytes) -> bytes:
    """The flatbuffer in a model file of this program; any other file is one as a whole."""
    try:
        return Container.from_bytes(content).model
    except BundleError:
        return content


def wrap(bundle: Bundle, compiled: bytes, source: str, compiler: str = "") -> Bundle:
    """The bundle with ``compiled``, a flatbuffer, in place of the network it was compiled from.

    Everything else stays, the golden outputs too: they are the CPU's, as ``Compilation`` says.
    ``source`` is the name of the bundle's file, ``compiler`` the compiler's version if it is
    known. Raises BundleError if ``compiled`` is not sound, or not compiled from this network.
    """
    if bundle.manifest.compiled is not None:
        raise BundleError(f"{source} is compiled already; name the one that it was compiled from")
    before, after = read(bundle.model), read(compiled)
    left = left_on_cpu(before, after)
    ends, manifest = same_ends(before, after), bundle.manifest
    require_sound(compiled)
    if unknown := set(manifest.outputs.values()) - set(ends):
        raise BundleError(f"{source}: the network has no output {min(unknown)!r:.80}")
    made = Bundle.seal(
        compiled,
        bundle.files,
        name=manifest.name,
        outputs={name: ends[tensor] for name, tensor in manifest.outputs.items()},
    )
    return made.with_fields(
        threshold=manifest.threshold,
        preprocessing=manifest.preprocessing,
        golden=manifest.golden,
        provenance=manifest.provenance,
        drift=manifest.drift,
        confidence=manifest.confidence,
        compiled=Compilation(
            source=source,
            source_sha256=manifest.model_sha256,
            mapped_ops=len(before.ops) - len(left),
            cpu_ops=len(left),
            compiler=compiler,
        ),
    )
