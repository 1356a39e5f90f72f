"""The accelerator that is lost, tried again, and stood in for: without one, and without time."""

import pytest
from losable import PIXELS, WORKS, Losable, Named

from corrosion_edge.device.accelerator.probe import Outcome
from corrosion_edge.device.accelerator.recovering import HOPELESS
from corrosion_edge.device.accelerator.usb_reset import RESET
from corrosion_edge.device.backends import Telling
from corrosion_edge.errors import BackendAway, BackendError


def test_nothing_is_said_while_all_is_well():
    rig = Losable(Named("tpu"))
    assert isinstance(rig.backend, Telling)
    rig.run()
    assert rig.backend.name == "tpu"
    assert rig.news() == []
    assert rig.tries == []


def test_lost_tried_and_recovered():
    tpu = Named("tpu", fails_at={1})
    rig = Losable(tpu)
    rig.run()
    with pytest.raises(BackendAway, match="told to fail"):
        rig.run()
    assert tpu.history == ["ran", "failed", "closed"]  # the device is let go before it is tried
    assert "the Edge TPU is away" in rig.backend.name
    assert rig.news() == [("lost", "the fake backend was told to fail")]
    rig.later(0.9)
    assert rig.tries == []
    rig.later(0.2)
    assert len(rig.tries) == 1
    assert rig.opened == []
    rig.tries[0].outcome = WORKS
    rig.run()
    assert rig.tries[0].closed
    assert rig.opened[0].history == ["ran"]
    assert rig.news() == [("recovered", "it works again, after 1 try")]


def test_pauses_grow_and_only_another_reason_is_told():
    rig = Losable(Named("tpu", fails_at={0}))
    rig.poke()
    rig.later(1.01, Outcome(False, "no device"))
    rig.later(1.01)
    assert len(rig.tries) == 1
    rig.later(1.01, Outcome(False, "no device"))
    rig.later(4.01, Outcome(False, "it hangs"))
    assert rig.news() == [("lost", "the fake backend was told to fail"), ("lost", "no device"),
                          ("lost", "it hangs")]  # fmt: skip
    rig.later(8.01, WORKS)
    assert rig.news() == [("recovered", "it works again, after 4 tries")]


def test_the_device_is_reset_from_the_second_try_on_and_that_is_told():
    rig = Losable(Named("tpu", fails_at={0}))
    rig.poke()
    rig.later(1.01, Outcome(False, "no device"))
    rig.later(2.01, Outcome(False, "no device", RESET))
    rig.later(4.01, Outcome(False, "no device", RESET))
    assert [each.again for each in rig.tries] == [False, True, True]
    assert rig.news()[1:] == [("lost", "no device"), ("lost", f"no device; {RESET}")]
    rig.later(8.01, Outcome(True, "it works", RESET))
    assert rig.news() == [("recovered", f"it works again, after 4 tries; {RESET}")]
    rig.lose()
    rig.later(16.01)
    assert not rig.tries[-1].again


def test_a_reset_that_is_refused_is_told_once_and_the_tries_go_on():
    rig = Losable(Named("tpu", fails_at={0}))
    rig.poke()
    rig.later(1.01, Outcome(False, "no device"))
    rig.later(2.01, Outcome(False, "no device", "refused"))
    rig.later(4.01, Outcome(False, "no device", "refused"))
    rig.later(8.01, Outcome(False, "it hangs", "refused"))
    assert rig.news()[1:] == [("lost", "no device"), ("lost", "no device; refused"),
                              ("lost", "it hangs")]  # fmt: skip
    rig.later(16.01, Outcome(True, "it works", "refused"))
    assert rig.news() == [("recovered", "it works again, after 5 tries")]


def test_tries_go_on_while_no_frame_comes():
    rig = Losable(Named("tpu", fails_at={0}))
    rig.poke()
    rig.news()
    rig.now += 1.01
    assert rig.news() == []
    rig.tries[0].outcome = WORKS
    assert [state for state, _ in rig.news()] == ["recovered"]


