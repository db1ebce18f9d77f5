"""scope_prompt_middleware: the system prompt of an agent, read on every call of its model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Optional, Union

from langchain_core.messages import SystemMessage
from langchain_core.prompt_values import PromptValue, StringPromptValue

from scope_client import ScopeClient, ValidationError
from scope_client.frameworks import Fallback, renderings

from . import _options as model_settings
from ._conversion import CONVERSATION
from ._live import LivePrompt, scope_prompt
from ._model import StandIn
from ._prompt_values import origin_of

if TYPE_CHECKING:
    from langchain.agents.middleware import AgentMiddleware
else:
    AgentMiddleware = Any  # LangChain itself need not be there

Values = Union[Mapping[str, Any], Callable[[Any], Mapping[str, Any]], None]


def scope_prompt_middleware(
    name: str,
    *,
    client: Optional[ScopeClient] = None,
    label: Optional[str] = None,
    version: Optional[str] = None,
    fallback: Fallback = None,
    values: Values = None,
    options: Iterable[str] = (),
) -> AgentMiddleware:
    """Gives an agent its hosted system prompt: `create_agent(model, tools, middleware=[scope_prompt_middleware("a")])`.

    The prompt is read on each call of the model, so that a promotion reaches an agent that runs. It takes the place of
    the agent's `system_prompt`. The model's run carries the `scope.prompt.*` metadata of that very version. A chat
    prompt's system messages are the system prompt, and its other messages come before the conversation; one with a
    placeholder `{{messages}}` says itself where the conversation goes.

    Args:
        name: The prompt's name or ID.
        client: Reads the version; if None, the process-wide client does.
        label: The label of the version; production if None.
        version: The ID of the version.
        fallback: As for `ScopeClient.get_prompt_version`.
        values: The values of the prompt's variables, or what makes them of LangChain's ModelRequest.
        options: The keys of that version's metadata with which the model is called, such as `["temperature"]`.

    Returns:
        The middleware, for synchronous and asynchronous agents.

    Raises:
        ImportError: LangChain is older than 1.0, which has no middleware.
        ValidationError: An argument is wrong.
        TypeError: A label and a version are given.
    """
    try:
        from langchain.agents.middleware import AgentMiddleware as Middleware
    except ImportError as error:
        raise ImportError(
            'scope_prompt_middleware needs LangChain 1.0 or newer: pip install "langchain>=1.0"'
        ) from error

    if values is not None and not callable(values) and not isinstance(values, Mapping):
        raise ValidationError(f"values must be a mapping or a function, got {type(values).__name__}")
    which: Any = {"label": label, "version": version}
    hosted = _Hosted(scope_prompt(name, client=client, fallback=fallback, **which), values, options)

    class ScopePromptMiddleware(Middleware):
        @property
        def name(self) -> str:
            return f"scope_prompt:{name}"  # LangChain wants each middleware of an agent to have a name of its own

        def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
            with renderings.aside():  # the call itself says what it is for, and other middleware's say nothing
                changed = hosted.changed(request, hosted.live.invoke(hosted.values(request)))
            return handler(changed)

        async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            with renderings.aside():
                changed = hosted.changed(request, await hosted.live.ainvoke(hosted.values(request)))
            return await handler(changed)

    return ScopePromptMiddleware()


class _Hosted:
    def __init__(self, live: LivePrompt, values: Values, options: Iterable[str]) -> None:
        self.live = live
        self._values = values
        self._options = model_settings.names(options)

    def values(self, request: Any) -> dict[str, Any]:
        given = self._values(request) if callable(self._values) else self._values
        return {CONVERSATION: list(request.messages), **(given or {})}

    def changed(self, request: Any, value: PromptValue) -> Any:
        """The request with the prompt, and with a model whose run says which version it was."""
        origin = origin_of(value)
        changes: dict[str, Any] = dict(zip(("system_message", "messages"), _apart(value, list(request.messages))))
        if origin is not None:
            said = [*([] if changes["system_message"] is None else [changes["system_message"]]), *value.to_messages()]
            changes["model"] = StandIn(request.model, lambda given: origin if _says(given, said) else None)
            own = model_settings.chosen(origin.metadata, self._options)
            if "tool_choice" in own:
                changes["tool_choice"] = own.pop("tool_choice")
            if "tools" in own:
                changes["tools"] = [*request.tools, *own.pop("tools")]
            changes["model_settings"] = {**request.model_settings, **own}
        return request.override(**changes)


def _says(given: Any, said: list[Any]) -> bool:
    """Whether messages to a model are those of the prompt: another middleware may ask the model its own question."""
    texts = [_text(each) for each in said if isinstance(each, SystemMessage)]
    return isinstance(given, list) and any(
        any(message is each for each in said)
        or (isinstance(message, SystemMessage) and any(text in _text(message) for text in texts))
        for message in given
    )


def _text(message: SystemMessage) -> str:
    content: Any = message.content
    parts = [content] if isinstance(content, str) else [each.get("text", "") for each in content]
    return "\n".join(parts)


def _apart(value: PromptValue, conversation: list[Any]) -> tuple[SystemMessage | None, list[Any]]:
    """The system message, and the messages after it."""
    if isinstance(value, StringPromptValue):
        return SystemMessage(value.text), conversation
    messages = value.to_messages()
    begin = [each for each in messages if isinstance(each, SystemMessage)]
    others = [each for each in messages if not isinstance(each, SystemMessage)]
    if not any(each is said for each in others for said in conversation):  # no placeholder took them
        others += conversation
    return _joined(begin), others


def _joined(messages: list[SystemMessage]) -> SystemMessage | None:
    if len(messages) < 2:
        return messages[0] if messages else None
    parts: list[Any] = []
    for message in messages:
        content: Any = message.content
        parts += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return SystemMessage(parts)
