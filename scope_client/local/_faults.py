"""Faults on demand: what the local platform was told to answer with, or not to answer at all."""

import threading
from collections import deque
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional, Union

from .._clock import SYSTEM_CLOCK, Clock
from .._config import rules
from .._fork import renew_in_children
from .._wording import shown
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

SIDES = ("api", "auth")
GONE_LOOK_SECONDS = 0.25  # after so long a request that hangs looks whether its client has gone
NEVER_ENDS = float("inf")
RetryAfter = Union[float, str, None]


class ActiveFault(NamedTuple):
    """A fault of the local platform, as it is at a moment."""

    kind: str
    """"error", "hang", "refused tokens", "refused credentials" or "slow"."""
    on: str
    """"api", "auth" for the token endpoints, or "both"."""
    status: Optional[int]
    """The HTTP status that is answered; None for "hang" and "slow"."""
    retry_after: Optional[str]
    """The header Retry-After; None without one."""
    delay: float
    """Seconds that each answer waits; 0 for all kinds but "slow"."""
    since: float
    """When it was announced, in seconds since 1970."""
    elapsed: float
    """Seconds since then."""
    seconds_left: Optional[float]
    """Seconds until it ends by itself; None if it does not."""
    times_left: Optional[int]
    """How many more requests it is for; None for all."""
    hits: int
    """How many requests have met it."""


class Fault(NamedTuple):
    """What to do to requests; `times` and `seconds` are None if it lasts, `retry_after` is the header's text."""

    kind: str
    times: Optional[int] = None
    seconds: Optional[float] = None
    status: Optional[int] = None
    retry_after: Optional[str] = None
    code: str = ""
    message: str = ""
    delay: float = 0.0


class Announced:
    """A fault that was announced; it can end before its time."""

    def __init__(self, fault: Fault, clock: Clock) -> None:
        self.fault = fault
        self.times_left = fault.times
        self.hits = 0
        self.since, self._began = clock.wall(), clock.now()
        self.ends = NEVER_ENDS if fault.seconds is None else self._began + fault.seconds

    def meet(self) -> None:
        """Uses up one of its times."""
        self.hits += 1
        if self.times_left is not None:
            self.times_left -= 1

    def is_over(self, now: float) -> bool:
        """Whether no further request meets it."""
        return self.times_left == 0 or now >= self.ends

    def end(self) -> None:
        """Ends it now, also for those who have met it."""
        self.ends = -NEVER_ENDS

    def shown(self, on: str, now: float) -> ActiveFault:
        """As it is at this time."""
        kind, *_ = self.fault
        left = None if self.ends == NEVER_ENDS else self.ends - now
        details = self.fault.status, self.fault.retry_after, self.fault.delay
        return ActiveFault(kind, on, *details, self.since, now - self._began, left, self.times_left, self.hits)


class Hit(NamedTuple):
    """A fault that a request has met; it holds the request until it is over, and to the next release."""

    met: Announced
    releases: int

    @property
    def fault(self) -> Fault:
        return self.met.fault


