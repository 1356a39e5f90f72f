"""The table of reference results in docs/benchmarks.md, made of benchmarks/reference/*.json.

With --check nothing is written, and the exit code is 1 if the table is not what the files say.
"""

import argparse
import sys
from pathlib import Path

from corrosion_edge.benchmarks.markdown import between
from corrosion_edge.benchmarks.published import Published, table

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
    files = sorted(options.folder.glob("*.json"))
    old = options.page.read_text(encoding="utf-8")
    new = between(old, BEGIN, END, table([Published.load(path) for path in files]))
    if options.check and new != old:
        sys.exit(f"{options.page}: its table is out of date; run: python tools/reference.py")
    if not options.check:
        options.page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
