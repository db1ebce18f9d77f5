"""Which version was used, on the runs that LangChain traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scope_client import PromptVersion
from scope_client.frameworks import Rendering, facts_of, renderings

METADATA_PREFIX = "scope.prompt."
# Where opentelemetry-instrumentation-genai-langchain looks for a prompt's name, before it takes that of the class.
NAME_FOR_THE_OFFICIAL_INSTRUMENTATION = "prompt_name"


def trace_metadata(version: PromptVersion) -> dict[str, Any]:
    """`scope.prompt.name`, `.id`, `.version`, `.version_id` and `.is_fallback`, as far as they are known.

    With `gen_ai.prompt.name` and `gen_ai.prompt.version`, by which OpenTelemetry knows a prompt and its version, as
    text, and `prompt_name`, by which its instrumentation of LangChain knows it. With
    `chain.with_config(metadata=trace_metadata(version))` the root run and the model's run carry them too.
    """
    known = {
        "name": version.name,
        "id": version.prompt_id,
        "version": version.version_number,
        "version_id": version.id,
        "is_fallback": version.is_fallback or None,
    }
    return {
        **{METADATA_PREFIX + key: value for key, value in known.items() if value is not None},
        **facts_of(version),
        NAME_FOR_THE_OFFICIAL_INSTRUMENTATION: version.name,
    }


def trace_tags(version: PromptVersion) -> list[str]:
    """`scope:` and the prompt's name, and the version's own tags."""
    return [f"scope:{version.name}", *version.tags]


_ROLES_OF_TYPES = {"human": "user", "ai": "assistant"}


def tell_rendering(
    metadata: Mapping[str, Any] | None, variables: Iterable[str], values: Mapping[str, Any], rendered: Any
) -> None:
    """Tells the tests that listen what was made of a version; its metadata says of which one, if of one at all.

    For traces it is noted, too.
    """
    known = {key.removeprefix(METADATA_PREFIX): value for key, value in (metadata or {}).items()}
    if f"{METADATA_PREFIX}name" not in (metadata or {}):
        return
    renderings.mark(metadata)
    if not renderings.listeners:
        return
    names = tuple(name for name in variables if name in values)
    rendering = Rendering(
        name=known["name"],
        version_number=known.get("version"),
        version_id=known.get("version_id"),
        is_fallback=bool(known.get("is_fallback")),
        variables=names,
        values={name: values[name] for name in names},
        rendered=rendered if isinstance(rendered, str) else [_as_message(message) for message in rendered],
    )
    renderings.tell(rendering)


def _as_message(message: Any) -> dict[str, Any]:
    return {"role": _ROLES_OF_TYPES.get(message.type, message.type), "content": message.content}
