"""A template is filled in one pass, and whatever is not {{a_variable}} stays byte for byte."""

from __future__ import annotations

import enum
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope_client import MissingVariableError, RenderError, ScopeError, ValidationError
from scope_client._prompt.surplus import TOLERANT
from scope_client._prompt.template import Template

MARKUP = st.sampled_from(["{", "}", "{{", "}}", "{{name}}", "{{other}}", "{{ name }}", "{{é}}", "a", "_", "1", "\n"])
CONTENT = st.lists(MARKUP | st.text(max_size=5), max_size=20).map("".join)


class Shade(str, enum.Enum):
    DARK = "dark"


class Loud(str):
    def __str__(self) -> str:
        return self.upper()


class Speechless:
    def __str__(self) -> str:
        raise KeyError("name")


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise LookupError


class Raising:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __str__(self) -> str:
        raise self.error


class Wrong:
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


class Equal(type):
    def __eq__(cls, other: object) -> bool:
        return True

    __hash__ = type.__hash__


class Alike(metaclass=Equal):
    def __str__(self) -> str:
        return "alike"


class Proud(type):
    def __eq__(cls, other: object) -> bool:
        raise LookupError

    __hash__ = type.__hash__


class Incomparable(metaclass=Proud):
    def __str__(self) -> str:
        return "alone"


def is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def reference(content: str, values: dict[str, str]) -> str:
    """The rule, read letter by letter."""
    filled, place = [], 0
    while place < len(content):
        end = content.find("}}", place + 2)
        name = content[place + 2 : end]
        if content.startswith("{{", place) and end > 0 and name and all(map(is_word, name)):
            filled.append(values[name])
            place = end + 2
        else:
            filled.append(content[place])
            place += 1
    return "".join(filled)


def render(content: str, /, **values: object) -> str:
    return Template(content).render(values)


@given(CONTENT, st.data())
def test_rendering_equals_a_simple_reference(content: str, data: st.DataObject) -> None:
    template = Template(content)
    values = {name: data.draw(CONTENT) for name in template.variables}
    assert template.render(values) == reference(content, values)


@given(CONTENT)
def test_values_that_are_their_own_placeholders_give_the_content_back(content: str) -> None:
    template = Template(content)
    assert template.render({name: f"{{{{{name}}}}}" for name in template.variables}) == content


@given(CONTENT)
def test_a_template_is_the_sequence_of_its_pieces(content: str) -> None:
    pieces = Template(content).pieces
    assert "".join(f"{{{{{piece}}}}}" if place % 2 else piece for place, piece in enumerate(pieces)) == content
    assert Template(content).variables == tuple(dict.fromkeys(pieces[1::2]))


@given(st.text())
def test_a_value_arrives_byte_for_byte(value: str) -> None:
    assert render("<{{name}}|{{name}}>", name=value) == f"<{value}|{value}>"


def test_a_value_that_names_another_variable_stays_as_it_is() -> None:
    assert render("{{a}} {{b}}", a="{{b}}", b="{{a}}") == "{{b}} {{a}}"


def test_two_values_side_by_side_do_not_make_a_variable() -> None:
    assert render("{{a}}{{b}}", a="{{", b="a}}") == "{{a}}"


@pytest.mark.parametrize("name", ["имя", "名前", "naïve_1", "_", "1", "٣", "ª", "name", "self", "variables", "class"])
def test_every_sequence_of_word_characters_is_a_variable(name: str) -> None:
    assert Template(f"{{{{{name}}}}}").variables == (name,)
    assert render(f"<{{{{{name}}}}}>", **{name: "x"}) == "<x>"


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "}}", "{{}}", "{name}", "{{ name }}", "{{name }}", "{{na me}}", "{{name", "{{name}", "{ {name} }"),
        *("{{a-b}}", "{{a.b}}", "{{a|b}}", "{{#if}}", "{{/if}}", "{{&a}}", "{% a %}", "${a}", "%(a)s", "$a", "{{a\n}}"),
        *('{"a": {"b": {}}}', "p { margin: 0 }", "{{\u200bname}}", "{{na\u0301me}}", "\x00", "a\r\nb\n"),
    ],
)
def test_what_is_no_variable_stays(content: str) -> None:
    assert Template(content).variables == ()
    assert render(content) == content


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{{{name}}}", "{A}"),
        ("{{{{name}}}}", "{{A}}"),
        ("{{{name}}", "{A"),
        ("{{ {{name}} }}", "{{ A }}"),
        ('{"to": "{{name}}"}', '{"to": "A"}'),
        ("{{name}}{{name}}", "AA"),
        ("{{x {{name}}", "{{x A"),
    ],
)
def test_braces_around_a_variable_stay(content: str, expected: str) -> None:
    assert render(content, name="A") == expected


