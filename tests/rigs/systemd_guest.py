"""Runs inside the virtual machine as root: a service's life under systemd, as JSON.

Each scenario is one function, and each goes on from where the last one left the machine; what it
returns is stored under its name, an exception as text. The machine is started twice.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from guest import play
from systemd_tools import (
    CONFIG,
    PROGRAM,
    SERVICE,
    STATE,
    STORE,
    Found,
    active,
    another,
    changed_unit,
    counted,
    events,
    journal,
    judging,
    owners,
    ran,
    set_by_hand,
    set_by_network,
    shown,
    stored,
    until,
)

EXCHANGE = Path("/exchange")
FOUND = EXCHANGE / "found.json"

SETTINGS = """\
[watch]
camera = "/dev/video0"
interval = 0.5
json = true
verify = "quick"
position = "in the machine"

[detect]
smooth = "1/1"
enter = 0.01
leave = 0.005

[store]
folder = "/var/lib/corrosion-edge/events"
"""
"""Whatever this camera shows speaks for corrosion, so that an event is soon open."""

YEAR = 365 * 86400.0
"""Seconds."""


def booted() -> Found:
    """The machine itself."""
    return {"state": ran("systemctl", "is-system-running")["out"].strip(),
            "failed": ran("systemctl", "--failed", "--plain", "--no-legend")["out"]}  # fmt: skip


def program() -> Found:
    """The wheel goes into the environment, as on a device."""
    (wheel,) = EXCHANGE.glob("*.whl")
    pip = "/opt/corrosion-edge/bin/pip"
    return ran(pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel))


def not_installed() -> Found:
    """Before anything."""
    return ran(PROGRAM, "service", "status")


def install() -> Found:
    """With the first configuration, as it is written."""
    done = ran(PROGRAM, "service", "install")
    known = until(active)
    return {"done": done, "known": known, "enabled": ran("systemctl", "is-enabled", SERVICE)["out"],
            "owners": owners(CONFIG.parent, STATE), "program": PROGRAM}  # fmt: skip


def configured() -> Found:
    """With a store, after an edit and a restart, as the page says."""
    CONFIG.write_text(SETTINGS)
    done = ran("systemctl", "restart", SERVICE)
    found = stored("corrosion_began", 1)
    known = until(judging)
    return {"done": done, "known": known, "events": found, "owners": owners(CONFIG.parent, STATE),
            "user": Path("/proc", known["MainPID"]).owner(),
            "told": ran("systemctl", "status", "--no-pager", SERVICE),
            "status": ran(PROGRAM, "service", "status"), "journal": journal()}  # fmt: skip


def reloaded() -> Found:
    """A reload changes nothing where the model is the package's."""
    before = shown()["MainPID"]
    done = ran("systemctl", "reload", SERVICE)
    time.sleep(1)
    return {"done": done, "same": shown()["MainPID"] == before, "state": shown()["ActiveState"]}


def killed() -> Found:
    """SIGKILL, as by the kernel when memory is short."""
    before = shown()
    os.kill(int(before["MainPID"]), signal.SIGKILL)
    known = until(another(before["MainPID"]))
    return {"before": before, "known": known, "events": stored("corrosion_began", 2)}


def hung() -> Found:
    """The process is stopped; with a shorter patience than the unit's, for the test's sake."""
    with changed_unit("[Service]\nWatchdogSec=12\n"):
        ran("systemctl", "restart", SERVICE)
        stored("corrosion_began", 3)
        before = shown()
        os.kill(int(before["MainPID"]), signal.SIGSTOP)
        known = until(another(before["MainPID"]))
        found = stored("corrosion_began", 4)
    return {"before": before, "known": known, "events": found, "journal": journal(),
            "left": sorted(path.name for path in STATE.iterdir())}  # fmt: skip


def stopped() -> Found:
    """``systemctl stop`` while an event is open."""
    done = ran("systemctl", "stop", SERVICE)
    return {"done": done, "known": shown(), "events": events(), "journal": journal()[-8:],
            "status": ran(PROGRAM, "service", "status"), "owners": owners(STATE)}  # fmt: skip


