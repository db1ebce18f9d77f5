"""The mutants that `make mutants` makes, and the probes that tell which tests reach them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from mutation.baseline import Reach
from mutation.changes import Mutant, mutants_of
from mutation.earlier import Earlier
from mutation.listed import FILE, Listed, line_of
from mutation.reach import users_of, with_probes
from mutation.trial import Result

CORE = Path(__file__).resolve().parents[2] / "scope_client"


def changes(source: str) -> list[str]:
    return [f"{mutant.where}: {mutant.change}" for mutant in mutants_of("room", source.encode())]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("a.b = 1", ["without `a.b = 1`", "`1` -> `2`", "`1` -> `0`"]),
        ("a()", ["without `a()`"]),
        ("raise a", ["without `raise a`"]),
        ("return a", ["`return a` -> `return None`"]),
        ("return a < b", ["`return a < b` -> `return None`", "`a < b` -> `a <= b`"]),
        ("return a == b", ["`return a == b` -> `return None`", "`a == b` -> `a != b`"]),
        ("c = a and b", ["`a and b` -> `b`", "`a and b` -> `a`"]),
        ("c = not a", ["`not a` -> `a`"]),
        ("c = a + 0.5", ["`a + 0.5` -> `a - 0.5`", "`0.5` -> `1.0`", "`0.5` -> `0.25`"]),
        ("c = 'x'", ["`'x'` -> `''`"]),
        ("c = True", ["`True` -> `False`"]),
        ("c = min(a, b)", ["`min(a, b)` -> `max(a, b)`"]),
        ("c = list(a)", ["`list(a)` -> `a`"]),
        ("c = a(b=b)", ["without `b=b` in a call of `a`"]),
        ("c = [a, b]", ["without `a` in `[a, b]`", "without `b` in `[a, b]`"]),
        ("c = f'{a} x'", ["without f'{a}' in `f'{a} x'`", "without ' x' in `f'{a} x'`"]),
        ("c = lambda: a", ["`a` -> `None`"]),
        ("if a == b:\n  pass", ["`a == b` -> `True`", "`a == b` -> `False`"]),
        ("for c in a:\n  continue", ["`a` -> `()`", "`continue` -> `break`"]),
        ("try:\n  pass\nexcept E:\n  pass", ["without `except E`"]),
        ("c: int | None = None", []),
    ],
)
def test_a_statement_has_these_mutants(statement: str, expected: list[str]) -> None:
    lines = ["def f(a, b):", *(f"  {line}" for line in statement.splitlines())]
    assert changes("\n".join(lines)) == [f"f: {change}" for change in expected]


def test_constants_of_modules_and_classes_decorated_functions_and_defaults_have_mutants() -> None:
    source = 'X = 2\nclass A:\n  """A."""\n  y = 3\n  @property\n  def z(self, w=4):\n    return 5\n'
    assert changes(source) == [
        *("module: `2` -> `3`", "module: `2` -> `1`", "A: `3` -> `4`", "A: `3` -> `2`"),
        *("A.z: `4` -> `5`", "A.z: `4` -> `3`", "A.z: `5` -> `6`", "A.z: `5` -> `4`"),
    ]


def test_the_words_that_a_member_of_an_enumeration_stands_for_have_none() -> None:
    assert changes("class A(enum.Enum):\n  B = 'says what B means'\n  C = 1\n") == ["A: `1` -> `2`", "A: `1` -> `0`"]


def test_two_mutants_that_read_the_same_are_told_apart() -> None:
    assert changes("def f(a):\n  a()\n  a()") == ["f: without `a()`", "f: without `a()` (2)"]


@pytest.mark.parametrize("room", ["_fork", "_folder/reader", "_prompt/template"])
def test_every_mutant_and_every_source_with_probes_is_python_and_differs(room: str) -> None:
    source = (CORE / f"{room}.py").read_bytes()
    mutants = mutants_of("room", source)
    assert len({mutant.source for mutant in mutants} | {source}) == len(mutants) + 1
    for mutant in mutants:
        ast.parse(mutant.source)
    ast.parse(with_probes("room", source))


def test_a_probe_stands_before_each_statement_of_a_function() -> None:
    source = "def f(a):\n  if a:\n    return 1\n  elif a():\n    return 2\n  return 3\n"
    told = with_probes("room", source.encode()).decode()
    assert [line.strip() for line in told.splitlines() if "_came_by('" in line] == [
        f"_came_by('room:{number}')" for number in (2, 3, 5, 6)
    ]


def test_the_share_of_a_room_in_a_test_is_that_of_the_places_it_comes_by() -> None:
    reach = Reach()
    reach.tests.update({"_http/tokens:1": {"a", "b"}, "_http/tokens:2": {"a"}, "_flight:1": {"b"}, "_fork:7": {"b"}})
    assert [reach.share(test, "_http/tokens") for test in ("a", "b", "c")] == [1.0, pytest.approx(1 / 3), 0.0]


def test_a_constant_is_used_by_the_statements_that_name_it_or_what_is_made_of_it() -> None:
    sources = {
        "one": b"A = 1\nB = A + 1\n\ndef f():\n  return A\n",
        "two": b"from .one import B\n\ndef g():\n  return 0\n\ndef h():\n  return B\n",
    }
    assert users_of(frozenset({"A"}), sources) == {"one:5", "two:7"}


class TestEarlierRuns:
    SOURCE = b"def f(a):\n  return a < 1\n"
    TEST = "tests/test_a.py::test_f"

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests" / "test_a.py").write_text("a test")
        return tmp_path

    def mutant(self, source: bytes = SOURCE) -> Mutant:
        return mutants_of("room", source)[0]

    def noticed(self, folder: Path, outcome: str = "killed", by: str = TEST) -> Earlier:
        Earlier(folder / "noticed.json", folder).add(Result(self.mutant(), outcome, by))
        return Earlier(folder / "noticed.json", folder)

    def test_a_mutant_that_was_noticed_need_not_be_tried_again(self, folder: Path) -> None:
        assert self.noticed(folder).of(self.mutant()) == Result(self.mutant(), "killed", self.TEST)

    def test_one_that_survived_is(self, folder: Path) -> None:
        assert self.noticed(folder, "survived", "3 of 3 tests pass").of(self.mutant()) is None

    def test_so_is_one_of_a_room_that_has_changed(self, folder: Path) -> None:
        assert self.noticed(folder).of(self.mutant(self.SOURCE + b"A = 2\n")) is None

    def test_and_one_whose_test_has_changed_or_is_gone(self, folder: Path) -> None:
        earlier = self.noticed(folder)
        (folder / "tests" / "test_a.py").write_text("another test")
        assert earlier.of(self.mutant()) is None
        (folder / "tests" / "test_a.py").unlink()
        assert earlier.of(self.mutant()) is None


COMPARISON = "def f(a):\n    x = 3\n    return a < x\n"
ALIKE = "- `f`: `3` -> `4`; `3` -> `2`: chosen"


def mutants(source: str = COMPARISON, room: str = "room") -> list[Mutant]:
    return mutants_of(room, source.encode())


def listed_changes(*lines: str) -> list[str]:
    known = Listed("\n".join(["# Listed", "", "## `room`", "", *lines]))
    return [mutant.change for mutant in mutants() if known.has(mutant)]


def test_a_mutant_is_listed_by_the_line_that_is_printed_for_it_with_a_reason() -> None:
    for mutant in mutants():
        assert listed_changes(f"{line_of(mutant)} chosen") == [mutant.change]


def test_changes_of_one_place_share_a_line() -> None:
    assert listed_changes(ALIKE) == ["`3` -> `4`", "`3` -> `2`"]
    assert listed_changes("- `f`: `3` -> `2`; `a < x` -> `a <= x`: chosen") == ["`3` -> `2`", "`a < x` -> `a <= x`"]


@pytest.mark.parametrize(
    "line", ["- `g`: `3` -> `4`: chosen", "- `f`: `3` -> `44`: chosen", "- `f`: `3` -> `4`", "nothing"]
)
def test_what_another_line_says_lists_nothing(line: str) -> None:
    assert listed_changes(line) == []


def test_what_is_listed_for_another_room_lists_nothing() -> None:
    known = Listed(f"## `other`\n\n{ALIKE}\n")
    assert not any(map(known.has, mutants()))
    assert any(map(known.has, mutants(room="other")))


@pytest.mark.parametrize(
    ("line", "is_known"),
    [
        (ALIKE, True),
        ("- `f`: `3` -> `4`: chosen: by chance; or not", True),
        ("- `f`: `3` -> `4`; `3` -> `1`: chosen", False),
        ("- `f`: `3` -> `1`; `3` -> `4`: chosen", False),
        ("- `f`: `3` -> `4`; chosen", False),
        ("- `f`: `3` -> `4`: ", False),
        ("- `f`: `3` -> `4`", False),
        ("- `g`: `3` -> `4`: chosen", False),
        ("- chosen", False),
    ],
)
def test_a_line_is_told_that_has_no_such_mutant_or_no_reason(line: str, is_known: bool) -> None:
    known = Listed(f"## `room`\n\n{line}\n")
    assert list(known.unknown(["room"], mutants())) == ([] if is_known else [f"room {line}"])


def test_each_line_of_the_list_has_mutants_that_are_made_and_a_reason() -> None:
    known = Listed(FILE.read_text())
    made = [mutant for room in known.rooms for mutant in mutants_of(room, (CORE / f"{room}.py").read_bytes())]
    assert list(known.unknown(known.rooms, made)) == []
    assert len([mutant for mutant in made if known.has(mutant)]) > len(known.rooms)
