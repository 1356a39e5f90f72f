"""Reports from files."""

import json
from pathlib import Path

from corrosion_edge.benchmarks.published import Published
from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.errors import UsageError

__all__ = ["read_report"]


def read_report(path: Path, *, published: bool = False) -> LatencyReport:
    """The report in a JSON file, or in what ``submit`` made of one where that may be ``published``.

    UsageError, naming the file, if it cannot be read or is none.
    """
    try:
        content = json.loads(path.read_bytes())
        if published and isinstance(content, dict) and "report" in content:
            return Published.from_dict(content).report
        return LatencyReport.from_dict(content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except RecursionError:
        raise UsageError(f"{path}: no report of a benchmark (nested too deeply)") from None
    except ValueError as error:
        raise UsageError(f"{path}: no report of a benchmark ({error})") from None
