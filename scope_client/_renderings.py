"""Renderings: what tests hear of each prompt that is filled in, whoever does it.

Rendering itself asks nobody whether somebody listens: the two methods of `PromptVersion` that all ways lead through are
replaced while there is a listener, and put back after the last one.
"""

import functools
import threading
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, NoReturn, Optional, Union

from ._prompt.prompt_version import PromptVersion


class Rendering(NamedTuple):
    """One prompt, filled in."""

    name: str
    """The prompt's name."""
    version_number: Optional[int]
    """Of the version."""
    version_id: Optional[str]
    """None for a fallback that the caller gave."""
    is_fallback: bool
    """Whether it stood in for what the platform could not give."""
    variables: tuple[str, ...]
    """Those of the content, in order of appearance."""
    values: Mapping[str, Any]
    """What was given for them, and for others."""
    rendered: Union[str, list[Any]]
    """The text, or the messages."""


Listener = Callable[[Rendering], object]


class Renderings:
    """Who listens; a process has one of it."""

    def __init__(self) -> None:
        self.listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self._put_back: Callable[[], None] = _nothing

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Has it called after each rendering, by the thread that rendered, until the result is called."""
        with self._lock:
            if not self.listeners:
                self._put_back = _replaced(self.tell)
            self.listeners = (*self.listeners, listener)

        def stop() -> None:
            with self._lock:
                had = bool(self.listeners)
                self.listeners = tuple(each for each in self.listeners if each is not listener)
                if had and not self.listeners:
                    self._put_back()

        return stop

    def tell(self, rendering: Rendering) -> None:
        """To all listeners."""
        for listener in self.listeners:
            listener(rendering)


def _nothing() -> None:
    pass


def _replaced(tell: Listener) -> Callable[[], None]:
    """Has `tell` called after each rendering of a version, until the result is called."""
    plain_render, plain_messages = PromptVersion._render, PromptVersion.messages

    @functools.wraps(plain_render)
    def render(self: PromptVersion, values: dict[str, Any]) -> str:
        text = plain_render(self, values)
        tell(_rendering(self, values, text))
        return text

    @functools.wraps(plain_messages)
    def messages(self: PromptVersion, /, *mapping: NoReturn, **variables: object) -> list[Any]:
        made = plain_messages(self, *mapping, **variables)
        tell(_rendering(self, variables, made))
        return made

    kind: Any = PromptVersion
    kind._render, kind.messages = render, messages

    def put_back() -> None:
        kind._render, kind.messages = plain_render, plain_messages

    return put_back


def _rendering(version: PromptVersion, values: Mapping[str, Any], rendered: Union[str, list[Any]]) -> Rendering:
    return Rendering(
        version.name, version.version_number, version.id, version.is_fallback, version.variables, values, rendered
    )


renderings: Renderings = Renderings()
