"""A token names what is pinned, for another process: small, signed, and without a text."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import quote

import pytest
from faults.reading import warnings

from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    ConfigurationError,
    ConnectionError,
    ScopeClient,
    ScopeError,
    ValidationError,
)
from scope_client._pins.token import MAX_TOKEN_CHARACTERS
from scope_client.local import LocalPlatform
from scope_client.testing import PromptsClient

if TYPE_CHECKING:
    from pathlib import Path

New = Callable[..., ScopeClient]
Promote = Callable[[str], str]
CHAT_ID = "prompt_01J9ZK3QWERTYASDFGHJKZXCVB"


def text(client: ScopeClient, **options: Any) -> str:
    return client.get_prompt_version("chat", **options).content.split()[0]


def payload(token: str) -> Any:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def test_a_conversation_goes_on_in_another_client_after_a_promotion(new_client: New, promote: Promote) -> None:
    token = new_client().pin("chat").token
    promote("v2")
    later = new_client()
    with later.pin(token=token) as pins:
        assert text(later) == "v1"
        assert text(later, cache=False) == "v1"
        assert later.render_prompt("chat", {"name": "x"}) == "v1 x"
    assert text(later) == "v2"
    assert pins.token == token


def test_the_asynchronous_client_goes_on_with_it_too(new_client: New, promote: Promote) -> None:
    client = new_client()
    token = client.pin("chat").token
    promote("v2")

    async def main() -> tuple[str, str]:
        with await client.apin(token=token):
            inside = await client.arender_prompt("chat", {"name": "x"})
        return inside, await client.arender_prompt("chat", {})

    assert asyncio.run(main()) == ("v1 x", "v2")


def test_what_was_pinned_by_name_is_pinned_by_id_too(new_client: New, promote: Promote) -> None:
    client = new_client()
    pins = client.pin("chat")
    prompt_id = client.get_prompt_version("chat").prompt_id
    promote("v2")
    later = new_client()
    with later.pin(token=pins.token):
        assert later.get_prompt_version(str(prompt_id)).content == "v1 {{name}}"
        assert text(later) == "v1"


def test_a_pin_that_grows_has_a_token_that_grows(client: ScopeClient, platform: LocalPlatform) -> None:
    platform.publish("other", "o1")
    with client.pin() as pins:
        empty = pins.token
        assert client.pin(token=empty).versions == {}
        client.get_prompt_version("other")
        assert list(client.pin(token=pins.token).versions) == ["other"]
        client.get_prompt_version("chat", label="latest")
        assert dict(client.pin(token=pins.token).versions) == dict(pins.versions)


def test_a_token_is_small_and_fit_for_cookies_headers_and_urls(client: ScopeClient) -> None:
    token = client.pin("chat").token
    assert re.fullmatch(r"[A-Za-z0-9._-]+", token)
    assert quote(token, safe="") == token
    # "chat", 26 characters of the prompt's ID, 28 of the version's, and 12 that part them, as base64.
    assert len(token) == 2 + (4 + 26 + 28 + 12) * 4 // 3 + 1 + 1 + 22 == 119


def test_a_token_has_neither_a_text_nor_a_value_nor_a_secret(client: ScopeClient, platform: LocalPlatform) -> None:
    version = client.get_prompt_version("chat")
    assert payload(client.pin("chat").token) == [[version.id, "chat", str(version.prompt_id)[len("prompt_") :]]]


def test_a_read_before_and_after_it_has_gone_around_costs_one_request_by_the_versions_id(
    new_client: New, promote: Promote, platform: LocalPlatform
) -> None:
    pins = new_client().pin("chat")
    promote("v2")
    later = new_client(cache_ttl=300)
    before = len(platform.requests)
    for _ in range(3):
        with later.pin(token=pins.token):
            text(later)
    paths = [each.path for each in platform.requests[before:] if "/prompts/" in each.path]
    assert paths == [f"/api/v1/prompts/chat/versions/{pins.versions['chat']}"]


BROKEN: dict[str, Callable[[str], Any]] = {
    "empty": lambda token: "",
    "bytes": lambda token: token.encode(),
    "a number": lambda token: 5,
    "cut": lambda token: token[:-1],
    "longer": lambda token: token + "A",
    "without a signature": lambda token: token.rpartition(".")[0],
    "with an empty signature": lambda token: token.rpartition(".")[0] + ".",
    "of another format": lambda token: "2" + token[1:],
    "of no format": lambda token: token.partition(".")[2],
    "with another text": lambda token: token.replace(token.split(".")[1], token.split(".")[1][:-4] + "AAAA"),
    "in another script": lambda token: "ж" + token,
    "with a line's end": lambda token: token + "\n",
    "too long": lambda token: token + "A" * MAX_TOKEN_CHARACTERS,
    "of all dots": lambda token: "1..",
    "half of a pair": lambda token: token + "\ud800",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_token_that_was_changed_is_refused_in_one_sentence_that_shows_nothing_of_it(
    name: str, client: ScopeClient
) -> None:
    token = client.pin("chat").token
    with pytest.raises(ValidationError, match=r"^token ") as caught:
        client.pin(token=BROKEN[name](token))
    said = "".join(traceback.format_exception(type(caught.value), caught.value, caught.tb))
    assert token.split(".")[1] not in said
    assert token.split(".")[2] not in said
    assert "\n" not in str(caught.value)


def test_each_character_of_a_token_counts(client: ScopeClient) -> None:
    token = client.pin("chat").token
    for place, letter in enumerate(token):
        other = "B" if letter != "B" else "C"
        # The last character of unpadded base64 has bits that say nothing.
        if place != len(token) - 1:
            with pytest.raises(ValidationError):
                client.pin(token=token[:place] + other + token[place + 1 :])


def test_another_organisation_or_key_does_not_take_it(platform: LocalPlatform, client: ScopeClient) -> None:
    keys = platform.credentials
    token = client.pin("chat").token
    for other in (
        ApiKeyCredentials("other-org", keys.api_key, str(keys.api_secret)),
        ApiKeyCredentials(keys.org_id, keys.api_key, "another secret"),
    ):
        with pytest.raises(ValidationError, match="another secret or for another organisation"):
            ScopeClient(credentials=other).pin(token=token)
    ScopeClient(credentials=ApiKeyCredentials(keys.org_id, "another key", str(keys.api_secret))).pin(token=token)


def test_a_secret_of_the_callers_outlives_new_credentials_and_rotates(client: ScopeClient) -> None:
    other = ScopeClient(credentials=ClientCredentials(client.config.credentials.org_id, "id", "rotated since"))
    token = client.pin("chat", secret="first").token
    assert list(other.pin(token=token, secret="first").versions) == ["chat"]
    rotated = other.pin(token=token, secret=["second", "first"])
    assert list(other.pin(token=rotated.token, secret="second").versions) == ["chat"]
    for secret in ("second", ["second", "third"], None):
        with pytest.raises(ValidationError, match="another secret"):
            other.pin(token=token, secret=secret)


@pytest.mark.parametrize("secret", ["", [], [""], b"bytes", [b"bytes"], 5, {"a": 1}, ["fine", None]])
def test_what_is_no_secret_is_refused_and_not_shown(secret: Any, client: ScopeClient) -> None:
    with pytest.raises(
        ValidationError, match=r"secret must be text that is not empty, or a list of such texts"
    ) as caught:
        client.pin(secret=secret)
    assert "bytes'" not in str(caught.value)


def test_no_frame_of_an_error_has_the_secret(client: ScopeClient) -> None:
    secret = "s3cr3t-of-the-site"
    token = client.pin("chat", secret=secret).token

    async def asynchronously() -> None:
        await client.apin(token=token + "A", secret=secret)

    for call in (lambda: client.pin(token=token + "A", secret=secret), lambda: asyncio.run(asynchronously())):
        with pytest.raises(ValidationError) as caught:
            call()
        frames = [each.frame for each in caught.traceback if "scope_client" in str(each.path)]
        assert not [name for frame in frames for name, value in frame.f_locals.items() if secret in repr(value)]


class Keyless:
    org_id = "org"
    token_path = "/token"

    def token_body(self) -> dict[str, str]:
        return {"assertion": "signed anew each time"}


def test_credentials_without_a_secret_of_their_own_need_one_for_tokens_alone() -> None:
    client = ScopeClient(credentials=Keyless())
    with client.pin() as pins, pytest.raises(ConfigurationError, match=r"Keyless has no api_secret .* secret=\.\.\."):
        _ = pins.token
    with pytest.raises(ConfigurationError, match="Keyless"):
        client.pin(token="1.W10.AAAA")
    assert client.pin(token=client.pin(secret="x" * 32).token, secret="x" * 32).versions == {}


def test_more_than_a_token_holds_is_an_error_that_says_what_to_do() -> None:
    client = PromptsClient({f"prompt number {number}": "text" for number in range(200)})
    pins = client.pin(*client.prompts)
    with pytest.raises(
        ValidationError, match=r"at most 8,000 characters, and the 200 pinned versions need [\d,]+: pin"
    ):
        _ = pins.token


def of_another_platform() -> tuple[str, str]:
    """The ID of a version that the platform does not have, and a token that names it."""
    with LocalPlatform({"chat": "v1"}) as other, other.client() as theirs:
        gone = other.publish("chat", "v2").id
        return gone, theirs.pin("chat").token


def test_a_version_that_is_gone_gives_way_to_the_present_one_and_is_told_once(
    new_client: New, caplog: pytest.LogCaptureFixture
) -> None:
    gone, token = of_another_platform()
    client = new_client()
    for _ in range(2):
        with client.pin(token=token) as pins:
            assert text(client) == "v1"
            assert text(client) == "v1"
            assert pins.versions == {"chat": client.get_prompt_version("chat").id}
    (told,) = warnings(caplog)
    assert told == (
        f"the prompt 'chat': version {gone} is pinned, and the platform no longer has it; "
        "the present version is pinned in its place"
    )


def test_the_same_is_so_of_asynchronous_reads(new_client: New) -> None:
    _, token = of_another_platform()
    client = new_client()

    async def main() -> str:
        with client.pin(token=token):
            return (await client.aget_prompt_version("chat")).content

    assert asyncio.run(main()) == "v1 {{name}}"


def test_a_version_that_cannot_be_had_is_an_error_unless_something_stands_in(
    new_client: New, platform: LocalPlatform, promote: Promote, tmp_path: Path
) -> None:
    promote("v2")  # whose ID is not that of the folder's version
    token = new_client().pin("chat").token
    promote("v3")
    (tmp_path / "chat.md").write_text("from the folder")
    bare, with_folder = new_client(), new_client(prompt_dir=tmp_path)
    text(bare)
    platform.stop()
    with bare.pin(token=token):
        with pytest.raises(ConnectionError):
            text(bare)
        assert text(bare, fallback="fallback") == "fallback"
    with with_folder.pin(token=token) as pins:
        assert text(with_folder) == "from"
        assert pins.token == token
    platform.start()
    with bare.pin(token=token):
        assert text(bare) == "v2"


def test_get_cached_version_gives_what_is_in_memory_of_a_pinned_version(new_client: New, promote: Promote) -> None:
    client = new_client(cache_ttl=300)
    pins = client.pin("chat")
    later = new_client(cache_ttl=300)
    promote("v2")
    text(later)
    with later.pin(token=pins.token):
        assert later.get_cached_version("chat") is None
        later.get_prompt_version("chat", version=pins.versions["chat"])
        cached = later.get_cached_version("chat")
        assert cached is not None
        assert cached.content == "v1 {{name}}"
    assert later.get_cached_version("chat", label="latest") is None


PROCESS = """
import sys
from scope_client import ApiKeyCredentials, ScopeClient
url, secret, token = sys.argv[1:]
client = ScopeClient(credentials=ApiKeyCredentials("local-org", "key", secret), base_url=url, auth_api_url=url)
with client.pin("chat", token=token or None) as pins:
    print(client.render_prompt("chat", {"name": "Ada"}), pins.token)
