"""The switches of the local platform: each turns a fault on, and one turns them all off."""

from typing import Any, Optional

from .._clock import SYSTEM_CLOCK, Clock
from .._config import rules
from ..errors import ConfigurationError
from ._faults import ActiveFault, Faults, RetryAfter, new_fault
from ._journal import Journal


class FaultSwitches:
    """What a LocalPlatform can be told to do wrong.

    Args:
        journal: Those who follow it look again after each switch.
        clock: What judges when a fault is over.
    """

    def __init__(self, journal: Journal, clock: Clock = SYSTEM_CLOCK) -> None:
        self._faults = Faults(clock, journal.nudge)

    @property
    def latency(self) -> float:
        """Seconds that each answer waits; it can be set. It is no fault: `recover` leaves it as it is."""
        return self._faults.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._faults.latency = rules.SECONDS.check("latency", seconds, ConfigurationError)

    @property
    def faults(self) -> tuple[ActiveFault, ...]:
        """The faults that are on, each side's in the order of their calls: the first of a side is what requests meet.

        Slowness comes last; it is on beside the others.
        """
        return self._faults.active()

    def fail(
        self,
        status: int,
        *,
        times: Optional[int] = None,
        retry_after: RetryAfter = None,
        code: Optional[str] = None,
        message: Optional[str] = None,
        on: str = "api",
        for_seconds: Optional[float] = None,
    ) -> None:
        """Answers the next requests with an HTTP error.

        The faults of several calls are used up one after another. A fault without `times` gives way to the next one.

        Args:
            status: The HTTP status, 400 to 599.
            times: How many requests; None for all until `recover`.
            retry_after: Seconds, or text, for the header Retry-After.
            code: The `code` in the body.
            message: The `message` in the body.
            on: "api", or "auth" for the token endpoints.
            for_seconds: After so many seconds it is over, also if requests are left; None for no such end.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        what: dict[str, Any] = {"status": status, "retry_after": retry_after, "code": code, "message": message}
        self._faults.announce(new_fault("error", times=times, seconds=for_seconds, **what), on)

    def hang(self, *, times: Optional[int] = None, on: str = "api", for_seconds: Optional[float] = None) -> None:
        """Takes the next requests, and answers none: their clients wait until they run into their time limits.

        A client that still waits when the fault is over, or at `recover`, is answered then. If more of them wait than
        the platform has room for, it cuts off the one that has waited longest. It lines up with the faults of `fail`.

        Args:
            times: How many requests; None for all until `recover`.
            on: "api", or "auth" for the token endpoints.
            for_seconds: After so many seconds it is over; None for no such end.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        self._faults.announce(new_fault("hang", times=times, seconds=for_seconds), on)

    def slow(self, seconds: float, *, for_seconds: Optional[float] = None) -> None:
        """Has each answer wait for so long, or for `latency` if that is longer; beside every other fault.

        Args:
            seconds: How long.
            for_seconds: After so many seconds answers no longer wait; None for no such end.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        delay = rules.POSITIVE_SECONDS.check("seconds", seconds, ConfigurationError)
        self._faults.slow_down(new_fault("slow", seconds=for_seconds)._replace(delay=delay))

    def refuse_tokens(self, *, times: Optional[int] = None, for_seconds: Optional[float] = None) -> None:
        """Answers requests for prompts with 401, whatever their token is; new tokens are issued, and refused too.

        It lines up with the faults of `fail`.

        Args:
            times: How many requests; None for all until `recover`.
            for_seconds: After so many seconds it is over; None for no such end.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        what: dict[str, Any] = {
            "status": 401,
            "code": "invalid_token",
            "message": "The local platform was told to refuse every token",
        }
        self._faults.announce(new_fault("refused tokens", times=times, seconds=for_seconds, **what), "api")

    def refuse_credentials(self, *, times: Optional[int] = None, for_seconds: Optional[float] = None) -> None:
        """Answers requests for tokens with 401, whatever their keys are; tokens that are out stay good.

        It lines up with the faults of `fail(..., on="auth")`.

        Args:
            times: How many requests; None for all until `recover`.
            for_seconds: After so many seconds it is over; None for no such end.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        message = "The local platform was told to refuse all credentials"
        what: dict[str, Any] = {"status": 401, "code": "invalid_credentials", "message": message}
        self._faults.announce(new_fault("refused credentials", times=times, seconds=for_seconds, **what), "auth")

    def recover(self) -> None:
        """Ends every fault. Requests that hang or wait because of one are answered."""
        self._faults.clear()
