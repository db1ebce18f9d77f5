"""Faults as switches: a page that turns them on, and what the bar of each page says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from flask import Response, redirect, request

from ...errors import ConfigurationError

if TYPE_CHECKING:
    from flask import Blueprint

    from .._faults import ActiveFault
    from .._switches import FaultSwitches
    from ._page import Pages

_WHOSE = {"api": "requests for prompts", "auth": "requests for tokens", "both": "every request"}
_SIDES_OF = {"api": ("api",), "auth": ("auth",), "both": ("auth", "api")}
_SERVER_ERRORS = ("500", "502", "503", "504")
_SOURCES = {
    "platform": "just now from the platform",
    "memory": "from the memory of the program, still fresh",
    "store": "from the store that processes share",
    "stale": "the last one that was good: it has expired, and the platform gives no new one",
    "fallback": "what the call gave as fallback=",
    "folder": "from the folder of prompts that the program was given",
}


class Outage(NamedTuple):
    """A fault that is on, in words."""

    key: str
    switch: str
    said: str
    hits: int
    seconds: float
    left: Optional[float]


class Setting(NamedTuple):
    """A field of a switch."""

    name: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


class Switch(NamedTuple):
    """A fault that can be turned on."""

    name: str
    title: str
    about: str
    settings: tuple[Setting, ...]
    turn_on: Callable[[FaultSwitches, dict[str, str]], object]


_FOR = Setting("on", "For", "both", tuple((side, words) for side, words in _WHOSE.items()))
_UNTIL = Setting("for_seconds", "Ends after (seconds)", "", hint="Empty: until you end it")


def outages_of(switches: FaultSwitches) -> list[Outage]:
    """The faults that are on."""
    return [
        Outage(f"{place}-{each.on}", _switch_of(each), _in_words(each), each.hits, each.elapsed, each.seconds_left)
        for place, each in enumerate(switches.faults)
    ]


class Outages:
    """The views."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._switches = pages.behind.switches

    def add_to(self, face: Blueprint) -> None:
        face.add_url_rule("/faults", "faults", self.faults)
        face.add_url_rule("/faults/none", "recover", self.recover, methods=["POST"])
        face.add_url_rule("/faults/<name>", "fault", self.turn_on, methods=["POST"])
        face.add_url_rule("/faults/<name>/off", "fault_off", self.turn_off, methods=["POST"])

    def faults(self) -> Response:
        """All switches."""
        return self._page({})

    def turn_on(self, name: str) -> Response:
        """Turns on the fault of a form; it takes the place of one that is on for the same requests."""
        refused = self._pages.refused_write()
        if refused is not None:
            return refused
        switch = SWITCHES.get(name)
        if switch is None:
            return self._no_such_fault()
        given = {setting.name: request.form.get(setting.name, "").strip() for setting in switch.settings}
        try:
            switch.turn_on(self._switches, given)
        except ConfigurationError as error:
            return self._page({name: given}, wrong=name, why=error.message, status=422)
        return _back()

    def turn_off(self, name: str) -> Response:
        """Ends what a switch has turned on, and leaves the other faults on."""
        refused = self._pages.refused_write()
        if refused is not None:
            return refused
        if name not in SWITCHES:
            return self._no_such_fault()
        self._pages.behind.faults.end(lambda fault: _switch_of(fault) == name)
        return _back()

    def recover(self) -> Response:
        """Ends all faults."""
        refused = self._pages.refused_write()
        if refused is not None:
            return refused
        self._switches.recover()
        return _back()

    def _no_such_fault(self) -> Response:
        return self._pages.missing("There is no such fault", "The Faults page shows all that there are.")

    def _page(self, given: dict[str, dict[str, str]], *, wrong: str = "", why: str = "", status: int = 200) -> Response:
        return self._pages.show(
            "faults.html",
            status,
            switches=SWITCHES.values(),
            sources=_SOURCES.items(),
            given=given,
            wrong=wrong,
            why=why,
        )


def _back() -> Response:
    return redirect("/faults", 303)  # type: ignore[return-value]  # of Flask's own class, as it makes them


