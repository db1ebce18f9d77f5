"""scope_model: a model whose runs carry the version that made their input, and that is called with its options."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Optional, Union

from langchain_core.runnables import (
    Runnable,
    RunnableConfig,
    RunnableParallel,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import get_config_list

from scope_client.frameworks import renderings

from . import _options as model_settings
from ._prompt_values import Origin, origin_of


def scope_model(model: Runnable[Any, Any], *, options: Iterable[str] = ()) -> Runnable[Any, Any]:
    """A model for `scope_prompt("qa") | scope_model(model)`.

    The run of the model has the `scope.prompt.*` metadata of the version that its input was made of. No other run has
    them, and an input that no prompt of Scope made gives it none. In a model that is bound, retried, followed by a
    parser, or has fallbacks, that holds for the model inside.

    Args:
        model: The model, as LangChain has it.
        options: The keys of that version's metadata with which the model is called, such as `["temperature"]`, or
            `CALL_OPTIONS`. They win over options that are bound to the model.

    Returns:
        A Runnable in the place of the model.

    Raises:
        ValidationError: `options` is not a list of names.
        TypeError: The model is not a Runnable.
    """
    if not isinstance(model, Runnable):
        raise TypeError(f"scope_model takes a model of LangChain, got {type(model).__name__}")
    names = model_settings.names(options)
    return linked(model, lambda each: each if isinstance(each, ScopeModel) else ScopeModel(each, names))


def linked(model: Any, link: Callable[[Runnable[Any, Any]], Runnable[Any, Any]]) -> Runnable[Any, Any]:
    """The same composition, with what `link` makes of each model in it that gets the input as it comes."""
    if isinstance(model, RunnableBindingBase):
        return model.model_copy(update={"bound": linked(model.bound, link)})
    if isinstance(model, RunnableWithFallbacks):
        fallbacks = [linked(each, link) for each in model.fallbacks]
        return model.model_copy(update={"runnable": linked(model.runnable, link), "fallbacks": fallbacks})
    if isinstance(model, RunnableSequence):
        return model.model_copy(update={"first": linked(model.first, link)})
    if isinstance(model, RunnableParallel):
        steps = {key: linked(step, link) for key, step in model.steps__.items()}
        return model.model_copy(update={"steps__": steps})
    return link(model)


class ScopeModel(Runnable[Any, Any]):
    """A model that `scope_model` made; it has no run of its own.

    Args:
        model: The model.
        options: The keys of a version's metadata with which it is called.
        origin: Tells what its input is made of.
    """

    def __init__(
        self,
        model: Runnable[Any, Any],
        options: tuple[str, ...] = (),
        origin: Callable[[Any], Origin | None] = origin_of,
    ) -> None:
        self.bound = model
        self.options = options
        self._origin = origin

    @property
    def InputType(self) -> Any:  # noqa: N802  # LangChain's name
        """What the model takes."""
        return self.bound.InputType

    @property
    def OutputType(self) -> Any:  # noqa: N802  # LangChain's name
        """What the model returns."""
        return self.bound.OutputType

    @property
    def config_specs(self) -> Any:
        """The configurable fields of the model."""
        return self.bound.config_specs

    def get_name(self, suffix: Optional[str] = None, *, name: Optional[str] = None) -> str:
        """The name of the model."""
        return self.bound.get_name(suffix, name=name)

    def get_graph(self, config: Optional[RunnableConfig] = None) -> Any:
        """The graph of the model."""
        return self.bound.get_graph(config)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, Any]:
        """The model with tools, linked as before."""
        bound: Any = self.bound
        return scope_model(bound.bind_tools(tools, **kwargs), options=self.options)

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Runnable[Any, Any]:
        """The model with a schema for its output, linked as before."""
        bound: Any = self.bound
        options = [name for name in self.options if name not in _OF_AN_OUTPUT]  # which this schema says now
        return scope_model(bound.with_structured_output(schema, **kwargs), options=options)

    def invoke(self, input: Any, config: Optional[RunnableConfig] = None, **kwargs: Any) -> Any:  # noqa: A002
        """The model's own, with the metadata and the options of the version that made the input."""
        with self._in_use(input):
            return self.bound.invoke(input, self._traced(input, config), **{**kwargs, **self._own(input)})

    async def ainvoke(self, input: Any, config: Optional[RunnableConfig] = None, **kwargs: Any) -> Any:  # noqa: A002
        """`invoke` for an event loop."""
        with self._in_use(input):
            return await self.bound.ainvoke(input, self._traced(input, config), **{**kwargs, **self._own(input)})

    def stream(self, input: Any, config: Optional[RunnableConfig] = None, **kwargs: Any) -> Iterator[Any]:  # noqa: A002
        """As `invoke`, piece by piece."""
        with self._in_use(input):
            yield from self.bound.stream(input, self._traced(input, config), **{**kwargs, **self._own(input)})

    async def astream(
        self,
        input: Any,  # noqa: A002  # LangChain's name
        config: Optional[RunnableConfig] = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """`stream` for an event loop."""
        with self._in_use(input):
            async for piece in self.bound.astream(input, self._traced(input, config), **{**kwargs, **self._own(input)}):
                yield piece

    def batch(
        self,
        inputs: list[Any],
        config: Union[RunnableConfig, list[RunnableConfig], None] = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """`invoke` for several inputs; as the model does it if all have the same options."""
        own = [self._own(each) for each in inputs]
        if any(each != own[0] for each in own):
            return super().batch(inputs, config, return_exceptions=return_exceptions, **kwargs)
        configs = self._all_traced(inputs, config)
        return self.bound.batch(
            inputs, configs, return_exceptions=return_exceptions, **{**kwargs, **(own[0] if own else {})}
        )

    async def abatch(
        self,
        inputs: list[Any],
        config: Union[RunnableConfig, list[RunnableConfig], None] = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """`batch` for an event loop."""
        own = [self._own(each) for each in inputs]
        if any(each != own[0] for each in own):
            return await super().abatch(inputs, config, return_exceptions=return_exceptions, **kwargs)
        configs = self._all_traced(inputs, config)
        return await self.bound.abatch(
            inputs, configs, return_exceptions=return_exceptions, **{**kwargs, **(own[0] if own else {})}
        )

    def _own(self, value: Any) -> dict[str, Any]:
        origin = self._origin(value) if self.options else None
        return {} if origin is None else model_settings.chosen(origin.metadata, self.options)

    def _in_use(self, value: Any) -> AbstractContextManager[object]:
        """For OpenTelemetry, what `_traced` is for LangChain: messages from a middleware do not say it themselves."""
        origin = self._origin(value) if renderings.are_heard else None
        return nullcontext() if origin is None else renderings.block(origin.trace)

    def _traced(self, value: Any, config: RunnableConfig | None) -> RunnableConfig | None:
        origin = self._origin(value)
        if origin is None:
            return config
        given: RunnableConfig = config or {}
        return {**given, "metadata": {**(given.get("metadata") or {}), **origin.trace}}

    def _all_traced(self, inputs: list[Any], config: Any) -> list[Any]:
        return [self._traced(value, each) for value, each in zip(inputs, get_config_list(config, len(inputs)))]

    def __repr__(self) -> str:
        return f"ScopeModel({self.bound!r}, options={list(self.options)})"


class StandIn:
    """Stands for a model, and links what is made of it: what it was and is else, the model itself answers.

    A copy of the model with other metadata would not do: a model may count its calls.

    Args:
        model: The model.
        origin: Tells what the input of a call is made of.
    """

    def __init__(self, model: Any, origin: Callable[[Any], Origin | None]) -> None:
        self._model = model
        self._origin = origin
        self._linked = self._link(model)

    @property  # type: ignore[misc]  # read only, as proxies have it
    def __class__(self) -> Any:
        return type(self._model)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a copy is asked for these before it has a model to ask
            raise AttributeError(name)
        if name in _OF_A_CALL:
            return getattr(self._linked, name)
        found = getattr(self._model, name)
        return self._linking(found) if name in _MAKES_ANOTHER else found

    def _linking(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*given: Any, **how: Any) -> Any:
            return linked(make(*given, **how), self._link)

        return made

    def _link(self, model: Any) -> ScopeModel:
        """Also of one that a user has linked: what the middleware hands it are messages, which know nothing."""
        if isinstance(model, ScopeModel):
            return ScopeModel(model.bound, model.options, self._origin)
        return ScopeModel(model, origin=self._origin)


_OF_AN_OUTPUT = ("response_format", "tools", "tool_choice")
_OF_A_CALL = frozenset(("invoke", "ainvoke", "stream", "astream", "batch", "abatch"))
_MAKES_ANOTHER = frozenset(
    ("bind", "bind_tools", "with_structured_output", "with_config", "with_retry", "with_fallbacks", "with_listeners")
)
