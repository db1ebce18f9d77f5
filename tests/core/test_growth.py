"""Work and messages are bounded by the size of what comes in: a table of sizes that others control."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults import growth

from scope_client import (
    ApiKeyCredentials,
    Configuration,
    MissingVariableError,
    NotFoundError,
    PromptVersion,
    ScopeError,
    ValidationError,
)
from scope_client._cache.shared_entry import entry_text, found_in, parsed
from scope_client._http.not_found import explained
from scope_client._prompt.ref import PromptRef, path_segment
from scope_client._redaction import Redaction
from scope_client.testing import PromptsClient

if TYPE_CHECKING:
    pass

Call = Callable[[], object]


def names(size: int) -> list[str]:
    return [f"v{number}" for number in range(size)]


def values(size: int) -> dict[str, object]:
    return dict.fromkeys(names(size), "x")


def text(size: int) -> PromptVersion:
    version = PromptVersion.from_api({"name": "p", "content": "".join(f"{{{{{name}}}}} " for name in names(size))})
    assert len(version.variables) == size
    return version


def chat(size: int, *, messages: int = 1) -> PromptVersion:
    """All variables in one message, or spread over so many."""
    written = [f"{{{{{name}}}}} " for name in names(size)]
    share = size // messages
    contents = ["".join(written[start : start + share]) for start in range(0, size, share)]
    return PromptVersion.from_api({"name": "p", "content": [{"role": "user", "content": each} for each in contents]})


def body(size: int, **fields: object) -> dict[str, Any]:
    return {"id": "v", "name": "p", "content": "x" * size, **fields}


def rendered(version: PromptVersion, given: dict[str, object]) -> Call:
    return lambda: version.render(**given)


def without_one(size: int) -> dict[str, object]:
    given = values(size)
    given.popitem()
    return given


RENDERS: dict[str, tuple[Callable[[int], Call], int]] = {
    "a text": (lambda n: rendered(text(n), values(n)), 1_000),
    "a text without one value": (lambda n: rendered(text(n), without_one(n)), 500),
    "a text without any value": (lambda n: rendered(text(n), {}), 500),
    "a text with one value too many": (lambda n: rendered(text(n), values(n + 1)), 500),
    "a text with other values": (lambda n: rendered(text(n), {f"w{i}": "x" for i in range(n)}), 500),
    "a text whose last value is None": (lambda n: rendered(text(n), {**values(n), f"v{n - 1}": None}), 500),
    "a text with one long name": (lambda n: rendered(PromptVersion({"content": "{{%s}}" % ("a" * n)}), {}), 12_500),
    "a text with a long value": (lambda n: rendered(PromptVersion({"content": "{{a}}"}), {"a": "{" * n}), 125_000),
    "a chat": (lambda n: rendered(chat(n), values(n)), 500),
    "a chat of many messages": (lambda n: rendered(chat(n, messages=n), values(n)), 250),
    "a chat without one value": (lambda n: rendered(chat(n), without_one(n)), 500),
    "a chat with one value too many": (lambda n: rendered(chat(n), values(n + 1)), 500),
    "a stand-in": (lambda n: rendered(PromptVersion({"content": text(n).content}, is_fallback=True), values(n)), 1_000),
}


@pytest.mark.parametrize("what", RENDERS)
def test_a_render(what: str) -> None:
    growth.check(*RENDERS[what])


def parsing(content: str) -> Call:
    return lambda: PromptVersion.from_api({"content": content}).variables


def deep(size: int) -> list[object]:
    """Nested as deep as is allowed, over and over."""
    each: object = 0
    for _ in range(150):
        each = [each]
    return [each] * (size // 150)


def _with(**fields: object) -> PromptVersion:
    return PromptVersion.from_api(body(1, **fields))


def _pickled(version: PromptVersion) -> object:
    return pickle.loads(pickle.dumps(version))


def _compared(version: PromptVersion, other: PromptVersion) -> None:
    assert version == other
    assert hash(version) == hash(other)


VERSIONS: dict[str, tuple[Callable[[int], Call], int]] = {
    "variables": (lambda n: parsing(text(n).content), 1_000),
    "the same variable": (lambda n: parsing("{{a}}" * n), 1_000),
    "braces that open": (lambda n: parsing("{" * n), 25_000),
    "variables that do not end": (lambda n: parsing("{{a" * n), 7_500),
    "a long variable that does not end": (lambda n: parsing("{{" + "a" * n), 25_000),
    "metadata": (lambda n: lambda: PromptVersion.from_api(body(1, metadata=values(n))).metadata, 500),
    "metadata, deep": (lambda n: lambda: PromptVersion.from_api(body(1, metadata={"m": deep(n)})).metadata, 2_500),
    "a value of the metadata": (lambda n: partial(_with(metadata=values(n)).get_metadata, "v1"), 500),
    "tags": (lambda n: lambda: PromptVersion.from_api(body(1, tags=names(n))), 2_500),
    "unknown fields": (lambda n: lambda: PromptVersion.from_api(body(1, **values(n))).to_dict(), 500),
    "an unknown type": (lambda n: lambda: PromptVersion.from_api(body(1, type="t" * n)), 25_000),
    "messages": (lambda n: lambda: chat(n, messages=n), 250),
    "a chat that is not JSON": (lambda n: lambda: PromptVersion.from_api(body(n, type="chat")), 25_000),
    "a chat that is too deep": (lambda n: lambda: PromptVersion.from_api({"type": "chat", "content": "[" * n}), 12_500),
    "a pickle": (lambda n: partial(_pickled, text(n)), 1_000),
    "equality and hash": (lambda n: partial(_compared, text(n), text(n)), 500),
}  # fmt: skip


@pytest.mark.parametrize("what", VERSIONS)
def test_a_version(what: str) -> None:
    growth.check(*VERSIONS[what])


def shared_entry(**fields: object) -> Call:
    def call() -> object:
        text = entry_text(PromptVersion(body(1, **fields)), stamp=1.0, life=1.0, generation=0)
        found = found_in(parsed(text), PromptRef("p"), generation=0, now=1.0, extra_values="error")
        assert found is not None
        return found

    return call


STORES: dict[str, tuple[Callable[[int], Call], int]] = {
    "an entry with much metadata": (lambda n: shared_entry(metadata=values(n)), 500),
    "an entry with many tags": (lambda n: shared_entry(tags=names(n)), 1_000),
    "garbage": (lambda n: lambda: parsed("x" * n), 125_000),
    "garbage, deep": (lambda n: lambda: parsed("[" * n), 12_500),
    "garbage, deep and wide": (lambda n: lambda: parsed(("[" * 150 + "]" * 150 + ",") * (n // 300)), 12_500),
}


@pytest.mark.parametrize("what", STORES)
def test_an_entry_of_a_shared_store(what: str) -> None:
    growth.check(*STORES[what])


def refused(error: Exception, redaction: Redaction) -> Call:
    return lambda: redaction.error(copy.copy(error))


def periodic(size: int) -> str:
    """A text that nearly is its own part at each place."""
    return "a" * (size // 2) + "b" + "a" * (size // 2)


REDACTIONS: dict[str, tuple[Callable[[int], Call], int]] = {
    "a long text": (lambda n: lambda: Redaction(["s3cret-key"]).text("an odd text, " * (n // 13)), 5_000),
    "a text of slashes": (lambda n: lambda: Redaction([]).text("/" * n), 1_000),
    "a text full of secrets": (lambda n: lambda: Redaction(["s3cret"]).text("s3cret " * (n // 7)), 5_000),
    "a long secret": (lambda n: lambda: Redaction([periodic(n)]).text("a" * 1_000), 5_000),
    "a long secret in a long text": (lambda n: lambda: Redaction([periodic(n)]).text("a" * 2 * n), 500),
    "many secrets": (lambda n: lambda: Redaction(map("secret-{}".format, range(n))).text("a text"), 25),
    "a body": (lambda n: lambda: Redaction([periodic(n)]).head(b"a" * 10 * n), 1_000),
    "a foreign error": (lambda n: refused(ValueError("x" * n), Redaction(["s3cret-key"])), 12_500),
    "a foreign error and a long secret": (lambda n: refused(ValueError("x" * n), Redaction([periodic(n)])), 1_000),
    "headers": (lambda n: lambda: Redaction([periodic(n)]).headers(values(n // 20)), 500),
}


@pytest.mark.parametrize("what", REDACTIONS)
def test_what_is_cleaned_of_secrets(what: str) -> None:
    growth.check(*REDACTIONS[what])


def asking(**asked: object) -> Call:
    client = PromptsClient({"p": "x"})
    return lambda: client.get_prompt_version(**asked)


def not_found(message: str) -> Call:
    return lambda: explained(NotFoundError(message, http_status=404), PromptRef("p"))


def configured(**options: object) -> Call:
    return lambda: Configuration(**options)


def prefetched(size: int, *, known: int) -> Call:
    client = PromptsClient(dict.fromkeys(names(known), "x"))
    return lambda: client.prefetch(names(size)).raise_first()


ARGUMENTS: dict[str, tuple[Callable[[int], Call], int]] = {
    "a long name": (lambda n: lambda: path_segment("name", "é" * n), 2_500),
    "a name that no UTF-8 can hold": (lambda n: lambda: path_segment("name", "\ud800" * n), 12_500),
    "a name that is not there": (lambda n: asking(name="n" * n), 12_500),
    "a long label": (lambda n: asking(name="p", label="l" * n), 12_500),
    "a long fallback": (lambda n: asking(name="q", fallback="{{a}}" * n), 2_500),
    "a fallback that is not text": (lambda n: asking(name="q", fallback=names(n)), 12_500),
    "a name nobody knows among many": (lambda n: lambda: PromptsClient(values(n)).get_prompt_version("no"), 250),
    "a prefetch": (lambda n: prefetched(n, known=n), 50),
    "a prefetch of nothing that is there": (lambda n: prefetched(n, known=1), 50),
    "a prefetch of what is no name": (lambda n: lambda: PromptsClient({}).prefetch([["x"] * n]), 12_500),
    "a message about a prompt": (lambda n: not_found("prompt " * n), 500),
    "an option that does not exist": (lambda n: configured(**{"o" * n: 1}), 2_500),
    "an option of odd letters": (lambda n: configured(**{"abcdefghij_" * (n // 11): 1}), 250),
    "a URL that repeats its end": (lambda n: configured(base_url="https://h.example" + "/api/v1" * n + "/x"), 250),
    "a URL with the API's path": (lambda n: configured(base_url="https://h.example" + "/api/v1" * n), 250),
    "a URL of a wrong kind": (lambda n: configured(base_url="https://" + "a." * n + "?"), 2_500),
    "an environment": (lambda n: configured(environment="e" + " " * n), 12_500),
    "a version of the API": (lambda n: configured(api_version="v" * n + "/"), 12_500),
    "a secret": (lambda n: lambda: ApiKeyCredentials("o", "k", "s" * n), 5_000),
    "a message made by hand": (lambda n: lambda: _raised(ValidationError("m" * n)), 12_500),
    "an error that names all that is missing": (
        lambda n: lambda: _raised(MissingVariableError("m" * n, missing_variables=names(n))),
        50_000,
    ),
}


def _raised(error: ScopeError) -> None:
    raise error


@pytest.mark.parametrize("what", ARGUMENTS)
def test_an_argument(what: str) -> None:
    growth.check(*ARGUMENTS[what])
