import json
from dataclasses import replace

import peers_fakes
import pytest
from click.testing import CliRunner

from corrosion_edge.benchmarks.markdown import between
from corrosion_edge.benchmarks.peers import bars, document, page, text
from corrosion_edge.benchmarks.peers.ratio import Ratio
from corrosion_edge.benchmarks.peers.result import Difference, Result
from corrosion_edge.errors import DataError


@pytest.fixture
def result() -> Result:
    return peers_fakes.result()


def test_a_result_survives_json(result):
    assert Result.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_a_result_of_before_frames_in_memory_is_read_and_shown_without(result):
    content = json.loads(json.dumps(result.to_dict()))
    for row in content["rows"]:
        del row["camera"], row["camera_scores"], row["converted"]
    old = Result.from_dict(content)
    said = text.markdown(old)
    assert "camera frame" in text.markdown(result)
    assert "camera frame" not in said
    assert "The int8 file" not in said
    assert "| Slow | 0.67 | 23.00 ms | 2.00 (2.00 to 2.00) |" in said
    assert page.html(old).count("data:image/svg+xml") == 3


def test_random_weights_beside_trained_ones_are_called_so_and_their_scores_not_compared(result):
    ours, slow, *rest = result.rows
    said = text.markdown(replace(result, rows=(ours, replace(slow, trained=False), *rest)))
    (times, frames, scores) = [line for line in said.splitlines() if line.startswith("| Slow")]
    assert all(line.startswith("| Slow, random weights | ") for line in (times, frames, scores))
    assert frames.endswith("| - | - |")
    assert scores.endswith("| - | - | - |")
    assert "- The int8 file: as it ships" in said
    quick = [line for line in said.splitlines() if line.startswith("| Quick |")]
    assert quick[1].endswith(" | 0.0250 / 0.050 | 0 of 2 |")


def test_what_is_no_result_is_refused():
    with pytest.raises(DataError, match="not a result"):
        Result.from_dict({"rows": []})


def test_ratios_are_those_of_the_rounds_and_drift_is_gone(result):
    ours, slow, quick, _ = result.rows
    assert str(slow.times(ours, "invoke")) == "2.00 (2.00 to 2.00)"
    assert str(slow.times(ours, "look", cpu=True)) == "2.00 (2.00 to 2.00)"
    assert str(quick.times(ours, "starts")) == "0.80 (0.80 to 0.80)"
    assert str(slow.times(ours, "starts", cpu=True)) == "2.00 (2.00 to 2.00)"
    assert quick.memory(ours).value == pytest.approx(0.8)
    assert ours.median_ms("invoke") == pytest.approx(11.5)


def test_the_tables_name_who_is_ahead_and_who_is_absent(result):
    said = text.markdown(result)
    assert "| Slow | 0.67 | 23.00 ms | 2.00 (2.00 to 2.00) |" in said
    assert "- Gone: not installed: no wheel" in said
    ahead = [line for line in said.splitlines() if line.startswith("- **Ahead**")]
    assert len(ahead) == 8
    assert sum("processor time" in line for line in ahead) == 4
    assert all("Quick" in line and "0.80" in line for line in ahead)
    assert "| 0.1250 / 0.250 |" in said
    assert "| 1 of 2 |" in said
    assert "other programs used 0.5 cores" in said


def test_of_few_values_the_range_is_told_and_nobody_is_ahead(result):
    few = replace(result, rows=tuple(replace(r, invoke=r.invoke[:5], starts=r.starts[:3])
                                     for r in result.rows))  # fmt: skip
    said = text.markdown(few)
    assert "| 2.00 (range of 5: 2.00 to 2.00) |" in said
    ahead = [line for line in said.splitlines() if line.startswith("- **Ahead**")]
    assert len(ahead) == 4
    assert all("whole path" in line or "camera frame" in line for line in ahead)
    assert "- Below ours in each: Quick, first verdict: 0.80 (range of 3: 0.80 to 0.80)" in said
    html = page.html(few)
    assert "Below ours in each of too few" in html
    assert "with the range of 3; right" in html
    assert "with the interval of 95 %; right" in html


def test_an_untrained_network_is_called_so(result):
    rows = tuple(replace(row, trained=False) for row in result.rows)
    assert text.heading(replace(result, rows=rows), "default") == (
        "default (untrained: latency only)"
    )


def test_the_page_has_all_of_it(result):
    html = page.html(result)
    for words in ("Ahead of us", "Not measured", "no wheel", "Slow", "processor time"):
        assert words in html
    assert html.count("data:image/svg+xml") == 4


def test_the_page_without_any_peer_has_no_figures(result):
    assert "data:image/svg+xml" not in page.html(replace(result, rows=result.rows[:1]))


def test_a_drawing_puts_slower_to_the_right_of_ours():
    drawn = bars.drawing([("a<b", Ratio(4.0, 3.0, 5.0, 9)), ("quick", Ratio(0.5, 0.4, 0.6, 9))])
    places = [float(part.split('"')[1]) for part in drawn.split("<circle cx=")[1:]
              for part in [f"x={part}"]]  # fmt: skip
    one = float(drawn.split('stroke-width="2"')[0].rsplit('d="M', 1)[1].split(" ")[0])
    assert places[1] < one < places[0]
    assert "a&lt;b" in drawn


def test_differences_of_scores():
    assert Difference.of((0.2, 0.9), (0.2, 0.4)) == Difference(0.25, 0.5, 1)


def test_the_documentation_gets_the_tables(result, tmp_path):
    found, docs = tmp_path / "result.json", tmp_path / "peers.md"
    found.write_text(json.dumps(result.to_dict()))
    docs.write_text(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n")
    for runs in (1, 2, 1):
        done = CliRunner().invoke(document.main, [*[str(found)] * runs, str(docs)])
        assert done.exit_code == 0, done.output
        content = docs.read_text()
        assert content.startswith("before\n")
        assert content.endswith(f"{document.END}\nafter\n")
        assert content.count("| Slow |") == 3  # a network is shown once
        assert "old" not in content
    other = replace(result, rows=tuple(replace(row, network="mobilenetv2") for row in result.rows))
    both = tmp_path / "both.json"
    both.write_text(json.dumps(replace(other, rows=(*other.rows, *result.rows)).to_dict()))
    done = CliRunner().invoke(document.main, [str(found), str(both), str(docs)])
    assert done.exit_code == 0, done.output
    headings = [line for line in docs.read_text().splitlines() if line.startswith("### ")]
    assert [heading.split()[1] for heading in headings] == ["default", "mobilenetv2"]


@pytest.mark.parametrize(("result_text", "page_text", "named"), [
    ("no json", f"{document.BEGIN}{document.END}", "result.json"), ("{}", "", "result.json"),
])  # fmt: skip
def test_files_that_are_none_are_named(result_text, page_text, named, tmp_path):
    (tmp_path / "result.json").write_text(result_text)
    (tmp_path / "peers.md").write_text(page_text)
    done = CliRunner().invoke(document.main, [str(tmp_path / "result.json"),
                                              str(tmp_path / "peers.md")])  # fmt: skip
    assert done.exit_code == 2
    assert named in done.output


@pytest.mark.parametrize("page", ["no marks", "BEGIN alone", "END before BEGIN"])
def test_a_page_without_marks_is_refused(page):
    with pytest.raises(DataError, match="expected the lines BEGIN and END"):
        between(page, "BEGIN", "END", "tables")