def test_the_answer_of_what_stood_in_is_told_before_the_recovery():
    rig = Losable(Named("tpu", fails_at={0}), lambda: Named("cpu"))
    rig.run()
    rig.later(1.01)
    rig.news()
    rig.run()
    rig.tries[0].outcome = WORKS  # between the run and the telling of its verdict
    assert rig.backend.name == "cpu"
    assert rig.news() == []
    assert [state for state, _ in rig.news()] == ["recovered"]


def test_golden_outputs_that_are_wrong_after_a_reopening_are_no_recovery():
    rig = Losable(Named("tpu", fails_at={0}))
    rig.poke()

    def wrong():
        raise BackendError("answers 90 of 256 steps away from the golden outputs")

    rig.next = wrong
    rig.later(1.01, WORKS)
    assert rig.news()[-1] == ("lost", "answers 90 of 256 steps away from the golden outputs")
    rig.next = lambda: Named("tpu")
    rig.later(2.01, WORKS)
    assert rig.news()[-1][0] == "recovered"


def test_a_process_that_alone_cannot_use_it_ends():
    rig = Losable(Named("tpu", fails_at={0}))
    rig.poke()

    def broken():
        raise BackendError("the library is in a bad way")

    rig.next = broken
    with pytest.raises(BackendError, match=r"this one cannot any more.*start it anew"):
        for pause in range(HOPELESS):
            rig.later(2**pause + 0.01, WORKS)
    assert len(rig.tries) == HOPELESS


def test_what_stands_in_answers_the_very_frame_and_says_so():
    spare = Named("cpu, in place of the Edge TPU")
    rig = Losable(Named("tpu", fails_at={1}), lambda: spare)
    rig.run()
    rig.run()
    assert spare.history == ["ran"]
    assert rig.backend.name == "cpu, in place of the Edge TPU"
    (state,) = iter(rig.backend.news, None)
    assert (state.state, state.backend) == ("replaced", "cpu, in place of the Edge TPU")
    rig.later(1.01, WORKS)
    assert rig.backend.name == "tpu"
    assert spare.history[-1] == "closed"
    assert rig.opened[0].history == ["ran"]


def test_a_start_without_the_accelerator_stands_in_at_once():
    rig = Losable("no device", lambda: Named("cpu"))
    assert rig.backend.name == "cpu"
    assert rig.news() == [("replaced", "no device")]
    rig.run()


def test_a_stand_in_that_fails_too_is_told():
    def broken():
        raise BackendError("no memory")

    rig = Losable(Named("tpu", fails_at={0}), broken)
    with pytest.raises(BackendAway):
        rig.run()
    ((state, reason),) = rig.news()
    assert state == "lost"
    assert "what was to stand in failed (no memory)" in reason


def test_one_that_ran_long_is_tried_again_quickly():
    rig = Losable(Named("tpu", fails_at={0}))
    rig.poke()
    rig.later(1.01, Outcome(False, "no device"))
    rig.next = lambda: Named("tpu", fails_at={2})
    rig.later(2.01, WORKS)  # the run of this frame is the first
    rig.now += 31
    rig.run()
    rig.poke()
    rig.later(1.01)
    assert len(rig.tries) == 3


def test_a_picture_of_another_shape_is_no_failure_of_the_accelerator():
    rig = Losable(Named("tpu"))
    with pytest.raises(ValueError, match="expected uint8"):
        rig.backend.run(PIXELS[:, :5])
    assert rig.news() == []


def test_close_ends_a_try_and_all_that_is_open():
    spare = Named("cpu")
    rig = Losable(Named("tpu", fails_at={0}), lambda: spare)
    rig.run()
    rig.later(1.01)
    rig.backend.close()
    assert rig.tries[0].closed
    assert spare.history[-1] == "closed"
    rig.backend.close()
