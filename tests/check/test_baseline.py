"""The baseline: what is known is not told again, wherever its line moves."""

from __future__ import annotations

import json
import os

import pytest

from scope_client import ConfigurationError
from scope_client._check.baseline import read_baseline, write_baseline
from scope_client._check.finding import CodeFinding
from scope_client._check.use import Place


def finding(line=3, *, file="app.py", code="S102", prompt="greeting", subject="nmae", within="send"):
    return CodeFinding(Place(file, line, 1), code, f"said on line {line}", prompt, subject, within)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").touch()
    return tmp_path


def sifted(found, looked_at=("app.py",), path="known.json"):
    paths = {os.path.abspath(file) for file in looked_at}
    return read_baseline(path).sift(found, paths.__contains__)


def test_what_is_known_is_taken_out_wherever_its_line_moves():
    write_baseline("known.json", [finding(3)])
    assert sifted([finding(99)]) == ((), 1, ())


@pytest.mark.parametrize(
    "change",
    [{"file": "b.py"}, {"code": "S103"}, {"prompt": "other"}, {"subject": "x"}, {"within": "receive"}],
    ids=lambda change: next(iter(change)),
)
def test_what_differs_in_one_part_of_its_identity_is_new(change):
    write_baseline("known.json", [finding()])
    assert sifted([finding(**change)]).new == (finding(**change),)


def test_equal_ones_are_counted():
    write_baseline("known.json", [finding(1), finding(2)])
    one_more = [finding(1), finding(2), finding(3)]
    assert sifted(one_more) == ((finding(3),), 2, ())
    (entry,) = sifted(one_more[:1]).outdated
    assert str(entry) == "app.py S102 (greeting nmae)"


def test_a_cell_of_a_notebook_may_move():
    write_baseline("known.json", [finding(file="a.ipynb:cell 3")])
    assert sifted([finding(file="a.ipynb:cell 5")]).known == 1


def test_an_entry_is_outdated_only_if_its_file_was_looked_at_or_is_gone(here):
    write_baseline("known.json", [finding(), finding(file="b.py"), finding(file="gone.py")])
    (here / "b.py").touch()
    assert [entry.file for entry in sifted([]).outdated] == ["app.py", "gone.py"]
    assert [entry.file for entry in sifted([], looked_at=()).outdated] == ["gone.py"]


def test_paths_are_relative_to_its_folder_so_that_it_works_from_any(here, monkeypatch):
    (here / "ci").mkdir()
    write_baseline("ci/known.json", [finding()])
    assert json.loads((here / "ci" / "known.json").read_text())["findings"][0]["file"] == "../app.py"
    monkeypatch.chdir(here / "ci")
    assert sifted([finding(file="../app.py")], path="known.json").known == 1


def test_the_same_findings_make_the_same_bytes_without_lines_and_without_dates(here):
    write_baseline("known.json", [finding(3), finding(file="Größe.py"), finding(code="S101")])
    first = (here / "known.json").read_bytes()
    write_baseline("known.json", [finding(code="S101", line=8), finding(88), finding(file="Größe.py")])
    assert (here / "known.json").read_bytes() == first
    assert "Größe.py".encode() in first
    assert b"line" not in first
    assert first.endswith(b"\n}\n")


def test_one_without_findings_is_good():
    write_baseline("known.json", [])
    assert sifted([finding()]).new == (finding(),)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a JSON object with a list of findings"),
        (b'{"format": 1}', "is not a JSON object with a list of findings"),
        (b'{"format": 2, "findings": []}', "has the format 2, and this version of scope-prompts reads 1"),
        (b'{"findings": []}', "has the format None"),
        (b'{"format": 1, "findings": [1]}', "has a finding 1 without file, code, prompt, subject, within as text"),
        (b'{"format": 1, "findings": [{"file": "a"}]}', "has a finding 1 without file"),
        (
            b'{"format": 1, "findings": [{"file":"a","code":"X1","prompt":"","subject":"","within":""}]}',
            "has the code 'X1' in finding 1, which is not one",
        ),
        (
            b'{"format": 1, "findings": [{"file":"a","code":"S101","prompt":"","subject":"","within":"","count":0}]}',
            "has a count in finding 1 that is not a number from 1",
        ),
    ],
)
def test_a_broken_one_is_one_sentence_that_says_what_to_do(octets, said, here):
    (here / "known.json").write_bytes(octets)
    with pytest.raises(ConfigurationError, match=r"the baseline 'known\.json' ") as caught:
        read_baseline("known.json")
    assert said in caught.value.message
    assert caught.value.message.endswith("; `scope check --write-baseline` writes it anew")
    assert "\n" not in caught.value.message


def test_one_that_is_not_there_says_what_writes_it():
    with pytest.raises(
        ConfigurationError, match=r"does not exist; `scope check --baseline known\.json --write-baseline`"
    ):
        read_baseline("known.json")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_baseline(".")


def test_one_that_cannot_be_written_leaves_nothing_behind(here):
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_baseline("nowhere/known.json", [finding()])
    (here / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_baseline("folder", [finding()])
    assert sorted(os.listdir(here)) == ["app.py", "folder"]


def test_a_byte_order_mark_of_an_editor_is_no_mistake(here):
    write_baseline("known.json", [finding()])
    (here / "known.json").write_bytes(b"\xef\xbb\xbf" + (here / "known.json").read_bytes().replace(b"\n", b"\r\n"))
    assert sifted([finding()]).known == 1
