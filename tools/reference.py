"""The table of reference results in docs/benchmarks.md, made of benchmarks/reference/*.json.

With --check nothing is written, and the exit code is 1 if the table is not what the files say.
"""

import argparse
import sys
from pathlib import Path

from corrosion_edge.benchmarks.markdown import between
from corrosion_edge.benchmarks.published import Published, table
from corrosion_edge.errors import CorrosionEdgeError, DataError

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
FOLDER = ROOT / "benchmarks" / "reference"
BEGIN, END = (
    "<!-- made by tools/reference.py -->\n",
    "<!-- end of what tools/reference.py made -->\n",
)


def main() -> None:
    """Write the table, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    try:
        old, new = _pages(options.page, options.folder)
    except CorrosionEdgeError as error:
        sys.exit(f"Error: {error}")
    if options.check and new != old:
        sys.exit(f"{options.page}: its table is out of date; run: python tools/reference.py")
    if not options.check:
        options.page.write_text(new, encoding="utf-8")


def _pages(page: Path, folder: Path) -> tuple[str, str]:
    """The page as it is and as it should be (UsageError, DataError)."""
    published = [Published.load(path) for path in sorted(folder.glob("*.json"))]
    try:
        old = page.read_text(encoding="utf-8")
        return old, between(old, BEGIN, END, table(published))
    except (OSError, DataError) as error:
        raise DataError(f"{page}: {getattr(error, 'strerror', None) or error}") from None


if __name__ == "__main__":
    main()
