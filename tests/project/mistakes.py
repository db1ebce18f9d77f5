"""Mistakes that people make, one a function: its name says which.

`mypy` and `pyright` behind a line say who finds it before it runs. `@says` has what it is answered with when it runs; a
mistake without it does not fail there, and has to be found before.
"""

from __future__ import annotations

import asyncio
from typing import Callable, Optional, TypeVar

import scope_client
from scope_client import (
    ApiKeyCredentials,
    CacheInfo,
    Configuration,
    RequestInfo,
    ScopeClient,
    ScopeError,
    Telemetry,
)
from scope_client.testing import PromptsClient

Function = TypeVar("Function", bound=Callable[[], object])
ANSWERS: dict[str, str] = {}
keys = ApiKeyCredentials("org", "key", "secret")
client: ScopeClient = PromptsClient({"greeting": "Hello, {{name}}!", "chat": [{"role": "user", "content": "Hi"}]})
version = client.get_prompt_version("greeting")
settings = Configuration(keys)


def says(pattern: str) -> Callable[[Function], Function]:
    """What the mistake is answered with when it runs: an error whose class and message match."""

    def remembered(function: Function) -> Function:
        ANSWERS[function.__name__] = pattern
        return function

    return remembered


class User:
    def full_name(self) -> str:
        return "Ada"


# Reading


@says("ValidationError: label must be 'production' or 'latest', got 'prod': the nearest one is 'production'")
def a_label_that_does_not_exist() -> object:
    return client.get_prompt_version("greeting", label="prod")  # mypy pyright


@says("ValidationError: label .* got 'v2': a version is asked for by its ID")
def the_number_of_a_version_as_a_label() -> object:
    return client.get_prompt_version("greeting", label="v2")  # mypy pyright


@says("TypeError: label and version exclude each other")
def a_label_and_a_version() -> object:
    return client.get_prompt_version("greeting", label="latest", version="v_1")  # mypy pyright


@says("TypeError: label and version exclude each other")
def a_label_and_a_version_of_a_cached_read() -> object:
    return client.get_cached_version("greeting", label="latest", version="v_1")  # mypy pyright


@says("TypeError: label and version exclude each other")
def a_label_and_a_version_of_a_render() -> object:
    return client.render_prompt("greeting", {"name": "Ada"}, label="latest", version="v_1")  # mypy pyright


@says("TypeError: label and version exclude each other")
def a_label_by_position_and_a_version_of_a_render() -> object:
    return client.render_prompt("greeting", {"name": "Ada"}, "latest", version="v_1")  # mypy pyright


@says("TypeError: label and version exclude each other")
def a_label_and_a_version_of_a_read_that_tells_its_source() -> object:
    return client.read_prompt("greeting", label="latest", version="v_1")  # mypy pyright


@says("TypeError: label and version exclude each other")
def a_label_and_a_version_of_an_asynchronous_read() -> object:
    return asyncio.run(client.aget_prompt_version("greeting", label="latest", version="v_1"))  # mypy pyright


async def rendered() -> str:
    return await client.arender_prompt("greeting", {}, label="latest", version="v_1")  # mypy pyright


@says("TypeError: label and version exclude each other")
def a_label_and_a_version_of_an_asynchronous_render() -> object:
    return asyncio.run(rendered())


@says("ValidationError: version must be the ID of a version, such as .*, and not its number, got 1")
def a_version_by_its_number() -> object:
    return client.get_prompt_version("greeting", version=1)  # mypy pyright


@says("ValidationError: version must be the ID of a version, such as .*, and not its number, got '1'")
def a_version_by_its_number_as_text() -> object:
    return client.get_prompt_version("greeting", version="1")


@says("TypeError: .*get_prompt_version.* positional argument")
def a_label_by_position() -> object:
    return client.get_prompt_version("greeting", "latest")  # mypy pyright


@says("TypeError: .*get_prompt_version.* missing .*'name'")
def a_read_without_a_name() -> object:
    return client.get_prompt_version()  # mypy pyright