"""


def test_a_conversation_keeps_its_version_through_a_deployment_with_a_promotion_in_the_middle() -> None:
    keys = ApiKeyCredentials("local-org", "key", "secret")
    with LocalPlatform({"chat": "v1 {{name}}"}, credentials=keys) as platform:

        def process(token: str) -> list[str]:
            arguments = [sys.executable, "-c", PROCESS, platform.url, "secret", token]
            return subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60).stdout.split()

        first, name, token = process("")
        platform.publish("chat", "v2 {{name}}")
        assert (first, name) == ("v1", "Ada")
        assert process(token) == ["v1", "Ada", token]
        assert process("")[0] == "v2"


def test_an_unreadable_name_in_a_signed_token_is_refused(client: ScopeClient) -> None:
    from scope_client._pins.token import TokenEntry, TokenKeys, entries_of, token_of

    keys = TokenKeys(client.config.credentials, "secret")
    for entry in (TokenEntry("..", None, "production", "v_1", False), TokenEntry("a", None, "production", "5", False)):
        with pytest.raises(ScopeError, match="another version of the library"):
            entries_of(token_of([entry], keys), keys)
    whole = TokenEntry("a", "an id of another form", "latest", "v_1", True)
    assert entries_of(token_of([whole], keys), keys) == [whole]