def sandbox() -> Found:
    """Another program under the same unit tries what it should not."""
    out = STATE / "probe.json"
    start = f"/usr/bin/python3 /checkout/tests/rigs/systemd_probe.py {out}"
    home = Path("/home/somebody")
    home.mkdir(mode=0o755)
    with changed_unit(f"[Service]\nType=oneshot\nWatchdogSec=0\nExecStart=\nExecStart={start}\n"):
        done = ran("systemctl", "start", SERVICE)
    found = json.loads(out.read_text())
    for name in ("probe.json", "probe", "bit"):
        (STATE / name).unlink(missing_ok=True)
    home.rmdir()
    return {"done": done, "journal": journal()[-5:], **found}


def mistaken() -> Found:
    """A mistake in the configuration."""
    CONFIG.write_text(SETTINGS.replace("interval", "intervall"))
    before = len(journal())
    done = ran("systemctl", "restart", SERVICE)
    known = until(lambda known: known["ActiveState"] == "failed")
    time.sleep(7)  # longer than the time to a restart
    return {"done": done, "known": known, "later": shown(), "journal": journal()[before:],
            "status": ran(PROGRAM, "service", "status")}  # fmt: skip


def without_camera() -> Found:
    """A camera that is not there: tried again, more and more seldom."""
    CONFIG.write_text(SETTINGS.replace("/dev/video0", "/dev/video9"))
    before = len(journal())
    ran("systemctl", "restart", "--no-block", SERVICE)
    known = until(lambda known: int(known["NRestarts"]) >= 1)
    return {"known": known, "journal": journal()[before:]}


def clock() -> Found:
    """The machine comes up a year behind, and after a while the network sets its clock."""
    CONFIG.write_text(SETTINGS)
    begin, started = time.time(), time.monotonic()
    set_by_hand(begin - YEAR)
    count = counted("corrosion_began", events())
    ran("systemctl", "restart", SERVICE)
    before = len(stored("corrosion_began", count + 1))
    set_by_network(begin + time.monotonic() - started)
    stored("clock_set", 1)
    return {"begin": begin, "end": time.time(), "before": before, "journal": journal()[-8:],
            "listed": ran(PROGRAM, "events", "list", str(STORE), "--json")}  # fmt: skip


def before_the_reboot() -> Found:
    """All is well again, and runs while the machine is started anew."""
    CONFIG.write_text(SETTINGS)
    count = counted("corrosion_began", events())
    ran("systemctl", "restart", SERVICE)
    found = stored("corrosion_began", count + 1)
    return {"count": len(found), "corrosions": count + 1}


def after_the_reboot() -> Found:
    """Nobody started it but the machine."""
    known = until(active)
    before = json.loads(FOUND.read_text())["before_the_reboot"]["corrosions"]
    return {
        "known": known,
        "events": stored("corrosion_began", before + 1),
        "listed": ran(PROGRAM, "events", "list", str(STORE), "--json"),
        "verified": ran(PROGRAM, "events", "verify", str(STORE)),
        "owners": owners(STORE),
    }


def uninstall() -> Found:
    """Configuration, data and user stay."""
    done = ran(PROGRAM, "service", "uninstall")
    status = ran(PROGRAM, "service", "status")
    return {"done": done, "state": shown()["LoadState"], "status": status, "left": _left(),
            "events": len(events())}  # fmt: skip


def purge() -> Found:
    """Nothing stays, even if it was just being started."""
    ran(PROGRAM, "service", "install")
    done = ran(PROGRAM, "service", "uninstall", "--purge")
    return {"done": done, "left": _left(), "user": ran("getent", "passwd", "corrosion-edge"),
            "group": ran("getent", "group", "corrosion-edge"),
            "units": ran("systemctl", "list-units", "--all", "--no-legend", SERVICE)}  # fmt: skip


def _left() -> list[str]:
    words = ["find", "/etc", "/var", "/run", "/usr", "/home", "/root", "/tmp", "-xdev"]
    named = ran(*words, "-name", "*corrosion-edge*")["out"].splitlines()
    return sorted(named + ran(*words, "-nouser")["out"].splitlines())


FIRST: list[Callable[[], Found]] = [
    booted, program, not_installed, install, configured, reloaded, killed, hung, stopped, sandbox,
    mistaken, without_camera, clock, before_the_reboot,
]  # fmt: skip
SECOND: list[Callable[[], Found]] = [after_the_reboot, uninstall, purge]


def main() -> None:
    """Run the scenarios of this start; the first one's are in the file at the second."""
    again = FOUND.exists()
    play(SECOND if again else FIRST, FOUND)
    os.sync()
    subprocess.run(["systemctl", "poweroff" if again else "reboot"], check=False)


if __name__ == "__main__":
    main()
