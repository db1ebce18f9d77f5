"""For the tests of a site that uses prompts."""

from __future__ import annotations

from scope_client.testing import Overrides, PromptsOverride

from ._client import replace_client


class override_prompts(PromptsOverride):  # noqa: N801  # as Django's override_settings
    """Serves these prompts in place of the platform, without credentials and network.

    It decorates functions of all kinds and test cases, or stands in a `with` statement. A prompt that is not given is
    not found, unless an outer override_prompts gives it.

    Args:
        prompts: By name: a text, a list of messages, or a ScopeError to raise.

    Raises:
        ValidationError: A value is none of these three.
    """

    overrides = Overrides(replace_client)
