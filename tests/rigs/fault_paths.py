"""Puts the folders on Python's path from which ``fault_table.py`` takes what tests have already."""

import sys
from pathlib import Path

__all__: list[str] = []

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS / name)
                for name in ("..", "support", "device/store", "device/swap")]  # fmt: skip
