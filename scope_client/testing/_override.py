"""PromptsOverride: what the `override_prompts` of each framework's package is made of."""

import functools
import inspect
import unittest
from collections.abc import AsyncIterator, Generator, Mapping
from types import TracebackType
from typing import Any, Callable, ClassVar, Optional, TypeVar

from .._client import ScopeClient
from ._prompts_client import Given, PromptsClient

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


_of_all_frameworks: list["Overrides"] = []


class Overrides:
    """What the tests of a framework's sites have put in the place of its clients, the innermost last.

    Args:
        replace: Puts a client in the place of the framework's own, or takes it away if it is given None.
    """

    def __init__(self, replace: Callable[[Optional[ScopeClient]], None]) -> None:
        self._replace = replace
        self._layers: list[object] = []
        _of_all_frameworks.append(self)

    def begin(self, prompts: Mapping[str, Given]) -> PromptsClient:
        """Serves these prompts, and those of the outer overrides, until `end` is given the client that it returns."""
        outer = self._innermost()
        client = PromptsClient({**(outer.prompts if outer else {}), **prompts})
        self._layers.append(client)
        self._replace(client)
        return client

    def cover(self, layer: object) -> None:
        """Has the framework's own clients in place again, until `end` is given the layer."""
        if self._layers:
            self._layers.append(layer)
            self._replace(None)

    def end(self, layer: object) -> None:
        """What was served before is served again."""
        if layer in self._layers:
            self._layers.remove(layer)
            self._replace(self._innermost())

    def _innermost(self) -> Optional[PromptsClient]:
        last = self._layers[-1] if self._layers else None
        return last if isinstance(last, PromptsClient) else None


def cover_overrides() -> Callable[[], None]:
    """Has the clients of all frameworks in place again until the result is called: a test started a platform."""
    platform = object()
    for overrides in _of_all_frameworks:
        overrides.cover(platform)

    def uncover() -> None:
        for overrides in _of_all_frameworks:
            overrides.end(platform)

    return uncover


class PromptsOverride:
    """Serves these prompts in place of the platform, without credentials and network.

    It stands in a `with` statement, in a fixture too, or decorates functions of all kinds and subclasses of
    unittest.TestCase. A prompt that is not given is not found, unless an outer override gives it.

    Args:
        prompts: By name: a text, a list of messages, or a ScopeError to raise.

    Raises:
        ValidationError: A value is none of these three.
    """

    overrides: ClassVar[Overrides]
    """Those of the framework; its subclass sets them."""

    def __init__(self, prompts: Mapping[str, Given]) -> None:
        self._prompts = PromptsClient(prompts).prompts
        self._clients: list[PromptsClient] = []

    def enable(self) -> ScopeClient:
        """Puts the prompts in place, and returns the client that serves them."""
        client = self.overrides.begin(self._prompts)
        self._clients.append(client)
        return client

    def disable(self) -> None:
        """Takes the prompts away again."""
        self.overrides.end(self._clients.pop())

    def __enter__(self) -> ScopeClient:
        return self.enable()

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.disable()

    def __call__(self, decorated: _Decorated) -> _Decorated:
        if isinstance(decorated, type):
            return self._around_class(decorated)  # type: ignore[return-value]  # the same class
        if not callable(decorated):
            raise TypeError(f"override_prompts decorates functions and test cases, got {type(decorated).__name__}")
        return functools.wraps(decorated)(self._around(decorated))  # type: ignore[return-value]  # of the same kind

    def _around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return coroutine
        if inspect.isasyncgenfunction(function):

            async def asynchronous_generator(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
                with self:
                    async for each in function(*args, **kwargs):
                        yield each

            return asynchronous_generator
        if inspect.isgeneratorfunction(function):

            def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                with self:
                    return (yield from function(*args, **kwargs))

            return generator

        def plain(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return plain

    def _around_class(self, cls: type) -> type:
        """For all of a TestCase, setUpClass included."""
        if not issubclass(cls, unittest.TestCase):
            raise TypeError(
                f"override_prompts decorates functions and subclasses of unittest.TestCase, which {cls.__name__} is "
                "not: decorate its functions, or write a fixture with `with override_prompts(...): yield`"
            )
        own: Any = cls.__dict__.get("setUpClass")
        decorated: Any = cls
        decorated._overridden_prompts = {**getattr(cls, "_overridden_prompts", {}), **self._prompts}

        def set_up_class(case: Any) -> None:
            # That of a base class serves those of the subclass again: they win, as with Django's override_settings.
            override = type(self)(case._overridden_prompts)
            override.enable()
            case.addClassCleanup(override.disable)
            if own is None:
                super(cls, case).setUpClass()  # type: ignore[misc]  # case is cls, or a subclass of it
            else:
                own.__func__(case)

        cls.setUpClass = classmethod(set_up_class)  # type: ignore[assignment,method-assign]  # as it is declared
        return cls
