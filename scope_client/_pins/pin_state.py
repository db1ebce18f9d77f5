"""PinState: what the pins of one `ScopeClient.pin` are made of."""

from __future__ import annotations

from collections.abc import Iterable

from .. import _watching as watching
from .._cache.memory import Entry
from .._config.credentials import Credentials
from .._frames import hides_what_it_was_given
from .._prefetch import Wanted
from .._prompt.prompt_read import PromptRead
from .._prompt.ref import LABELS, CacheKey, PromptRef
from ..errors import ScopeError
from .active_pins import Holder, Pinning, Reader
from .pinned_prompts import PinnedPrompt, PinnedPrompts, PinnedVersion
from .token import Secrets, TokenEntry, TokenKeys, entries_of, token_of

_NEVER_DUE = float("inf")
Given = tuple[object, Secrets]


class PinState:
    """The pinned versions of one client, for all who have entered the pins; `entries` are for its fast path."""

    @hides_what_it_was_given
    def __init__(self, reader: Reader, pinning: Pinning[PinState], credentials: Credentials, secret: Secrets) -> None:
        self._reader = reader
        self._pinning = pinning
        self._credentials = credentials
        self._keys = None if secret is None else TokenKeys(credentials, secret)
        self._prompts = PinnedPrompts()
        self.entries: dict[CacheKey, Entry] = {}

    def versions(self) -> dict[Wanted, str]:
        found = {_wanted(prompt): version.version_id for prompt in self._prompts for version in prompt.versions[:1]}
        return {wanted: version_id for wanted, version_id in found.items() if version_id}

    def token(self) -> str:
        return token_of((entry for prompt in self._prompts for entry in _entries(prompt)), self._token_keys())

    def begin(self) -> None:
        self._pinning.begin(self, self._reader)

    def end(self) -> None:
        self._pinning.end(self, self._reader)

    def take(self, token: object) -> None:
        """Pins what a token names; raises ValidationError for what is not one."""
        for entry in entries_of(token, self._token_keys()):
            version = PinnedVersion(entry.version_id, has_variant=entry.has_variant)
            self._prompts.of_token(entry).versions.append(version)

    def _token_keys(self) -> TokenKeys:
        """Made when they are needed: credentials of a class of the caller's may have no secret."""
        if self._keys is None:
            self._keys = TokenKeys(self._credentials, None)
        return self._keys

    def find(self, ref: PromptRef) -> PinnedPrompt | None:
        return self._prompts.find(ref)

    def keep(self, ref: PromptRef, found: PromptRead, now: float) -> PinnedPrompt:
        """Pins what was read, behind what is pinned of the prompt already."""
        prompt = self._prompts.of(ref, found.version)
        if not any(each.read and each.read.version is found.version for each in prompt.versions):
            prompt.versions.append(_pinned(found, now))
        return prompt

    def replace(self, ref: PromptRef, found: PromptRead, now: float) -> None:
        """Pins what was read in place of all that was pinned of the prompt."""
        if not found.version.is_fallback:
            self._prompts.of(ref, found.version).versions = [_pinned(found, now)]
            self.answer_at_once(ref, found, now)

    def answer_at_once(self, ref: PromptRef, found: PromptRead, now: float) -> None:
        """Has the fast path answer with this, unless a watcher is to hear of a variant."""
        if found.variant is not None and watching.watcher is not None:
            return
        entry = Entry(ref.key, found.version, fetched_at=now, life=_NEVER_DUE, stamp=0.0, generation=0)
        entry.due_at = _NEVER_DUE
        self.entries[ref.key] = entry


def _pinned(found: PromptRead, now: float) -> PinnedVersion:
    has_variant = found.variant is not None and found.variant == found.version.id
    version = PinnedVersion(found.version.id, has_variant=has_variant)
    version.was_read(found, now)
    return version


def _wanted(prompt: PinnedPrompt) -> Wanted:
    return prompt.name if prompt.label == LABELS[0] else (prompt.name, prompt.label)


def _entries(prompt: PinnedPrompt) -> Iterable[TokenEntry]:
    for version in prompt.versions:
        if version.version_id is None:
            continue
        try:
            PromptRef.of(prompt.name, None, version.version_id)
        except ScopeError:  # an ID that the platform cannot be asked for
            continue
        yield TokenEntry(prompt.name, prompt.prompt_id, prompt.label, version.version_id, version.has_variant)


@hides_what_it_was_given
def new_state(reader: Reader, holder: Holder, credentials: Credentials, given: Given) -> PinState:
    """The state of new pins; `given` are the token and the secret."""
    token, secret = given
    state = PinState(reader, Pinning.of(holder, reader), credentials, secret)
    if token is not None:
        state.take(token)
    return state
