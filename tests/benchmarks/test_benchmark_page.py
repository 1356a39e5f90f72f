"""What a benchmark's page tells, and what it leaves out."""

from dataclasses import replace

from latency_samples import make_report, make_round

from corrosion_edge.benchmarks.page import page


def test_no_tail_is_told_of_a_few_samples():
    few = tuple(make_round(60).samples.read_ns[:20])
    part = make_round(60)
    part = replace(part, samples=replace(part.samples, read_ns=few, sink_ns=few))
    result = replace(make_report().results[0], rounds=(part, part))
    (series,) = [
        s for s in page(make_report(results=(result,))).sections if s.title == "Every series"
    ]
    rows = {row[3]: row[7:9] for row in series.blocks[0].rows}
    assert rows["invoke alone"] == ("18.900", "18.900")
    assert rows["read a picture's file"] == rows["write a JSON line"] == ("-", "-")
    assert {"· scale", "· quality gate"} <= set(rows)