def test_variables_are_in_order_of_appearance_and_each_is_there_once() -> None:
    assert Template("{{z}} {{a}} {{z}} {{m}}").variables == ("z", "a", "m")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((5, "5"), (0, "0"), (1.5, "1.5"), (True, "True"), (False, "False"), ("", ""), ([1], "[1]")),
        *((Shade.DARK, str(Shade.DARK)), (Loud("hey"), "HEY"), (float("nan"), "nan"), (-0.0, "-0.0")),
    ],
)
def test_a_value_is_put_through_str(value: object, text: str) -> None:
    assert render("<{{name}}>", name=value) == f"<{text}>"


def test_the_result_is_plain_text_whatever_the_value_was() -> None:
    assert type(render("{{name}}", name=Loud("hey"))) is str


class Endless:
    def __str__(self) -> str:
        return str(self)


@pytest.mark.parametrize(
    "value", [Speechless(), Wrong(), Endless(), 10**5000], ids=["raises", "gives no text", "never ends", "is too long"]
)
def test_a_value_without_text_is_a_render_error_that_names_the_variable(value: object) -> None:
    with pytest.raises(RenderError, match="'name'") as caught:
        render("{{name}}", name=value)
    assert not isinstance(caught.value, MissingVariableError)
    assert isinstance(caught.value.__cause__, Exception)


@pytest.mark.parametrize(
    ("error", "said"),
    [(LookupError("not there"), "not there"), (Unspeakable(), "Unspeakable")],
    ids=["says", "does not"],
)
def test_the_error_of_a_value_without_text_says_what_the_value_raised(error: Exception, said: str) -> None:
    with pytest.raises(RenderError) as caught:
        render("{{name}}", name=Raising(error))
    assert str(caught.value) == f"str() fails for the value of 'name', a Raising: {said}"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "no value was given for 'a', 'b'; the prompt needs 'a', 'b'"),
        ({"b": ""}, "no value was given for 'a'; the prompt needs 'a', 'b'"),
        (
            {"b": "", "x": "", "y": ""},
            "no value was given for 'a'; the prompt needs 'a', 'b'; the prompt has no variable 'x', 'y'",
        ),
        ({"a": "", "b": "", "x": ""}, "the prompt has no variable 'x'; its variables are: 'a', 'b'"),
        ({"a": "", "b": None}, "the value of 'b' is None; give text, or '' to leave it empty"),
    ],
    ids=["all missing", "one missing", "missing and unknown", "unknown", "None"],
)
def test_an_error_says_in_one_sentence_what_is_wrong_and_what_is_right(values: dict, said: str) -> None:
    with pytest.raises(ScopeError) as caught:
        Template("{{a}} {{b}}").render(values)
    assert str(caught.value) == said


def test_an_unknown_variable_of_a_text_without_any_is_told_so() -> None:
    with pytest.raises(ValidationError) as caught:
        render("Hello", name="A")
    assert str(caught.value) == "the prompt has no variable 'name'; its variables are: none"


def test_none_is_a_validation_error_that_names_the_variable() -> None:
    with pytest.raises(ValidationError, match=r"'who'.*None"):
        render("{{who}}", who=None)


def test_all_missing_variables_are_told_in_order() -> None:
    with pytest.raises(MissingVariableError, match=r"'z', 'a'.*") as caught:
        render("{{z}} {{b}} {{a}} {{z}}", b="")
    assert caught.value.missing_variables == ("z", "a")


def test_missing_variables_are_told_where_as_many_unknown_ones_were_given() -> None:
    with pytest.raises(MissingVariableError, match="'nmae'") as caught:
        render("{{name}} {{b}}", nmae="A", b="B")
    assert caught.value.missing_variables == ("name",)


def test_an_unknown_variable_is_a_validation_error_that_names_it_and_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"'nmae'.*'name', 'b'"):
        render("{{name}} {{b}}", name="A", b="B", nmae="C")


def test_a_value_for_a_template_without_variables_is_a_validation_error() -> None:
    with pytest.raises(ValidationError, match="'name'"):
        render("Hello", name="A")


