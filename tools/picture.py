"""Makes docs/verdict.png: rendered surfaces, the default model's verdicts, and its heat maps."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from corrosion_edge.device.classifier import Classifier
from corrosion_edge.heatmap import overlay
from corrosion_edge.render import clip

FRAMES = (0, 20, 59)
SIZE = (360, 270)
STRIP = 36


def main() -> None:
    """Write the picture: the clip's frames above, the same under their heat maps below."""
    frames = list(clip(frames=60))
    width, height = SIZE
    sheet = Image.new("RGB", (width * len(FRAMES), 2 * height + STRIP), "white")
    with Classifier.open(threads=1) as classifier:
        for column, number in enumerate(FRAMES):
            said = classifier.classify(frames[number])
            left = column * width
            sheet.paste(_small(frames[number]), (left, 0))
            sheet.paste(_small(overlay(frames[number], said)), (left, height))
            ImageDraw.Draw(sheet).text(
                (left + 12, 2 * height + 7),
                f"{said.label}  {said.score:.2f}",
                fill="#8a1c00" if said.corroded else "#1f4e79",
                font=ImageFont.load_default(20),
            )
    # A palette of 256 colours keeps the file small; nothing is measured on it.
    sheet.quantize(256).save(Path(__file__).parents[1] / "docs" / "verdict.png", optimize=True)


def _small(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels).resize(SIZE)


if __name__ == "__main__":
    main()
