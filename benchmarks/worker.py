"""The measuring process: ``python -m corrosion_edge.benchmarks.worker JOB`` prints JSON.

It imports nothing but the clock before it looks at the clock, so that all imports are timed.
"""

import time

__all__ = ["main"]


def main() -> None:
    """Do the job in the first argument and print the answer, or a line each second."""
    entered_ns = time.monotonic_ns()  # on Linux this clock is the same in the parent
    import json
    import sys

    from corrosion_edge.benchmarks.job import Job

    job = Job.from_json(sys.argv[1])
    if job.seconds:
        from corrosion_edge.benchmarks.endure import answers

        for line in answers(job):
            print(json.dumps(line), flush=True)
    else:
        from corrosion_edge.benchmarks.measure import answer

        print(json.dumps(answer(job, entered_ns)))


if __name__ == "__main__":
    main()
