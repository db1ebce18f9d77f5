"""ScopePrompts: what the fixture `scope_prompts` is."""

from typing import Any, Callable, Optional

from .._process import made_clients


class ScopePrompts:
    """Publishes prompts on the platform of a test, and compares what was rendered with a file.

    Args:
        publish: Is what publishes them, such as `LocalPlatform.publish`.
        take: Compares what was rendered; it is given the name of the snapshot.
    """

    def __init__(self, publish: Callable[..., Any], take: Callable[[Optional[str]], None]) -> None:
        self._publish = publish
        self._take = take

    def __call__(self, *given: Any, **options: Any) -> Any:
        """Publishes a prompt.

        Args:
            given: As for `LocalPlatform.publish`: the name and the content.
            options: As for `LocalPlatform.publish`, such as `metadata`.

        Returns:
            The new version.

        Raises:
            ConfigurationError: An argument is wrong; nothing was changed.
        """
        version = self._publish(*given, **options)
        for client in made_clients():  # which may have read an earlier version
            client.clear_cache()
        return version

    def snapshot(self, name: Optional[str] = None) -> None:
        """Compares what the test has rendered since it began, or since its last snapshot, with a file beside it.

        Fails the test if the two differ. The first run writes the file, but not in CI.

        Args:
            name: Tells the snapshots of one test from each other.
        """
        __tracebackhide__ = True
        self._take(name)
