"""LivePrompt: a prompt template that asks for the version on each call, so that a promotion reaches a running chain."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Optional, Union, overload

from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import RunnableConfig, ensure_config
from langchain_core.runnables.config import get_config_list
from pydantic import BaseModel

from scope_client import (
    ConnectionError,
    MissingApiKeyError,
    PromptVersion,
    RateLimitError,
    ScopeError,
    ServerError,
    TokenRefreshError,
    configuration,
)
from scope_client import client as default_client
from scope_client.frameworks import called_like, made_client, made_off_the_loop

from ._chat import ScopeChatPromptTemplate
from ._conversion import Template, conversation_after, joined, of_the_prompt, template_of
from ._live_settings import OPTIONS_OF_READS, LiveSettings
from ._reading import checked_partials, read

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._live_settings import LiveByLabel, LiveByVersion

VARIABLES_DEADLINE_SECONDS = 5.0
# What may be over by then. Of anything else that is wrong, whoever asks for the variables should hear.
_OVER_BY_A_CALL = (ConnectionError, MissingApiKeyError, RateLimitError, ServerError, TokenRefreshError)


class LivePrompt(LiveSettings):
    """Reads the version on each call, which is a look-up if it is cached, and runs as a prompt with its metadata.

    It stands wherever LangChain takes a prompt template, inside a ChatPromptTemplate too.

    Args:
        name: The prompt's name or ID.
        client: Reads the version; if None, the process-wide client of each call does.
        label: The label of the version; production if None.
        version: The ID of the version.
        fallback: As for `ScopeClient.get_prompt_version`.
        deadline: As for `ScopeClient.get_prompt_version`.
        cache_ttl: As for `ScopeClient.get_prompt_version`.
        partial_variables: Values that are given in advance; without those that a later version has no variable for.
        role: If it is given, a text prompt is one message of this role, such as "system". The `messages` of an agent's
            state follow a system message, if the prompt has no variable of that name.
        inherited: Other fields of LangChain's prompt templates, such as `metadata` and `tags`.

    Raises:
        ValidationError: The name or the ID cannot be asked for, or there is no such label or role.
        TypeError: A label and a version are given, or an unknown keyword.
    """

    def current(self, requires: Optional[Collection[str]] = None) -> Template:
        """The template of the version that is there now.

        Args:
            requires: As for `ScopeClient.get_prompt_version`.

        Returns:
            The template.

        Raises:
            ScopeError: What `get_prompt_version` and `to_langchain` raise.
            ValidationError: One of `partial_variables` is for a variable that no version has had so far.
        """
        version = read(self.client, self.prompt_name, requires=requires, **self._asked())
        parts = [each.current(requires) if isinstance(each, LivePrompt) else each for each in self.added]
        return self._template(version, parts)

    async def acurrent(self, requires: Optional[Collection[str]] = None) -> Template:
        """`current` for an event loop: a cached read stays on it, a fetch goes to a thread."""
        client = self.client or made_client() or await made_off_the_loop(default_client)
        version = await client.aget_prompt_version(self.prompt_name, requires=requires, **self._asked())
        parts = [await each.acurrent(requires) if isinstance(each, LivePrompt) else each for each in self.added]
        return self._template(version, parts)

    def invoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: Optional[RunnableConfig] = None,
        **kwargs: Any,
    ) -> PromptValue:
        """The prompt with its values, of the version that is there now.

        Args:
            input: The values; or the value itself, if the prompt has one variable.
            config: LangChain's, for this run.
            kwargs: As for `bind`.

        Returns:
            Text or messages, as a model takes them.

        Raises:
            ScopeError: What `current` raises, and what is wrong with the values.
            TypeError: What `bind` raises.
        """
        if kwargs:
            return self.bind(**kwargs).invoke(input, config)
        return self.current(self._given([input])).invoke(input, self._traced(config))

    async def ainvoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: Optional[RunnableConfig] = None,
        **kwargs: Any,
    ) -> PromptValue:
        """`invoke` for an event loop, which reads as `acurrent` does."""
        if kwargs:
            return await self.bind(**kwargs).ainvoke(input, config)
        return await (await self.acurrent(self._given([input]))).ainvoke(input, self._traced(config))

    def batch(
        self,
        inputs: list[dict[str, Any]],
        config: Union[RunnableConfig, list[RunnableConfig], None] = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[PromptValue]:
        """`invoke` for several inputs, all with one version."""
        if not inputs:
            return []
        live = self.bind(**kwargs)
        try:
            template = live.current(live._given(inputs))
        except ScopeError as error:
            return _failures(error, len(inputs), return_exceptions)
        return template.batch(inputs, live._all_traced(config, len(inputs)), return_exceptions=return_exceptions)

    async def abatch(
        self,
        inputs: list[dict[str, Any]],
        config: Union[RunnableConfig, list[RunnableConfig], None] = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[PromptValue]:
        """`ainvoke` for several inputs, all with one version."""
        if not inputs:
            return []
        live = self.bind(**kwargs)
        try:
            template = await live.acurrent(live._given(inputs))
        except ScopeError as error:
            return _failures(error, len(inputs), return_exceptions)
        return await template.abatch(inputs, live._all_traced(config, len(inputs)), return_exceptions=return_exceptions)

    def format(self, **kwargs: Any) -> str:
        """The text of the prompt with these values; of a chat prompt, LangChain's text of its messages."""
        return self.current(self._given([kwargs])).format(**kwargs)

    async def aformat(self, **kwargs: Any) -> str:
        """`format` for an event loop."""
        return await (await self.acurrent(self._given([kwargs]))).aformat(**kwargs)

    def format_prompt(self, **kwargs: Any) -> Any:
        """The prompt with these values, as `invoke` returns it."""
        return self.current(self._given([kwargs])).format_prompt(**kwargs)

    async def aformat_prompt(self, **kwargs: Any) -> Any:
        """`format_prompt` for an event loop."""
        return await (await self.acurrent(self._given([kwargs]))).aformat_prompt(**kwargs)

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The messages of the prompt with these values, which a ChatPromptTemplate asks for that the prompt is in."""
        template = self.current(self._given([kwargs]))
        return template.format_prompt(**of_the_prompt(template, kwargs)).to_messages()  # type: ignore[no-any-return]

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """`format_messages` for an event loop."""
        template = await self.acurrent(self._given([kwargs]))
        value = await template.aformat_prompt(**of_the_prompt(template, kwargs))
        return value.to_messages()  # type: ignore[no-any-return]  # of a prompt value

    def get_input_schema(self, config: Optional[RunnableConfig] = None) -> type[BaseModel]:
        """The schema of the version that is cached, or was seen last; one for any values if there is none.

        Nothing is read.

        Args:
            config: LangChain's, for this run.

        Returns:
            The schema.
        """
        template = self._cached()
        template = self._last()[2] if template is None else template
        return PromptInput if template is None else template.get_input_schema(config)

    def _variables(self) -> list[str]:
        """The variables that a call must give, by the cached version, or else by reading it.

        On an event loop nothing is read, and an outage is not an error: the variables are those of the last version
        that this prompt has seen. If it has seen none, the list is empty, and says of each name that it has it.

        Raises:
            ScopeError: What `current` raises, apart from an outage.
        """
        template = self._cached()
        if template is None and not _runs_a_loop():
            hurried = self if self.deadline is not None else self.bind(deadline=VARIABLES_DEADLINE_SECONDS)
            with suppress(*_OVER_BY_A_CALL):
                template = hurried.current()
                self.__dict__["_converted"] = hurried._last()
        template = self._last()[2] if template is None else template
        return NamesNotKnown() if template is None else list(template.input_variables)

    def _cached(self) -> Template | None:
        """The template of the version that is cached; None too if LangChain cannot take it."""
        client: Any = self.client or made_client()
        try:
            version = client and client.get_cached_version(self.prompt_name, label=self.label, version=self.version)
            parts = [each._cached() if isinstance(each, LivePrompt) else each for each in self.added]
            if version is None or any(part is None for part in parts):
                return None
            return self._template(version, parts)
        except (ScopeError, ValueError, NotImplementedError):  # the last two of LangChain, about what was added
            return None

    def _traced(self, config: RunnableConfig | None) -> RunnableConfig | None:
        if not (self.metadata or self.tags):
            return config
        here = ensure_config(config)  # with what the run around it has, which metadata of our own would hide
        metadata = {**here.get("metadata", {}), **(self.metadata or {})}
        return {**here, "metadata": metadata, "tags": [*here.get("tags", ()), *(self.tags or ())]}

    def _all_traced(self, config: Any, number: int) -> Any:
        is_plain = not (self.metadata or self.tags)
        return config if is_plain else [self._traced(each) for each in get_config_list(config, number)]

    def _last(self) -> tuple[PromptVersion | None, list[Any], Template | None]:
        return self.__dict__.get("_converted") or (None, [], None)

    def _template(self, version: PromptVersion, parts: list[Any]) -> Template:
        known, known_parts, template = self._last()
        if known is not version or template is None or any(a is not b for a, b in zip(parts, known_parts)):
            template = self._converted_from(version, parts)
            self.__dict__["_converted"] = (version, parts, template)
        return template

    def _converted_from(self, version: PromptVersion, parts: list[Any]) -> Template:
        template = template_of(version, self.role)
        if self.role in ("system", "developer") and not parts and isinstance(template, ScopeChatPromptTemplate):
            parts = conversation_after(template)
        template = joined(template, parts)
        variables = frozenset(template.input_variables).union(template.partial_variables)
        dropped = self.names_seen - variables
        given = {name: value for name, value in self.partial_variables.items() if name not in dropped}
        partials = checked_partials(version, given, variables)
        if not version.is_fallback:
            self.names_seen.update(variables)
        if partials:
            template = template.partial(**partials)  # type: ignore[assignment]  # of its own type
        template.name = self.name
        return template

    def _asked(self) -> dict[str, Any]:
        values = self.__dict__
        return {option: values[option] for option in OPTIONS_OF_READS}

    def _given(self, inputs: Sequence[Any]) -> Collection[str] | None:
        """The names of the values that all inputs have; None if versions that need more are not held back."""
        client = self.client or made_client()
        is_held_back = (configuration() if client is None else client.config).when_unfit != "error"
        if not is_held_back or not all(isinstance(each, dict) for each in inputs):
            return None
        return set.intersection(*(set(each) for each in inputs)).union(self.partial_variables)


# A property in the place of a field: pydantic takes one for the field's default if it stands in the class.
LivePrompt.input_variables = property(LivePrompt._variables)  # type: ignore[assignment]


class PromptInput(BaseModel, extra="allow"):
    """What a prompt takes of which nothing is known: any values."""


class NamesNotKnown(list[str]):
    """No names, of which nobody knows yet what they are: any name may be among them."""

    def __contains__(self, name: object) -> bool:
        return True


def _runs_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _failures(error: ScopeError, number: int, return_exceptions: bool) -> list[Any]:
    """The error in the place of each result, as LangChain does; it is raised unless `return_exceptions`."""
    if not return_exceptions:
        raise error
    return [error] * number


@overload
def scope_prompt(name: str, **options: Unpack[LiveByLabel]) -> LivePrompt: ...


@overload
def scope_prompt(name: str, **options: Unpack[LiveByVersion]) -> LivePrompt: ...


@called_like(LivePrompt.__init__)  # type: ignore[misc]  # which is the first of its signatures to mypy
def scope_prompt(*name: Any, **asked: Any) -> LivePrompt:
    """A LivePrompt, for chains such as `scope_prompt("qa") | model`.

    Args:
        name: The prompt's name or ID.
        asked: What else `LivePrompt` takes.

    Returns:
        The prompt; nothing is read yet.

    Raises:
        ValidationError: The name or the ID cannot be asked for, or there is no such label or role.
        TypeError: A label and a version are given, or an unknown keyword.
    """
    try:
        _signature.bind(*name, **asked)
    except TypeError as error:
        raise TypeError(f"scope_prompt(): {error}") from None
    return LivePrompt(*name, **asked)


# Without LangChain's own fields, which are for copies.
_signature = inspect.signature(scope_prompt)
_signature = _signature.replace(parameters=[*_signature.parameters.values()][:-1])
scope_prompt.__annotations__["return"] = LivePrompt  # no name in the module of the method
scope_prompt.__signature__ = _signature  # type: ignore[attr-defined]  # of a function
