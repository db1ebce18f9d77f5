"""For the tests of apps that use prompts."""

from __future__ import annotations

from scope_client.testing import Overrides, PromptsOverride

from ._extension import replace_client


class override_prompts(PromptsOverride):  # noqa: N801  # as Django's override_settings
    """Serves these prompts in place of the platform to every app of the process, without credentials and network.

    Apps made before and after get them alike. It stands in a `with` statement, in a fixture too, or decorates functions
    of all kinds and subclasses of unittest.TestCase. A prompt that is not given is not found, unless an outer
    override_prompts gives it.

    Args:
        prompts: By name: a text, a list of messages, or a ScopeError to raise.

    Raises:
        ValidationError: A value is none of these three.
    """

    overrides = Overrides(replace_client)
