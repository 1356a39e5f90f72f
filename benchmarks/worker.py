"""The measuring process: ``python -m corrosion_edge.benchmarks.worker JOB`` prints JSON.

It imports nothing but the clock before it looks at the clock, so that all imports are timed.
"""

import time

__all__ = ["main"]


def main() -> None:
    """Do the job in the first argument and print the answer."""
    entered_ns = time.monotonic_ns()  # on Linux this clock is the same in the parent
    import json
    import sys

    from corrosion_edge.benchmarks.measure import answer

    print(json.dumps(answer(sys.argv[1], entered_ns)))


if __name__ == "__main__":
    main()
