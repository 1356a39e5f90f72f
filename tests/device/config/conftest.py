"""What the tests of configurations share."""

import pytest


@pytest.fixture
def write(tmp_path):
    def written(text, name="watch.toml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written
