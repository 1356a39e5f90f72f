"""The service under a real systemd: installed, judging, killed, hung, stopped, started at boot.

A virtual machine with the vivid camera is started twice for this module, under software
emulation, and runs ``systemd_guest.py``; the tests judge what systemd and the product did there.

What this leaves untested: a Raspberry Pi's own devices under the unit's rules (libcamera's media
and dma_heap nodes, a Coral, pins, the firmware's flags), systemd 252 of Debian 12, whose unit has
no growing restart delay, and every latency.
"""

import json
import shutil
from datetime import datetime
from typing import Any

import pytest
import rig

LIFE_WITHIN = 1200.0
"""Seconds for the machine's whole life; beside another one on two cores it takes 500 of them."""

JOB = """\
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1
/usr/bin/python3 /checkout/tests/rigs/systemd_guest.py || systemctl poweroff
"""

YEAR = 365 * 86400.0

FREE = {"/dev/shm", "/tmp", "/var/tmp", "/var/lib/corrosion-edge"}
"""Where the service may write: its own folder, and temporary ones."""

MAY = {
    "read the configuration", "open the camera", "open /dev/null", "open /dev/urandom",
    "ask for the clock", "the network", "list the processes",
}  # fmt: skip

Found = dict[str, Any]


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What the scenarios in the machine found."""
    folder = rig.require("systemd")
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("no qemu-system-x86_64: run tests/rigs/systemd.sh")
    exchange = tmp_path_factory.mktemp("exchange")
    shutil.copy(request.getfixturevalue("wheel"), exchange)  # not built without the rig
    (exchange / "job.sh").write_text(JOB)
    # what it writes to its disk is forgotten when it ends
    disk = f"file={folder / 'root.img'},format=raw,if=virtio,snapshot=on"
    done = rig.run(rig.machine(folder, exchange, "-drive", disk), within=LIFE_WITHIN)
    log = exchange / "log"
    told = log.read_text() if log.exists() else done.stdout[-3000:] + done.stderr[-3000:]
    assert done.returncode == 0, told
    result = json.loads((exchange / "found.json").read_text())
    assert "purge" in result, f"the machine did not finish its job: {told}"
    return result


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _kinds(events: list[Found]) -> list[str]:
    return [event["kind"] for event in events]


def test_the_machine_is_whole(found):
    assert found["booted"] == {"state": "running", "failed": ""}
    assert found["program"]["code"] == 0, found["program"]


def test_before_the_install_the_way_to_it_is_told(found):
    told = found["not_installed"]
    assert (told["code"], told["out"]) == (
        1,
        "not installed; run: corrosion-edge service install\n",
    )


def test_installed_with_its_first_configuration_it_runs_and_starts_at_boot(found):
    result = found["install"]
    assert result["done"]["code"] == 0, result["done"]
    assert (result["known"]["ActiveState"], result["known"]["SubState"]) == ("active", "running")
    assert result["enabled"] == "enabled\n"
    assert result["owners"] == {
        "/etc/corrosion-edge": ["root", "root", "755"],
        "/etc/corrosion-edge/watch.toml": ["root", "corrosion-edge", "640"],
        "/var/lib/corrosion-edge": ["corrosion-edge", "corrosion-edge", "750"],
    }


def test_it_judges_the_camera_as_its_own_user_and_stores(found):
    result = found["configured"]
    assert result["done"]["code"] == 0, result["done"]
    assert result["user"] == "corrosion-edge"
    assert _kinds(result["events"])[:2] == ["started", "corrosion_began"]
    assert result["known"]["NRestarts"] == "0"
    verdicts = [json.loads(line) for line in result["journal"] if '"label"' in line]
    assert len(verdicts) >= 3
    assert all(0 <= verdict["score"] <= 1 for verdict in verdicts)
    others = {path: owner for path, owner in result["owners"].items() if "/events" in path}
    assert "/var/lib/corrosion-edge/events/events.sqlite" in others
    for owner, group, mode in others.values():
        assert (owner, group) == ("corrosion-edge", "corrosion-edge")
        assert int(mode, 8) & 0o027 == 0


def test_its_state_is_told(found):
    result = found["configured"]
    assert 'Status: "' in result["told"]["out"]
    assert "verdicts" in result["told"]["out"]
    assert "Active: active (running)" in result["told"]["out"]
    status = dict(line.split(": ", 1) for line in result["status"]["out"].splitlines())
    assert result["status"]["code"] == 0
    assert status["ActiveState"] == "active"
    assert "verdicts" in status["StatusText"]
    assert status["NRestarts"] == "0"
    assert int(status["MemoryCurrent"]) < 512 << 20


def test_a_reload_goes_on_with_the_same_process(found):
    result = found["reloaded"]
    assert result["done"]["code"] == 0, result
    assert (result["same"], result["state"]) == (True, "active")


def test_after_a_kill_it_is_started_again_and_the_event_says_that_it_broke_off(found):
    result = found["killed"]
    assert result["known"]["NRestarts"] == "1"
    (ended,) = [each for each in result["events"] if each["kind"] == "corrosion_ended"
                and "broke off" in each["reason"]]  # fmt: skip
    began = next(each for each in result["events"] if each["kind"] == "corrosion_began")
    assert ended["sequence"] > began["sequence"]
    starts = [each["reason"] for each in result["events"] if each["kind"] == "started"]
    assert (starts[0], starts[1].partition(":")[0]) == ("", "the watch before left no end")


def test_a_process_that_hangs_is_ended_by_the_watchdog_and_started_again(found):
    result = found["hung"]
    assert result["known"]["NRestarts"] == "1"
    assert result["known"]["ActiveState"] == "active"
    assert any("Watchdog timeout" in line for line in result["journal"])
    assert sum("broke off" in each["reason"] for each in result["events"]) == 2
    assert result["left"] == ["events"]  # and no memory dump


def test_the_service_may_write_its_own_folder_alone(found):
    result = found["sandbox"]
    assert result["done"]["code"] == 0, result
    written = {name.removeprefix("write in "): what for name, what in result["found"].items()
               if name.startswith("write in ")}  # fmt: skip
    assert {folder for folder, what in written.items() if what == "allowed"} == FREE
    assert set(written.values()) == {"allowed", "EROFS", "EACCES"}


def test_the_service_may_do_what_it_needs_and_nothing_else(found):
    others = {name: what for name, what in found["sandbox"]["found"].items()
              if not name.startswith("write in ")}  # fmt: skip
    assert {name for name, what in others.items() if what == "allowed"} == MAY
    status = found["sandbox"]["status"]
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert found["sandbox"]["processes"] == [found["sandbox"]["own"]]


def test_a_stop_ends_cleanly_with_all_that_was_open_stored(found):
    result = found["stopped"]
    assert result["done"]["code"] == 0
    assert (result["known"]["ActiveState"], result["known"]["Result"]) == ("inactive", "success")
    assert result["known"]["ExecMainStatus"] == "0"
    assert _kinds(result["events"])[-2:] == ["corrosion_ended", "stopped"]
    assert result["events"][-1]["reason"] == "ended on request"
    assert result["status"]["code"] == 1
    assert {tuple(each[:2]) for each in result["owners"].values()} == {("corrosion-edge",) * 2}


def test_a_mistake_in_the_configuration_is_told_once_and_not_tried_again(found):
    result = found["mistaken"]
    assert result["later"]["ActiveState"] == "failed"
    assert (result["later"]["ExecMainStatus"], result["later"]["NRestarts"]) == ("2", "0")
    assert sum("watch.toml:3: " in line for line in result["journal"]) == 1
    assert not any("Traceback" in line for line in result["journal"])
    assert result["status"]["code"] == 1


def test_an_absent_camera_is_tried_again_more_and_more_seldom(found):
    result = found["without_camera"]
    sentences = [line for line in result["journal"] if line.startswith("Error: /dev/video9: ")]
    assert 1 <= len(sentences) <= 2
    assert int(result["known"]["RestartUSecNext"].removesuffix("s").split(".")[0]) > 5


def test_when_the_network_sets_the_clock_earlier_times_come_right(found):
    result = found["clock"]
    listed = [json.loads(line) for line in result["listed"]["out"].splitlines()]
    (change,) = [each for each in listed if each["kind"] == "clock_set"]
    assert change["details"]["jump_s"] == pytest.approx(YEAR, abs=1)
    assert change["corrected_at"] is None
    late = [each for each in listed if _seconds(each["at"]) < result["begin"] - YEAR / 2]
    assert {"started", "corrosion_began"} <= set(_kinds(late))
    for each in late:
        assert result["begin"] - 1 <= _seconds(each["corrected_at"]) <= result["end"]
    # All before was stamped rightly, by a clock that the kernel doubted: nothing moves.
    early = listed[: listed.index(late[0])]
    assert len(early) > 10
    for each in early:
        assert _seconds(each["corrected_at"]) == pytest.approx(_seconds(each["at"]), abs=1)
    assert sum('"event": "clock_set"' in line for line in result["journal"]) == 1


def test_it_runs_after_the_machine_was_started_anew_and_nothing_is_lost(found):
    before, after = found["before_the_reboot"], found["after_the_reboot"]
    assert after["known"]["NRestarts"] == "0"
    news = _kinds(after["events"])[before["count"] :]
    assert news[:4] == ["corrosion_ended", "stopped", "started", "corrosion_began"]
    assert after["verified"]["code"] == 0, after["verified"]
    assert len(after["listed"]["out"].splitlines()) >= before["count"] + 4


def test_reading_the_store_as_root_takes_nothing_from_the_service(found):
    owners = found["after_the_reboot"]["owners"].values()
    assert {tuple(each[:2]) for each in owners} == {("corrosion-edge", "corrosion-edge")}


def test_uninstalled_it_leaves_configuration_data_and_user(found):
    result = found["uninstall"]
    assert result["done"]["code"] == 0, result["done"]
    assert result["state"] == "not-found"
    assert result["left"] == ["/etc/corrosion-edge", "/var/lib/corrosion-edge"]
    assert result["events"] > 10


def test_purged_it_leaves_nothing(found):
    result = found["purge"]
    assert result["done"]["code"] == 0, result["done"]
    assert result["left"] == []
    assert result["user"]["code"] == 2
    assert result["group"]["code"] == 2
    assert result["units"]["out"] == ""