@given(CONTENT, st.dictionaries(st.sampled_from(["name", "other", "é", "x"]), st.none() | st.text(max_size=3)))
def test_rendering_gives_text_for_exactly_the_variables_and_else_an_error_of_ours(
    content: str, values: dict[str, str | None]
) -> None:
    template = Template(content)
    if set(values) == set(template.variables) and None not in values.values():
        assert template.render(values) == reference(content, values)
        return
    with pytest.raises(ScopeError):
        template.render(values)


class Changing(dict):
    """A dict whose look-ups fail, as they may while another thread changes it."""

    def __getitem__(self, name: str) -> object:
        raise KeyError(name)


def test_a_look_up_that_fails_although_every_name_is_there_is_made_up_for_with_a_copy() -> None:
    assert Template("<{{a}}>").render(Changing(a="x")) == "<x>"


def test_rendering_leaves_the_template_as_it_was() -> None:
    template = Template("{{name}}")
    assert [template.render({"name": value}) for value in ("A", "B", "A")] == ["A", "B", "A"]
    assert template.content == "{{name}}"


def test_a_large_content_full_of_openings_is_no_trouble() -> None:
    content = "{{a" * 200_000
    assert render(content) == content


@given(CONTENT, st.text(max_size=5))
def test_many_variables_are_filled_as_few_are(content: str, value: str) -> None:
    template, copies = Template(content), 40
    values = dict.fromkeys(template.variables, value)
    many = Template("\n".join([content] * copies))
    assert many.render(values) == "\n".join([template.render(values)] * copies)
    assert (many.content, many.variables) == ("\n".join([content] * copies), template.variables)


MANY = "".join("{{v%d}} " % number for number in range(100))  # noqa: UP031  # braces
GIVEN = {f"v{number}": str(number) for number in range(100)}


def test_each_of_many_values_is_put_through_str() -> None:
    values = {**GIVEN, "v7": Loud("x"), "v8": 8.5, "v9": Alike(), "v10": Incomparable(), "v99": Shade.DARK}
    told = {**GIVEN, "v7": "X", "v8": "8.5", "v9": "alike", "v10": "alone", "v99": str(Shade.DARK)}
    assert Template(MANY).render(values) == "".join(f"{told[name]} " for name in GIVEN)


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ({name: "x" for name in GIVEN if name not in ("v40", "v5")}, MissingVariableError, "'v5', 'v40'"),
        ({**{name: "x" for name in GIVEN if name != "v5"}, "w": "x"}, MissingVariableError, "'v5'.*no variable 'w'"),
        ({**GIVEN, "w": "x"}, ValidationError, "no variable 'w'"),
        ({**GIVEN, "v50": None}, ValidationError, "'v50' is None"),
        ({**GIVEN, "v50": Speechless()}, RenderError, "'v50', a Speechless"),
    ],
    ids=["missing", "renamed", "unknown", "None", "without text"],
)
def test_what_is_wrong_with_many_values_is_named(values: dict, kind: type[ScopeError], said: str) -> None:
    with pytest.raises(kind, match=said):
        Template(MANY).render(values)


@given(CONTENT)
def test_the_pieces_make_the_content_again(content: str) -> None:
    assert Template(content).content == content


@pytest.mark.parametrize("content", ["{{a}} b", MANY])
def test_templates_of_one_content_are_equal(content: str) -> None:
    template = Template(content)
    assert template == Template(content) == pickle.loads(pickle.dumps(template))
    assert hash(template) == hash(Template(content))
    assert template != Template(content + " ")


def test_the_pieces_cannot_be_changed() -> None:
    assert Template("Hi {{name}}").pieces == ("Hi ", "name", "")


@pytest.mark.parametrize(
    ("values", "text"),
    [({"name": "A"}, "Hi A"), ({"name": "A", "tone": "x"}, "Hi A"), ({"name": "A", "no": None}, "Hi A")],
)
def test_a_stand_in_leaves_out_the_values_that_it_has_no_variable_for(values: dict, text: str) -> None:
    template = Template("Hi {{name}}", TOLERANT)
    assert template.render(values) == text
    assert template.messages(values) == [{"role": "user", "content": text}]


def test_a_stand_in_needs_the_values_that_it_has_a_variable_for() -> None:
    with pytest.raises(MissingVariableError) as caught:
        Template("Hi {{name}}", TOLERANT).render({"tone": "x"})
    assert caught.value.missing_variables == ("name",)
