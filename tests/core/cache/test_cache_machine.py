"""Any sequence of reads, changes and failures: compared with a model of what a reader may be given."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from faults import replies
from faults.clock import ManualClock
from faults.inside import is_troubled
from faults.reading import wait_until_idle
from faults.server import FaultServer, Peer
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scope_client import (
    ApiKeyCredentials,
    AuthenticationError,
    AuthorizationError,
    ConnectionError,
    MemoryStore,
    NotFoundError,
    ScopeClient,
    ServerError,
    TokenRefreshError,
)

TTL = 100.0
STALE = 1_000.0
LOCAL_TTL = 5.0
NAMES = ("a", "b")
MODES = (200, 503, 0, 401, 403, 404)
PAUSES = (0.1, 1.0, 4.9, 30.0, 79.0, 97.0, 100.0, 500.0, 1_000.0, 1_200.0)
ERRORS = {401: AuthenticationError, 403: AuthorizationError, 404: NotFoundError, 503: (ServerError, TokenRefreshError)}
OUTAGES = (503, 0)
REFUSALS = (401, 403, 404)
REMEMBERED_SECONDS = 1.0


class Asked(NamedTuple):
    """A read that reached the platform, and what it was told: a number, or an HTTP status (0: none)."""

    name: str
    number: int
    status: int


class Known(NamedTuple):
    """`life` is what its reader's own TTL left of the cache's."""

    number: int
    fetched_at: float
    life: float


class Refused(NamedTuple):
    """A refusal that a reader was told, and may be told again for a second."""

    status: int
    at: float


class Platform:
    """Numbers its contents, and does what `mode` says: an HTTP status, 0 for a connection that is cut."""

    def __init__(self, server: FaultServer) -> None:
        self.mode = 200
        self.numbers = dict.fromkeys(NAMES, 1)
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        server.answers(self._answer)
        server.gives_tokens(self._give_token)

    def _answer(self, peer: Peer) -> None:
        name = peer.request.target.split("/")[-2]
        with self._lock:
            number, status = self.numbers[name], self.mode
            self.asked.append(Asked(name, number, status))
        if status == 0:
            peer.close()
        elif status == 200:
            peer.send(replies.prompt(f"{name} {number}"))
        else:
            peer.send(replies.error(status, code="prompt_not_found"))

    def _give_token(self, peer: Peer) -> None:
        if self.mode in OUTAGES:
            peer.send(replies.error(503))
        else:
            peer.send(replies.token(expires_in=86_400))


class CacheMachine(RuleBasedStateMachine):
    """After each step the background is idle, so that the model knows all that the client does."""

    stores = False

    @initialize()
    def begin(self) -> None:
        self.server = FaultServer().__enter__()
        self.platform = Platform(self.server)
        self.clock = ManualClock()
        self.client = ScopeClient(
            credentials=ApiKeyCredentials("org-1", "key-1", "secret-1"),
            base_url=self.server.url,
            auth_api_url=self.server.url,
            clock=self.clock.clock,
            cache_ttl=TTL,
            cache_local_ttl=LOCAL_TTL,
            stale_if_error=STALE,
            max_retries=0,
            cache_store=MemoryStore(timer=lambda: self.clock.time) if self.stores else None,
        )
        self.known: dict[str, Known] = {}
        self.refused: dict[str, Refused] = {}

    def teardown(self) -> None:
        if hasattr(self, "server"):
            self.client.close()
            self.server.__exit__()

    @rule(seconds=st.sampled_from(PAUSES))
    def passes(self, seconds: float) -> None:
        self.clock.passes(seconds)

    @rule(name=st.sampled_from(NAMES))
    def publish(self, name: str) -> None:
        self.platform.numbers[name] += 1

    @rule(mode=st.sampled_from(MODES))
    def turns(self, mode: int) -> None:
        self.platform.mode = mode

    @precondition(lambda self: self.platform.mode != 200)
    @rule()
    def recovers(self) -> None:
        self.platform.mode = 200

    @rule()
    def clear_cache(self) -> None:
        self.client.clear_cache()
        self.known.clear()
        self.refused.clear()

    @rule(name=st.sampled_from(NAMES))
    def read(self, name: str) -> None:
        self._read(name, TTL)

    @rule(name=st.sampled_from(NAMES), mode=st.sampled_from(MODES), seconds=st.sampled_from(PAUSES))
    def read_later_in_another_world(self, name: str, mode: int, seconds: float) -> None:
        self.platform.numbers[name] += 1
        self.platform.mode = mode
        self.clock.passes(seconds)
        self._read(name, TTL)

    @rule(name=st.sampled_from(NAMES), first=st.sampled_from(MODES), then=st.sampled_from(MODES))
    def read_in_two_worlds(self, name: str, first: int, then: int) -> None:
        for mode in (200, first, then):
            self.read_later_in_another_world(name, mode, TTL)

    @rule(name=st.sampled_from(NAMES), cache_ttl=st.sampled_from([0.0, 1.0, 50.0, 99.0, 400.0]))
    def read_with_a_ttl(self, name: str, cache_ttl: float) -> None:
        self._read(name, cache_ttl, cache_ttl=cache_ttl)

    @rule(name=st.sampled_from(NAMES))
    def read_past_the_cache(self, name: str) -> None:
        before, self.platform.asked[:] = dict(self.known), []
        outcome = self._outcome(name, cache=False)
        asked = list(self.platform.asked)
        self.known = before
        if isinstance(outcome, Exception):
            self._is_due(outcome, asked)
        else:
            assert self.platform.mode == 200
            assert outcome == f"{name} {self.platform.numbers[name]}"
        if not asked:
            assert isinstance(outcome, TokenRefreshError)

    @invariant()
    def nothing_is_under_way(self) -> None:
        if hasattr(self, "client"):
            self._settle()

    def _read(self, name: str, ttl: float, **options: Any) -> None:
        self.platform.asked[:] = []
        before, now, was_down = self.known.get(name), self.clock.time, self._is_troubled()
        outcome = self._outcome(name, **options)
        asked = [each for each in self.platform.asked if each.name == name]
        self._learn(asked, min(ttl, TTL))
        if isinstance(outcome, Exception) and not asked and self._is_remembered(outcome, name, ttl):
            return
        if asked and asked[-1].status in REFUSALS:
            self.refused[name] = Refused(asked[-1].status, now)
        if isinstance(outcome, Exception):
            self._is_due(outcome, asked)
            is_outage = isinstance(outcome, (ServerError, ConnectionError, TokenRefreshError))
            assert not (is_outage and before and now - before.fetched_at < 0.97 * min(ttl, before.life) + STALE)
            return
        numbers = [each.number for each in asked if each.status == 200]
        if outcome in [f"{name} {number}" for number in numbers]:
            return
        assert before is not None, f"{outcome} from nowhere"
        assert outcome == f"{name} {before.number}"
        age = now - before.fetched_at
        assert age < ttl + STALE
        if age >= ttl:
            assert was_down or any(each.status in OUTAGES for each in asked) or self._is_troubled()

    def _is_remembered(self, error: Exception, name: str, ttl: float) -> bool:
        refused = self.refused.get(name)
        if refused is None or self.clock.time >= refused.at + min(REMEMBERED_SECONDS, ttl):
            return False
        return isinstance(error, ERRORS[refused.status])

    def _outcome(self, name: str, **options: Any) -> Any:
        try:
            outcome: Any = self.client.get_prompt_version(name, **options).content
        except Exception as error:
            outcome = error
        self._settle()
        return outcome

    def _settle(self) -> None:
        wait_until_idle(self.client)

    def _is_troubled(self) -> bool:
        """Whether the client knows of an outage, of all or of one prompt."""
        return is_troubled(self.client)

    def _learn(self, asked: list[Asked], life: float) -> None:
        for each in asked:
            if each.status == 200:
                self.known[each.name] = Known(each.number, self.clock.time, life)
            elif each.status == 404:
                self.known.pop(each.name, None)

    def _is_due(self, error: Exception, asked: list[Asked]) -> None:
        """An error is what the platform has said to this very read."""
        mode = self.platform.mode
        assert mode != 200, f"{error!r} of a platform that is up"
        assert isinstance(error, ERRORS.get(mode, (ConnectionError, TokenRefreshError))), repr(error)
        assert asked or isinstance(error, TokenRefreshError)


class SharedCacheMachine(CacheMachine):
    stores = True


_SETTINGS = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],  # to explain a failure takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)
TestCacheMachine = CacheMachine.TestCase
TestSharedCacheMachine = SharedCacheMachine.TestCase
TestCacheMachine.settings = TestSharedCacheMachine.settings = _SETTINGS