@says("ValidationError: name must be text, got NoneType")
def a_name_that_was_not_found() -> object:
    names: dict[str, str] = {}
    return client.get_prompt_version(names.get("welcome"))  # mypy pyright


@says("TypeError: .*unexpected keyword argument 'ttl'")
def an_option_under_another_word() -> object:
    return client.get_prompt_version("greeting", ttl=60)  # mypy pyright


@says("ValidationError: cache_ttl must be a number of seconds, 0 or more, got '60'")
def a_number_as_text() -> object:
    return client.get_prompt_version("greeting", cache_ttl="60")  # mypy pyright


def a_flag_as_text() -> object:
    return client.get_prompt_version("greeting", cache="no")  # mypy pyright


@says("ValidationError: fallback must be ")
def a_fallback_that_is_a_number() -> object:
    return client.get_prompt_version("greeting", fallback=5)  # mypy pyright


@says("ValidationError: requires must be a set or list of names such as")
def one_name_in_the_place_of_a_set() -> object:
    return client.get_prompt_version("greeting", requires="name")


@says("TypeError: clear_cache takes a label or a version only with the name of a prompt")
def a_label_to_clear_without_a_name() -> None:
    client.clear_cache(label="latest")  # mypy pyright


@says("ValidationError: prefetch takes a list such as")
def one_name_to_prefetch() -> object:
    return client.prefetch("greeting")


# Rendering


@says(r"TypeError: .*render_prompt\('greeting', {'name': \.\.\.}\)")
def values_as_keywords_of_render_prompt() -> object:
    return client.render_prompt("greeting", name="Ada")  # mypy pyright


@says("ValidationError: variables must be a mapping of names to values, got str")
def a_value_in_the_place_of_the_mapping() -> object:
    return client.render_prompt("greeting", "Ada")  # mypy pyright


@says("ValidationError: prompt 'greeting': .*None; give text")
def a_value_that_is_none() -> object:
    return client.render_prompt("greeting", {"name": None})


@says("ValidationError: prompt 'greeting': .*full_name.* not called")
def a_method_that_was_not_called() -> object:
    return version.render(name=User().full_name)


@says("MissingVariableError: prompt 'greeting': no value was given for 'name'.* no variable 'nmae'")
def a_typo_in_the_name_of_a_variable() -> object:
    return version.render(nmae="Ada")


@says(r"TypeError: render takes the values as keywords, got a dict: .*client\.render_prompt")
def a_mapping_for_render() -> object:
    return version.render({"name": "Ada"})  # mypy pyright


@says(r"TypeError: messages takes the values as keywords, got a dict")
def a_mapping_for_messages() -> object:
    return version.messages({"name": "Ada"})  # mypy pyright


# Versions


@says("AttributeError: .*'PromptVersion' object has no attribute 'version_nubmer'")
def a_typo_in_a_field() -> object:
    return version.version_nubmer  # mypy pyright


@says("AttributeError: PromptVersion is frozen: name cannot be set")
def a_version_that_is_to_be_changed() -> None:
    version.name = "other"  # mypy pyright


@says("TypeError: 'mappingproxy' object does not support item assignment")
def metadata_that_is_to_be_changed() -> None:
    version.metadata["model"] = "gpt-4"  # mypy pyright


def a_type_that_does_not_exist() -> object:
    return version.type == "Chat"  # mypy


def a_source_that_does_not_exist() -> object:
    return client.read_prompt("greeting").source == "cache"  # mypy


def a_state_that_does_not_exist() -> object:
    return [prompt for prompt in client.status().prompts if prompt.state == "expired"]  # mypy


def an_outcome_that_does_not_exist() -> Optional[CacheInfo]:
    def on_cache(info: CacheInfo) -> bool:
        return info.outcome == "refreshed"  # mypy

    return None


async def read_twice() -> object:
    return await client.get_prompt_version("greeting")  # mypy pyright


@says("TypeError: object PromptVersion can't be used in 'await' expression")
def a_plain_read_that_is_awaited() -> object:
    return asyncio.run(read_twice())


