"""The functions that `scope types` writes: what they are called, take, return and say of themselves."""

from __future__ import annotations

import asyncio
import inspect
import keyword
import pydoc
import sys
import threading
import types
import typing
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scope_client import ConfigurationError, MissingVariableError, ScopeClient, ValidationError
from scope_client._types.signatures import signatures_of
from scope_client._types.source_text import module_text
from scope_client._types.sources import TypedPrompt
from scope_client.testing import PromptsClient

GREETING = "Good {{time_of_day}}, {{name}}!"


def prompt(name="greeting", content=GREETING, **facts):
    client = PromptsClient({name: content})
    version = client.get_prompt_version(name)
    defaults = {
        "name": name,
        "label": "production",
        "is_chat": version.type == "chat",
        "variables": version.variables,
        "declared": (),
        "placeholders": frozenset(),
        "description": "",
    }
    return TypedPrompt(**{**defaults, **facts})


def functions_for(*prompts, renamed=None):
    module = types.ModuleType("prompts")
    sys.modules["prompts"] = module  # which TypedDict looks into
    try:
        exec(module_text(signatures_of(prompts, renamed or {})), module.__dict__)
        return module
    finally:
        del sys.modules["prompts"]


def names(*prompts, renamed=None):
    return [signature.function for signature in signatures_of(map(prompt, prompts), renamed or {})]


def test_a_text_prompt_gives_text_and_its_twin_is_awaited():
    module = functions_for(prompt())
    client = PromptsClient({"greeting": GREETING})
    assert module.greeting(time_of_day="morning", name="Ada", client=client) == "Good morning, Ada!"
    awaited = module.agreeting(time_of_day="morning", name=3, client=client)
    assert asyncio.run(awaited) == "Good morning, 3!"
    assert module.__all__ == ["greeting", "agreeting"]


def test_a_chat_prompt_gives_messages_and_a_placeholder_takes_a_list():
    content = [
        {"role": "system", "content": "Be {{tone}}."},
        {"role": "placeholder", "content": "{{history}}"},
        {"role": "user", "content": "{{question}}"},
    ]
    module = functions_for(prompt("qa-v2", content, placeholders=frozenset({"history"})))
    client = PromptsClient({"qa-v2": content})
    said = [{"role": "user", "content": "Hi"}]
    expected = [{"role": "system", "content": "Be kind."}, *said, {"role": "user", "content": "Why?"}]
    assert module.qa_v2(tone="kind", history=said, question="Why?", client=client) == expected
    assert asyncio.run(module.aqa_v2(tone="kind", history=said, question="Why?", client=client)) == expected
    assert typing.get_type_hints(module.qa_v2) == {
        **dict.fromkeys(["tone", "question"], object),
        **dict.fromkeys(["history", "return"], list[typing.Any]),
        "client": typing.Optional[ScopeClient],
    }


def test_without_a_client_that_of_the_process_reads(scope_platform):
    scope_platform.publish("greeting", GREETING)
    module = functions_for(prompt())
    expected = "Good morning, Ada!"
    assert asyncio.run(module.agreeting(time_of_day="morning", name="Ada")) == expected
    assert module.greeting(time_of_day="morning", name="Ada") == expected


def test_the_asynchronous_twin_makes_no_client_on_the_event_loop(scope_platform, monkeypatch):
    scope_platform.publish("greeting", GREETING)
    module = functions_for(prompt())
    makers = []
    made = ScopeClient.__init__

    def noted(self, *given, **options):
        makers.append(threading.current_thread() is threading.main_thread())
        made(self, *given, **options)

    monkeypatch.setattr(ScopeClient, "__init__", noted)
    asyncio.run(module.agreeting(time_of_day="morning", name="Ada"))
    assert makers == [False]


def test_all_are_keywords_and_a_wrong_or_missing_one_is_a_mistake():
    module = functions_for(prompt())
    for wrong in ({"name": "Ada"}, {"name": "Ada", "time_of_day": "x", "nmae": "Ada"}):
        with pytest.raises(TypeError):
            module.greeting(**wrong)
    with pytest.raises(TypeError):
        module.greeting("morning", "Ada")


