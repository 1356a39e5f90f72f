"""A camera of the Linux kernel that can be pulled out: the vivid driver in a virtual machine.

The machine boots once for this module, under software emulation, and runs ``v4l2_guest.py``; the
tests judge what the product did there.

What this leaves untested: uvcvideo and real webcams (their formats, compressed pictures, USB
hubs, autosuspend), a Raspberry Pi's own sensors and image processor, and every latency.
"""

import json
from typing import Any

import pytest
from vivid import run_guest

BOOT_WITHIN = 900.0
"""Seconds for the machine's whole life; beside another one on two cores it takes a third of it."""

Found = dict[str, Any]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What the scenarios in the machine found."""
    exchange = tmp_path_factory.mktemp("exchange")
    run_guest(exchange, [()], BOOT_WITHIN)
    return json.loads((exchange / "found.json").read_text())


def _lines(result: Found) -> list[Found]:
    return [json.loads(line) for line in result["out"].splitlines()]


def test_the_colours_of_the_camera_arrive_as_rgb(found):
    for channel, name in enumerate(("red", "green", "blue")):
        seen = found["capture"][name]
        assert len(seen["shape"]) == 3
        assert seen["mean"][channel] > 200
        assert all(seen["mean"][other] < 60 for other in {0, 1, 2} - {channel})
        assert seen["indices"] == sorted(set(seen["indices"]))


def test_the_driver_takes_the_size_and_rate_that_are_asked(found):
    assert found["asked"] == {"shape": [180, 320, 3], "paced": True}


def test_the_camera_is_found_by_itself(found):
    assert found["listed"] == ["/dev/video0"]
    assert found["automatic"] == "/dev/video0"


def test_a_camera_in_use_names_the_program(found):
    process = found["in_use"]["process"]
    assert found["in_use"]["said"] == (
        f"/dev/video0: the camera is in use by v4l2-ctl (process {process}); end that first"
    )


def test_watch_gives_verdicts_and_ends(found):
    result = found["watched"]
    assert result["code"] == 0, result["err"]
    assert len(_lines(result)) == 3
    assert "watching /dev/video0" in result["err"]


@pytest.mark.parametrize("blow", ["streaming_error", "disconnect", "unplug"])
def test_a_camera_that_is_lost_ends_the_watch_with_one_sentence(found, blow):
    result = found[blow]
    assert result["code"] == 1, result
    assert len(_lines(result)) >= 2
    assert "Traceback" not in result["err"]
    assert result["err"].splitlines()[-1].startswith("Error: /dev/video0: ")
    assert result["seconds"] < 30


def test_what_is_pulled_out_is_no_longer_there(found):
    assert found["unplug"]["node"] is False
    assert found["unplug"]["then"].startswith("/dev/video0: no such device")


@pytest.mark.parametrize("blow", ["hang_and_back", "unplug_and_back"])
def test_a_camera_that_hangs_or_is_pulled_out_is_watched_again_once_it_is_back(found, blow):
    result = found[blow]
    assert result["code"] == 0, result
    assert "Traceback" not in result["err"]
    events = [line["event"] for line in _lines(result) if "event" in line]
    assert events[-1] == "camera_recovered"
    assert "camera_lost" in events
    last = [line for line in _lines(result) if "event" in line][-1]
    assert last["abandoned"] == 0  # the hanging read was freed
    assert "label" in _lines(result)[-1]


def test_plugged_in_again_it_is_watched_as_before_and_though_its_opening_fails_twice(found):
    result = found["errors_and_back"]
    assert result["code"] == 0, result
    told = [line for line in _lines(result) if "event" in line]
    # Both openings fail for the same reason, which is told once.
    kinds = ["camera_lost", "camera_lost", "camera_recovered"]
    assert [line["event"] for line in told] == kinds
    assert [line["failures"] for line in told] == [1, 2, 3]
    assert "label" in _lines(result)[0]
    assert "label" in _lines(result)[-1]
