"""Renderings: what tests hear of each prompt that is filled in, and traces note, whoever fills it in.

Rendering itself asks nobody whether somebody listens: the two methods of `PromptVersion` that all ways lead through are
replaced while somebody does, and put back after the last one.
"""

import functools
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Callable, NamedTuple, NoReturn, Optional, Union

from ._fork import renew_in_children
from ._prompt.prompt_version import PromptVersion
from .errors import ResourceError


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
Methods = tuple[Callable[..., Any], Callable[..., Any]]  # `PromptVersion._render` and `PromptVersion.messages`


class Marking(NamedTuple):
    """How what is rendered last is noted, for traces."""

    last: Callable[[], object]
    """What was rendered last here."""
    note: Callable[[Any], object]
    """Takes what has been rendered, if it is not what was rendered last: a PromptVersion, or the attributes of one."""
    blocks: Callable[[], object]
    """The blocks that are open here, or in a generator that is suspended; seldom any."""
    block: Callable[[], object]
    """What is in use by the block that this is in. What is rendered in one is for that block, and is not noted."""
    how_read: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    """Of the attributes of a version, those that say how it was read here."""


class Renderings:
    """Who listens, and how renderings are noted; a process has one of it."""

    def __init__(self) -> None:
        self.listeners: tuple[Listener, ...] = ()
        self.marking: Optional[Marking] = None
        self.are_heard: bool = False  # by either
        self._plain: Optional[Methods] = None  # while others are in their place
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        """A new lock, in a child."""
        self._lock = threading.Lock()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Has it called after each rendering, by the thread that rendered, until the result is called."""
        with self._lock:
            self.listeners = (*self.listeners, listener)
            self._place_methods()

        def stop() -> None:
            with self._lock:
                self.listeners = tuple(each for each in self.listeners if each is not listener)
                self._place_methods()

        return stop

    def tell(self, rendering: Rendering) -> None:
        """To all listeners."""
        for listener in self.listeners:
            listener(rendering)

    def mark_with(self, marking: Optional[Marking]) -> None:
        """Has each rendering noted like this from now on; with None, no longer."""
        with self._lock:
            self.marking = marking
            self._place_methods()

    def mark(self, rendered: object) -> None:
        """Notes what another way than a version's own methods has rendered, if renderings are noted."""
        marking = self.marking
        if marking is None or marking.last() is rendered or (marking.blocks() and marking.block() is not None):
            return
        marking.note(rendered)

    def how_read(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What traces say of how the version of these attributes was read here; nothing if renderings are not noted."""
        return {} if self.marking is None else dict(self.marking.how_read(facts))

    def block(self, facts: Mapping[str, Any]) -> AbstractContextManager[object]:
        """A block in which the version of these attributes is in use, for traces."""
        if self.marking is None:
            return nullcontext()
        from ._prompt.in_use import InUse

        return InUse(facts)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """A block after which what was rendered last is again what it was before."""
        marking = self.marking
        before = None if marking is None else marking.last()
        try:
            yield
        finally:
            if marking is not None and marking.last() is not before:
                marking.note(before)

    def _place_methods(self) -> None:
        self.are_heard = bool(self.listeners) or self.marking is not None
        kind: Any = PromptVersion
        plain = self._plain or (kind._render, kind.messages)
        made = plain
        if self.marking is not None:
            made = _marked(made, self.marking)
        if self.listeners:
            made = _told(made, self.tell)
        self._plain = None if made is plain else plain
        kind._render, kind.messages = made


def _marked(methods: Methods, marking: Marking) -> Methods:
    """Note each version after it was rendered. One that was the last already costs a look."""
    plain_render, plain_messages = methods
    last, note, blocks, block, _ = marking

    @functools.wraps(plain_render)
    def render(self: PromptVersion, values: dict[str, Any]) -> str:
        # What the plain one does, once more: to call it would cost a third of what this may.
        try:
            text = (self._template or self._parse()).render(values)
        except ResourceError as error:
            self._name_itself(error)
            raise
        if last() is not self and not (blocks() and block() is not None):
            note(self)
        return text

    @functools.wraps(plain_messages)
    def messages(self: PromptVersion, /, *mapping: NoReturn, **variables: object) -> list[Any]:
        made: list[Any] = plain_messages(self, *mapping, **variables)
        if last() is not self and not (blocks() and block() is not None):
            note(self)
        return made

    return render, messages


def _told(methods: Methods, tell: Listener) -> Methods:
    """Call `tell` after each rendering of a version."""
    plain_render, plain_messages = methods

    @functools.wraps(plain_render)
    def render(self: PromptVersion, values: dict[str, Any]) -> str:
        text: str = plain_render(self, values)
        tell(_rendering(self, values, text))
        return text

    @functools.wraps(plain_messages)
    def messages(self: PromptVersion, /, *mapping: NoReturn, **variables: object) -> list[Any]:
        made: list[Any] = plain_messages(self, *mapping, **variables)
        tell(_rendering(self, variables, made))
        return made

    return render, messages


def _rendering(version: PromptVersion, values: Mapping[str, Any], rendered: Union[str, list[Any]]) -> Rendering:
    return Rendering(
        version.name, version.version_number, version.id, version.is_fallback, version.variables, values, rendered
    )


renderings: Renderings = Renderings()
