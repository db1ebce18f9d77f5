"""Pins of a web request: its reads see one version of each prompt, and so do those of a session's later requests."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Callable, Optional, Union

from .._client import ScopeClient
from .._error_facts import error_facts
from .._interrupts import pass_on
from .._log import Log
from .._pins.pins import Pins
from ..errors import ConfigurationError, ScopeError, ValidationError

_log = Log("scope_client.pins")
SESSION_KEY = "scope_pins"


def client_to_pin(make: Callable[[], ScopeClient]) -> Optional[ScopeClient]:
    """The client, or None if it cannot be made, which is for a read to tell, and not for each request.

    Args:
        make: Returns the client.
    """
    try:
        return make()
    except ConfigurationError as error:
        pass_on(error)
        return None


def pins_of_request(client: ScopeClient, token: object, secret: Union[str, Sequence[str], None]) -> Pins:
    """The pins of a request; new ones, with a warning, if the session's token is not one that this site has signed.

    Args:
        client: The client whose reads are pinned.
        token: What the session has, None for nothing.
        secret: What tokens are signed with.

    Returns:
        The pins, to be entered for as long as the request is answered.
    """
    if token is not None:
        try:
            return client.pin(token=token, secret=secret)  # type: ignore[arg-type]  # which checks it
        except ValidationError as error:
            pass_on(error)
            _log.warning(
                "a session's pins are left aside, and its prompts are pinned anew: %s", error, facts=error_facts(error)
            )
    return client.pin(secret=secret)


def token_to_keep(pins: Pins) -> Optional[str]:
    """The token for the session; None if nothing is pinned, or if no token can hold it, which is logged.

    Args:
        pins: Those of the request.
    """
    if not pins.versions:
        return None
    try:
        return pins.token
    except ScopeError as error:
        pass_on(error)
        _log.warning("a session keeps no pins: %s", error, facts=error_facts(error))
        return None


def pinned_chunks(pins: Sequence[Pins], chunks: Iterable[Any]) -> Iterator[Any]:
    """A streamed body, whose reads see what the request has seen.

    Args:
        pins: Those of the request.
        chunks: The body.

    Yields:
        Each chunk. The pins are in force while it is made, and not while it is sent.
    """
    source = iter(chunks)
    try:
        while True:
            try:
                with all_of(pins):
                    chunk = next(source)
            except StopIteration:
                return
            yield chunk
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


async def pinned_async_chunks(pins: Sequence[Pins], chunks: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """As `pinned_chunks`, for a body that is iterated on an event loop.

    Args:
        pins: Those of the request.
        chunks: The body.

    Yields:
        Each chunk.
    """
    source = chunks.__aiter__()
    try:
        while True:
            try:
                with all_of(pins):
                    chunk = await source.__anext__()
            except StopAsyncIteration:
                return
            yield chunk
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


class all_of:  # noqa: N801  # as contextlib has it
    """Several pins in one `with`.

    Args:
        pins: The pins, each of another client.
    """

    def __init__(self, pins: Sequence[Pins]) -> None:
        self._pins = pins

    def __enter__(self) -> None:
        for pins in self._pins:
            pins.__enter__()

    def __exit__(self, *error: object) -> None:
        for pins in reversed(self._pins):
            pins.__exit__(None, None, None)
