"""What is said about speed is what was measured: README, the manual, RESULTS.md and the limits agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import report
from benchmarks.drawing import drawing
from benchmarks.limits import GROUPS, IN_THE_DRAWING, IN_THE_README, LIMITS, MISSED_IN_THE_LAST_RUN, Limit
from benchmarks.measure import Row

ROOT = Path(__file__).resolve().parents[2]
RESULTS = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
MANUAL = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
MET = Row("cached read", "1 us", "by hand 1 us", 1.0)
MISSED = Row("cold fetch", "3 ms", "by hand 1 ms", 3.0)


def table(text, width):
    lines = [tuple(cell.strip() for cell in line[1:-1].split("|")) for line in text.splitlines() if line[:2] == "| "]
    return [line for line in lines if len(line) == width and line != report.HEADING[:width]]


MEASURED = table(RESULTS.replace(report.section(RESULTS, "peers"), ""), len(report.HEADING))


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    monkeypatch.setattr(report, "MANUAL", tmp_path / "performance.md")
    monkeypatch.setattr(report, "DRAWING", tmp_path / "speed.svg")
    monkeypatch.setattr(report, "IN_THE_README", ("cached read",))
    monkeypatch.setattr(report, "IN_THE_DRAWING", ("cached read",))
    report.MANUAL.write_text("<!-- speed -->\nold\n<!-- /speed -->\n<!-- peers -->\nold\n<!-- /peers -->\n")
    report.README.write_text("Before.\n\n<!-- speed -->\nan old table\n<!-- /speed -->\n\nAfter.\n")
    return tmp_path


def test_each_row_of_the_readme_is_what_was_measured():
    shown = table(report.section(README, "speed"), 4)
    assert {row[0] for row in shown} >= set(IN_THE_README)
    assert set(shown) <= {row[:4] for row in MEASURED}


def test_the_manual_has_each_row_as_it_was_measured_and_the_peers_too():
    assert table(report.section(MANUAL, "speed"), 4) == [row[:4] for row in MEASURED]
    assert report.section(MANUAL, "peers") == report.section(RESULTS, "peers")


def test_the_manual_says_when_and_on_what_it_was_measured():
    said = report.section(MANUAL, "speed").partition("\n\n|")[0]
    assert set(re.findall(r"\d{4}-\d\d-\d\d", said)) <= set(re.findall(r"\d{4}-\d\d-\d\d", RESULTS))
    assert re.search(r"\d{4}-\d\d-\d\d.*, Python \d+\.\d+\.\d+, .+, \d+ cores", said, re.DOTALL)


def test_the_manual_says_what_each_row_means():
    meanings = table(MANUAL.partition("## What each row means")[2].partition("\n## ")[0], 2)
    assert [row[0] for row in meanings[1:]] == [row[0] for row in MEASURED]


def test_the_drawing_of_the_manual_is_made_of_what_was_measured():
    figures = {row[0]: float(row[3].split()[0]) for row in MEASURED}
    drawn = (ROOT / "docs" / "_static" / "speed.svg").read_text(encoding="utf-8")
    assert drawn == drawing([(what, figures[what]) for what in IN_THE_DRAWING])


def test_the_results_have_each_group_and_each_row_of_it():
    assert re.findall(r"^## (.+)$", RESULTS.partition("<!-- peers -->")[0], re.MULTILINE) == list(GROUPS)
    assert [row[0] for row in MEASURED] == list(LIMITS)


def test_every_limit_of_the_results_is_the_one_that_is_promised():
    assert [row[4] for row in MEASURED] == [str(LIMITS[row[0]]) for row in MEASURED]


def test_a_row_that_misses_its_limit_says_so_and_is_one_that_is_known_to():
    missed = [row[0] for row in MEASURED if row[5] == "MISSED"]
    assert missed == list(MISSED_IN_THE_LAST_RUN)
    beyond = [row[0] for row in MEASURED if not LIMITS[row[0]].allows(float(row[3].split()[0]))]
    assert set(beyond) <= set(missed)  # a figure is rounded, and may miss by less than it shows
    assert {row[5] for row in MEASURED} <= {"met", "MISSED"}


@pytest.mark.parametrize("of", ["make bench", "make bench-peers"])
def test_the_results_say_when_and_on_what_they_were_measured(of):
    said = RESULTS.partition(f"What `{of}` measured")[2].partition("\n\n")[0]
    taken = re.compile(r"\d{4}-\d\d-\d\d, Python \d+\.\d+\.\d+, .+, \d+ cores")
    assert taken.search(said)
    assert taken.fullmatch(report.how_taken())


def test_a_new_run_keeps_what_the_peers_took(files):
    report.write({"Read": [MET]})
    report.write_peers("## Peers\n\nslower")
    report.write({"Read": [MET._replace(ours="2 us")]})
    written = report.RESULTS.read_text()
    assert "| cached read | 2 us | by hand 1 us | 1.00 x | at most 3.00 x | met |" in written
    assert report.section(written, "peers") == "## Peers\n\nslower"
    assert report.section(report.MANUAL.read_text(), "peers") == "## Peers\n\nslower"


def test_the_table_of_the_readme_is_replaced_and_the_rest_of_it_stays(files):
    report.write({"Read": [MET]})
    table = "| what | ours | yardstick | figure |\n|---|---|---|---|\n| cached read | 1 us | by hand 1 us | 1.00 x |"
    assert report.README.read_text() == f"Before.\n\n<!-- speed -->\n\n{table}\n\n<!-- /speed -->\n\nAfter.\n"


def test_the_table_of_the_manual_and_its_drawing_are_replaced(files):
    report.write({"Read": [MET]})
    written = report.section(report.MANUAL.read_text(), "speed")
    assert written.startswith(f"Measured in one run: {report.how_taken()}.\n\n| what |")
    assert table(written, 4) == [("cached read", "1 us", "by hand 1 us", "1.00 x")]
    assert "cached read: 1.00" in report.DRAWING.read_text()


def test_a_row_of_the_readme_that_was_not_measured_is_an_error(files):
    with pytest.raises(KeyError, match="cached read"):
        report.write({"Fetch": [MISSED]})


@pytest.mark.parametrize(
    ("limit", "allowed", "refused"), [(Limit(1.5), 1.5, 1.501), (Limit(0.9, at_least=True), 0.9, 0.899)]
)
def test_a_limit_is_met_at_its_ratio_and_missed_beyond_it(limit, allowed, refused):
    assert limit.allows(allowed)
    assert not limit.allows(refused)


def test_a_missed_limit_is_named_and_fails_the_run(monkeypatch, capsys):
    monkeypatch.setattr(bench, "measured", lambda group: [MET, MISSED])
    assert bench.main(["read"]) == 1
    assert capsys.readouterr().out.endswith(f"1 of 2 limits met\nMISSED: cold fetch: 3.00 x, {LIMITS['cold fetch']}\n")


def test_a_run_that_meets_its_limits_is_a_success_and_one_of_some_groups_writes_nothing(monkeypatch, capsys, files):
    monkeypatch.setattr(bench, "measured", lambda group: [MET])
    assert bench.main(["read"]) == 0
    assert not report.RESULTS.exists()
    assert bench.main([]) == 0
    assert "## Frameworks" in report.RESULTS.read_text()


def test_a_group_that_does_not_exist_is_refused_before_anything_is_measured():
    with pytest.raises(SystemExit, match="no such group: reed; there are start, read, render"):
        bench.main(["reed"])
