"""What is said about speed is what was measured: README, RESULTS.md and the charts agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import report
from benchmarks.measure import HEADING, Row

ROOT = Path(__file__).resolve().parents[2]
RESULTS = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
MET = Row("a read", "1 us", "by hand 1 us", 1.0, 1.5)
MISSED = Row("a fetch", "3 ms", "by hand 1 ms", 3.0, 2.5)


def table(text, width):
    lines = [tuple(cell.strip() for cell in line[1:-1].split("|")) for line in text.splitlines() if line[:2] == "| "]
    return [line for line in lines if len(line) == width and line != HEADING[:width]]


MEASURED = table(RESULTS.replace(report.section(RESULTS, "peers"), ""), len(HEADING))


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    monkeypatch.setattr(report, "FELT", ("a read",))
    report.README.write_text("Before.\n\n<!-- speed -->\nan old table\n<!-- /speed -->\n\nAfter.\n")
    return tmp_path


def test_each_row_of_the_readme_is_what_was_measured():
    shown = table(report.section(README, "speed"), 4)
    assert [row[0] for row in shown] == list(report.FELT)
    assert set(shown) <= {row[:4] for row in MEASURED}


def test_every_limit_of_the_results_is_met():
    assert len(MEASURED) >= len(bench.GROUPS)
    assert [row for row in MEASURED if row[-1] != "met"] == []


def test_the_results_have_each_group_with_a_chart_that_exists():
    assert re.findall(r"^## (.+)$", RESULTS.partition("<!-- peers -->")[0], re.MULTILINE) == list(bench.GROUPS)
    charts = re.findall(r"!\[.+?\]\((.+?)\)", RESULTS)
    assert len(charts) >= len(bench.GROUPS)
    for chart in charts:
        assert (ROOT / "benchmarks" / chart).read_text(encoding="utf-8").startswith("<?xml")


def test_a_new_run_keeps_what_the_peers_took(files):
    report.write({"Read": [MET]})
    report.put_section("peers", "## Peers\n\nslower")
    report.write({"Read": [MET._replace(ours="2 us")]})
    written = report.RESULTS.read_text()
    assert "| a read | 2 us | by hand 1 us | 1.00 x | at most 1.50 x | met |" in written
    assert report.section(written, "peers") == "## Peers\n\nslower"


def test_the_table_of_the_readme_is_replaced_and_the_rest_of_it_stays(files):
    report.write({"Read": [MET]})
    table = "| what | ours | yardstick | figure |\n|---|---|---|---|\n| a read | 1 us | by hand 1 us | 1.00 x |"
    assert report.README.read_text() == f"Before.\n\n<!-- speed -->\n\n{table}\n\n<!-- /speed -->\n\nAfter.\n"


def test_a_row_of_the_readme_that_was_not_measured_is_an_error(files):
    with pytest.raises(KeyError, match="a read"):
        report.write({"Fetch": [MISSED]})


def test_a_missed_limit_is_named_and_fails_the_run(monkeypatch, capsys):
    monkeypatch.setattr(bench, "_measured", lambda group: [MET, MISSED])
    assert bench.main(["read"]) == 1
    assert capsys.readouterr().out.endswith("1 of 2 limits met\nMISSED: a fetch: 3.00 x, at most 2.50 x\n")


def test_a_group_that_is_not_there_is_refused_before_anything_is_measured():
    with pytest.raises(SystemExit, match="no such group: reed; there are start, read, render"):
        bench.main(["reed"])
