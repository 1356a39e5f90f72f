"""Pictures of steel surfaces, computed: clean or rusted, still or as a clip, with known truth.

They serve demonstrations, examples and tests where no photograph may be shipped. Only numpy and
Pillow are used, and the same arguments give the same pixels on the same versions of the two.
"""

from corrosion_edge.render.clip import clip
from corrosion_edge.render.dataset import golden_pictures, write_dataset
from corrosion_edge.render.scene import rust_mask, surface
from corrosion_edge.render.surfaces import SURFACES

__all__ = ["SURFACES", "clip", "golden_pictures", "rust_mask", "surface", "write_dataset"]
