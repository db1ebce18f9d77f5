"""The pytest plugin: fixtures that pytest finds by itself wherever scope-prompts is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest

# pytest imports this module in every project that has scope-prompts installed: nothing heavier is imported up here.
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..local import LocalPlatform


@pytest.fixture
def scope_platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalPlatform]:
    """A Scope Platform on this machine, empty; the SCOPE_* variables and `scope_client.client()` lead to it.

    After the test, what `scope_client.configure` had set is in place again.
    """
    from .._config.process_wide import configuration
    from .._process import swap

    with _new_platform() as platform:
        for variable, value in _variables(platform).items():
            monkeypatch.setenv(variable, value)
        url, keys = platform.url, platform.credentials
        before = swap(configuration().merge(credentials=keys, base_url=url, auth_api_url=url))
        yield platform
        swap(before)


@pytest.fixture
def scope_prompts(scope_platform: LocalPlatform) -> Callable[..., Any]:
    """Publishes a prompt on `scope_platform`: scope_prompts("greeting", "Hello, {{name}}!", metadata={...})."""
    return scope_platform.publish


def _new_platform() -> LocalPlatform:
    try:
        from ..local import LocalPlatform
    except ImportError as error:
        pytest.fail(str(error), pytrace=False)
    return LocalPlatform()


def _variables(platform: LocalPlatform) -> dict[str, str]:
    keys = platform.client_credentials
    return {**platform.environ, "SCOPE_CLIENT_ID": keys.client_id, "SCOPE_CLIENT_SECRET": keys.client_secret}
