"""How tests run the command line: in this process, and never with a traceback."""

from click.testing import CliRunner, Result

from corrosion_edge.cli import cli

__all__ = ["run"]


def run(*words: object) -> Result:
    """Run ``corrosion-edge`` with these words; an error has to be one for the user."""
    result = CliRunner().invoke(cli, [str(word) for word in words])
    assert "Traceback" not in result.output
    if result.exception is not None:
        assert isinstance(result.exception, SystemExit), result.exception
    return result
