"""The table of reads: what to do about one read, decided from facts alone.

No lock, no clock, no I/O: each row and each boundary of the table is a test without a thread.

| what is known of the ref                          | nobody knows of an outage        | an outage is likely      |
|---------------------------------------------------|----------------------------------|--------------------------|
| fresh                                             | serve                            | serve                    |
| due: in the last part of its life                 | serve, renew behind              | serve, renew behind      |
| expired, within `stale_while_revalidate`          | serve, renew behind              | serve, renew behind      |
| expired, and its renewal is late                  | try first, then stale            | try first, then stale    |
| expired, and its renewal is under way             | stale, renew behind              | stale, renew behind      |
| expired, served stale lately, a failure says why  | stale, renew behind              | stale, renew behind      |
| expired, otherwise                                | try first, then stale            | stale, renew behind      |
| gone or never known, with a stand-in              | fetch; on an outage the stand-in | stand-in, renew behind   |
| gone or never known                               | fetch                            | fetch                    |

Staleness is always explained: by an attempt that ended in a failure of the platform not long ago, or by one that is
under way and not late. A process that is stopped between its reads (SIGSTOP, a frozen Lambda) has no such explanation:
its renewals get no time to run.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

RENEWAL_SHARE = 0.17  # of a jittered life: never before the last fifth of the TTL
FLEET_RENEWAL_SHARE = 0.1  # one renewal serves a whole fleet, so that it need not be as early
FIRST_READER_SECONDS = 1.0
JOINER_SECONDS = 0.25
LOOK_AGAIN_SECONDS = 0.25


class Step(Enum):
    """What the cache does next."""

    SERVE = auto()
    """Serve what is known."""
    SERVE_AND_RENEW = auto()
    """Serve what is known, and renew it behind."""
    TRY_FIRST = auto()
    """Wait a little for the platform; if it does not answer, serve the last known good version."""
    SERVE_STALE = auto()
    """Serve the last known good version, and renew it behind."""
    STAND_IN = auto()
    """Let the stand-in be served, and ask the platform behind."""
    FETCH = auto()
    """Wait for the platform."""


class Renewal(Enum):
    """What the renewal of a prompt in the background is doing."""

    NONE = auto()
    """None runs. One that is queued though a thread is free does not count: the process was stopped."""
    UNDER_WAY = auto()
    """It runs, or waits its turn while all threads are busy, and may still end within its time."""
    LATE = auto()
    """It should have ended: the process was stopped, the machine has no time for it, or too many wait."""


class Rules(NamedTuple):
    """What a Configuration says about ages. Times are in seconds, the share is a part of an entry's life."""

    ttl: float
    stale_if_error: float
    stale_while_revalidate: float
    renewal_share: float


class Known(NamedTuple):
    """What is known of a ref: its times, in seconds of the cache's clock.

    `fresh_until` is the end of its life, by the caller's own `cache_ttl` if the call has one. `stale_at` is when it
    was last served past that end. `is_refused` if the platform has refused to renew it.
    """

    fetched_at: float
    fresh_until: float
    stale_at: float
    is_refused: bool


class Facts(NamedTuple):
    """All that the decision rests on.

    `max_age` is the caller's own `cache_ttl`, or None. `failed_at` is when an attempt last failed, for this prompt or
    for any, if none has ended well since. `is_likely_down` is about the platform, or about
    this prompt if the platform asked to wait with it; `is_failing` is about this very prompt.
    `has_stand_in` if the call has a fallback, or the prompt folder has this prompt.
    """

    now: float
    known: Known | None
    max_age: float | None
    renewal: Renewal
    failed_at: float
    is_likely_down: bool
    is_failing: bool
    has_stand_in: bool


def decide(facts: Facts, rules: Rules) -> Step:
    """The row of the table that holds for these facts."""
    known, now = facts.known, facts.now
    if known is not None and now < known.fresh_until:
        return Step.SERVE_AND_RENEW if now >= renew_at(known, rules) else Step.SERVE
    if known is not None and _is_revalidated(facts, known, rules):
        return Step.SERVE_AND_RENEW
    if known is None or now >= known.fresh_until + rules.stale_if_error:
        is_hopeless = facts.is_likely_down or facts.is_failing
        return Step.STAND_IN if facts.has_stand_in and is_hopeless else Step.FETCH
    if facts.renewal is Renewal.LATE:
        return Step.TRY_FIRST
    if facts.is_likely_down or _is_served_lately(facts, known, rules) or _is_renewed_for_all(facts, known):
        return Step.SERVE_STALE
    return Step.TRY_FIRST


def renew_at(known: Known, rules: Rules) -> float:
    """From when on a fresh version is renewed behind its readers."""
    return known.fresh_until - rules.renewal_share * (known.fresh_until - known.fetched_at)


def look_again_at(known: Known, now: float, rules: Rules) -> float:
    """Until when a version that is served may be served without another decision."""
    due = renew_at(known, rules)
    if now < due:
        return due
    ends_at = known.fresh_until if now < known.fresh_until else known.fresh_until + rules.stale_while_revalidate
    return min(ends_at, now + LOOK_AGAIN_SECONDS)


def _is_revalidated(facts: Facts, known: Known, rules: Rules) -> bool:
    """Whether it is served past its end without a wait, because the Configuration says so (RFC 5861, 3).

    Not to a caller with a `cache_ttl` of its own, and not once the platform has refused to renew it.
    """
    is_within = facts.now < known.fresh_until + rules.stale_while_revalidate
    return is_within and facts.max_age is None and not known.is_refused


def _is_served_lately(facts: Facts, known: Known, rules: Rules) -> bool:
    """Whether another reader was given it past its end, and a failure not long ago explains that.

    One wait a TTL is enough. From the failure on and not from the last stale read: or readers who come close
    together would be given it for ever.
    """
    patience = rules.ttl if facts.max_age is None else min(facts.max_age, rules.ttl)
    return facts.now < min(known.stale_at, facts.failed_at) + patience


def _is_renewed_for_all(facts: Facts, known: Known) -> bool:
    """Whether a renewal is under way that will do for this caller, too.

    A caller with a `cache_ttl` of its own waits for one. So does whoever comes after a refusal, to see the error.
    """
    return facts.renewal is Renewal.UNDER_WAY and not known.is_refused and facts.max_age is None
