"""What telling others costs is measured, with a few events."""

import rig


def test_a_small_one_from_end_to_end():
    rig.require("mosquitto")
    done = rig.native(rig.HERE / "telling_cost.py", "60", "0.2", within=120)
    assert done.returncode == 0, done.stderr
    told = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert told == ["a verdict", "connected and idle", "a backlog of 60", "a backlog of 60"]
