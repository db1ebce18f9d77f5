"""What the functions do that `scope types` writes: a production read for the variables they give, and a render."""

from collections.abc import Mapping
from typing import Any, Optional

from ._client import ScopeClient
from ._config.options import NOT_GIVEN
from ._config.read_options import Label
from ._process import client as client_of_the_process
from ._process import made_client, made_off_the_loop
from ._prompt.prompt_version import PromptVersion
from ._wording import shown
from .errors import ValidationError

__all__ = ["NOT_GIVEN", "amessages", "atext", "messages", "text"]


def text(
    name: str, values: Mapping[str, object], client: Optional[ScopeClient] = None, *, label: Label = "production"
) -> str:
    """A text prompt, filled in.

    Args:
        name: The prompt's name.
        values: The values of its variables; those that are NOT_GIVEN do not count.
        client: What reads it; by default `scope_client.client()`.
        label: Which version is read.

    Raises:
        ValidationError: The prompt is a chat prompt now, or a value can only be a bug.
        ScopeError: What else `ScopeClient.get_prompt_version` and `PromptVersion.render` raise.
    """
    given = _given(values)
    return _text(_read(name, given, client, label), given)


def messages(
    name: str, values: Mapping[str, object], client: Optional[ScopeClient] = None, *, label: Label = "production"
) -> list[Any]:
    """The messages of a chat prompt, filled in; the arguments and what it raises are those of `text`."""
    given = _given(values)
    return _read(name, given, client, label).messages(**given)


async def atext(
    name: str, values: Mapping[str, object], client: Optional[ScopeClient] = None, *, label: Label = "production"
) -> str:
    """`text` for an asyncio event loop, which goes on meanwhile."""
    given = _given(values)
    return _text(await _aread(name, given, client, label), given)


async def amessages(
    name: str, values: Mapping[str, object], client: Optional[ScopeClient] = None, *, label: Label = "production"
) -> list[Any]:
    """`messages` for an asyncio event loop, which goes on meanwhile."""
    given = _given(values)
    return (await _aread(name, given, client, label)).messages(**given)


def _given(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not NOT_GIVEN}


def _read(name: str, given: dict[str, object], client: Optional[ScopeClient], label: Label) -> PromptVersion:
    """The version, as with `requires`; what fits without it is what fits with it, and takes a tenth of the time."""
    reader = client_of_the_process() if client is None else client
    found = reader.get_prompt_version(name, label=label)
    fits = found.is_fallback or all(variable in given for variable in found.variables)
    return found if fits else reader.get_prompt_version(name, label=label, requires=given)


async def _aread(name: str, given: dict[str, object], client: Optional[ScopeClient], label: Label) -> PromptVersion:
    reader = client or made_client() or await made_off_the_loop(client_of_the_process)
    return await reader.aget_prompt_version(name, label=label, requires=given)


def _text(version: PromptVersion, values: dict[str, object]) -> str:
    if version.type == "chat":
        raise ValidationError(
            f"prompt {shown(version.name)}: it is a chat prompt now, and its function returns text; "
            "make the functions anew with `scope types`"
        )
    return version.render(**values)
