"""The options of ``watch``: one default, wherever it is asked for."""

import pytest

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Limits, Patience
from corrosion_edge.device.capturing import Capture
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.cli import watch
from corrosion_edge.device.sources.wish import LARGEST_SIDE
from corrosion_edge.image import Preprocessing

GATE, SMALL = (224, 224), (96, 64)


@pytest.mark.parametrize(
    ("said", "sizes"),
    [({}, (SMALL, GATE)), ({"quality": False}, (SMALL,)), ({"tiles": (2, 2)}, (GATE,)),
     ({"tiles": (2, 2), "quality": False}, ()), ({"resolution": (1280, 720)}, (SMALL, GATE)),
     ({"rotate": "90"}, ()), ({"roi": "0,0,9,9"}, ()), ({"scale_at_source": False}, ())],
)  # fmt: skip
def test_sources_are_asked_for_what_is_judged_of_whole_pictures(said, sizes):
    fields = {"outputs": {"scores": "s"}, "preprocessing": Preprocessing(*SMALL)}
    bundle = Bundle.seal(b"\0\0\0\0TFL3fake", {}, name="fake", **fields)
    classifier = Classifier(bundle, FakeBackend())
    assert Capture(**said).sizes(classifier) == sizes


def test_one_size_is_asked_for_once(bundle):
    assert Capture().sizes(Classifier(bundle, FakeBackend())) == (GATE,)


def test_the_defaults_of_the_command_are_those_of_the_library():
    said = Capture()
    for made in (Limits(), Patience()):
        for name in set(made.__slots__) & set(Capture.__slots__):
            assert getattr(made, name) == getattr(said, name), name
    options = {option.name: option for option in watch.params}
    for name in Capture.__slots__:
        assert name in options
        if getattr(said, name) is not None:
            assert options[name].default == getattr(said, name), name


def test_the_help_says_how_large_a_picture_may_be():
    (option,) = (option for option in watch.params if option.name == "resolution")
    assert str(LARGEST_SIDE) in option.help