def _switch_of(fault: ActiveFault) -> str:
    """The name of the switch that turns on such a fault; "" if there is none, as for a 404 that a program plays."""
    if fault.kind == "error":
        is_down = fault.status is not None and fault.status >= 500
        return "limited" if fault.status == 429 else "unavailable" if is_down else ""
    return {"refused tokens": "tokens", "refused credentials": "credentials"}.get(fault.kind, fault.kind)


def _in_words(fault: ActiveFault) -> str:
    whose = _WHOSE[fault.on]
    words = {"hang": f"no answer to {whose}", "slow": f"each answer waits {fault.delay:g} s"}
    switch = SWITCHES.get(_switch_of(fault))
    said = "Error" if switch is None else switch.title
    said += f": {words.get(fault.kind, f'{fault.status} to {whose}')}"
    said += f", Retry-After {fault.retry_after}" if fault.retry_after is not None else ""
    return f"{said}, {fault.times_left} more times" if fault.times_left is not None else said


def _number(given: dict[str, str], name: str, what: str) -> float:
    try:
        return float(given[name])
    except ValueError:
        raise ConfigurationError(f"{what} must be a number of seconds, got {given[name]!r}") from None


def _ends(given: dict[str, str]) -> dict[str, Any]:
    """The keyword of the end, if there is one."""
    return {"for_seconds": _number(given, "for_seconds", "the end")} if given["for_seconds"] else {}


def _side(given: dict[str, str]) -> tuple[str, ...]:
    if given["on"] not in _SIDES_OF:
        raise ConfigurationError(f"choose one of: {', '.join(_WHOSE.values())}")
    return _SIDES_OF[given["on"]]


def _unavailable(switches: FaultSwitches, given: dict[str, str]) -> None:
    if given["status"] not in _SERVER_ERRORS:
        raise ConfigurationError(f"the status must be one of {', '.join(_SERVER_ERRORS)}")
    for side in _side(given):
        switches.fail(int(given["status"]), on=side, **_ends(given))


def _limited(switches: FaultSwitches, given: dict[str, str]) -> None:
    after = _number(given, "retry_after", "Retry-After") if given["retry_after"] else None
    switches.fail(429, retry_after=after, **_ends(given))


def _slow(switches: FaultSwitches, given: dict[str, str]) -> None:
    switches.slow(_number(given, "seconds", "the wait"), **_ends(given))


def _hang(switches: FaultSwitches, given: dict[str, str]) -> None:
    for side in _side(given):
        switches.hang(on=side, **_ends(given))


_SWITCHES = (
    Switch(
        "unavailable",
        "Down",
        "Answers with an error of the server. A program goes on with the version that it knows, or with its fallback.",
        (Setting("status", "Status", "503", tuple((each, each) for each in _SERVER_ERRORS)), _FOR, _UNTIL),
        _unavailable,
    ),
    Switch(
        "limited",
        "Rate limit",
        "Answers requests for prompts with 429. A program goes on with what it knows, and asks again later.",
        (Setting("retry_after", "Retry-After (seconds)", "5", hint="Empty: without it"), _UNTIL),
        _limited,
    ),
    Switch(
        "slow",
        "Slow",
        "Lets each answer wait. Who reads a version that is fresh does not notice. It can be on beside another fault.",
        (Setting("seconds", "Wait (seconds)", "2"), _UNTIL),
        _slow,
    ),
    Switch(
        "hang",
        "Hangs",
        "Takes requests and does not answer: programs run into their time limits, and go on with what they know.",
        (_FOR, _UNTIL),
        _hang,
    ),
    Switch(
        "tokens",
        "Tokens refused",
        "Answers requests for prompts with 401, whatever the token. This is a refusal, not an outage: when a program "
        "asks, it gets the error, although it knows a version.",
        (_UNTIL,),
        lambda switches, given: switches.refuse_tokens(**_ends(given)),
    ),
    Switch(
        "credentials",
        "Keys refused",
        "Answers requests for tokens with 401. A token that was issued before stays good. A program that needs a new "
        "one gets the error: this is a refusal, not an outage.",
        (_UNTIL,),
        lambda switches, given: switches.refuse_credentials(**_ends(given)),
    ),
)
SWITCHES = {switch.name: switch for switch in _SWITCHES}
