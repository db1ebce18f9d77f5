"""What error trackers show of an error: the local variables of every frame it came through, in each tool's own way."""

from __future__ import annotations

import base64
import functools
import json
import pickle
import traceback
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable

import rich.traceback
import sentry_sdk
import structlog
from django.views.debug import ExceptionReporter

from scope_client import ScopeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TELLING = 8  # so many characters of a secret are as bad as all of it
TELLING_DIGITS = 20  # trackers print many numbers, and chance finds fewer of them there
TESTS = str(Path(__file__).resolve().parents[1])


def chain(error: BaseException) -> list[BaseException]:
    """An error with all that caused it, or was being handled as it was raised, the contexts that `from` hides too."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and not any(each is known for known in found):
            found.append(each)
            waiting += [each.__cause__, each.__context__]
    return found


def without_the_callers_frames(error: BaseException) -> BaseException:
    """The same error: the frames of the tests, which stand for the program that calls, hold the secrets they gave."""
    for each in chain(error):
        kept = [place for place in _places(each) if not place.tb_frame.f_code.co_filename.startswith(TESTS)]
        for place, following in zip(kept, [*kept[1:], None]):
            place.tb_next = following
        each.__traceback__ = kept[0] if kept else None
    return error


def _places(error: BaseException) -> Iterator[Any]:
    place = error.__traceback__
    while place is not None:
        yield place
        place = place.tb_next


def _by_walking(error: BaseException) -> str:
    """And what a task queue keeps of it."""
    shown = [pickle.dumps(error).decode("latin-1")] if isinstance(error, ScopeError) else []
    for each in chain(error):
        shown += map(_repr, [str(each), each, each.args, vars(each)])
        shown += [_repr(value) for place in _places(each) for value in place.tb_frame.f_locals.values()]
    return "\n".join(shown)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # of an object that is half made
        return f"no repr, because of {error}"


def _by_traceback(error: BaseException) -> str:
    shown = traceback.TracebackException(type(error), error, error.__traceback__, capture_locals=True)
    return "".join(shown.format())


def _by_structlog(**options: Any) -> Callable[[BaseException], str]:
    transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=True, **options)
    return lambda error: json.dumps(transform((type(error), error, error.__traceback__)), ensure_ascii=False)


def _by_rich(error: BaseException) -> str:
    """What it would print, without the colours and the lines of source, which take a second."""
    trace = rich.traceback.Traceback.extract(type(error), error, error.__traceback__, show_locals=True)
    shown = [str(value) for stack in trace.stacks for frame in stack.frames for value in (frame.locals or {}).values()]
    return "\n".join([*shown, *(stack.exc_value for stack in trace.stacks)])


def _by_django(error: BaseException) -> str:
    reporter = ExceptionReporter(None, type(error), error, error.__traceback__)
    reporter.filter.get_safe_settings = dict  # the page shows them too; they are the user's
    return reporter.get_traceback_html() + reporter.get_traceback_text()


class Sentry(sentry_sdk.transport.Transport):
    """A client of Sentry's by its defaults, but that it patches no library; its events stay here."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.events += [item.payload.json for item in envelope.items]

    def shown(self, error: BaseException) -> str:
        client = sentry_sdk.Client(dsn="http://key@127.0.0.1:9/1", transport=self, default_integrations=False)
        with sentry_sdk.new_scope() as scope:
            scope.set_client(client)
            scope.capture_exception(error)
        return json.dumps(self.events, ensure_ascii=False)


TRACKERS: Mapping[str, Callable[[BaseException], str]] = MappingProxyType(
    {
        "every frame": _by_walking,
        "traceback": _by_traceback,
        "Sentry": lambda error: Sentry().shown(error),
        "structlog": _by_structlog(),
        "structlog without rich": _by_structlog(use_rich=False),
        "rich": _by_rich,
        "Django": _by_django,
    }
)


@functools.cache
def parts(secret: str) -> frozenset[str]:
    """Eight characters in a row of the secret, or of it as Base64, wherever in a text it stands there."""
    octets = secret.encode()
    written = [secret, *(base64.b64encode(b"x" * shift + octets)[4:-4].decode() for shift in range(3))]
    return frozenset(_pieces("\0".join(written)))


def _pieces(text: str) -> set[str]:
    return {text[place : place + TELLING] for place in range(len(text) - TELLING + 1)}


def leaks(text: str, *secrets: str) -> list[str]:
    shown = _pieces(text)
    numbers = [secret[:TELLING_DIGITS] for secret in secrets if secret.isdigit()]
    others = [secret for secret in secrets if not secret.isdigit()]
    return [part for secret in others for part in parts(secret) & shown] + [part for part in numbers if part in text]


def given_away(error: BaseException, *secrets: str) -> dict[str, list[str]]:
    """What of the secrets each tracker shows, by its name; empty if all is well."""
    without_the_callers_frames(error)
    found = {name: leaks(show(error), *secrets) for name, show in TRACKERS.items()}
    return {name: shown[:3] for name, shown in found.items() if shown}
