"""For the tests of a site that uses prompts."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from typing import Any

from django.test.utils import TestContextDecorator

from scope_client import ScopeClient
from scope_client.testing import Given, PromptsClient

from ._client import replace_client

_active: list[PromptsClient] = []  # the innermost last


class override_prompts(TestContextDecorator):  # noqa: N801  # as Django's override_settings
    """Serves these prompts in place of the platform, without credentials and network.

    It decorates functions and test cases, or stands in a `with` statement. A prompt that is not given is not found,
    unless an outer override_prompts gives it.

    Args:
        prompts: By name: a text, a list of messages, or a ScopeError to raise.

    Raises:
        ValidationError: A value is none of these three.
    """

    def __init__(self, prompts: Mapping[str, Given]) -> None:
        super().__init__()
        self._prompts = PromptsClient(prompts).prompts
        self._clients: list[PromptsClient] = []

    def enable(self) -> ScopeClient:
        """Puts the prompts in place, and returns the client that serves them."""
        outer = _active[-1].prompts if _active else {}
        client = PromptsClient({**outer, **self._prompts})
        self._clients.append(client)
        _active.append(client)
        replace_client(client)
        return client

    def disable(self) -> None:
        """Takes the prompts away again."""
        _active.remove(self._clients.pop())
        replace_client(_active[-1] if _active else None)

    def decorate_class(self, cls: Any) -> Any:
        """Serves the prompts to a whole TestCase, also in setUpClass and setUpTestData; TypeError for another class."""
        if not (isinstance(cls, type) and issubclass(cls, unittest.TestCase)):
            raise TypeError("override_prompts decorates a function or a TestCase, or stands in a with statement")
        own: Any = cls.__dict__.get("setUpClass")

        def set_up_class(case: Any) -> None:
            self.enable()
            case.addClassCleanup(self.disable)
            if own is None:
                super(cls, case).setUpClass()  # type: ignore[misc]  # case is cls, or a subclass of it
            else:
                own.__func__(case)

        cls.setUpClass = classmethod(set_up_class)  # type: ignore[assignment]  # as a class method is declared
        return cls
