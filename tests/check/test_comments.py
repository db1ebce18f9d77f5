"""What a comment says to `scope check`."""

from __future__ import annotations

import pytest

from scope_client._check.comments import Remarks, SaidUse, remarks


def uses(text: str) -> list[tuple[str, tuple[str, ...] | None]]:
    """The names, and the variables of those that name any."""
    found = remarks(text)
    assert not found.mistakes
    return [(use.name, tuple(each.name for each in use.given) if use.renders else None) for use in found.uses]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# scope: uses greeting", [("greeting", None)]),
        ("# scope: uses greeting()", [("greeting", ())]),
        ("#scope:uses greeting (name , tone)", [("greeting", ("name", "tone"))]),
        ("# Scope: uses support/greeting.v2(name), b", [("support/greeting.v2", ("name",)), ("b", None)]),
        ("# scope: uses \"my prompt\"(name), 'a, b'", [("my prompt", ("name",)), ("a, b", None)]),
        ("x = 1  # noqa: F401  # scope: uses greeting(name)  # and more", [("greeting", ("name",))]),
        ("# scope: uses greeting(name) -- in the nightly job", [("greeting", ("name",))]),
        ("{# scope: uses greeting(name) #}", [("greeting", ("name",))]),
        ("\n  scope: uses a\n  scope: uses b()\n", [("a", None), ("b", ())]),
    ],
)
def test_it_tells_of_uses(text: str, expected: list[tuple[str, tuple[str, ...] | None]]) -> None:
    assert uses(text) == expected


def test_a_use_has_a_label_or_a_version_and_may_be_open() -> None:
    (use,) = remarks("# scope: uses greeting(name, ...) label=latest").uses
    assert (use.label, use.version, use.is_open) == ("latest", None, True)
    (use,) = remarks("# scope: uses greeting version='v_1'").uses
    assert use == SaidUse("greeting", 14, version="v_1")


def test_the_places_are_those_in_the_text() -> None:
    text = "# noqa  # scope: uses greeting(name, tone)"
    (use,) = remarks(text).uses
    places = [(use.name, use.start), *((each.name, each.start) for each in use.given)]
    assert [name for name, start in places if text.startswith(name, start)] == ["greeting", "name", "tone"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("# scope: ignore", None),
        ("# scope: ignore  because it's so", None),
        ("# scope: ignore[S102]", {"S102"}),
        ("# scope: ignore[ s102 , S103 ] until spring", {"S102", "S103"}),
        ("{# scope: ignore[S101] #}", {"S101"}),
        ("# scope: ignore[S101]  # scope: ignore[S102]", {"S101", "S102"}),
    ],
)
def test_it_ignores_codes_or_all(text: str, codes: set[str] | None) -> None:
    found = remarks(text)
    assert (found.ignored, found.mistakes) == (codes, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# scope: igonre[S102]", "'scope: igonre' is not known"),
        ("# scope: ignore S102", "has its codes in brackets, got 'S102'"),
        ("# scope: ignore: S102", "has its codes in brackets, got ': S102'"),
        ("# scope: ignore(S102)", "has its codes in brackets, got '(S102)'"),
        ("# scope: ignore[S102", "has its codes in brackets, got '[S102'"),
        ("# scope: ignore[S102, S999]", "takes codes from S100 to S108, got 'S999'"),
        ("# scope: ignore[]", "takes codes from S100 to S108, got no code"),
        ("# scope: uses", "followed by the name of a prompt, got nothing"),
        ("# scope: uses (name)", "followed by the name of a prompt, got '(name)'"),
        ("# scope: uses: greeting(name)", "followed by the name of a prompt, got ': greeting(name)'"),
        ("# scope: uses greeting(name", "cannot be followed by '(name'"),
        ("# scope: uses greeting and farewell", "cannot be followed by 'and farewell'"),
        ("# scope: use greeting(name)", "'scope: use' is not known"),
        ("# scope: use greeting", "'scope: use' is not known"),
    ],
)
def test_a_mistake_says_what_to_write_and_neither_uses_nor_ignores(text: str, said: str) -> None:
    found = remarks(text)
    ((message, _),) = found.mistakes
    assert said in message
    assert "'scope: ignore[" in message
    assert (found.uses, found.ignored) == ((), frozenset())


@pytest.mark.parametrize(
    "text",
    ["# scope: session", "# scope: user", "# the scope: uses of it", "# Scope: the house", "# microscope: uses x", ""],
)
def test_other_comments_say_nothing(text: str) -> None:
    assert remarks(text) == Remarks()
    assert not remarks(text)
