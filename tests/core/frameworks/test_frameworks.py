"""What the packages for frameworks share, without any of the frameworks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable

import jinja2
import pytest

from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    Configuration,
    ConfigurationError,
    MissingApiKeyError,
    MissingVariableError,
    NotFoundError,
    ScopeClient,
    ServerError,
    ValidationError,
)
from scope_client._cache.memory_store import MemoryStore
from scope_client.frameworks import PromptUse, Settings, TemplateFunction, jinja_uses, render_in_template
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": "the-secret"}
CLIENT = {"ORG_ID": "org", "CLIENT_ID": "app", "CLIENT_SECRET": "the-secret"}
OTHER = ApiKeyCredentials("other", "key", "other-secret")


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SCOPE_"):
            monkeypatch.delenv(name)


def settings(*, spelled: str = "SCOPE_{}", also: tuple[str, ...] = (), **given: Any) -> Settings:
    return Settings(given, spelled=spelled, also=also)


def kinds(found: Settings) -> list[tuple[str, Any]]:
    return [(problem.kind, problem.key) for problem in found.problems]


# Settings


def test_good_settings_have_no_problem_and_make_one_configuration() -> None:
    found = settings(**KEYS, CACHE_TTL=600, BASE_URL="https://api.example.com/")
    assert found.problems == ()
    expected = Configuration(
        credentials=ApiKeyCredentials("org", "key", "the-secret"), cache_ttl=600, base_url="https://api.example.com"
    )
    assert found.configuration() == found.configuration() == expected


def test_every_option_is_a_key_in_upper_case() -> None:
    default = settings(CREDENTIALS=OTHER).configuration()
    values = {name.upper(): getattr(default, name) for name in Configuration.__slots__}
    again = settings(**values)
    assert again.problems == ()
    assert again.configuration() == default


def test_what_was_read_stays_though_what_was_given_changes(monkeypatch: Any) -> None:
    given: dict[str, Any] = dict(KEYS)
    found = Settings(given, spelled="{}")
    given["TIMEOUT"] = "x"
    monkeypatch.setenv("SCOPE_ENVIRONMENT", "staging")
    assert found.configuration().environment == "production"
    assert found.problems == ()


@pytest.mark.parametrize("keys", [KEYS, CLIENT])
def test_parts_of_the_credentials_may_come_from_the_environment(keys: dict, monkeypatch: Any) -> None:
    whole = settings(**keys).configuration().credentials
    assert type(whole) is (ApiKeyCredentials if keys is KEYS else ClientCredentials)
    for key, value in keys.items():
        monkeypatch.setenv(f"SCOPE_{key}", value)
    for left_out in keys:
        for nothing in (None, ""):
            assert settings(**{**keys, left_out: nothing}).configuration().credentials == whole
    assert settings().configuration().credentials == whole


def test_of_both_kinds_in_the_environment_the_api_key_is_taken(monkeypatch: Any) -> None:
    for key in {**KEYS, **CLIENT}:
        monkeypatch.setenv(f"SCOPE_{key}", "e")
    assert settings().configuration().credentials == ApiKeyCredentials("e", "e", "e")
    assert settings(CLIENT_ID="app").configuration().credentials == ClientCredentials("e", "app", "e")


@pytest.mark.parametrize("keys", [KEYS, CLIENT])
def test_credentials_that_lack_a_part_are_a_missing_api_key_error_that_names_key_and_variable(keys: dict) -> None:
    for left_out in keys:
        found = settings(**{key: value for key, value in keys.items() if key != left_out}, spelled="app['{}']")
        if left_out == "ORG_ID":
            assert kinds(found) == [("missing", "ORG_ID")]
        with pytest.raises(MissingApiKeyError, match=rf"app\['{left_out}'\].*SCOPE_{left_out}"):
            found.configuration()


def test_whole_credentials_stand_alone() -> None:
    assert settings(CREDENTIALS=OTHER).configuration().credentials is OTHER
    assert settings(CREDENTIALS=OTHER, ORG_ID="", API_KEY=None).configuration().credentials is OTHER
    for key in {**KEYS, **CLIENT}:
        found = settings(CREDENTIALS=OTHER, **{key: "x"})
        assert kinds(found) == [("credentials", "CREDENTIALS")]
        assert "exclude each other" in found.problems[0].message


def test_two_kinds_of_credentials_exclude_each_other() -> None:
    found = settings(**KEYS, CLIENT_ID="app")
    assert [problem.kind for problem in found.problems] == ["credentials"]
    for key in ("SCOPE_API_KEY", "SCOPE_CLIENT_SECRET", "exclude each other"):
        assert key in found.problems[0].message


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [("SCOPE_{}", "SCOPE_CACHE_TTL"), ("SCOPE['{}']", "SCOPE['CACHE_TTL']"), ("{}", "CACHE_TTL")],
)
def test_an_unknown_key_is_told_with_the_nearest_one_as_the_user_spells_it(spelled: str, expected: str) -> None:
    (problem,) = settings(**KEYS, CACHE_TLL=5, spelled=spelled).problems
    assert (problem.kind, problem.key) == ("unknown", "CACHE_TLL")
    assert problem.message == f"{spelled.format('CACHE_TLL')} is not a setting"
    assert problem.hint == f"the nearest one is {expected}"


def test_a_key_of_the_adapters_own_is_known_and_may_be_the_nearest() -> None:
    assert settings(**KEYS, CACHE_ALIAS="x", also=("CACHE_ALIAS",)).problems == ()
    (problem,) = settings(**KEYS, CACHE_ALIS="x", also=("CACHE_ALIAS",)).problems
    assert problem.hint == "the nearest one is SCOPE_CACHE_ALIAS"
    assert kinds(settings(**KEYS, CACHE_ALIAS="x")) == [("unknown", "CACHE_ALIAS")]


@pytest.mark.parametrize("key", [5, None, ("a", "b"), "", "{}", "{0.x}", "%s", "é" * 500])
def test_a_key_may_be_anything_hashable(key: Any) -> None:
    (problem,) = Settings({**KEYS, key: 1}, spelled="SCOPE_{}").problems
    assert (problem.kind, problem.key) == ("unknown", str(key))
    assert f"SCOPE_{key} is not a setting" in problem.message


def test_every_problem_is_told_in_one_error() -> None:
    found = settings(ORG_ID="org", TIMEOUT="x", CACHE_TLL=1, MAX_RETRIES=-1)
    assert [kind for kind, _ in kinds(found)] == ["value", "unknown", "value", "missing"]
    with pytest.raises(ConfigurationError) as caught:
        found.configuration()
    assert not isinstance(caught.value, MissingApiKeyError)
    for problem in found.problems:
        assert problem.message in str(caught.value)
        assert problem.hint in str(caught.value)


def test_values_that_are_good_alone_and_not_together_are_one_problem() -> None:
    found = settings(**KEYS, BASE_URL="http://scope.example.com")
    assert kinds(found) == [("together", None)]
    assert settings(**KEYS, BASE_URL="http://scope.example.com", ALLOW_INSECURE=True).problems == ()


def test_a_bad_variable_in_the_environment_is_a_problem_that_names_it(monkeypatch: Any) -> None:
    monkeypatch.setenv("SCOPE_TOKEN_REFRESH_BUFFER", "soon")
    (problem,) = settings(**KEYS).problems
    assert (problem.kind, "SCOPE_TOKEN_REFRESH_BUFFER" in problem.message) == ("together", True)
    assert settings(**KEYS, TOKEN_REFRESH_BUFFER=5).problems == ()


def test_a_store_and_a_session_are_passed_on_as_they_are() -> None:
    store = MemoryStore()
    assert settings(**KEYS, CACHE_STORE=store).configuration().cache_store is store
    assert kinds(settings(**KEYS, CACHE_STORE="redis://", SESSION="x")) == [
        ("value", "CACHE_STORE"),
        ("value", "SESSION"),
    ]


@pytest.mark.parametrize("key", ["BASE_URL", "TIMEOUT", "CACHE_ENABLED", "PROMPT_DIR", "UNKNOWN", "the-secret"])
def test_no_problem_shows_a_secret_that_is_known(key: str) -> None:
    found = settings(**KEYS, **{key: "the-secret"})
    with pytest.raises(ConfigurationError) as caught:
        found.configuration()
    assert "the-secret" not in str(caught.value)
    assert "the-secret" not in str(found.problems)


# TemplateFunction


class Undefined:
    def __init__(self, words: str) -> None:
        self._undefined_message = words


class Silent(Undefined):
    def __init__(self) -> None:
        pass


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Good {{time_of_day}}, {{name}}!", "hi": "Hi {{name}}"}) as started:
        yield started


@pytest.fixture
def client(platform: LocalPlatform) -> Iterator[ScopeClient]:
    with platform.client(max_retries=0) as made:
        yield made


@pytest.fixture
def scope_prompt(client: ScopeClient) -> TemplateFunction:
    return TemplateFunction(lambda: client, Undefined)


def test_it_gives_the_prompt_filled_in_as_plain_text(scope_prompt: Callable) -> None:
    assert scope_prompt("greeting", time_of_day="<noon>", variables={"name": "Ada"}) == "Good <noon>, Ada!"


def test_it_asks_for_the_client_at_each_call() -> None:
    asked: list[int] = []

    def no_client() -> ScopeClient:
        asked.append(1)
        raise ConfigurationError("none")

    function = TemplateFunction(no_client, Undefined)
    assert asked == []
    for times in (1, 2):
        with pytest.raises(ConfigurationError, match="none"):
            function("hi", name="x")
        assert len(asked) == times


def test_it_takes_a_label_a_version_and_a_fallback(scope_prompt: Callable, platform: LocalPlatform) -> None:
    draft = platform.draft("hi", "Draft {{name}}")
    assert scope_prompt("hi", label="latest", name="x") == scope_prompt("hi", version=draft.id, name="x") == "Draft x"
    platform.fail(503)
    assert scope_prompt("other", fallback="Hey {{name}}", name="x") == "Hey x"
    assert scope_prompt("other", fallback=lambda: "Hey") == "Hey"
    with pytest.raises(ServerError):
        scope_prompt("other")


@pytest.mark.parametrize("name", ["label", "version", "fallback", "variables", "name", "self", "client", "values"])
def test_any_name_is_a_variable(name: str, scope_prompt: Callable, platform: LocalPlatform) -> None:
    platform.publish("any", f"{{{{{name}}}}}")
    assert scope_prompt("any", variables={name: "x"}) == "x"
    if name not in ("label", "version", "fallback", "variables"):
        assert scope_prompt("any", **{name: "x"}) == "x"


def test_what_is_undefined_is_missing_and_said_in_the_engines_words(scope_prompt: Callable) -> None:
    for given in (
        {"name": Undefined("'user' is undefined")},
        {"variables": {"name": Undefined("'user' is undefined")}},
    ):
        with pytest.raises(MissingVariableError, match=r"'greeting'.*'user' is undefined") as caught:
            scope_prompt("greeting", **given)
        assert caught.value.missing_variables == ("time_of_day", "name")
    with pytest.raises(MissingVariableError, match=r"'hi'.*something undefined"):
        scope_prompt("hi", name=Silent())


@pytest.mark.parametrize("option", ["name", "label", "version", "fallback"])
def test_an_option_that_is_undefined_is_an_error(option: str, scope_prompt: Callable, platform: LocalPlatform) -> None:
    undefined = Undefined("'page' is undefined")
    with pytest.raises(ValidationError, match=f"{option} of a prompt is not defined: 'page' is undefined"):
        scope_prompt(undefined) if option == "name" else scope_prompt("hi", **{option: undefined})
    assert platform.requests == ()


def test_a_value_that_is_given_twice_is_an_error_that_names_it(scope_prompt: Callable) -> None:
    with pytest.raises(ValidationError, match="twice for name"):
        scope_prompt("hi", name="a", variables={"name": "a"})


@pytest.mark.parametrize("variables", [5, "name", [("name", "x")], Undefined("gone")])
def test_variables_that_are_no_mapping_are_an_error(variables: Any, scope_prompt: Callable) -> None:
    with pytest.raises(ValidationError, match="variables"):
        scope_prompt("hi", variables=variables)


def test_what_was_given_is_not_changed(scope_prompt: Callable) -> None:
    variables = {"name": "Ada"}
    scope_prompt("greeting", variables=variables, time_of_day="noon")
    assert variables == {"name": "Ada"}


@pytest.mark.parametrize("values", [{}, {"name": None}, {"name": "x", "more": "y"}])
def test_an_error_of_the_values_names_the_prompt_once_and_each_time(values: dict, client: ScopeClient) -> None:
    for _ in range(2):
        with pytest.raises((MissingVariableError, ValidationError)) as caught:
            render_in_template(client, "hi", dict(values))
        assert str(caught.value).count("prompt 'hi': ") == 1
        assert caught.value.message == caught.value.args[0]


def test_an_unknown_prompt_is_told_before_what_is_missing(client: ScopeClient) -> None:
    with pytest.raises(NotFoundError):
        render_in_template(client, "nowhere", {}, {"name": "user.name"})


def test_what_a_template_could_not_resolve_is_named(client: ScopeClient) -> None:
    with pytest.raises(MissingVariableError, match=r"'name': user\.name") as caught:
        render_in_template(client, "greeting", {"time_of_day": "noon"}, {"name": "user.name"})
    assert caught.value.missing_variables == ("name",)


# jinja_uses


def uses(source: str) -> list[PromptUse]:
    return jinja_uses(jinja2.Environment().parse(source), "page.html")


def use(arguments: str) -> PromptUse:
    (found,) = uses(f"{{{{ scope_prompt({arguments}) }}}}")
    return found


def test_a_use_tells_its_place_what_it_asks_for_and_what_it_passes() -> None:
    found = use('"hi", label="latest", fallback="x", name=user.name, day="noon"')
    assert found == PromptUse("page.html", 1, "hi", "latest", None, ("name", "day"), False, False)
    assert (found.place, found.wanted) == ("page.html:1", ("hi", "latest", None))
    assert use('"hi", version="v_1"').wanted == ("hi", None, "v_1")
    assert use('"hi", label=none, version=none').wanted == ("hi", None, None)


@pytest.mark.parametrize(
    "source",
    [
        "{{ CALL }}",
        "{{ CALL|upper|e }}",
        "{{ x|default(CALL) }}",
        "{% set t = CALL %}",
        "{% set t %}{{ CALL }}{% endset %}",
        "{% if CALL %}{% endif %}",
        "{% if x %}{% elif y %}{% else %}{{ CALL }}{% endif %}",
        "{% for i in x %}{% else %}{{ CALL }}{% endfor %}",
        "{% macro m() %}{{ CALL }}{% endmacro %}",
        "{% macro m(a=CALL) %}{% endmacro %}",
        "{% call CALL %}{% endcall %}",
        "{% call m(CALL) %}{% endcall %}",
        "{% block b %}{{ CALL }}{% endblock %}",
        "{% filter upper %}{{ CALL }}{% endfilter %}",
        "{% include CALL %}",
        "{% autoescape true %}{{ CALL }}{% endautoescape %}",
        "{{ 'a' ~ CALL }}{# scope_prompt('no') #}{% raw %}{{ scope_prompt('no') }}{% endraw %}",
        "{{ f(x=[{'a': CALL}]) }}",
        "{{ other.scope_prompt('no') }}{{ scope_prompt }}{{ scope_prompts('no') }}{{ CALL }}",
    ],
)
def test_a_use_is_found_wherever_a_template_can_have_one(source: str) -> None:
    (found,) = uses("\n\n" + source.replace("CALL", 'scope_prompt("hi", name=1)'))
    assert (found.place, found.name, found.variables) == ("page.html:3", "hi", ("name",))


def test_uses_are_told_in_order_with_those_within_others() -> None:
    found = uses('{{ scope_prompt("one", text=scope_prompt("two")) }}\n{{ scope_prompt("three") }}')
    assert [(each.line, each.name) for each in found] == [(1, "one"), (1, "two"), (2, "three")]
    assert uses("nothing") == []


@pytest.mark.parametrize("arguments", ["n", '"a" ~ "b"', '"HI"|lower', "5", "*names", "", 'name="hi"'])
def test_a_use_whose_name_is_known_at_render_only_is_dynamic(arguments: str) -> None:
    found = use(arguments)
    assert (found.name, found.is_dynamic) == (None, True)
    with pytest.raises(ValueError, match=r"page\.html:1"):
        _ = found.wanted


@pytest.mark.parametrize("option", ["label=l", "version=v", 'label="LATEST"|lower', "version=versions[0]"])
def test_a_use_whose_options_are_known_at_render_only_is_dynamic(option: str) -> None:
    found = use(f'"hi", {option}')
    assert (found.name, found.is_dynamic) == ("hi", True)
    with pytest.raises(ValueError, match=r"page\.html:1"):
        _ = found.wanted


@pytest.mark.parametrize(
    ("arguments", "variables", "is_open"),
    [
        ('variables={"a": 1, "b": x}', ("a", "b"), False),
        ('c=1, variables={"a": 1}', ("c", "a"), False),
        ('variables={"label": 1}', ("label",), False),
        ("variables={}", (), False),
        ('variables={"a": 1, key: 2}', ("a",), True),
        ("variables=given", (), True),
        ("variables=dict(a=1)", (), True),
        ("a=1, **more", ("a",), True),
        ('a=1, variables={"b": 2}, **more', ("a", "b"), True),
    ],
)
def test_a_use_tells_whether_it_may_pass_more_than_it_names(arguments: str, variables: tuple, is_open: bool) -> None:
    found = use(f'"hi", {arguments}')
    assert (found.variables, found.is_open) == (variables, is_open)


def test_no_variables_at_all_are_none() -> None:
    found = use('"hi", variables=none')
    assert (found.variables, found.is_open) == ((), False)
