"""Which version was used, on the runs that LangChain traces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any, Optional
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from scope_client import PromptVersion

METADATA_PREFIX = "scope.prompt."


def trace_metadata(version: PromptVersion) -> dict[str, Any]:
    """`scope.prompt.name`, `.id`, `.version`, `.version_id` and `.is_fallback`, as far as they are known.

    With `chain.with_config(metadata=trace_metadata(version))` the root run and the model's run carry them too.
    """
    known = {
        "name": version.name,
        "id": version.prompt_id,
        "version": version.version_number,
        "version_id": version.id,
        "is_fallback": version.is_fallback or None,
    }
    return {METADATA_PREFIX + key: value for key, value in known.items() if value is not None}


def trace_tags(version: PromptVersion) -> list[str]:
    """`scope:` and the prompt's name, and the version's own tags."""
    return [f"scope:{version.name}", *version.tags]


class ScopeCallbackHandler(BaseCallbackHandler):
    """Copies a prompt's `scope.prompt.*` metadata to the model runs that follow it in the same chain.

    Give it before the handlers that should see the metadata: `config={"callbacks": [ScopeCallbackHandler(), tracer]}`.
    One object serves any number of chains at once, and keeps nothing of a chain that has ended.
    """

    def __init__(self) -> None:
        self._parents: dict[UUID, UUID | None] = {}
        self._last: dict[UUID, dict[str, Any]] = {}  # of the last prompt below each chain; empty for one of others

    def on_chain_start(
        self,
        serialized: Optional[dict[str, Any]],
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: Optional[UUID] = None,
        tags: Optional[list[str]] = None,
        metadata: Optional[dict[str, Any]] = None,
        **kwargs: Any,
    ) -> None:
        """Notes the metadata of a prompt's run for the chains above it."""
        self._parents[run_id] = parent_run_id
        if kwargs.get("run_type") == "prompt":
            found = {key: value for key, value in (metadata or {}).items() if key.startswith(METADATA_PREFIX)}
            above = parent_run_id
            while above is not None:
                self._last[above] = found
                above = self._parents.get(above)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, parent_run_id: Optional[UUID] = None, **kwargs: Any) -> None:
        """Forgets the run."""
        self._forget(run_id)

    def on_chain_error(
        self, error: BaseException, *, run_id: UUID, parent_run_id: Optional[UUID] = None, **kwargs: Any
    ) -> None:
        """Forgets the run."""
        self._forget(run_id)

    @property
    def on_chat_model_start(self) -> Callable[..., Any]:
        """Copies the metadata to the run; a coroutine function on an event loop."""
        return self._copier()

    @property
    def on_llm_start(self) -> Callable[..., Any]:
        """Copies the metadata to the run; a coroutine function on an event loop."""
        return self._copier()

    def _copier(self) -> Callable[..., Any]:
        """On an event loop this is a coroutine function, which LangChain runs there, in the order of the handlers.

        LangChain would run a plain function in a thread, at the same time as the other handlers. `run_inline` does not
        help: with one such handler, AsyncCallbackManager.on_llm_start calls no other handler.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._copy
        return self._acopy

    async def _acopy(self, *args: Any, **kwargs: Any) -> None:
        self._copy(*args, **kwargs)

    def _copy(
        self,
        serialized: Any,
        given: Any,
        *,
        parent_run_id: UUID | None = None,
        metadata: MutableMapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        above = parent_run_id
        while above is not None and above not in self._last:
            above = self._parents.get(above)
        if metadata is not None and above is not None:
            metadata.update(self._last[above])

    def _forget(self, run: UUID) -> None:
        self._parents.pop(run, None)
        self._last.pop(run, None)
