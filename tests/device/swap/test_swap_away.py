"""A model that is put in place while the accelerator it is for is away."""

import time

import pytest
from losable import WORKS, Losable, Named
from putting import put, until

from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.errors import BackendAway, BackendError


class Door:
    """A check that the other model passes only while it is open."""

    def __init__(self):
        self.error = BackendAway("libfake.so found no Edge TPU")
        self.tries = 0

    def __call__(self, classifier):
        if classifier.name == "another":
            self.tries += 1
            if self.error:
                raise self.error
        return []


@pytest.fixture
def door():
    return Door()


def on_losable(running):
    """The running model on an accelerator that is lost; like another, it is compiled for it."""
    losable = Losable(Named("tpu"))
    running.classifier.backend = losable.backend
    running._watch._next_try = lambda outcome: float("inf")  # as for a compiled network
    losable.lose()
    return losable


def test_it_is_refused_with_what_follows_and_tried_again_when_it_is_back(models, file, other, door):
    running = models(door)
    losable = on_losable(running)
    put(file, other)
    change = until(running.renewed)
    assert not change.accepted
    assert change.reason == ("libfake.so found no Edge TPU; it is tried again when the accelerator "
                             "is back")  # fmt: skip
    assert change.new.name == "another"
    time.sleep(0.2)
    assert (door.tries, running.renewed()) == (1, None)
    door.error = None
    losable.later(60, WORKS)
    assert running.news().state == "recovered"
    assert until(running.renewed).accepted
    assert running.classifier.name == "another"


def test_what_it_is_refused_for_then_is_told_and_it_is_left(models, file, other, door):
    running = models(door)
    losable = on_losable(running)
    put(file, other)
    until(running.renewed)
    door.error = BackendError("answers 90 of 256 steps away")
    losable.later(60, WORKS)
    running.news()
    assert until(running.renewed).reason == "answers 90 of 256 steps away"
    losable.lose()
    losable.later(60, WORKS)
    assert running.news().state == "recovered"
    until(lambda: door.tries == 3)
    assert running.renewed() is None  # the same reason is not told twice


def test_a_recovery_has_nothing_refused_to_try(models, file, other, door):
    running = models(door)
    losable = on_losable(running)
    losable.later(60, WORKS)
    assert running.news().state == "recovered"
    time.sleep(0.2)
    assert (door.tries, running.renewed()) == (0, None)


def test_under_a_model_without_an_accelerator_it_is_tried_now_and_then(models, file, other, door):
    running = models(door, backoff=Backoff(0.05, 0.1))
    put(file, other)
    assert not until(running.renewed).accepted
    until(lambda: door.tries >= 3)
    assert running.renewed() is None
    door.error = None
    assert until(running.renewed).accepted


def test_what_is_bad_otherwise_is_not_tried_again(models, file, other, door):
    door.error = BackendError("answers 90 of 256 steps away")
    running = models(door, backoff=Backoff(0.05, 0.1))
    put(file, other)
    until(running.renewed)
    time.sleep(0.4)
    assert door.tries == 1


def test_another_model_that_has_the_device_ends_the_absence(models, file, other, door):
    """It may be back before the running model's own try saw it."""

    def check(classifier):
        if classifier.name == "another":
            classifier.backend = Losable(Named("tpu")).backend
        return []

    running = models(check)
    on_losable(running)
    put(file, other)
    assert until(running.renewed).accepted
    news = running.news()
    assert (news.state, news.reason, news.failures) == (
        "recovered",
        "it works with the new model",
        1,
    )
    assert running.news() is None


def test_a_model_that_something_stands_in_for_says_so(models, file, other):
    def check(classifier):
        if classifier.name == "another":
            classifier.backend = Losable("no device", lambda: Named("cpu")).backend
        return []

    running = models(check)
    put(file, other)
    change = until(running.renewed)
    assert change.warnings == ("the CPU answers in place of the Edge TPU: no device",)
    assert running.news().state == "replaced"
