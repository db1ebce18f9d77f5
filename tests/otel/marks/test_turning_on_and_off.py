"""The instrumentation is turned on and off, in any order and by whichever way, and says what changed nothing."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from faults.child import in_a_child
from faults.model_spans import ModelSpans, instrumented
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import NoOpTracerProvider

from scope_client import ConfigurationError, PromptVersion, ScopeClient, otel
from scope_client import _watching as watching
from scope_client._client import PLAIN_READ
from scope_client._otel.counted_reads import hits
from scope_client.frameworks import renderings
from scope_client.otel import ScopeInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]
METHODS = [(PromptVersion, "_render"), (PromptVersion, "messages"), (ScopeClient, "get_prompt_version")]
ONS: dict[str, Callable[[ModelSpans], None]] = {
    "function": lambda spans: otel.instrument(spans.provider),
    "instrumentor": lambda spans: ScopeInstrumentor().instrument(tracer_provider=spans.provider),
}
OFFS: dict[str, Callable[[], None]] = {
    "function": otel.uninstrument,
    "instrumentor": lambda: ScopeInstrumentor().uninstrument(),
}


def methods() -> list[Any]:
    return [getattr(kind, name) for kind, name in METHODS]


def warnings_of(log: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in log.records if record.levelno >= logging.WARNING]
    log.clear()
    return found


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def method() -> Iterator[None]:
    """The client's own is put back: pytest's monkeypatch would put back what it found, which may be ours."""
    yield
    kind: Any = ScopeClient
    kind.get_prompt_version = PLAIN_READ


def wrapped(calls: list[str]) -> Any:
    """What another tool puts in the place of the method that is there."""
    theirs = ScopeClient.get_prompt_version

    def get_prompt_version(self: ScopeClient, name: str, **options: Any) -> PromptVersion:
        calls.append(name)
        return theirs(self, name, **options)

    kind: Any = ScopeClient
    kind.get_prompt_version = get_prompt_version
    return get_prompt_version


def counted(client: ScopeClient) -> int:
    """How many of three reads from memory are."""
    before = hits()
    for _ in range(3):
        client.get_prompt_version("greeting")
    return hits() - before


def test_what_another_tool_has_wrapped_before_is_called_and_put_back(client: ScopeClient, method: None) -> None:
    for _ in range(2):  # the first one from memory still leaves the fast path
        client.get_prompt_version("greeting")
    calls: list[str] = []
    theirs = wrapped(calls)
    with instrumented():
        assert counted(client) == len(calls) == 3
    assert ScopeClient.get_prompt_version is theirs


@pytest.mark.parametrize("arguments", [("greeting",), ("greeting", None)])
def test_a_stub_that_is_in_its_place_is_called_as_its_caller_does(
    client: ScopeClient, greeting: PromptVersion, method: None, arguments: tuple[Any, ...]
) -> None:
    kind: Any = ScopeClient
    stub = kind.get_prompt_version = mock.Mock(return_value=greeting)
    with instrumented():
        assert client.get_prompt_version(*arguments) is greeting
    stub.assert_called_once_with(*arguments)
    assert kind.get_prompt_version is stub
    kind.get_prompt_version = lambda self, name: (self, name)
    with instrumented():
        assert client.get_prompt_version("greeting") == (client, "greeting")


def test_what_another_tool_wraps_meanwhile_stays_and_is_counted_once_when_it_is_turned_on_again(
    client: ScopeClient, method: None
) -> None:
    for _ in range(2):  # the first one from memory still leaves the fast path
        client.get_prompt_version("greeting")
    calls: list[str] = []
    otel.instrument()
    theirs = wrapped(calls)
    assert counted(client) == 3
    otel.uninstrument()
    assert ScopeClient.get_prompt_version is theirs
    assert (counted(client), len(calls)) == (0, 6)
    with instrumented():
        assert (counted(client), len(calls)) == (3, 9)


@pytest.mark.parametrize("off", OFFS)
@pytest.mark.parametrize("second", ONS)
@pytest.mark.parametrize("first", ONS)
def test_a_second_time_is_one_warning_and_changes_nothing(
    first: str, second: str, off: str, greeting: PromptVersion, caplog: pytest.LogCaptureFixture
) -> None:
    spans, others = ModelSpans(), ModelSpans()
    ONS[first](spans)
    assert warnings_of(caplog) == []
    before = methods()
    ONS[second](others)
    assert len(warnings_of(caplog)) == 1
    assert methods() == before
    greeting.render(name="Ada")
    spans.call()
    others.call()
    assert (spans.prompts, others.prompts) == ([("chat", "greeting")], [("chat", None)])
    OFFS[off]()
    assert warnings_of(caplog) == []
    OFFS[off]()
    assert len(warnings_of(caplog)) == 1


def test_off_everything_is_as_it_was_before(greeting: PromptVersion) -> None:
    before = methods()
    spans = ModelSpans()
    with instrumented(tracer_provider=spans.provider):
        assert not set(methods()) & set(before)
    assert methods() == before
    greeting.render(name="Ada")
    spans.call()
    assert spans.prompts == [("chat", None)]


def test_a_span_that_began_before_the_end_of_it_is_left_alone(greeting: PromptVersion) -> None:
    spans = ModelSpans()
    with instrumented(tracer_provider=spans.provider):
        greeting.render(name="Ada")
        span = spans.tracer.start_span("chat")
        span.set_attribute("gen_ai.system", "openai")
    span.end()
    assert spans.prompts == [("chat", None)]


def test_on_again_there_is_one_processor_and_what_was_rendered_before_is_forgotten(greeting: PromptVersion) -> None:
    spans = ModelSpans()
    for _ in range(3):
        with instrumented(tracer_provider=spans.provider):
            spans.call("before")
            greeting.render(name="Ada")
            spans.call("after")
    assert spans.prompts == [("before", None), ("after", "greeting")] * 3
    assert len(spans.provider._active_span_processor._span_processors) == 2  # with the exporter's


def test_another_provider_takes_the_place_of_the_first(greeting: PromptVersion) -> None:
    first, second = ModelSpans(), ModelSpans()
    for spans in (first, second, first):
        with instrumented(tracer_provider=spans.provider):
            greeting.render(name="Ada")
            first.call()
            second.call()
    assert first.prompts == [("chat", "greeting"), ("chat", None), ("chat", "greeting")]
    assert second.prompts == [("chat", None), ("chat", "greeting"), ("chat", None)]


@pytest.mark.parametrize("order", ["tests first", "traces first"])
@pytest.mark.parametrize("ends", ["tests first", "traces first"])
def test_tests_may_listen_at_the_same_time_in_any_order(order: str, ends: str, greeting: PromptVersion) -> None:
    before, heard, spans = methods(), [], ModelSpans()  # type: ignore[var-annotated]  # of Rendering
    if order == "tests first":
        stop = renderings.listen(heard.append)
        otel.instrument(spans.provider)
    else:
        otel.instrument(spans.provider)
        stop = renderings.listen(heard.append)
    greeting.render(name="Ada")
    spans.call()
    greeting.messages(name="Ada")
    assert [each.rendered for each in heard] == ["Hello, Ada!", [{"role": "user", "content": "Hello, Ada!"}]]
    assert spans.prompts == [("chat", "greeting")]
    if ends == "tests first":
        stop()
        greeting.render(name="Bob")
        spans.call("chat")
        assert (len(heard), spans.prompts[-1]) == (2, ("chat", "greeting"))
        otel.uninstrument()
    else:
        otel.uninstrument()
        greeting.render(name="Bob")
        assert len(heard) == 3
        stop()
    assert methods() == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tracer_provider": "console"}, "tracer_provider must be a TracerProvider of OpenTelemetry, got str"),
        ({"tracer_provider": ModelSpans}, "tracer_provider must be .*, got the class 'ModelSpans'"),
        ({"meter_provider": 5}, "meter_provider must be a MeterProvider of OpenTelemetry, got int"),
    ],
)
def test_what_is_no_provider_is_refused_and_nothing_is_on(wrong: Any, message: str) -> None:
    before = methods()
    for turn_on in (otel.instrument, ScopeInstrumentor().instrument):
        with pytest.raises(ConfigurationError, match=message):
            turn_on(**wrong)
    assert methods() == before
    with pytest.raises(TypeError):
        otel.instrument(tracer_provder=None)  # type: ignore[call-arg]  # which is the point


class Broken:
    """A provider of either kind that is at its end."""

    def get_tracer(self, *given: Any, **options: Any) -> Any:
        raise RuntimeError("shut down")

    get_meter = add_span_processor = get_tracer


@pytest.mark.parametrize("option", ["tracer_provider", "meter_provider"])
def test_if_a_provider_raises_nothing_is_left_on_and_another_one_may_be_given(
    option: str, greeting: PromptVersion
) -> None:
    before = methods()
    with pytest.raises(RuntimeError, match="shut down"):
        otel.instrument(**{option: Broken()})
    assert (methods(), ScopeInstrumentor().is_instrumented_by_opentelemetry) == (before, False)
    assert (renderings.marking, watching.watcher) == (None, None)
    spans = ModelSpans()
    with instrumented(tracer_provider=spans.provider):
        greeting.render(name="Ada")
        spans.call()
    assert spans.prompts == [("chat", "greeting")]
    assert methods() == before


def test_a_provider_of_the_user_s_that_cannot_be_a_key_is_marked_too(greeting: PromptVersion) -> None:
    class Own:
        __slots__ = ("_plain",)

        def __init__(self, plain: Any) -> None:
            self._plain = plain

        def __getattr__(self, name: str) -> Any:
            return getattr(self._plain, name)

    spans = ModelSpans()
    for _ in range(2):
        with instrumented(tracer_provider=Own(spans.provider)):
            greeting.render(name="Ada")
            spans.call()
    assert spans.prompts == [("chat", "greeting")] * 2


def test_a_provider_that_takes_no_processor_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    class Foreign:
        def get_tracer(self, *given: Any, **options: Any) -> Any:
            return NoOpTracerProvider().get_tracer("x")

    with instrumented(tracer_provider=Foreign()):
        [warning] = warnings_of(caplog)
    assert warning == "spans of models carry no prompt: the tracer provider, a Foreign, takes no span processors"
    with instrumented(tracer_provider=NoOpTracerProvider()):
        assert warnings_of(caplog) == []


def test_the_instrumentor_is_open_telemetry_s_and_asks_for_no_package() -> None:
    assert isinstance(ScopeInstrumentor(), BaseInstrumentor)
    assert list(ScopeInstrumentor().instrumentation_dependencies()) == []
    assert ScopeInstrumentor()._check_dependency_conflicts() is None


def test_a_forked_child_goes_on_marking(greeting: PromptVersion, spans: ModelSpans) -> None:
    greeting.render(name="Ada")

    def in_the_child() -> Any:
        spans.call("inherited")
        spans.call("again")
        otel.uninstrument()
        otel.instrument(spans.provider)
        greeting.render(name="Ada")
        spans.call("on again")
        return spans.prompts

    assert in_a_child(in_the_child) == [("inherited", "greeting"), ("again", "greeting"), ("on again", "greeting")]


SET_LATER = """
from faults.model_spans import ModelSpans
from opentelemetry import trace
from scope_client import PromptVersion, otel
from scope_client.local import LocalPlatform