class Faults:
    """The faults of each side of the platform, in the order in which they were announced; one of them may be slowness.

    Args:
        clock: What judges when a fault is over.
        changed: Is called after a fault has come or gone.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, changed: Callable[[], object] = lambda: None) -> None:
        self.latency = 0.0
        self._clock = clock
        self._tell = changed
        self._waiting: dict[str, deque[Announced]] = {side: deque() for side in SIDES}
        self._slowness: Optional[Announced] = None
        self._releases = 0
        self._is_stopped = False
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._changed = threading.Condition()

    def announce(self, fault: Fault, on: str) -> None:
        """Adds a fault; one that lasts gives way to it."""
        if on not in SIDES:
            raise ConfigurationError(f"on must be one of {', '.join(SIDES)}, got {shown(on)}")
        with self._changed:
            waiting = self._waiting[on]
            if waiting and waiting[-1].fault.times is None:
                waiting.pop().end()
            waiting.append(Announced(fault, self._clock))
            self._changed.notify_all()
        self._tell()

    def slow_down(self, fault: Fault) -> None:
        """Has each answer of both sides wait; beside the other faults, and in place of a former slowness."""
        with self._changed:
            if self._slowness is not None:
                self._slowness.end()
            self._slowness = Announced(fault, self._clock)
            self._changed.notify_all()
        self._tell()

    def next(self, on: str) -> Optional[Hit]:
        """The fault for the present request, which uses up one of its times; None if there is no fault."""
        with self._changed:
            self._drop_what_is_over()
            if not self._waiting[on]:
                return None
            met = self._waiting[on][0]
            met.meet()
            self._drop_what_is_over()
            return Hit(met, self._releases)

    def active(self) -> tuple[ActiveFault, ...]:
        """All faults that are on or wait for another one to be over."""
        with self._changed:
            self._drop_what_is_over()
            now = self._clock.now()
            lined_up = [each.shown(side, now) for side, waiting in self._waiting.items() for each in waiting]
            return (*lined_up, *([] if self._slowness is None else [self._slowness.shown("both", now)]))

    def clear(self) -> None:
        with self._changed:
            for waiting in self._waiting.values():
                waiting.clear()
            if self._slowness is not None:
                self._slowness.end()
            self._slowness = None
            self._release()
        self._tell()

    def end(self, is_meant: Callable[[ActiveFault], bool]) -> None:
        """Ends some of the faults before their time, also for those who have met them."""
        with self._changed:
            now = self._clock.now()
            on = [(each, side) for side, waiting in self._waiting.items() for each in waiting]
            on += [] if self._slowness is None else [(self._slowness, "both")]
            for each, side in on:
                if is_meant(each.shown(side, now)):
                    each.end()
            self._changed.notify_all()
        self._tell()

    def pause(self, is_gone: Callable[[], bool]) -> bool:
        """Waits as long as an answer has to; whether the client has gone before that."""
        with self._changed:
            self._drop_what_is_over()
            slow = self._slowness
            if slow is not None:
                slow.meet()
            elif not self.latency:
                return False
        began = SYSTEM_CLOCK.now()  # a delay is real time, whatever clock judges the faults

        def left() -> float:
            is_slow = slow is not None and not slow.is_over(self._clock.now())
            return began + max(self.latency, slow.fault.delay if slow and is_slow else 0.0) - SYSTEM_CLOCK.now()

        return self._wait(left, is_gone)

    def hold(self, hit: Hit, is_gone: Callable[[], bool]) -> bool:
        """Waits until the fault is over, or all were cleared; whether the client has gone before that."""

        def left() -> float:
            return hit.met.ends - self._clock.now() if self._releases == hit.releases else 0.0

        return self._wait(left, is_gone)

    def _wait(self, left: Callable[[], float], is_gone: Callable[[], bool]) -> bool:
        while not is_gone():
            with self._changed:
                seconds = left()
                if self._is_stopped or seconds <= 0:
                    return False
                self._changed.wait(min(seconds, GONE_LOOK_SECONDS))
        return True

    def start(self) -> None:
        """From here on requests wait, as they do at first."""
        with self._changed:
            self._is_stopped = False

    def stop(self) -> None:
        """Lets go whatever waits, and ends no fault."""
        with self._changed:
            self._is_stopped = True
            self._release()

    def _release(self) -> None:
        self._releases += 1
        self._changed.notify_all()

    def _drop_what_is_over(self) -> None:
        now = self._clock.now()
        for side, waiting in self._waiting.items():
            self._waiting[side] = deque(each for each in waiting if not each.is_over(now))
        if self._slowness is not None and self._slowness.is_over(now):
            self._slowness = None


def new_fault(
    kind: str,
    *,
    times: Optional[int] = None,
    seconds: Optional[float] = None,
    status: Optional[int] = None,
    retry_after: RetryAfter = None,
    code: Optional[str] = None,
    message: Optional[str] = None,
) -> Fault:
    """A fault that was checked; raises ConfigurationError that names the argument that is wrong."""
    if kind == "error" and not (_is_whole(status) and 400 <= status <= 599):
        raise ConfigurationError(f"status must be an HTTP error, 400 to 599, got {shown(status)}")
    if times is not None and not (_is_whole(times) and times >= 1):
        raise ConfigurationError(f"times must be a whole number, 1 or more, or None, got {shown(times)}")
    for argument, text in (("code", code), ("message", message)):
        if text is not None and not isinstance(text, str):
            raise ConfigurationError(f"{argument} must be text, or None, got {shown(text)}")
    if seconds is not None:
        seconds = rules.POSITIVE_SECONDS.check("for_seconds", seconds, ConfigurationError)
    said = message or f"The local platform was told to answer {status}"
    return Fault(kind, times, seconds, status, _header(retry_after), code or f"fault_{status}", said)


def _is_whole(value: object) -> "TypeGuard[int]":
    return isinstance(value, int) and not isinstance(value, bool)


def _header(retry_after: RetryAfter) -> Optional[str]:
    if retry_after is None:
        return None
    if isinstance(retry_after, str) and retry_after.isascii() and retry_after.isprintable():
        return retry_after
    try:
        return f"{rules.SECONDS.accept(retry_after):.3f}".rstrip("0").rstrip(".")
    except ValueError:
        wanted = "seconds, 0 or more, or an HTTP date"
        raise ConfigurationError(f"retry_after must be {wanted}, got {shown(retry_after)}") from None
