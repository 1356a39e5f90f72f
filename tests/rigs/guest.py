"""For the scripts inside virtual machines: their scenarios, and what they leave."""

import json
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["play"]


def play(scenarios: Sequence[Callable[[], Any]], file: Path) -> None:
    """Run each; ``file`` gets what it returned, or the exception, beside what was there.

    What went wrong in one does not keep the others from running.
    """
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for scenario in scenarios:
        start = time.monotonic()
        try:
            found[scenario.__name__] = scenario()
        except Exception:
            found[scenario.__name__] = traceback.format_exc()
        print(scenario.__name__, f"{time.monotonic() - start:.1f} s", flush=True)
        file.write_text(json.dumps(found))
