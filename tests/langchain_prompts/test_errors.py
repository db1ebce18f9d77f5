"""What goes wrong is one error that both families know, or the core's own."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import pickle
import sys
from typing import TYPE_CHECKING, Any, Callable

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate, HumanMessagePromptTemplate
from langchain_core.runnables import RunnableLambda

from scope_client import (
    ApiKeyCredentials,
    ConnectionError,
    InvalidCredentialsError,
    MissingVariableError,
    NoProductionVersionError,
    NotFoundError,
    PromptVersion,
    RenderError,
    ScopeError,
    ServerError,
    ValidationError,
)
from scope_langchain import MissingInputError, ScopeChatPromptTemplate, ScopePromptTemplate, scope_prompt, to_langchain

if TYPE_CHECKING:
    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def text(content: str) -> Any:
    return to_langchain(PromptVersion.from_api({"name": "p", "content": content, "type": "text"}))


def chat(*contents: str) -> Any:
    written = json.dumps([{"role": "user", "content": content} for content in contents])
    return to_langchain(PromptVersion.from_api({"name": "p", "content": written, "type": "chat"}))


CONTENT = "{x} {{zeta}} {{alpha}} {{zeta}} {{mid}}"
CALLS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "format": lambda made, values: made.format(**values),
    "aformat": lambda made, values: asyncio.run(made.aformat(**values)),
    "format_prompt": lambda made, values: made.format_prompt(**values),
    "aformat_prompt": lambda made, values: asyncio.run(made.aformat_prompt(**values)),
    "invoke": lambda made, values: made.invoke(values),
    "ainvoke": lambda made, values: asyncio.run(made.ainvoke(values)),
    "batch": lambda made, values: made.batch([values]),
    "abatch": lambda made, values: asyncio.run(made.abatch([values])),
    "stream": lambda made, values: list(made.stream(values)),
    "in a chain": lambda made, values: (made | FakeListChatModel(responses=["x"])).invoke(values),
    "partial": lambda made, values: made.partial(**values).format(),
    "partial, invoked": lambda made, values: made.partial(**values).invoke({}),
}
KINDS: dict[str, Callable[[], Any]] = {
    "text": lambda: text(CONTENT),
    "chat": lambda: chat("one", CONTENT),
    "copied": lambda: copy.deepcopy(text(CONTENT)),
    "unpickled chat": lambda: pickle.loads(pickle.dumps(chat(CONTENT))),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS)
def test_a_missing_variable_is_one_error_of_both_families(call: str, kind: str) -> None:
    for family in (MissingVariableError, KeyError, ScopeError, LookupError, RenderError):
        with pytest.raises(family) as raised:
            CALLS[call](KINDS[kind](), {"alpha": 1})
        assert type(raised.value) is MissingInputError
        assert set(raised.value.missing_variables) == {"zeta", "mid"}


@pytest.mark.parametrize("kind", ["text", "chat"])
def test_the_missing_variables_are_named_in_the_order_of_the_prompt(kind: str) -> None:
    named = {}
    for name, call in CALLS.items():
        with pytest.raises(MissingInputError) as raised:
            call(KINDS[kind](), {"alpha": 1})
        named[name] = raised.value.missing_variables
    assert named == dict.fromkeys(CALLS, ("zeta", "mid"))


def test_a_chat_message_on_its_own_raises_the_same_error() -> None:
    with pytest.raises(MissingInputError, match="'zeta', 'mid'"):
        chat(CONTENT).messages[0].format(alpha=1)
    whole = ChatPromptTemplate.from_messages([HumanMessagePromptTemplate(prompt=text("{{a}}")), ("ai", "{b}")])
    with pytest.raises(MissingInputError):
        whole.format_messages(b=1)
    with pytest.raises(MissingInputError):
        ChatPromptTemplate.from_messages([chat("{{a}}"), ("ai", "{b}")]).format_messages(b=1)


def test_the_error_reads_as_a_sentence_and_not_as_the_repr_of_a_key() -> None:
    with pytest.raises(MissingInputError) as raised:
        text("{{a}} {{b}}").format(b=1)
    said = "prompt 'p': no value was given for 'a'; the prompt needs 'a', 'b'"
    assert str(raised.value) == raised.value.message == said
    assert raised.value.args == (raised.value.message,)
    assert "no value was given" in repr(raised.value)


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_the_error_travels(travel: Any) -> None:
    with pytest.raises(MissingInputError) as raised:
        chat("{{a}} {{b}}").invoke({"b": 1})
    arrived = travel(raised.value)
    assert type(arrived) is MissingInputError
    assert isinstance(arrived, KeyError)
    assert str(arrived) == str(raised.value)
    assert arrived.missing_variables == ("a",)


def test_no_value_is_shown_in_the_error() -> None:
    for made in (text("{{a}} {{b}}"), chat("{{a}} {{b}}")):
        for call in CALLS.values():
            with pytest.raises(MissingInputError) as raised:
                call(made, {"b": "a secret value"})
            assert "secret" not in str(raised.value)


@pytest.mark.parametrize("call", CALLS)
def test_none_is_refused_in_every_use(call: str) -> None:
    for made in (text("{{a}} {{b}}"), chat("{{b}}", "{{a}}")):
        with pytest.raises(ValidationError, match=r"value of 'a' is None"):
            CALLS[call](made, {"a": None, "b": 1})


@pytest.mark.parametrize("call", CALLS)
def test_a_value_without_a_text_is_a_render_error_with_its_cause(call: str) -> None:
    for made in (text("{{a}} {{b}}"), chat("{{b}}", "{{a}}")):
        with pytest.raises(RenderError, match=r"value of 'a', a Mute: no words") as raised:
            CALLS[call](made, {"a": Mute(), "b": 1})
        assert isinstance(raised.value.__cause__, RuntimeError)


def test_a_partial_that_gives_none_is_refused_and_one_that_raises_is_heard() -> None:
    with pytest.raises(ValidationError, match="None"):
        text("{{a}}").partial(a=lambda: None).format()

    def fails() -> str:
        raise OSError("no file")

    with pytest.raises(OSError, match="no file"):
        text("{{a}}").partial(a=fails).invoke({})


def test_a_batch_gives_each_input_its_own_error() -> None:
    for made in (text("{{a}}"), chat("{{a}}")):
        good, missing, none = made.batch([{"a": 1}, {}, {"a": None}], return_exceptions=True)
        assert good.to_messages() == [HumanMessage("1")]
        assert isinstance(missing, MissingInputError)
        assert isinstance(none, ValidationError)
        found = asyncio.run(made.abatch([{}, {"a": 1}], return_exceptions=True))
        assert isinstance(found[0], MissingInputError)


def test_what_langchain_rescues_from_a_key_error_it_rescues_from_ours() -> None:
    rescue = RunnableLambda(lambda _: "rescued")
    for made in (text("{{a}}"), chat("{{a}}")):
        for family in (KeyError, MissingVariableError):
            assert made.with_fallbacks([rescue], exceptions_to_handle=(family,)).invoke({}) == "rescued"


@pytest.mark.parametrize("kind", [ScopePromptTemplate, ScopeChatPromptTemplate])
def test_a_typo_in_a_keyword_names_the_class_that_was_called(kind: Any) -> None:
    with pytest.raises(TypeError, match="'lable'") as raised:
        kind.from_scope("greeting", lable="latest")
    # Python 3.9 names no class.
    named = f"{kind.__name__}.from_scope()" if sys.version_info >= (3, 10) else "from_scope()"
    assert str(raised.value).startswith(f"{named} got an unexpected keyword argument")
    assert list(inspect.signature(kind.from_scope).parameters)[:3] == ["name", "client", "label"]
    assert "Args:" in kind.from_scope.__doc__


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: scope_prompt("greeting", lable="latest"), "got an unexpected keyword argument 'lable'"),  # type: ignore[call-arg]
        (lambda: scope_prompt("greeting", None), "too many positional arguments"),  # type: ignore[call-arg]
        (lambda: scope_prompt(), "missing a required argument: 'name'"),  # type: ignore[call-arg]
    ],
)
def test_a_call_of_scope_prompt_that_cannot_be_meant_names_it(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError) as raised:
        call()
    assert str(raised.value) == f"scope_prompt(): {said}"


def test_what_is_no_version_cannot_be_converted() -> None:
    with pytest.raises(TypeError, match=r"^to_langchain takes a PromptVersion, got str$"):
        to_langchain("greeting")  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize(
    "read",
    [
        lambda client, name, **options: ScopePromptTemplate.from_scope(name, client=client, **options),
        lambda client, name, **options: ScopeChatPromptTemplate.from_scope(name, client=client, **options),
        lambda client, name, **options: scope_prompt(name, client=client, **options).invoke({}),
        lambda client, name, **options: asyncio.run(scope_prompt(name, client=client, **options).ainvoke({})),
        lambda client, name, **options: scope_prompt(name, client=client, **options).batch([{}]),
        lambda client, name, **options: asyncio.run(scope_prompt(name, client=client, **options).abatch([{}])),
    ],
    ids=["text", "chat", "invoke", "ainvoke", "batch", "abatch"],
)
class TestTheCoresErrorsComeThrough:
    def test_of_a_prompt_that_is_not_there(self, read: Any, client: ScopeClient) -> None:
        with pytest.raises(NotFoundError) as raised:
            read(client, "missing")
        assert raised.value.http_status == 404

    def test_of_a_prompt_without_a_production_version(
        self, read: Any, client: ScopeClient, platform: LocalPlatform
    ) -> None:
        platform.draft("unpublished", "x")
        with pytest.raises(NoProductionVersionError) as raised:
            read(client, "unpublished")
        assert raised.value.prompt_id == "unpublished"

    def test_of_a_platform_that_fails(self, read: Any, client: ScopeClient, platform: LocalPlatform) -> None:
        platform.fail(503)
        with pytest.raises(ServerError) as raised:
            read(client, "greeting")
        assert raised.value.http_status == 503

    def test_of_a_platform_that_is_down(self, read: Any, client: ScopeClient, platform: LocalPlatform) -> None:
        client.get_prompt_version("chat")
        platform.stop()
        with pytest.raises(ConnectionError):
            read(client, "greeting")

    def test_of_bad_credentials_which_no_fallback_hides(self, read: Any, platform: LocalPlatform) -> None:
        wrong = ApiKeyCredentials("local-org", "local-key", "wrong")
        with platform.client(credentials=wrong) as client, pytest.raises(InvalidCredentialsError) as raised:
            read(client, "greeting", fallback="x")
        assert "wrong" not in str(raised.value)

    def test_of_a_call_that_cannot_be(self, read: Any, client: ScopeClient, platform: LocalPlatform) -> None:
        with pytest.raises(ValidationError, match="label"):
            read(client, "greeting", label="staging")
        with pytest.raises(ValidationError, match="name"):
            read(client, "")
        with pytest.raises(TypeError, match="label and version"):
            read(client, "greeting", label="latest", version="v_1")
        with pytest.raises(ValidationError, match="fallback"):
            read(client, "greeting", fallback=3)
        assert not platform.requests

    def test_of_a_variable_that_langchain_cannot_take(
        self, read: Any, client: ScopeClient, platform: LocalPlatform
    ) -> None:
        platform.publish("stopping", "{{stop}}")
        with pytest.raises(ValidationError, match=r"cannot take the variable 'stop' of the prompt 'stopping'"):
            read(client, "stopping")