@says("AttributeError: 'coroutine' object has no attribute 'content'")
def an_asynchronous_read_that_is_not_awaited() -> object:
    asked = client.aget_prompt_version("greeting")
    try:
        return asked.content  # mypy pyright
    finally:
        asked.close()


# Setting up


@says("TypeError: unknown option 'api_url'; the option is called 'base_url'")
def an_option_of_a_client_under_another_word() -> object:
    return ScopeClient(keys, api_url="https://scope.example.com")  # mypy pyright


@says("TypeError: unknown option 'retries'; the option is called 'max_retries'")
def an_option_of_the_process_under_another_word() -> object:
    return scope_client.configure(retries=5)  # mypy pyright


@says("TypeError: unknown option 'api_key'; give credentials=ApiKeyCredentials")
def parts_of_credentials_as_options() -> object:
    return ScopeClient(api_key="key", api_secret="secret")  # mypy pyright


@says("ConfigurationError: timeout must be a positive number of seconds, got '30'")
def a_time_limit_as_text() -> object:
    return ScopeClient(keys, timeout="30")  # mypy pyright


@says("ConfigurationError: cache_ttl must be a number of seconds, 0 or more, got -1")
def a_time_before_now() -> object:
    return Configuration(cache_ttl=-1)


@says("ConfigurationError: base_url must be an ASCII URL such as https://")
def a_url_without_its_scheme() -> object:
    return Configuration(base_url="scope.example.com")


@says("ConfigurationError: extra_values must be 'error', 'warn' or 'ignore', got 'warning'")
def a_choice_that_does_not_exist() -> object:
    return Configuration(extra_values="warning")  # mypy pyright


@says("ConfigurationError: when_unfit must be 'error' or 'last_fitting', got 'last'")
def another_choice_that_does_not_exist() -> object:
    return Configuration(when_unfit="last")  # mypy pyright


@says("ConfigurationError: config must be a Configuration, got dict")
def a_dict_in_the_place_of_a_configuration() -> object:
    return ScopeClient(config={"timeout": 5})  # mypy pyright


@says("ConfigurationError: credentials must be .*got Configuration")
def a_configuration_in_the_place_of_credentials() -> object:
    return ScopeClient(settings)  # mypy pyright


@says("TypeError: .* positional argument")
def an_option_by_position() -> object:
    return Configuration(keys, "https://scope.example.com")  # mypy pyright


@says("AttributeError: Configuration is frozen: timeout cannot be set")
def a_configuration_that_is_to_be_changed() -> None:
    settings.timeout = 5  # mypy pyright


@says("MissingApiKeyError: ApiKeyCredentials needs api_secret")
def credentials_without_their_secret() -> object:
    return ApiKeyCredentials("org", "key")  # mypy pyright


@says("TypeError: give api_key and api_secret, or client_id and client_secret, and not both")
def parts_of_two_kinds_of_credentials() -> object:
    return ApiKeyCredentials("org", "key", client_secret="secret")  # mypy pyright


@says("ValidationError: the prompt 'greeting' must be text, a list of messages, or a ScopeError to raise")
def a_prompt_of_a_test_that_is_a_number() -> object:
    return PromptsClient({"greeting": 5})  # mypy pyright


# Errors and telemetry


@says("AttributeError: module 'scope_client' has no attribute 'PromptNotFound'")
def an_error_that_does_not_exist() -> object:
    return scope_client.PromptNotFound  # mypy pyright


@says("AttributeError: .*'missing_variable'")
def a_typo_in_a_fact_of_an_error() -> object:
    return scope_client.MissingVariableError(["name"]).missing_variable  # mypy pyright


@says("AttributeError: .*'retry_after'")
def a_fact_that_other_errors_have() -> object:
    return ScopeError("no").retry_after  # mypy pyright


def a_callback_for_another_event() -> None:
    def on_request(info: RequestInfo) -> None:
        print(info.url)

    Telemetry.on_error(on_request)()  # mypy pyright


@says("TypeError: a callback must be callable, got str")
def a_callback_that_is_not_callable() -> None:
    Telemetry.on_request("print")  # mypy pyright
