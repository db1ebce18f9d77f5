"""A converted prompt says what the version says, whatever is in the template and whatever the values are."""

from __future__ import annotations

import copy
import enum
import itertools
import json
import pickle
import struct
from typing import TYPE_CHECKING, Any, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.load import dumps, loads

from scope_client import PromptVersion, ValidationError
from scope_langchain import ScopeChatPromptTemplate, ScopePromptTemplate, to_langchain

if TYPE_CHECKING:
    from collections.abc import Sequence


class Odd:
    """`str()` and `format()` disagree about it."""

    def __str__(self) -> str:
        return "str of {odd} {{name}} %s"

    def __format__(self, spec: str) -> str:
        return "format of odd"

    def __repr__(self) -> str:
        return "repr of odd"


class Shouting(str):
    """A text whose `str()`, `format()` and characters are three different things."""

    def __str__(self) -> str:
        return "SHOUTED {name}"

    def __format__(self, spec: str) -> str:
        return "formatted"


class Safe(str):
    """A text that stays what it is."""


class Unformattable:
    def __str__(self) -> str:
        return "only a str"

    def __format__(self, spec: str) -> str:
        raise TypeError("no format")


class Colour(enum.Enum):
    RED = "red {name}"


class Level(int, enum.Enum):
    """`str()` and `format()` of one disagree on some Pythons."""

    HIGH = 3


class Word(str, enum.Enum):
    YES = "yes"


NAMES = (
    *("name", "a", "b", "_", "__x__", "a1", "1a", "if", "class", "None", "cls", "args", "kwargs", "config", "input"),
    *("template", "partial", "messages", "history", "role", "content", "format_string", "run_type", "values", "prompt"),
    *("größe", "名前", "имя", "ñ", "½", "ⅷ", "ª", "a٣", "\U0001d4b3", "input_variables", "metadata", "tags"),
)
LITERALS = (
    *("{", "}", "{{", "}}", "{{{", "}}}", "{}", "{{}}", "{ }", "{{ name }}", "{{name }}", "{{ name}}", "{name}", "{0}"),
    *("{name!r}", "{name:>10}", "{name:{a}}", "{name.upper}", "{name[0]}", "{a!s:^5}", "{:d}", "{!r}", "{{name!r}}"),
    *("{{name:>10}}", "{{name.upper}}", "{{name[0]}}", "{{#name}}", "{{/name}}", "{{^name}}", "{{>name}}", "{{&name}}"),
    *(
        "{{{name}}}",
        "{{!name}}",
        "{{=<% %>=}}",
        "{% if a %}",
        "{# a #}",
        "{{name|upper}}",
        "{{'a'}}",
        "{{name",
        "name}}",
    ),
    *('{"a": {"b": [1, {"c": null}]}}', '{"a":"{{name}}"}', "body{color:red}", "@media x{a{b:c}}", "a{b:{{name}}}"),
    *("%s", "%(name)s", "%", "%%", "$name", "${name}", "$$", "\\", "\\{", "\\{{", "\\n", "\n", "\r\n", "\t", "\0", " "),
    *(
        "é",
        "名",
        "😀",
        "\u2028",
        "\ufeff",
        "\u200b",
        "\x85",
        "e\u0301",
        "\ud800",
        "&lt;",
        "<b>",
        '"',
        "'",
        ":",
        "!",
        ".",
    ),
)
VALUES = (
    *("", "x", "{", "}", "{{", "}}", "{}", "{name}", "{{name}}", "{{{{", "{0}", "{a!r:>{b}}", "%s", "%(a)s", "%", "$a"),
    *("\\1", "\\g<0>", "\n", "\0", "é", "名", "😀", "\ud800", "<b>&amp;</b>", '"', "'", '{"a": {"b": 1}}', "None"),
)
OBJECTS = (
    *(
        0,
        1,
        -1,
        10**30,
        True,
        False,
        1.5,
        float("nan"),
        float("inf"),
        1j,
        [],
        ["{a}"],
        (),
        (1,),
        {},
        {"a": "{b}"},
    ),
    *(Odd(), Shouting("quiet"), Safe("{name}"), Unformattable(), Colour.RED, Level.HIGH, Word.YES, range(3)),
)

VARIABLES = tuple(f"{{{{{name}}}}}" for name in NAMES)
ROLES = ("system", "user", "assistant", "developer", "human", "ai", "System", "USER", "critic")


BATCH = 10


