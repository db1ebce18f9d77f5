"""PromptsClient: a ScopeClient over a mapping, for tests that need no platform."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from .._background import Background
from .._client import ScopeClient
from .._config.configuration import Configuration
from .._config.credentials import ApiKeyCredentials
from .._config.options import Options, Unpack
from .._counters import Counters
from .._frames import hides_what_it_was_given
from .._http.budget import Budget
from .._prompt.locked_reads import LockedReads
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._wording import listed, shown
from ..errors import NotFoundError, ScopeError, ValidationError

Given = Union[str, Sequence[Mapping[str, Any]], ScopeError]
"""A prompt as a test gives it: text, a list of messages, or a `ScopeError` to raise."""


class PromptsClient(ScopeClient):
    """A ScopeClient that reads from a mapping and sends nothing; its checks, fallbacks and errors are the real ones.

    Each prompt is version 1, published, under every label and version ID. Nothing is cached, and an outage ends with
    the call, unless the options say otherwise.

    Args:
        prompts: As the field.
        options: Options of the client, as keywords.

    Raises:
        ValidationError: A prompt is none of the three kinds.
        ConfigurationError: An option has a value that it must not have.
        TypeError: There is no such option.
    """

    prompts: dict[str, Given]
    """The prompts by name: text, a list of messages, or a ScopeError, which is raised."""

    @hides_what_it_was_given
    def __init__(self, prompts: Mapping[str, Given], **options: Unpack[Options]) -> None:
        if not isinstance(prompts, Mapping):
            raise ValidationError(f"prompts must be a mapping of names to prompts, got {type(prompts).__name__}")
        for name in prompts:
            PromptRef.of(name)
        self.prompts = dict(prompts)
        self._bodies = {name: _body(name, given) for name, given in prompts.items()}
        ours: Options = {
            "credentials": ApiKeyCredentials("test-org", "test-key", "test-secret"),
            "cache_enabled": False,
            "lock": None,
        }
        ours.update(options)
        super().__init__(config=Configuration(**ours))

    @property
    def _prompts_of_test(self) -> Mapping[str, object]:
        return self.prompts

    def _new_source(self, background: Background, counters: Counters, locked_reads: Optional[LockedReads]) -> "_Source":
        return _Source(self._bodies, self.config.extra_values)


class _Source:
    """Where a PromptsClient's versions come from; it has no token, and nothing to close."""

    token_expires_in = None
    is_refused = False

    def __init__(self, bodies: Mapping[str, Union[dict[str, Any], ScopeError]], extra_values: str) -> None:
        self._bodies = bodies
        self._extra_values = extra_values

    def close(self) -> None:
        pass

    def fetch(self, ref: PromptRef, budget: Budget) -> PromptVersion:
        body = self._bodies.get(ref.name)
        if body is None:
            there = f"the test has no prompt {shown(ref.name)}; its prompts are: {listed(self._bodies)}"
            raise NotFoundError(f"{there}. Add it to them: {{{shown(ref.name)}: '...'}}", http_status=404)
        if isinstance(body, ScopeError):
            raise copy.copy(body)
        return PromptVersion({"id": ref.version or "v_test", **body}, ref, extra_values=self._extra_values)


def _body(name: str, given: Given) -> Union[dict[str, Any], ScopeError]:
    if isinstance(given, ScopeError):
        return given
    is_chat = not isinstance(given, str)
    try:
        content = json.dumps(given, ensure_ascii=False) if is_chat else str.__str__(given)
        body = {"name": name, "content": content, "type": "chat" if is_chat else "text"}
        PromptVersion.from_api(body)
    except (TypeError, ValueError, ScopeError) as error:
        raise ValidationError(
            f"the prompt {shown(name)} must be text, a list of messages, or a ScopeError to raise ({error})"
        ) from None
    return {**body, "prompt_id": f"prompt_{name}", "version_number": 1, "status": "published"}
