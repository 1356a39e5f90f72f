"""Model files beside each other, and a watch over one of them that is polled by the test."""

from dataclasses import replace

import pytest
from putting import put

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.judging import View
from corrosion_edge.device.swap import Loading, Models


@pytest.fixture(scope="session")
def default():
    if not DEFAULT_MODEL.exists():
        pytest.skip("the package carries no default model yet")
    return Bundle.load(DEFAULT_MODEL)


@pytest.fixture(scope="session")
def other(default):
    """The default model's network, sealed anew under another name and threshold."""
    return default.with_fields(name="another", threshold=0.875)


@pytest.fixture(scope="session")
def wrong(default):
    """A model whose golden outputs are not those that it gives."""
    first, *rest = default.manifest.golden
    false = replace(first, scores=tuple(127 - score if score >= 0 else -128 - score + 127
                                        for score in first.scores))  # fmt: skip
    return default.with_fields(name="wrong", golden=(false, *rest))


@pytest.fixture
def file(tmp_path, default):
    path = tmp_path / "model.tflite"
    put(path, default)
    return path


@pytest.fixture
def models(file, monkeypatch):
    """Models over the file, polled every few milliseconds; all of them are closed."""
    opened = []

    def open_(check=None, key=None, poll=0.01, patience=0.3, backoff=None):
        from corrosion_edge.device.swap import models as module
        from corrosion_edge.device.swap.watcher import ModelWatch

        def watch(*arguments):
            return ModelWatch(*arguments, poll=poll, patience=patience, backoff=backoff)

        monkeypatch.setattr(module, "ModelWatch", watch)

        def start(content):
            return Classifier.open(file, threads=1, signed_with=key, content=content)

        loading = Loading(file, start, check or (lambda found: found.check_golden("quick")))
        made = Models.opened(loading, lambda found, camera: View(found), print, watched=True)
        opened.append(made)
        return made

    yield open_
    for each in opened:
        each.close()
