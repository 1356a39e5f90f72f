"""What was reported as stored is on the disk when the power goes."""

import os
import shutil

import pytest
from power_cut import cut_often

needs_disks = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mkfs.ext4") or not os.path.exists("/dev/loop-control"),  # noqa: PTH110
    reason="needs root, mkfs.ext4 and loop devices",
)


@needs_disks
def test_a_power_cut_loses_nothing_that_was_reported():
    account = cut_often(tries=3, seed=1)
    assert account.cuts == 3
    assert account.reported > 3
    assert account.lost == 0


@pytest.mark.slow
@needs_disks
def test_a_hundred_power_cuts_lose_nothing_that_was_reported():
    account = cut_often(tries=100, seed=11)
    assert account.cuts == 100
    assert account.reported > 500
    assert account.lost == 0