def test_a_promoted_version_that_needs_more_is_held_back(scope_platform):
    scope_platform.publish("greeting", GREETING)
    module = functions_for(prompt())
    client = scope_platform.client(when_unfit="last_fitting", cache_ttl=1000)
    assert module.greeting(time_of_day="morning", name="Ada", client=client) == "Good morning, Ada!"
    scope_platform.publish("greeting", "{{salutation}} {{name}}")
    client.clear_cache("greeting")
    assert module.greeting(time_of_day="morning", name="Ada", client=client) == "Good morning, Ada!"
    with pytest.raises(MissingVariableError, match="salutation"):
        module.greeting(time_of_day="morning", name="Ada", client=scope_platform.client())


def test_a_text_function_refuses_a_prompt_that_has_become_a_chat():
    module = functions_for(prompt())
    client = PromptsClient({"greeting": [{"role": "user", "content": GREETING}]})
    with pytest.raises(ValidationError, match=r"prompt 'greeting': it is a chat prompt now.*scope types"):
        module.greeting(time_of_day="morning", name="Ada", client=client)


def test_a_declared_variable_may_be_left_out_and_does_not_count_then(scope_platform):
    scope_platform.publish("greeting", GREETING, variables=["tone"])
    module = functions_for(prompt(declared=("tone",)))
    client = scope_platform.client()
    assert module.greeting(time_of_day="a", name="b", client=client) == "Good a, b!"
    assert module.greeting(time_of_day="a", name="b", tone="c", client=client) == "Good a, b!"
    scope_platform.publish("greeting", "{{tone}}, {{name}} {{time_of_day}}")
    client.clear_cache()
    with pytest.raises(MissingVariableError, match="'tone'"):
        module.greeting(time_of_day="a", name="b", client=client)
    assert module.greeting(time_of_day="a", name="b", tone="c", client=client) == "c, b a"


ODD = ["client", "self", "label", "fallback", "return", "class", "__init__", "__debug__", "名", "1", "values", "cls"]
ODD += ["_prompts", "None", "str", "list", "object", "match", "async", "name", "version", "ﬁ", "fi", "print"]


def test_any_variable_can_be_given_whatever_its_name():
    content = " ".join(f"{{{{{name}}}}}" for name in ODD)
    module = functions_for(prompt("odd", content))
    taken = set(inspect.signature(module.odd).parameters)
    given = {name: name for name in ODD if name in taken and name not in ("client", "values")}
    values = {name: name for name in ODD if name not in given}
    assert values.keys() == {"client", "return", "class", "__debug__", "1", "values", "_prompts", "None", "async"} | {
        "ﬁ",
        "fi",
    }
    client = PromptsClient({"odd": content})
    assert module.odd(**given, values=values, client=client) == " ".join(ODD)
    with pytest.raises(ValidationError, match="'more'"):
        module.odd(**given, values={**values, "more": 1}, client=client)


def test_a_mapping_says_which_keys_it_needs():
    content = "{{class}} {{name}}"
    module = functions_for(prompt("odd", content, declared=("a-b", "return", "tone")))
    kind = typing.get_type_hints(module.odd)["values"]
    assert (kind.__required_keys__, kind.__optional_keys__) == ({"class"}, {"a-b", "return"})
    client = PromptsClient({"odd": content}, extra_values="ignore")
    assert module.odd(name="b", values={"class": "a"}, client=client) == "a b"
    optional = functions_for(prompt("odd", "{{name}}", declared=("a-b",)))
    assert optional.odd(name="b", client=PromptsClient({"odd": "{{name}}"})) == "b"


def test_values_is_a_keyword_like_any_other_if_there_is_no_mapping():
    module = functions_for(prompt("odd", "{{values}}"))
    assert module.odd(values="a", client=PromptsClient({"odd": "{{values}}"})) == "a"


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("support/greeting", "support_greeting"),
        ("qa-v2", "qa_v2"),
        ("a  -- b", "a_b"),
        ("a__b", "a__b"),
        ("7-days", "prompt_7_days"),
        ("__init__", "init"),
        ("_private", "private"),
        ("class", "class_"),
        ("None", "None_"),
        ("list", "list_"),
        ("Optional", "Optional_"),
        ("annotations", "annotations_"),
        ("ﬁne", "fine"),
        ("grüße.größe", "grüße_größe"),
        ("名前", "名前"),
        ("🚀 launch", "launch"),
        ("\u202eevil\n\x00x", "evil_x"),
    ],
)
def test_a_function_is_called_as_its_prompt_as_far_as_python_allows(name, function):
    assert names(name) == [function]


def test_the_twin_of_a_name_may_be_a_word_of_python():
    module = functions_for(prompt("wait", "Wait"), prompt("s", "S"))
    assert module.__all__ == ["wait", "await_", "s", "as_"]


