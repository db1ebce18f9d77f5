"""Who is compared: what each one's venv holds, what a user imports, and the settings that keep it on this machine."""

from __future__ import annotations

from typing import NamedTuple


class Peer(NamedTuple):
    """`adapter` is a module in the folder `clients`; `settings` are environment variables, `{ttl}` filled in."""

    title: str
    package: str
    adapter: str
    imports: str
    needs: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


OURS = Peer("scope-client", "scope-client", "with_scope", "from scope_client import ScopeClient")
LANGFUSE = Peer(
    "Langfuse",
    "langfuse",
    "with_langfuse",
    "from langfuse import Langfuse",
    settings=(("LANGFUSE_TRACING_ENABLED", "false"), ("LANGFUSE_PROMPT_CACHE_DEFAULT_TTL_SECONDS", "{ttl}")),
)
LANGSMITH = Peer(
    "LangSmith",
    "langsmith",
    "with_langsmith",
    "from langsmith import Client",
    needs=("langchain-core",),
    settings=(("LANGSMITH_TRACING", "false"),),
)
PROMPTLAYER = Peer("PromptLayer", "promptlayer", "with_promptlayer", "from promptlayer import PromptLayer")
ALL = (OURS, LANGFUSE, LANGSMITH, PROMPTLAYER)
