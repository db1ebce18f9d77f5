"""The baseline: a file of findings that are known, by identity, so that a check tells only of new ones."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple

from .._folder.replacing import hidden_name, settle
from .._foreign_text import in_json
from .._interrupts import pass_on
from .._wording import listed, shown
from ..errors import ConfigurationError
from .finding import CODES, CodeFinding
from .outcome import BaselineEntry, identity_of

BASELINE_FORMAT = 1
MAX_BASELINE_BYTES = 50 * 1024 * 1024
_WRITE_ANEW = "`scope check --write-baseline` writes it anew"
_KEYS = BaselineEntry._fields


class Sifted(NamedTuple):
    """Findings, and what a baseline says of them."""

    new: tuple[CodeFinding, ...]
    """Those that it does not have."""
    known: int
    """How many it has."""
    outdated: tuple[BaselineEntry, ...]
    """The entries that no finding is like."""


class Baseline:
    """Findings that are known, each so often. Paths in the file are relative to its folder.

    Args:
        path: Where the file is.
        entries: How often each finding is known.
    """

    def __init__(self, path: str, entries: Mapping[BaselineEntry, int]) -> None:
        self._folder = os.path.dirname(os.path.abspath(path))
        self._entries = entries

    def sift(self, findings: Iterable[CodeFinding], covers: Callable[[str], bool]) -> Sifted:
        """Takes out what is known.

        Args:
            findings: What was found.
            covers: Whether a file was looked at: of others, no entry is called outdated, unless they are gone.
        """
        left = Counter(self._entries)
        new = []
        known = 0
        for finding in findings:
            entry = _entry(finding, self._folder)
            if left[entry] > 0:
                left[entry] -= 1
                known += 1
            else:
                new.append(finding)
        outdated = [entry for entry, count in left.items() if count > 0 and self._is_known(entry.file, covers)]
        return Sifted(tuple(new), known, tuple(sorted(outdated)))

    def _is_known(self, file: str, covers: Callable[[str], bool]) -> bool:
        path = os.path.normpath(os.path.join(self._folder, file))
        return not os.path.exists(path) or covers(path)


def read_baseline(path: str) -> Baseline:
    """Raises ConfigurationError: there is no such file, or it is not a baseline that this version reads."""
    try:
        with open(path, "rb") as file:
            octets = file.read(MAX_BASELINE_BYTES + 1)
    except FileNotFoundError:
        write = f"`scope check --baseline {path} --write-baseline` writes it"
        raise ConfigurationError(f"the baseline {shown(path)} does not exist; {write}") from None
    except OSError as error:
        pass_on(error)
        raise ConfigurationError(f"the baseline {shown(path)} cannot be read ({error.strerror})") from None
    try:
        return Baseline(path, _entries(octets))
    except ConfigurationError as error:
        raise ConfigurationError(f"the baseline {shown(path)} {error.message}; {_WRITE_ANEW}") from None


def write_baseline(path: str, findings: Iterable[CodeFinding]) -> None:
    """Writes a file as a whole or not at all; the same findings always make the same bytes.

    Raises:
        ConfigurationError: It cannot be written.
    """
    folder = os.path.dirname(os.path.abspath(path))
    counts = Counter(_entry(finding, folder) for finding in findings)
    entries = [{**entry._asdict(), "count": count} for entry, count in sorted(counts.items())]
    lines = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
    text = (
        f'{{\n  "format": {BASELINE_FORMAT},\n  "findings": [{f"{chr(10)}{lines}{chr(10)}  " if lines else ""}]\n}}\n'
    )
    hidden = os.path.join(folder, hidden_name())
    try:
        try:
            with open(hidden, "xb") as file:
                file.write(in_json(text).encode())
                file.flush()
                os.fsync(file.fileno())
            os.replace(hidden, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(hidden)
    except OSError as error:
        pass_on(error)
        raise ConfigurationError(f"the baseline {shown(path)} cannot be written ({error.strerror})") from None
    settle(folder)


def _entry(finding: CodeFinding, folder: str) -> BaselineEntry:
    found = identity_of(finding)
    return found._replace(file=_relative(found.file, folder))


def _relative(file: str, folder: str) -> str:
    return os.path.relpath(os.path.abspath(file), folder).replace(os.sep, "/")


def _entries(octets: bytes) -> dict[BaselineEntry, int]:
    if len(octets) > MAX_BASELINE_BYTES:
        raise ConfigurationError(f"is larger than {MAX_BASELINE_BYTES:,} bytes")
    try:
        data = json.loads(octets.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"is not JSON ({error})") from None
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list):
        raise ConfigurationError("is not a JSON object with a list of findings")
    if data.get("format") != BASELINE_FORMAT:
        of = shown(data.get("format"))
        raise ConfigurationError(f"has the format {of}, and this version of scope-prompts reads {BASELINE_FORMAT}")
    counts: Counter[BaselineEntry] = Counter()
    for number, entry in enumerate(data["findings"], 1):
        counts[_entry_in(number, entry)] += _count_in(number, entry)
    return dict(counts)


def _entry_in(number: int, entry: Any) -> BaselineEntry:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in _KEYS):
        raise ConfigurationError(f"has a finding {number} without {listed(_KEYS, written=str)} as text")
    if entry["code"] not in CODES:
        raise ConfigurationError(f"has the code {shown(entry['code'])} in finding {number}, which is not one")
    return BaselineEntry(**{key: entry[key] for key in _KEYS})


def _count_in(number: int, entry: dict[str, Any]) -> int:
    count = entry.get("count", 1)
    if type(count) is not int or count < 1:
        raise ConfigurationError(f"has a count in finding {number} that is not a number from 1")
    return count
