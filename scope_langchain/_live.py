"""scope_prompt: a Runnable that asks for the version on every call, so that a promotion reaches a running chain."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union, overload

from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig

from scope_client import PromptVersion, ScopeClient, ScopeError, configuration
from scope_client import client as default_client
from scope_client.frameworks import Fallback, called_like, made_client, made_off_the_loop

from ._conversion import Template, to_langchain
from ._reading import checked_partials, read

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from scope_client.frameworks import ByLabel, ByVersion


class LivePrompt(Runnable[dict[str, Any], PromptValue]):
    """Reads the version on each call, which is a look-up if it is cached, and runs as a prompt with its metadata.

    Args:
        name: The prompt's name or ID.
        client: Reads the version; if None, the process-wide client of each call does.
        label: The label of the version; production if None.
        version: The ID of the version.
        fallback: As for `ScopeClient.get_prompt_version`.
        partial_variables: Values that are given in advance; without those that a later version has no variable for.
    """

    @overload
    def __init__(
        self,
        name: str,
        *,
        client: Optional[ScopeClient] = None,
        fallback: Fallback = None,
        partial_variables: Optional[Mapping[str, Any]] = None,
        **which: Unpack[ByLabel],
    ) -> None: ...

    @overload
    def __init__(
        self,
        name: str,
        *,
        client: Optional[ScopeClient] = None,
        fallback: Fallback = None,
        partial_variables: Optional[Mapping[str, Any]] = None,
        **which: Unpack[ByVersion],
    ) -> None: ...

    def __init__(
        self,
        name: str,
        *,
        client: Optional[ScopeClient] = None,
        label: Optional[str] = None,
        version: Optional[str] = None,
        fallback: Fallback = None,
        partial_variables: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self.name = name  # of the run, which LangChain may change
        self._prompt = name
        self._client = client
        self._label = label
        self._version = version
        self._fallback = fallback
        self._partials = dict(partial_variables or {})
        self._converted: tuple[PromptVersion | None, Template | None] = (None, None)

    @property
    def InputType(self) -> Any:  # noqa: N802  # LangChain's name
        """What `invoke` takes: a dict of values."""
        return dict[str, Any]

    @property
    def OutputType(self) -> Any:  # noqa: N802  # LangChain's name
        """What `invoke` returns: a prompt value."""
        return PromptValue

    def current(self, requires: Optional[Collection[str]] = None) -> Template:
        """The template of the version that is there now.

        Args:
            requires: As for `ScopeClient.get_prompt_version`.

        Returns:
            The template.

        Raises:
            ScopeError: What `get_prompt_version` and `to_langchain` raise.
        """
        return self._template(read(self._client, self._prompt, self._label, self._version, self._fallback, requires))

    async def acurrent(self, requires: Optional[Collection[str]] = None) -> Template:
        """`current` for an event loop: a cached read stays on it, a fetch goes to a thread."""
        client = self._client or made_client() or await made_off_the_loop(default_client)
        asked: Any = {"label": self._label, "version": self._version, "fallback": self._fallback}
        return self._template(await client.aget_prompt_version(self._prompt, **asked, requires=requires))

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
            kwargs: LangChain's, for this run.

        Returns:
            Text or messages, as a model takes them.

        Raises:
            ScopeError: What `current` raises, and what is wrong with the values.
        """
        return self.current(self._given([input])).invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: Optional[RunnableConfig] = None,
        **kwargs: Any,
    ) -> PromptValue:
        """`invoke` for an event loop, which reads as `acurrent` does."""
        return await (await self.acurrent(self._given([input]))).ainvoke(input, config, **kwargs)

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
        try:
            template = self.current(self._given(inputs))
        except ScopeError as error:
            return _failures(error, len(inputs), return_exceptions)
        return template.batch(inputs, config, return_exceptions=return_exceptions, **kwargs)

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
        try:
            template = await self.acurrent(self._given(inputs))
        except ScopeError as error:
            return _failures(error, len(inputs), return_exceptions)
        return await template.abatch(inputs, config, return_exceptions=return_exceptions, **kwargs)

    def _given(self, inputs: Sequence[Any]) -> Collection[str] | None:
        """The names of the values that all inputs have; None if versions that need more are not held back."""
        client = self._client or made_client()
        is_held_back = (configuration() if client is None else client.config).when_unfit != "error"
        if not is_held_back or not all(isinstance(each, dict) for each in inputs):
            return None
        return set.intersection(*(set(each) for each in inputs)).union(self._partials)

    def _template(self, version: PromptVersion) -> Template:
        known, template = self._converted
        if known is not version or template is None:
            template = to_langchain(version)
            partials = self._partials if known else checked_partials(version, self._partials)
            known_names = frozenset(version.variables)
            partials = {name: value for name, value in partials.items() if name in known_names}
            if partials:
                template = template.partial(**partials)  # type: ignore[assignment]  # of its own type
            self._converted = (version, template)
        return template


def _failures(error: ScopeError, number: int, return_exceptions: bool) -> list[Any]:
    """The error in the place of each result, as LangChain does; it is raised unless `return_exceptions`."""
    if not return_exceptions:
        raise error
    return [error] * number


@overload
def scope_prompt(
    name: str,
    *,
    client: Optional[ScopeClient] = None,
    fallback: Fallback = None,
    partial_variables: Optional[Mapping[str, Any]] = None,
    **which: Unpack[ByLabel],
) -> LivePrompt: ...


@overload
def scope_prompt(
    name: str,
    *,
    client: Optional[ScopeClient] = None,
    fallback: Fallback = None,
    partial_variables: Optional[Mapping[str, Any]] = None,
    **which: Unpack[ByVersion],
) -> LivePrompt: ...


@called_like(LivePrompt.__init__)  # type: ignore[misc]  # which is the first of its signatures to mypy
def scope_prompt(*name: Any, **asked: Any) -> LivePrompt:
    """A LivePrompt, for chains such as `scope_prompt("qa") | model`.

    Args:
        name: The prompt's name or ID.
        asked: What else `LivePrompt` takes.

    Returns:
        The prompt; nothing is read yet.

    Raises:
        TypeError: An unknown keyword is given.
    """
    try:
        inspect.signature(scope_prompt).bind(*name, **asked)
    except TypeError as error:
        raise TypeError(f"scope_prompt(): {error}") from None
    return LivePrompt(*name, **asked)
