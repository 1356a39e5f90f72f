"""File trees of machines.

The PC's was recorded; the boards' are put together after the documentation of the kernel and of
Raspberry Pi, for none was at hand.
"""

import json
from pathlib import Path

import pytest

from corrosion_edge.device.doctor.host import Host, Login

TREES = Path(__file__).parent / "trees"
NOW = 1_795_000_000.0  # 2026-11-18
ANN = Login("ann", 1000, frozenset({"ann", "video", "gpio", "plugdev"}))


@pytest.fixture
def machine(tmp_path):
    """A host over the named tree, with files put in or, if None, taken out."""

    def build(name, files=None, **how):
        tree = json.loads((TREES / f"{name}.json").read_text()) | (files or {})
        for file, content in tree.items():
            if content is not None:
                path = tmp_path / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode("latin-1", "replace"))
        given = {
            "login": ANN,
            "folder": Path("/data"),
            "throttled": lambda: "",
            "child": _child,
            "disk": lambda folder: (32 * 10**9, 20 * 10**9),
            "synchronised": lambda: True,
            "now": lambda: NOW,
            "camera": lambda path: path.name == "video0",
            "may_open": lambda path: True,
        }
        return Host(root=tmp_path, **(given | how))

    return build


def _child(what, *words):
    told = {"name": "a runtime", "differences": [], "cameras": ["imx708"]}
    return told | {"version": "a runtime 1.0"}
