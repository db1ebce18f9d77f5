"""PromptsClient: a ScopeClient over a mapping, for tests that need no platform."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from .._client import ScopeClient
from .._config.credentials import ApiKeyCredentials
from .._http.budget import Budget
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from ..errors import NotFoundError, ScopeError, ValidationError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._config.options import Options

Given = Union[str, Sequence[Mapping[str, Any]], ScopeError]


class PromptsClient(ScopeClient):
    """Reads from `prompts` where another asks the platform: a text, a list of messages, or an error to raise.

    Each is version 1, published, under every label and version ID. All else is a ScopeClient's own: its checks,
    fallbacks and errors. Nothing is cached, and no outage outlasts a call. Raises ValidationError for no prompt.
    """

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
        }
        ours.update(options)
        super().__init__(**ours)

    def _fetch(self, ref: PromptRef, budget: Budget) -> PromptVersion:
        body = self._bodies.get(ref.name)
        if body is None:
            known = ", ".join(map(repr, self._bodies)) or "none"
            raise NotFoundError(f"no prompt {ref.name!r} was given to the test; it has {known}", http_status=404)
        if isinstance(body, ScopeError):
            raise copy.copy(body)
        return PromptVersion.from_api({"id": ref.version or "v_test", **body}, ref)


def _body(name: str, given: Given) -> dict[str, Any] | ScopeError:
    if isinstance(given, ScopeError):
        return given
    is_chat = not isinstance(given, str)
    try:
        content = json.dumps(given, ensure_ascii=False) if is_chat else str.__str__(given)
        body = {"name": name, "content": content, "type": "chat" if is_chat else "text"}
        PromptVersion.from_api(body)
    except (TypeError, ValueError, ScopeError) as error:
        raise ValidationError(
            f"the prompt {name!r} must be a text, a list of messages, or a ScopeError to raise ({error})"
        ) from None
    return {**body, "prompt_id": f"prompt_{name}", "version_number": 1, "status": "published"}
