"""The model file that answers on the processor while the Edge TPU is away, if it is allowed to."""

from pathlib import Path
from typing import TYPE_CHECKING

from corrosion_edge.bundle import Bundle
from corrosion_edge.errors import UsageError

if TYPE_CHECKING:
    from corrosion_edge.modelfile.keys import PublicKey

__all__ = ["spare_for"]


def spare_for(
    bundle: Bundle, path: Path, given: Path | None, signed_with: "PublicKey | None" = None
) -> Bundle:
    """The model file whose network the compiled ``bundle`` of ``path`` was compiled from.

    It is the one ``given``, or the file beside ``path`` that the manifest names. A compiled
    network cannot run on a processor, and another one would be another judge: so it has to have
    the SHA-256 that the compiled one's manifest says, and to prepare pictures alike; threshold and
    band stay the compiled one's.
    Raises UsageError if there is none or another network is in it, and what ``Bundle.load`` does.
    """
    told = bundle.manifest.compiled
    assert told is not None, "expected a compiled network"
    file = given or _beside(path, told.source)
    spare = Bundle.load(file, signed_with)
    if spare.manifest.model_sha256 != told.source_sha256:
        raise UsageError(
            f"--fallback cpu: {file} is not what {path} was compiled from ({told.source}, "
            f"{told.source_sha256[:12]}…); its verdicts would be another model's"
        )
    if spare.manifest.preprocessing != bundle.manifest.preprocessing:
        raise UsageError(f"--fallback cpu: {file} prepares pictures otherwise than {path}")
    return spare


def _beside(path: Path, source: str) -> Path:
    """Only the name counts: a manifest must not lead anywhere else."""
    name = Path(source).name
    if name and (file := path.parent / name).is_file():
        return file
    raise UsageError(
        f"--fallback cpu: {name or 'what it was compiled from'} is not beside {path}; name it with "
        "--fallback-model"
    )