otel.instrument()
spans = ModelSpans()
with LocalPlatform({"greeting": "Hello, {{name}}!"}) as platform, platform.client() as client:
    version = client.get_prompt_version("greeting")
    WHEN
    version.render(name="Ada")
    spans.call()
assert spans.prompts[-1:] == [("chat", "greeting")], spans.prompts
assert len(spans.provider._active_span_processor._span_processors) == 2
"""


@pytest.mark.parametrize(
    "when",
    [
        "trace.set_tracer_provider(spans.provider)",
        "version.render(name='Bob'); trace.set_tracer_provider(spans.provider)",
        "trace.set_tracer_provider(spans.provider); client.clear_cache(); client.get_prompt_version('greeting')",
    ],
)
def test_a_provider_that_is_set_later_is_found_by_the_next_rendering_or_read(when: str) -> None:
    run = python(SET_LATER.replace("WHEN", when), PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
    assert (run.returncode, run.stderr) == (0, "")


WITHOUT = """
import sys
for name in BLOCKED:
    sys.modules[name] = None
"""


def test_without_the_api_the_import_names_the_package_and_the_extra() -> None:
    run = python(WITHOUT.replace("BLOCKED", "['opentelemetry']") + "import scope_client.otel")
    assert run.stderr.strip().endswith(
        "ModuleNotFoundError: scope_client.otel needs opentelemetry-api, which is not installed: "
        'pip install "scope-prompts[otel]"'
    )


def test_the_api_alone_is_enough_for_everything_else() -> None:
    code = (
        WITHOUT.replace("BLOCKED", "['opentelemetry.sdk', 'opentelemetry.instrumentation', 'opentelemetry.semconv']")
        + """
import logging
logging.basicConfig(format="%(name)s %(message)s")
from scope_client import PromptVersion, otel
from opentelemetry import trace
version = PromptVersion.from_api({"content": "Hi", "name": "greeting"})
assert otel.ScopeInstrumentor.__mro__[1].__name__ == "InstrumentorAlone"
otel.instrument(); otel.instrument()
assert otel.ScopeInstrumentor().is_instrumented_by_opentelemetry
with version.in_use(), trace.get_tracer("x").start_as_current_span("chat"):
    version.render()
otel.ScopeInstrumentor().uninstrument(); otel.uninstrument()
print(otel.prompt_attributes(version))
"""
    )
    run = python(code)
    assert run.stdout.strip() == "{'gen_ai.prompt.name': 'greeting'}"
    assert run.stderr.splitlines() == [
        "scope_client.otel Scope is instrumented already: the second call of instrument() changed nothing",
        "scope_client.otel Scope is not instrumented: uninstrument() changed nothing",
    ]


def test_nothing_of_open_telemetry_is_imported_by_the_core() -> None:
    code = "import sys, scope_client; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    run = python(code + "; print([name for name in sys.modules if name in ('contextvars', 'scope_client._otel')])")
    assert run.stdout.splitlines() == ["[]", "[]"]
