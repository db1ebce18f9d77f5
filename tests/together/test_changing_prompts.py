"""A prompt may be promoted before the code that fills it in, whichever way the code asks for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Callable

import pytest
from django.template import Context, Engine
from django.utils.functional import SimpleLazyObject
from jinja2 import Environment, Undefined
from langchain_core.runnables import RunnableLambda
from werkzeug.local import LocalProxy

from scope_client import MissingVariableError, ScopeClient, ValidationError
from scope_client.frameworks import TemplateFunction
from scope_client.frameworks._commands import render as commands_render
from scope_client.local import LocalPlatform
from scope_langchain import ScopePromptTemplate, scope_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator

Way = Callable[[ScopeClient, dict[str, Any]], str]
OLD, NEW = "Hi {{name}}", "Hi {{name}}, {{tone}}"


def with_djangos_tag(client: ScopeClient, values: dict[str, Any]) -> str:
    pairs = " ".join(f"{name}=v.{name}" for name in values)
    engine = Engine(libraries={"scope": "scope_django.templatetags.scope"})
    page = f"{{% load scope %}}{{% scope_prompt 'greeting' with {pairs} %}}"
    return engine.from_string(page).render(Context({"v": values}))


def with_jinja(client: ScopeClient, values: dict[str, Any]) -> str:
    environment = Environment(autoescape=True)
    environment.globals["scope_prompt"] = TemplateFunction(lambda: client, Undefined)
    return environment.from_string("{{ scope_prompt('greeting', variables=v) }}").render(v=values)


def with_langchain_batch(client: ScopeClient, values: dict[str, Any]) -> str:
    (first, second) = scope_prompt("greeting", client=client).batch([values, {**values, "other": "x"}])
    assert first == second
    return first.to_string()


def with_langchain_abatch(client: ScopeClient, values: dict[str, Any]) -> str:
    first, _ = asyncio.run(scope_prompt("greeting", client=client).abatch([values] * 2))
    return first.to_string()


def with_langchain_partial(client: ScopeClient, values: dict[str, Any]) -> str:
    return scope_prompt("greeting", client=client, partial_variables=values).invoke({}).to_string()


def with_langchain_chain(client: ScopeClient, values: dict[str, Any]) -> str:
    chain = scope_prompt("greeting", client=client) | RunnableLambda(lambda value: value.to_string())
    return chain.invoke(values)  # type: ignore[no-any-return]  # text


WAYS: dict[str, Way] = {
    "render_prompt": lambda client, values: client.render_prompt("greeting", values),
    "arender_prompt": lambda client, values: asyncio.run(client.arender_prompt("greeting", values)),
    "requires": lambda client, values: client.get_prompt_version("greeting", requires=values).render(**values),
    "django": with_djangos_tag,
    "jinja": with_jinja,
    "langchain": lambda client, values: scope_prompt("greeting", client=client).invoke(values).to_string(),
    "langchain ainvoke": lambda client, values: asyncio.run(
        scope_prompt("greeting", client=client).ainvoke(values)
    ).to_string(),
    "langchain batch": with_langchain_batch,
    "langchain abatch": with_langchain_abatch,
    "langchain partial": with_langchain_partial,
    "langchain chain": with_langchain_chain,
    "langchain from_scope": lambda client, values: ScopePromptTemplate.from_scope(
        "greeting", client=client, requires=values
    ).format(**values),
}


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": OLD}) as started:
        yield started


@pytest.fixture
def make(platform: LocalPlatform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ScopeClient]]:
    made = []

    def make(**options: Any) -> ScopeClient:
        made.append(platform.client(max_retries=0, **options))
        monkeypatch.setattr("scope_django.templatetags.scope.get_client", lambda *_: made[-1])
        return made[-1]

    yield make
    for client in made:
        client.close()


def promoted(client: ScopeClient, platform: LocalPlatform) -> None:
    client.get_prompt_version("greeting")
    platform.publish("greeting", NEW)
    client.clear_cache()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
class TestEachWay:
    @pytest.mark.parametrize("is_known", [False, True], ids=["fetched", "in memory"])
    def test_the_prompt_first(
        self, way: Way, is_known: bool, make: Callable, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = make(when_unfit="last_fitting")
        promoted(client, platform)
        if is_known:
            client.get_prompt_version("greeting")
        with caplog.at_level(logging.WARNING, "scope_client"):
            for _ in range(2):
                assert way(client, {"name": "Ada"}) == "Hi Ada"
        (said,) = [r.getMessage() for r in caplog.records if "does not give" in r.getMessage()]
        assert "'greeting'" in said
        assert "needs 'tone'" in said
        assert client.status().counters["unfit"] >= 2
        assert way(client, {"name": "Ada", "tone": "warm"}) == "Hi Ada, warm"

    def test_by_default_it_is_an_error_that_names_the_prompt(
        self, way: Way, make: Callable, platform: LocalPlatform
    ) -> None:
        client = make()
        promoted(client, platform)
        with pytest.raises(MissingVariableError, match=r"^prompt 'greeting': .*'tone'") as caught:
            way(client, {"name": "Ada"})
        assert caught.value.missing_variables == ("tone",)

    def test_what_nothing_fits_is_an_error(self, way: Way, make: Callable, platform: LocalPlatform) -> None:
        client = make(when_unfit="last_fitting")
        promoted(client, platform)
        with pytest.raises(MissingVariableError, match=r"^prompt 'greeting': "):
            way(client, {"tone": "warm"})


@pytest.mark.parametrize("rule", ["error", "warn", "ignore"])
@pytest.mark.parametrize("name", ["render_prompt", "arender_prompt", "django", "jinja", "commands"])
def test_the_code_first(name: str, rule: str, make: Callable, caplog: pytest.LogCaptureFixture) -> None:
    client = make(extra_values=rule)

    def with_the_commands(client: ScopeClient, values: dict[str, Any]) -> str:
        return commands_render(client, "greeting", values).text(as_json=False, is_terminal=False)

    way = {**WAYS, "commands": with_the_commands}[name]
    values = {"name": "Ada", f"tone_{name}_{rule}": "warm"}
    if rule == "error":
        with pytest.raises(ValidationError, match=r"^prompt 'greeting': the prompt has no variable 'tone_"):
            way(client, values)
        return
    with caplog.at_level(logging.WARNING, "scope_client"):
        for _ in range(2):
            assert way(client, values) == "Hi Ada"
    assert sum("has no variable" in r.getMessage() for r in caplog.records) == (rule == "warn")


@pytest.mark.parametrize("option", ["name", "label", "version", "fallback"])
# Not a LocalProxy in Django, whose templates call what can be called.
@pytest.mark.parametrize(
    ("engine", "proxy"), [("django", SimpleLazyObject), ("jinja", SimpleLazyObject), ("jinja", LocalProxy)]
)
class TestProxiesInTemplates:
    def rendered(self, engine: str, client: ScopeClient, options: dict[str, Any]) -> str:
        named = {"name": "greeting", "label": None, "version": None, "fallback": None, **options}
        if engine == "jinja":
            environment = Environment(autoescape=True)
            environment.globals["scope_prompt"] = TemplateFunction(lambda: client, Undefined)
            given = ", ".join(f"{key}={key}_" for key in ("label", "version", "fallback"))
            page = "{{ scope_prompt(name_, variables={'name': 'Ada'}, " + given + ") }}"
            return environment.from_string(page).render({f"{key}_": value for key, value in named.items()})
        given = " ".join(f"{key}=o.{key}" for key in options if key != "name")
        page = f"{{% load scope %}}{{% scope_prompt o.name {given} with name='Ada' %}}"
        found = Engine(libraries={"scope": "scope_django.templatetags.scope"}).from_string(page)
        return found.render(Context({"o": named}))

    def test_they_count_as_the_text_that_they_stand_for(
        self, option: str, proxy: Any, engine: str, make: Callable, platform: LocalPlatform
    ) -> None:
        client = make()
        if option == "fallback":
            platform.fail(503)
        text = {
            "name": "greeting",
            "label": "latest",
            "version": platform.draft("greeting", OLD).id,
            "fallback": "Hi {{name}}",
        }[option]
        assert self.rendered(engine, client, {option: proxy(lambda: text)}) == "Hi Ada"

    def test_one_of_none_is_not_given_and_one_of_an_object_is_an_error(
        self, option: str, proxy: Any, engine: str, make: Callable, platform: LocalPlatform
    ) -> None:
        client = make()
        if option != "name":
            assert self.rendered(engine, client, {option: proxy(lambda: None)}) == "Hi Ada"
        with pytest.raises(ValidationError):
            self.rendered(engine, client, {option: proxy(lambda: [5])})


@pytest.mark.parametrize("rule", ["warn", "ignore", "declared"])
def test_a_live_langchain_prompt_with_a_partial_value_too_many_may_be_deployed_first(
    rule: str, make: Callable, platform: LocalPlatform
) -> None:
    if rule == "declared":
        platform.publish("greeting", OLD, variables=["tone"])
    client = make(extra_values="error" if rule == "declared" else rule)
    partials = {"name": "Ada", "tone": "warm"}
    for made in (
        scope_prompt("greeting", client=client, partial_variables=partials),
        ScopePromptTemplate.from_scope("greeting", client=client, partial_variables=partials),
    ):
        assert made.invoke({}).to_string() == "Hi Ada"
    with pytest.raises(ValidationError, match="partial_variables has 'other'"):
        scope_prompt("greeting", client=make(), partial_variables={"other": "x"}).invoke({"name": "Ada"})
