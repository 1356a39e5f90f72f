"""One picture: a kind of surface, a seed and a coverage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corrosion_edge.render.light import expose
from corrosion_edge.render.rust import Rusting, corrode
from corrosion_edge.render.surfaces import SURFACES, lay

__all__ = ["rust_mask", "scene", "surface"]

SMALLEST = 16  # pixels: below this the features of a surface vanish


def _check(kind: str, rust: float, seed: int, size: tuple[int, int]) -> None:
    if kind not in SURFACES:
        raise ValueError(f"kind must be one of {', '.join(SURFACES)}, got {kind!r}.")
    if not 0.0 <= rust <= 1.0:
        raise ValueError(f"rust must be a fraction from 0 to 1, got {rust}.")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}.")
    if min(size) < SMALLEST:
        raise ValueError(f"size must be at least {SMALLEST} x {SMALLEST} pixels, got {size}.")


def scene(kind: str, *, seed: int, size: tuple[int, int]) -> Rusting:
    """The surface at every stage of rusting; `size` = (width, height) in pixels."""
    _check(kind, 0.0, seed, size)
    rng = np.random.default_rng([seed, SURFACES.index(kind)])
    return corrode(lay(kind, rng, (size[1], size[0])))


def surface(
    kind: str, *, rust: float = 0.0, seed: int, size: tuple[int, int] = (640, 480)
) -> NDArray[np.uint8]:
    """A picture of a steel surface, uint8 [height, width, 3] RGB.

    `kind` is one of `SURFACES`, `rust` the share of the pixels under rust in [0, 1] (see
    `rust_mask`), `size` = (width, height). One kind and seed is one and the same surface: a larger
    `rust` shows it later. Raises ValueError for an argument out of range.
    """
    _check(kind, rust, seed, size)
    camera = np.random.default_rng([seed, SURFACES.index(kind), 1])
    return expose(camera, scene(kind, seed=seed, size=size).picture(rust))


def rust_mask(
    kind: str, *, rust: float, seed: int, size: tuple[int, int] = (640, 480)
) -> NDArray[np.bool_]:
    """Which pixels of `surface` with the same arguments are under rust, bool [height, width].

    Their share of the picture equals `rust` to within two pixels. Runs below a rusting spot count.
    """
    _check(kind, rust, seed, size)
    return scene(kind, seed=seed, size=size).mask(rust)