def exhaustive(cases: int) -> Any:
    """So many cases, drawn ten at a time: to draw one takes Hypothesis several times as long as to check it."""
    return settings(
        max_examples=cases // BATCH,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def piece(number: int) -> str:
    """A third each are literals, variables and characters, of which half are ASCII."""
    number, kind = divmod(number, 3)
    if kind == 0:
        return LITERALS[number % len(LITERALS)]
    if kind == 1:
        return VARIABLES[number % len(VARIABLES)]
    return chr(number % 128) if number < 683 else chr(number * 816)


def content_of(octets: bytes) -> str:
    """One piece for each two octets, of which one in sixteen is the end."""
    numbers = itertools.takewhile(
        lambda number: number % 16, (number for (number,) in struct.iter_unpack("<H", octets))
    )
    return "".join(piece(number // 16) for number in numbers)


def messages_of(octets: bytes) -> list[tuple[str, str]]:
    """Up to four of a role and a content."""
    each = [octets[start : start + 20] for start in range(2, 82, 20)]
    return [(ROLES[part[0] % len(ROLES)], content_of(part[2:])) for part in each[: octets[0] % 5]]


def batches(of: Callable[[bytes], Any], size: int) -> st.SearchStrategy[list[tuple[Any, int]]]:
    """Lists of what `of` makes of so many octets, each with a number that chooses its values."""

    def split(octets: bytes) -> list[tuple[Any, int]]:
        parts = [octets[start : start + size + 2] for start in range(0, len(octets), size + 2)]
        return [(of(part[2:]), int.from_bytes(part[:2], "little")) for part in parts]

    length = (size + 2) * BATCH
    return st.binary(min_size=length, max_size=length).map(split)


contents = batches(content_of, 18)
chats = batches(messages_of, 82)


def text(content: str) -> PromptVersion:
    return PromptVersion.from_api({"id": "v_1", "name": "p", "content": content, "type": "text"})


def chat(messages: list[dict[str, str]]) -> PromptVersion:
    return PromptVersion.from_api({"id": "v_1", "name": "p", "content": json.dumps(messages), "type": "chat"})


def takes(version: PromptVersion) -> bool:
    """Whether LangChain can take all of its names; where not, the conversion says so, and what to do."""
    bad = [name for name in version.variables if name in ("self", "stop") or name.isdigit()]
    if bad:
        with pytest.raises(ValidationError, match=r"cannot take.*rename it.*version\.render") as raised:
            to_langchain(version)
        assert all(repr(name) in str(raised.value) for name in bad)
    return not bad


def valued(version: PromptVersion, seed: int, pool: Sequence[Any]) -> dict[str, Any]:
    return {name: pool[(seed + 11 * place) % len(pool)] for place, name in enumerate(version.variables)}


def pairs(messages: list[Any]) -> list[tuple[str, str]]:
    """Role and content, by the core's names where a role of LangChain's has one."""
    known = {"human": "user", "ai": "assistant"}
    return [(known.get(message.type, getattr(message, "role", message.type)), message.content) for message in messages]


def expected(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    known = {"developer": "system", "human": "user", "ai": "assistant", "System": "system", "USER": "user"}
    return [(known.get(message["role"], message["role"]), message["content"]) for message in messages]


@exhaustive(5_000)
@given(contents)
def test_a_converted_text_prompt_says_exactly_what_the_version_renders(cases: list[tuple[str, int]]) -> None:
    for content, seed in cases:
        version = text(content)
        if not takes(version):
            continue
        values = valued(version, seed, (*VALUES, *OBJECTS))
        prompt = to_langchain(version)
        rendered = version.render(**values)
        assert prompt.format(**values) == rendered
        assert prompt.invoke(values).to_string() == rendered
        assert sorted(prompt.input_variables) == sorted(version.variables)


@exhaustive(1_500)
@given(chats)
def test_a_converted_chat_prompt_says_exactly_what_the_messages_of_the_version_say(
    cases: list[tuple[list[tuple[str, str]], int]],
) -> None:
    for drafts, seed in cases:
        version = chat([{"role": role, "content": content} for role, content in drafts])
        if not takes(version):
            continue
        values = valued(version, seed, (*VALUES, *OBJECTS))
        prompt = to_langchain(version)
        messages = expected(version.messages(**values))
        assert pairs(prompt.format_messages(**values)) == messages
        assert pairs(prompt.invoke(values).to_messages()) == messages


@exhaustive(2_000)
@given(contents)
def test_it_says_the_same_after_a_pickle_a_deep_copy_and_in_parts(cases: list[tuple[str, int]]) -> None:
    for content, seed in cases:
        version = text(content)
        if not takes(version):
            continue
        values = valued(version, seed, (*VALUES, *OBJECTS[:-2]))
        rendered = version.render(**values)
        prompt = to_langchain(version)
        assert pickle.loads(pickle.dumps(prompt)).format(**values) == rendered
        assert copy.deepcopy(prompt).format(**values) == rendered
        early = {name: value for place, (name, value) in enumerate(values.items()) if place % 2}
        late = {name: value for name, value in values.items() if name not in early}
        partial = prompt.partial(**early)
        assert partial.format(**late) == rendered
        assert pickle.loads(pickle.dumps(partial)).format(**late) == rendered
        assert (
            prompt.partial(**{name: lambda value=value: value for name, value in early.items()}).format(**late)
            == rendered
        )


@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
@pytest.mark.filterwarnings("ignore:The default value of `allowed_objects` will change")
@exhaustive(1_500)
@given(contents)
def test_texts_come_out_the_same_after_it_was_saved_as_json_and_loaded(cases: list[tuple[str, int]]) -> None:
    for content, seed in cases:
        version = text(content)
        if not takes(version):
            continue
        values = valued(version, seed, VALUES)
        for kept in (loads(dumps(to_langchain(version))), loads(dumps(to_langchain(version).partial(**values)))):
            assert kept.format(**values) == version.render(**values)


@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
@pytest.mark.filterwarnings("ignore:The default value of `allowed_objects` will change")
@exhaustive(500)
@given(chats)
def test_a_chat_prompt_travels_as_well_as_a_text_prompt(cases: list[tuple[list[tuple[str, str]], int]]) -> None:
    for drafts, seed in cases:
        version = chat([{"role": role, "content": content} for role, content in drafts])
        if not takes(version):
            continue
        values = valued(version, seed, VALUES)
        messages = expected(version.messages(**values))
        prompt = to_langchain(version)
        assert pairs(pickle.loads(pickle.dumps(prompt)).format_messages(**values)) == messages
        assert pairs(copy.deepcopy(prompt).format_messages(**values)) == messages
        assert pairs(prompt.partial(**values).format_messages()) == messages
        assert pairs(loads(dumps(prompt)).format_messages(**values)) == messages


@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: f"{type(value).__name__} {str(value)[:12]!a}")
def test_every_kind_of_value_becomes_what_str_makes_of_it(value: Any) -> None:
    version = text("{{{{value}}}} {value} {{value}}")
    assert to_langchain(version).format(value=value) == version.render(value=value)
    message = chat([{"role": "user", "content": "{{value}}"}])
    assert to_langchain(message).format_messages(value=value)[0].content == message.messages(value=value)[0]["content"]


@pytest.mark.parametrize("name", NAMES)
def test_every_other_name_is_a_variable_in_every_use(name: str) -> None:
    version = text(f"{{{name}}} {{{{{name}}}}}")
    prompt = to_langchain(version)
    rendered = version.render(**{name: "V"})
    assert prompt.format(**{name: "V"}) == rendered
    assert prompt.invoke({name: "V"}).text == rendered
    assert prompt.partial(**{name: "V"}).format() == rendered
    assert prompt.batch([{name: "V"}, {name: "V"}])[1].text == rendered
    messages = to_langchain(chat([{"role": "user", "content": f"{{{{{name}}}}}"}]))
    assert messages.invoke({name: "V"}).to_messages()[0].content == "V"
    assert messages.partial(**{name: "V"}).format_messages()[0].content == "V"


@pytest.mark.parametrize("name", ["self", "stop", "0", "42", "٣", "²", "೬"])
def test_a_name_that_langchain_cannot_take_is_refused_at_conversion_with_the_way_out(name: str) -> None:
    content = f"{{{{fine}}}} {{{{{name}}}}}"
    for version in (text(content), chat([{"role": "user", "content": content}])):
        with pytest.raises(
            ValidationError, match=r"cannot take the variable.*rename it there.*version\.render"
        ) as raised:
            to_langchain(version)
        assert repr(name) in str(raised.value)
        assert "'fine'" not in str(raised.value)
        assert "V" in version.render(**{"fine": "ok", name: "V"})


def test_several_names_that_langchain_cannot_take_are_named_together() -> None:
    with pytest.raises(ValidationError, match=r"cannot take the variables 'self', '1' of the prompt .*: rename them"):
        to_langchain(text("{{self}} {{1}}"))


@pytest.mark.parametrize("name", ["self", "stop", "42"])
def test_what_only_looks_like_such_a_name_is_no_reason_to_refuse(name: str) -> None:
    version = text(f"{{{name}}} {{{{ {name} }}}} {{{{{name}!r}}}} {{{{x}}}}")
    assert to_langchain(version).format(x=1) == version.render(x=1)


def test_none_is_refused_by_both_with_the_same_error() -> None:
    version = text("{{a}}")
    with pytest.raises(ValidationError) as ours:
        version.render(a=None)
    for call in (to_langchain(version).format, to_langchain(version).partial(a=None).format):
        with pytest.raises(ValidationError) as theirs:
            call(**({"a": None} if call.__self__.input_variables else {}))
        assert str(theirs.value) == str(ours.value)


@pytest.mark.parametrize("size", [0, 1, 2_000, 200_000])
def test_a_prompt_of_any_size_is_exact(size: int) -> None:
    version = text('{"a": {{a}}, {b}, "{{b}}"} ' * (size // 27) + "{" * 11 + "{{c}}" + "}" * 11)
    values = dict.fromkeys(version.variables, "{{a}}{b}")
    assert to_langchain(version).format(**values) == version.render(**values)


def test_more_prompts_than_any_cache_holds_stay_exact() -> None:
    versions = [text(f"{number} {{}} {{{{a}}}}") for number in range(3_000)]
    prompts = [to_langchain(version) for version in versions]
    assert [prompt.format(a=Odd()) for prompt in prompts] == [version.render(a=Odd()) for version in versions]


def test_the_type_of_the_prompt_follows_that_of_the_version() -> None:
    assert type(to_langchain(text("x"))) is ScopePromptTemplate
    assert type(to_langchain(chat([{"role": "user", "content": "x"}]))) is ScopeChatPromptTemplate
