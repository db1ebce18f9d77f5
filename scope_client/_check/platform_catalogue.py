"""The catalogue of the platform: asks it for each version once, several at once, past every cache."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from .._client import ScopeClient
from .._prefetch import prefetch
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._redaction import Redaction
from ..errors import ApiError, ConnectionError, NoProductionVersionError, NotFoundError, ScopeError
from .answer import Answer, unknown_prompt, unknown_version

_CODE_OF_AN_UNKNOWN_PROMPT = "prompt_not_found"


class PlatformCatalogue:
    """What the platform of a client serves. After one failure of the platform it is asked for nothing more.

    Args:
        client: Reads the versions.
        names: Prompts that there are, in a folder or a lock: the platform has no list of them.
    """

    def __init__(self, client: ScopeClient, names: Iterable[str] = ()) -> None:
        self._client = client
        self._other_names = tuple(names)
        self._answers: dict[PromptRef, PromptVersion | ScopeError] = {}
        self._has_failed = threading.Event()

    def prepare(self, refs: Iterable[PromptRef]) -> None:
        """Asks for all of them.

        Raises:
            ApiError: The platform or the credentials failed; a prompt that is not there is no failure.
            ConnectionError: Nobody answered.
        """
        wanted = [ref for ref in dict.fromkeys(refs) if ref not in self._answers]
        if not wanted:
            return
        prefetch([(ref.name, ref.label, ref.version) for ref in wanted], self._ask)
        failures = [answer for answer in self._answers.values() if self._is_failure(answer)]
        for failure in failures:
            assert isinstance(failure, ScopeError)
            raise failure

    def find(self, ref: PromptRef) -> Answer:
        """Asks for what it was not told of before; raises as `prepare` does."""
        self.prepare([ref])
        answer = self._answers.get(ref) or ScopeError("was not read: the thread that should read it has died")
        if isinstance(answer, PromptVersion):
            return self._of_another_prompt(ref, answer) or Answer(answer)
        return self._absent(ref, answer)

    def names(self) -> Collection[str]:
        given = self._client._prompts_of_test or {}
        found = (answer.name for answer in self._answers.values() if isinstance(answer, PromptVersion))
        return dict.fromkeys([*found, *given, *self._other_names])

    def _ask(self, ref: PromptRef) -> PromptVersion:
        if self._has_failed.is_set():
            raise ScopeError("was not asked for: the platform has failed before")
        try:
            found = self._read(ref)
        except ScopeError as error:
            self._answers[ref] = error
            if self._is_failure(error):
                self._has_failed.set()
            raise
        self._answers[ref] = found
        return found

    def _read(self, ref: PromptRef) -> PromptVersion:
        if ref.version is not None:
            return self._client.get_prompt_version(ref.name, version=ref.version, cache=False)
        return self._client.get_prompt_version(ref.name, label="latest" if ref.label == "latest" else None, cache=False)

    def _is_failure(self, answer: object) -> bool:
        """An error that a test has given in place of a prompt is none."""
        if self._client._prompts_of_test is not None:
            return False
        return isinstance(answer, (ApiError, ConnectionError)) and not isinstance(answer, NotFoundError)

    def _of_another_prompt(self, ref: PromptRef, answer: PromptVersion) -> Answer | None:
        is_of_it = ref.version is None or ref.name in (answer.name, answer.prompt_id)
        return None if is_of_it else unknown_version(ref.version or "", answer.name)

    def _absent(self, ref: PromptRef, error: ScopeError) -> Answer:
        if isinstance(error, NoProductionVersionError):
            _, _, said = error.message.partition(" has ")
            return Answer(
                None, "S104", f"has {said}" if said else error.message, may_be_misspelt=True, is_certain=False
            )
        if not isinstance(error, NotFoundError):
            return Answer(None, "S101", f"cannot be read: {Redaction(()).text(f'{type(error).__name__}: {error}')}")
        if ref.version is None or error.error_code == _CODE_OF_AN_UNKNOWN_PROMPT:
            is_of_test = self._client._prompts_of_test is not None
            return unknown_prompt(" among the prompts of the test" if is_of_test else "")
        return unknown_version(ref.version, self._owner(ref.version))

    def _owner(self, version_id: str) -> str | None:
        found = (answer for answer in self._answers.values() if isinstance(answer, PromptVersion))
        return next((answer.name for answer in found if answer.id == version_id), None)
