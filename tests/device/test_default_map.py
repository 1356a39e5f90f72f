"""The heat map of the model that ships."""

import pytest

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.heatmap import strength
from corrosion_edge.render import clip


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")
def test_the_default_model_colours_rendered_rust_and_nothing_else():
    frames = list(clip(frames=60))
    with Classifier.open() as classifier:
        clean, spots = (strength(classifier.classify(frames[i]).heatmap) for i in (0, 20))
    assert clean.max() < 0.1
    assert spots.max() == 1
    assert spots.min() == 0