@pytest.mark.parametrize(
    ("prompts", "function"),
    [
        (("a-b", "a/b"), "a_b"),
        (("bout", "about"), "about"),
        (("class", "class_"), "class"),
        (("_x", "x"), "x"),
        (("ﬁ", "fi"), "fi"),
    ],
)
def test_two_prompts_with_one_function_are_an_error_that_names_both(prompts, function):
    with pytest.raises(ConfigurationError) as caught:
        names(*prompts)
    said = caught.value.message
    assert all(repr(each) in said for each in prompts)
    assert f" {function}" in said
    assert "--rename" in said


def test_a_rename_settles_it():
    assert names("a-b", "a/b", renamed={"a/b": "other"}) == ["a_b", "other"]
    module = functions_for(prompt("!!!", "Hi"), renamed={"!!!": "shout"})
    assert module.shout(client=PromptsClient({"!!!": "Hi"})) == "Hi"


@pytest.mark.parametrize(
    ("renamed", "said"),
    [
        ({"gretting": "hello"}, "'gretting', which is not there; the nearest one is 'greeting'"),
        ({"greeting": "class"}, "'class', which no function can have"),
        ({"greeting": "a-b"}, "'a-b', which no function can have"),
        ({"greeting": "_x"}, "'_x', which no function can have"),
        ({"greeting": "str"}, "'str', which no function can have"),
        ({"greeting": ""}, "'', which no function can have"),
    ],
)
def test_a_rename_that_cannot_be_is_an_error(renamed, said):
    with pytest.raises(ConfigurationError) as caught:
        names("greeting", renamed=renamed)
    assert said in caught.value.message


@pytest.mark.parametrize("name", ["!!!", "---", "___", "🚀"])
def test_a_name_without_a_letter_needs_a_rename(name):
    with pytest.raises(ConfigurationError, match="--rename"):
        names(name)


DESCRIPTIONS = [
    "Greets a customer.",
    'Says "hi"',
    '"quoted"',
    '"""',
    '""""""""',
    "ends in a backslash \\",
    "\\N{BULLET} \\x00 \\u12",
    "two\nlines\n\n    indented\n\tand tabs  \n",
    "größer 名 \U0001f600 \u202e\u2028 \x7f\x00",
    "\ud800 alone",
    "{braces} %s {{variables}}",
    " \n ",
]


@pytest.mark.parametrize("description", DESCRIPTIONS)
def test_the_docstring_is_the_description_and_the_variables(description):
    module = functions_for(prompt(description=description))
    for function in (module.greeting, module.agreeting):
        doc = pydoc.getdoc(function)
        said = description.encode("utf-8", "backslashreplace").decode()
        lines = [line.rstrip() for line in said.expandtabs().strip().splitlines()]
        expected = "\n".join(lines) or 'The prompt "greeting", filled in.'
        assert doc.startswith(f"{expected}\n\nArgs:\n")
        assert "time_of_day: The value of {{time_of_day}}." in doc
        assert "name: The value of {{name}}." in doc


letters = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
words = st.one_of(letters, st.sampled_from([*keyword.kwlist, *keyword.softkwlist, *ODD]))


@given(
    words,
    st.lists(st.one_of(st.from_regex(r"\w{1,5}", fullmatch=True), st.sampled_from(ODD)), unique=True, max_size=6),
    st.text(max_size=30),
)
def test_every_prompt_has_a_function_that_renders_it(name, variables, description):
    assume(name not in (".", ".."))
    variables = [each.encode("utf-8", "replace").decode() for each in variables]
    content = "; ".join(f"{{{{{each}}}}}" for each in variables)
    made = prompt(name, content, description=description)
    try:
        signature = signatures_of([made], {})[0]
    except ConfigurationError:  # a name without a letter
        signature = signatures_of([made], {name: "other"})[0]
    module = functions_for(made, renamed={name: signature.function} if signature.function == "other" else {})
    values = {variable: f"<{place}>" for place, variable in enumerate(made.variables)}
    keywords = {each.keyword: values[each.variable] for each in signature.keywords}
    mapping = {each.variable: values[each.variable] for each in signature.values}
    client = PromptsClient({name: content})
    rendered = getattr(module, signature.function)(
        **keywords, **({"values": mapping} if mapping else {}), client=client
    )
    assert rendered == client.render_prompt(name, values)
    assert unicodedata.is_normalized("NFKC", signature.function)
