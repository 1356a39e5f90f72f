"""The kernel's camera in a virtual machine: pulled out, without frames, with errors."""

import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from injecting import Found
from vivid import run_guest

__all__ = ["MOST", "VIVID"]

MOST: Final = 3
"""Times that a fault is injected at most: the machine is emulated by software."""

_SECONDS: Final = 200.0  # for each time, and for the boot


def _injected(scenario: str, into: Path, times: int) -> Sequence[Found]:
    """In one boot, so often; the product may lose no thread to the driver."""
    exchange = Path(tempfile.mkdtemp(prefix=f"{scenario}-", dir=into))
    files = [f"{number}.json" for number in range(times)]
    run_guest(exchange, [(file, scenario) for file in files], _SECONDS * (1 + times))
    found = []
    for file in files:
        result = json.loads((exchange / file).read_text())[scenario]
        assert not isinstance(result, str), result  # a traceback
        assert result["code"] == 0, result
        lines = [json.loads(line) for line in result["out"].splitlines()]
        kinds = [line["event"] for line in lines if "event" in line]
        assert lines[-1].get("label") and kinds[-1] == "camera_recovered", lines
        told = ", ".join(dict.fromkeys(kinds))
        found += [Found(back, told) for back in result["back"]]
    return found


VIVID: dict[str, Callable[[Path, int], Sequence[Found]]] = {
    f"vivid_{name}": partial(_injected, name)
    for name in ("unplug_and_back", "hang_and_back", "error_and_back", "errors_and_back")
}
