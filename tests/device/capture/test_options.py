"""The options of ``watch``: one default, wherever it is asked for."""

from corrosion_edge.device.capture import Limits, Patience
from corrosion_edge.device.capturing import Capture
from corrosion_edge.device.cli import watch


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
