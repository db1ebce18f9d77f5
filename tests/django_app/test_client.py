"""The one client of the process: made when it is needed, dropped when the settings change, and what it announces."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Callable

import pytest
from django.test import override_settings
from django_app import process
from django_app.process import reset_client
from faults import inside
from faults.child import in_a_child
from faults.clock import eventually
from faults.crowd import Crowd, crowd
from faults.greeting import GREETING
from faults.reading import reads

import scope_django
from scope_client import ConfigurationError, MissingApiKeyError, ScopeClient, ServerError, Telemetry
from scope_client.local import LocalPlatform
from scope_django import get_client
from scope_django.signals import prompt_fallback, prompt_stale

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def site(scope_settings: Callable[..., dict]) -> Callable[..., dict]:
    return scope_settings


def content(name: str = "greeting", **options: Any) -> str:
    return get_client().get_prompt_version(name, **options).content


def test_of_32_threads_that_ask_at_once_all_get_the_same_client(platform: LocalPlatform) -> None:
    for _ in range(10):
        reset_client()
        assert len(set(map(id, crowd(32, get_client)))) == 1
    assert not platform.requests


def test_making_it_sends_nothing_and_starts_no_thread(platform: LocalPlatform) -> None:
    before = set(threading.enumerate())
    assert isinstance(get_client(), ScopeClient)
    assert set(threading.enumerate()) <= before
    assert not platform.requests


def test_it_is_what_the_package_exports() -> None:
    assert scope_django.get_client is get_client
    assert scope_django.get_client() is get_client()


def test_setting_up_django_makes_no_client_and_does_not_even_import_requests(platform: LocalPlatform) -> None:
    script = (
        "import sys, threading, django; django.setup(); "
        "from django.core.checks import run_checks; run_checks(include_deployment_checks=True); "
        "import scope_django; from django_app import process; "
        "print(process.client_of_the_process(), 'requests' in sys.modules, threading.active_count())"
    )
    environment = {**os.environ, **platform.environ, "DJANGO_SETTINGS_MODULE": "django_app.settings"}
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert (ended.stdout, ended.stderr) == ("None False 1\n", "")
    assert not platform.requests


@pytest.mark.parametrize("setting", ["SCOPE", "CACHES"])
def test_it_is_closed_and_dropped_when_the_settings_change(setting: str, settings: Any, site: Any) -> None:
    former = get_client()
    former.get_prompt_version("greeting")
    session = inside.session(former)
    closed: list[bool] = []
    former_close, session.close = session.close, lambda: (closed.append(True), former_close())
    if setting == "SCOPE":
        site(CACHE_TTL=7)
    else:
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert closed
    assert get_client() is not former
    assert content() == GREETING


def test_what_has_nothing_to_do_with_prompts_leaves_it(settings: Any) -> None:
    former = get_client()
    settings.TIME_ZONE = "Europe/Berlin"
    settings.DEBUG = True
    assert get_client() is former


def test_override_settings_works_and_ends(settings: Any) -> None:
    assert get_client().config.cache_ttl == 300
    with override_settings(SCOPE={**settings.SCOPE, "CACHE_TTL": 7}):
        assert get_client().config.cache_ttl == 7
    assert get_client().config.cache_ttl == 300
    with override_settings(SCOPE={**settings.SCOPE, "CACHE_TTL": -7}), pytest.raises(ConfigurationError):
        get_client()
    assert get_client().config.cache_ttl == 300


def test_settings_that_cannot_be_used_are_an_error_each_time_and_no_trace_stays(settings: Any, site: Any) -> None:
    good = settings.SCOPE
    for bad, kind in (({}, MissingApiKeyError), ({**good, "CACHE_TTLL": 1}, ConfigurationError)):
        settings.SCOPE = bad
        outcomes = crowd(8, get_client)
        assert {type(outcome) for outcome in outcomes} == {kind}
    settings.SCOPE = good
    assert content() == GREETING


def test_a_dropped_client_that_somebody_has_kept_goes_on_working(platform: LocalPlatform, site: Any) -> None:
    former = get_client()
    site(CACHE_TTL=7)
    assert former.get_prompt_version("greeting").content == GREETING


def test_settings_that_change_while_threads_read_harm_no_reader(site: Any) -> None:
    ended = threading.Event()

    def work() -> int:
        count = 0
        while not ended.is_set():
            assert content() == GREETING
            count += 1
        return count

    readers = Crowd(4, work)
    for number in range(1, 15):
        site(CACHE_TTL=number)
    ended.set()
    assert all(isinstance(outcome, int) for outcome in readers.outcomes())


class TestFork:
    def test_a_child_reads_what_its_parent_cached_without_a_request(self, platform: LocalPlatform) -> None:
        content()
        before = len(platform.requests)
        assert in_a_child(lambda: [content(), content()]) == [GREETING] * 2
        assert len(platform.requests) == before

    def test_a_child_fetches_by_itself_and_so_does_its_parent_afterwards(self, platform: LocalPlatform) -> None:
        for name in "ab":
            platform.publish(name, name)
        content()
        assert in_a_child(lambda: content("a")) == "a"
        assert content("b") == "b"
        assert in_a_child(lambda: in_a_child(lambda: content("a"))) == "a"

    def test_a_child_of_a_parent_that_made_no_client_makes_one(self) -> None:
        assert process.client_of_the_process() is None
        assert in_a_child(content) == GREETING
        assert process.client_of_the_process() is None

    def test_a_child_that_is_forked_while_a_client_is_being_made_makes_its_own(self) -> None:
        held, ended = threading.Event(), threading.Event()

        def hold() -> None:
            with process.lock():
                held.set()
                ended.wait(PATIENCE)

        holder = threading.Thread(target=hold, daemon=True)
        holder.start()
        assert held.wait(PATIENCE)
        try:
            assert in_a_child(content) == GREETING
        finally:
            ended.set()
            holder.join(PATIENCE)
        assert content() == GREETING

    def test_a_child_sends_signals_and_resets_for_itself_alone(self, site: Any, platform: LocalPlatform) -> None:
        site(CACHE_TTL=0, MAX_RETRIES=0)
        content()
        platform.fail(503)
        told: list[str] = []
        prompt_stale.connect(receiver := (lambda prompt, **_: told.append(prompt)))

        def reads_there() -> tuple[str, list[str]]:
            found = content()
            reset_client()
            return found, told

        try:
            assert in_a_child(reads_there) == (GREETING, ["greeting"])
            assert not told
            assert content() == GREETING
            assert told == ["greeting"]
        finally:
            prompt_stale.disconnect(receiver)


class Heard:
    """What the signals told, in their order."""

    def __init__(self) -> None:
        self.stale: list[dict] = []
        self.fallback: list[dict] = []

    def on_stale(self, **told: Any) -> None:
        self.stale.append(told)

    def on_fallback(self, **told: Any) -> None:
        self.fallback.append(told)


@pytest.fixture
def heard() -> Iterator[Heard]:
    ears = Heard()
    prompt_stale.connect(ears.on_stale)
    prompt_fallback.connect(ears.on_fallback)
    yield ears
    prompt_stale.disconnect(ears.on_stale)
    prompt_fallback.disconnect(ears.on_fallback)


@pytest.fixture
def outage(site: Any, platform: LocalPlatform) -> LocalPlatform:
    """The platform fails; "greeting" was read before, and is past its end."""
    site(CACHE_TTL=0, MAX_RETRIES=0)
    content()
    platform.fail(503)
    return platform


class TestSignals:
    def test_a_last_known_good_version_is_told_of_with_its_age(self, outage: LocalPlatform, heard: Heard) -> None:
        assert content() == GREETING
        (told,) = heard.stale
        assert told["prompt"] == "greeting"
        assert told["sender"] is ScopeClient
        assert 0 <= told["age"] < 60
        assert told["signal"] is prompt_stale
        assert not heard.fallback

    def test_a_fallback_is_told_of_without_an_age(self, outage: LocalPlatform, heard: Heard) -> None:
        assert content("unknown", fallback="Hi") == "Hi"
        (told,) = heard.fallback
        assert (told["prompt"], told["age"], told["sender"]) == ("unknown", None, ScopeClient)
        assert not heard.stale

    def test_nothing_is_told_while_all_is_well(self, heard: Heard) -> None:
        assert [content(), content()] == [GREETING] * 2
        assert not [*heard.stale, *heard.fallback]

    def test_a_receiver_that_raises_breaks_neither_the_read_nor_the_others(
        self, outage: LocalPlatform, heard: Heard, caplog: pytest.LogCaptureFixture
    ) -> None:
        def breaks(**_: Any) -> None:
            raise RuntimeError("a receiver's own")

        caplog.set_level(logging.CRITICAL, "django.dispatch")
        for signal in (prompt_stale, prompt_fallback):
            signal.disconnect(heard.on_stale)
            signal.disconnect(heard.on_fallback)
            signal.connect(breaks)
        prompt_stale.connect(heard.on_stale)
        prompt_fallback.connect(heard.on_fallback)
        try:
            assert [content(), content(), content("unknown", fallback="Hi")] == [GREETING, GREETING, "Hi"]
        finally:
            for signal in (prompt_stale, prompt_fallback):
                signal.disconnect(breaks)
        assert (len(heard.stale), len(heard.fallback)) == (2, 1)

    def test_a_receiver_may_read_a_prompt_itself(self, outage: LocalPlatform) -> None:
        found: list[str] = []

        def reads_again(prompt: str, **_: Any) -> None:
            if prompt == "unknown":
                found.append(content())

        prompt_fallback.connect(reads_again)
        try:
            assert content("unknown", fallback="Hi") == "Hi"
        finally:
            prompt_fallback.disconnect(reads_again)
        assert found == [GREETING]

    def test_each_is_sent_once_however_often_the_client_was_made_anew(
        self, site: Any, platform: LocalPlatform, heard: Heard
    ) -> None:
        for number in range(5):
            site(CACHE_TTL=0, MAX_RETRIES=0, CACHE_MAX_SIZE=number + 1)
            content()
        platform.fail(503)
        content()
        assert len(heard.stale) == 1

    def test_none_is_sent_after_a_reset(self, outage: LocalPlatform, heard: Heard) -> None:
        former = get_client()
        reset_client()
        assert former.get_prompt_version("greeting").content == GREETING
        assert former.get_prompt_version("unknown", fallback="Hi").content == "Hi"
        assert not [*heard.stale, *heard.fallback]

    def test_no_reset_takes_the_callbacks_of_others_away(self, outage: LocalPlatform) -> None:
        told: list[str] = []
        unregister = Telemetry.on_cache(lambda info: told.append(info.outcome))
        try:
            reset_client()
            with pytest.raises(ServerError):
                content("unknown")
            content("unknown", fallback="Hi")
        finally:
            unregister()
        assert told == ["fallback"]

    def test_the_thread_that_reads_is_the_one_that_sends(self, outage: LocalPlatform) -> None:
        threads: list[str] = []
        prompt_stale.connect(receiver := (lambda **_: threads.append(threading.current_thread().name)))
        try:
            reader = threading.Thread(target=content, name="reader")
            reader.start()
            reader.join(PATIENCE)
        finally:
            prompt_stale.disconnect(receiver)
        assert threads == ["reader"]


def test_resetting_twice_or_before_any_read_is_no_error() -> None:
    reset_client()
    reset_client()
    assert content() == GREETING
    assert crowd(8, reset_client) == [None] * 8
    assert content() == GREETING


def test_a_warm_cache_saves_a_new_client_of_the_process_its_request(platform: LocalPlatform) -> None:
    content()
    reset_client()
    assert content() == GREETING
    assert reads(platform) == 1


def test_a_renewal_in_the_background_goes_through_the_cache_of_the_site(site: Any, platform: LocalPlatform) -> None:
    site(CACHE_TTL=2, CACHE_LOCAL_TTL=0)
    content()
    platform.publish("greeting", "new")
    eventually(lambda: content() == "new")
    reset_client()
    assert content() == "new"
