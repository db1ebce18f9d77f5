"""Locks with their folders, made without a platform: of bodies as its API sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faults.replies import json_answer

from scope_client import PromptVersion
from scope_client._folder.escaping import path_of
from scope_client._folder.record import prompt_id
from scope_client._folder.served_version import record_of
from scope_client._folder.written_file import octets_of
from scope_client._lock.digest import digest_of
from scope_client._lock.lock_file import LockedVersion, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from scope_client.local import LocalPlatform


def body(content: str = "locked {{name}}", *, name: str = "greeting", number: int = 7, **fields: object) -> Any:
    """One version as the API sends it, which a file can hold."""
    usual = {"id": f"v_{name}_{number}", "status": "published", "type": "text", "prompt_id": prompt_id(name)}
    return {**usual, "name": name, "version_number": number, "content": content, **fields}


def answer_of(sent: Mapping[str, Any]) -> bytes:
    return json_answer(sent)


def version_of(sent: Mapping[str, Any]) -> PromptVersion:
    return PromptVersion.from_api(sent)


def locked(sent: Mapping[str, Any], label: str = "production") -> LockedVersion:
    version = version_of(sent)
    return LockedVersion(
        version.name, label, version.id or "", digest_of(version), version.version_number, version.prompt_id
    )


def write_copy(folder: Path, sent: Mapping[str, Any]) -> Path:
    """The file of one version."""
    record = record_of(version_of(sent))
    file = folder / path_of(record.prompt) / f"v{record.number}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(octets_of(record))
    return file


def write_lock(
    root: Path,
    production: Iterable[Mapping[str, Any]],
    *,
    latest: Iterable[Mapping[str, Any]] = (),
    organisation: str = "org-1",
    has_copies: bool = True,
) -> Path:
    """`scope.lock` in `root`, and the folder `prompts` beside it."""
    production, latest = list(production), list(latest)
    entries = [*map(locked, production), *(locked(each, "latest") for each in latest)]
    root.mkdir(parents=True, exist_ok=True)
    path = root / "scope.lock"
    path.write_text(text_of(organisation, "prompts", entries), encoding="utf-8")
    for each in (*production, *latest) if has_copies else ():
        write_copy(root / "prompts", each)
    return path


def lock_platform(
    root: Path, platform: LocalPlatform, *names: str, latest: Iterable[str] = (), has_copies: bool = True
) -> Path:
    """A lock of what a local platform serves at this moment."""
    with platform.client(cache_enabled=False, lock=None) as client:
        production = [client.get_prompt_version(name).to_dict() for name in names]
        newest = [client.get_prompt_version(name, label="latest").to_dict() for name in latest]
    organisation = platform.credentials.org_id
    return write_lock(root, production, latest=newest, organisation=organisation, has_copies=has_copies)


GREETING = body("locked {{name}}", metadata={"model": "m-1"}, tags=["a"])
REVIEW = body('[{"role": "system", "content": "Be {{tone}}."}]', name="review", number=2, type="chat")
NEWS = body("news {{topic}}", name="news", number=1)
NEWEST = body("newest {{topic}}", name="news", number=2, status="draft")
