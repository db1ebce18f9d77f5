"""The commands of `scope`, `manage.py scope` and `flask scope`, without a framework: each returns a Report."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple, Optional

from .._check.printing import CHECK_FORMATS
from .._client import ScopeClient
from .._prompt.prompt_version import PromptVersion
from ..errors import ScopeError
from ._arguments import OUTPUT_FORMATS, filed, pairs
from ._check import check
from ._doctor import doctor
from ._report import Report, explained
from ._site import Site
from ._warm import warm


class Command(NamedTuple):
    """A command of `manage.py scope` and `flask scope`."""

    help: str
    """What it does, in one sentence."""
    arguments: tuple[str, ...]
    """Those of `ARGUMENTS` that it takes."""
    run: Callable[..., Report]
    """Takes a Site, and the arguments as keywords; raises ScopeError, or TypeError for a label and a version."""
    formats: tuple[str, ...] = OUTPUT_FORMATS
    """What --format takes. What is neither "text" nor "json" is an argument of `run`, and its report has the text."""


def get(client: ScopeClient, name: str, label: Optional[str] = None, version: Optional[str] = None) -> Report:
    """The content of a version as it is.

    Args:
        client: Reads the version.
        name: The prompt's name or ID.
        label: The label of the version.
        version: The ID of the version.

    Returns:
        The report, with facts about the version as its note.

    Raises:
        ScopeError: What `get_prompt_version` raises.
        TypeError: A label and a version are given.
    """
    which: Any = {"label": label, "version": version}
    found = client.get_prompt_version(name, **which)
    return Report([found.content], found.to_dict(), note=_facts(found), is_content=True)


def render(
    client: ScopeClient,
    name: str,
    values: Mapping[str, object],
    label: Optional[str] = None,
    version: Optional[str] = None,
) -> Report:
    """A version with its variables filled in.

    Args:
        client: Reads the version.
        name: The prompt's name or ID.
        values: The values of its variables.
        label: The label of the version.
        version: The ID of the version.

    Returns:
        The report. Its data has the messages too.

    Raises:
        ScopeError: What `render_prompt` raises.
        TypeError: A label and a version are given.
    """
    which: Any = {"label": label, "version": version}
    found = client.get_prompt_version(name, **which)
    text = found.render(**values)
    identity = {"name": found.name, "version_number": found.version_number, "id": found.id}
    data = {**identity, "text": text, "messages": found.messages(**values)}
    return Report([text], data, is_content=True)


def health(client: Callable[[], ScopeClient], *, last_error: bool = True) -> tuple[dict[str, Any], int]:
    """What a page for readiness probes shows, and its HTTP status.

    Args:
        client: Returns the client of the site. What it raises is shown.
        last_error: Whether the texts of errors are shown, which may name hosts and what the platform said, and the
            folder of the lock.

    Returns:
        A JSON object, and 200; or 503 if the settings do not allow for a client.
    """
    try:
        shown = client().status().to_dict()
    except ScopeError as error:
        return {"ok": False, "error": explained(error) if last_error else type(error).__name__}, 503
    if not last_error:
        del shown["last_error"]
        shown["lock"] = shown["lock"] and os.path.basename(shown["lock"])
    return {"ok": True, **shown}, 200


def _facts(found: PromptVersion) -> str:
    variables = ", ".join(found.to_dict()["variables"]) or "none"
    metadata = json.dumps(dict(found.metadata), ensure_ascii=False)
    identity = f"{found.name}, version {found.version_number} ({found.id}), {found.status}, {found.type}"
    return f"{identity}; variables: {variables}; metadata: {metadata}"


def _get(site: Site, *, name: str, label: Optional[str], version: Optional[str]) -> Report:
    return get(site.client(), name, label, version)


def _render(
    site: Site,
    *,
    name: str,
    label: Optional[str],
    version: Optional[str],
    var: Iterable[str],
    vars_file: Optional[str] = None,
) -> Report:
    return render(site.client(), name, {**filed(vars_file), **pairs(var)}, label, version)


def _list(site: Site, *, exclude: Sequence[str] = ()) -> Report:
    survey = site.survey(exclude)
    lines = [f"{use.place}  {use}" for use in survey.uses] or ["no template asks for a prompt"]
    data = {"uses": [use._asdict() for use in survey.uses], **survey.to_dict()}
    return Report([*lines, *map(str, survey.unread), *survey.notes], data, survey.failure)


COMMANDS: Mapping[str, Command] = {
    "check": Command(
        "Check settings, platform, credentials, and each prompt and variable in templates and in code.",
        (
            *("paths", "against", "label", "lock", "exclude", "strict", "baseline", "write_baseline", "verbose"),
            "format",
        ),
        check,
        CHECK_FORMATS,
    ),
    "doctor": Command(
        "Look at the set-up step by step, from the options to a prompt, and say what to do.",
        ("one_name", "lock_of_doctor"),
        doctor,
    ),
    "get": Command("Print a prompt as it is.", ("name", "label", "version"), _get),
    "render": Command(
        "Print a prompt with its variables filled in.", ("name", "label", "version", "var", "vars_file"), _render
    ),
    "list": Command("List the prompts that templates use, with file and line.", ("exclude",), _list),
    "warm": Command(
        "Fetch the prompts that templates use, and others by name, into the cache.", ("names", "exclude"), warm
    ),
}
"""The commands by their names."""
