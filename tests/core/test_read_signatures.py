"""Signatures: tools that ask a method what it takes get told of the calls that it takes."""

from __future__ import annotations

import asyncio
import inspect
import typing
from typing import Any
from unittest import mock

import pydantic
import pytest

from scope_client import ScopeClient
from scope_client.testing import PromptsClient

RENDERS = ("render_prompt", "arender_prompt")
READS = ("read_prompt", "aget_prompt_version")
VALUES = {"name": "Ada"}
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "by position": (("greeting", VALUES, "latest"), {}),
    "values by keyword": (("greeting",), {"variables": VALUES}),
    "all by keyword": ((), {"name": "greeting", "variables": VALUES, "label": "latest"}),
    "with options": (("greeting", VALUES), {"version": "v_1", "cache": False, "fallback": "Hi", "key": 5}),
}
every_call = pytest.mark.parametrize(("given", "named"), CALLS.values(), ids=CALLS)


def answered(method: str, result: Any) -> Any:
    """What a call has returned, which of a method with an `a` is to be awaited."""

    async def awaited() -> Any:
        return await result

    return asyncio.run(awaited()) if method.startswith("a") else result


@pytest.fixture
def client() -> PromptsClient:
    return PromptsClient({"greeting": "Hi {{name}}"})


@pytest.mark.parametrize("method", RENDERS)
@every_call
def test_an_autospec_takes_the_calls_that_the_method_takes(method: str, given: Any, named: Any) -> None:
    of_instance = mock.create_autospec(ScopeClient, instance=True)
    getattr(of_instance, method).return_value = "Hi"
    assert answered(method, getattr(of_instance, method)(*given, **named)) == "Hi"
    with mock.patch.object(ScopeClient, method, autospec=True, return_value="Hi"):
        assert answered(method, getattr(PromptsClient({}), method)(*given, **named)) == "Hi"


@pytest.mark.parametrize("method", [*RENDERS, *READS])
@pytest.mark.parametrize(("given", "named"), [((), {}), (("greeting",), {"cache_tll": 5})], ids=["nothing", "a typo"])
def test_an_autospec_refuses_what_the_method_refuses(method: str, given: Any, named: Any) -> None:
    of_instance = mock.create_autospec(ScopeClient, instance=True)
    with pytest.raises(TypeError, match=r"missing a required argument: 'name'|unexpected keyword argument 'cache_tll'"):
        answered(method, getattr(of_instance, method)(*given, **named))


@pytest.mark.parametrize("method", READS)
def test_what_reads_shows_the_parameters_of_get_prompt_version(method: str) -> None:
    shown, plain = (inspect.signature(getattr(ScopeClient, name)) for name in (method, "get_prompt_version"))
    written = {name: (each.kind, each.default) for name, each in shown.parameters.items()}
    assert written == {name: (each.kind, each.default) for name, each in plain.parameters.items()}


@pytest.mark.parametrize("method", RENDERS)
def test_what_renders_shows_the_values_and_the_label_by_position_too(method: str, client: PromptsClient) -> None:
    names = ["name", "variables", "label", "version", "cache", "cache_ttl", "fallback", "deadline", "requires", "key"]
    shown = inspect.signature(getattr(client, method))
    assert [*shown.parameters] == names
    assert [name for name, each in shown.parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD] == names[:3]
    defaults = {name: each.default for name, each in shown.parameters.items()}
    assert defaults.pop("name") is inspect.Parameter.empty
    assert {name for name, default in defaults.items() if default is not None} == {"cache"}
    assert shown.return_annotation is str


@pytest.mark.parametrize("method", [*RENDERS, *READS])
def test_each_parameter_has_its_type_where_tools_look_for_it(method: str) -> None:
    function = getattr(ScopeClient, method)
    shown, hints = inspect.signature(function), typing.get_type_hints(function)
    assert {name: each.annotation for name, each in shown.parameters.items() if name != "self"} == {
        name: hint for name, hint in hints.items() if name != "return"
    }
    assert (hints["label"], hints["cache_ttl"]) == (
        typing.Optional[typing.Literal["production", "latest"]],
        typing.Optional[float],
    )


@pytest.mark.parametrize("method", [*RENDERS, *READS])
def test_its_source_and_its_kind_are_its_own(method: str) -> None:
    function = getattr(ScopeClient, method)
    assert f"def {method}(" in inspect.getsource(function)
    assert inspect.iscoroutinefunction(function) is method.startswith("a")


@every_call
def test_pydantic_passes_a_call_on_as_it_came(given: Any, named: Any, client: PromptsClient) -> None:
    assert pydantic.validate_call(client.render_prompt)(*given, **named) == "Hi Ada"


def test_pydantic_refuses_a_wrong_type(client: PromptsClient) -> None:
    with pytest.raises(pydantic.ValidationError, match="variables"):
        pydantic.validate_call(client.render_prompt)("greeting", variables="Ada")  # type: ignore[call-overload]
