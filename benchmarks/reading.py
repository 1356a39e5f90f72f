"""Reports from files."""

import json
from pathlib import Path

from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.errors import UsageError

__all__ = ["read_report"]


def read_report(path: Path) -> LatencyReport:
    """The report in a JSON file; UsageError, naming the file, if it cannot be read or is none."""
    try:
        return LatencyReport.from_dict(json.loads(path.read_bytes()))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except RecursionError:
        raise UsageError(f"{path}: no report of a benchmark (nested too deeply)") from None
    except ValueError as error:
        raise UsageError(f"{path}: no report of a benchmark ({error})") from None
