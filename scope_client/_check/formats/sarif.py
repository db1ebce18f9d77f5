"""SARIF 2.1.0, as code scanning of GitHub, GitLab and Azure DevOps reads it."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from typing import Any
from urllib.parse import quote

from ..._version import __version__
from ..finding import CODES, CodeFinding
from ..outcome import Outcome, identity_of
from ..severity import level_of
from .remedies import REMEDIES
from .repository import Located, message_in_file

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MANUAL_OF_CODES = "https://github.com/scope-prompts/scope-prompts/blob/main/docs/checking.md#the-codes"
_ROOT = "%SRCROOT%"
_FINGERPRINT = "scopeCheck/v1"
_FINGERPRINT_OF_GITHUB = "primaryLocationLineHash"


def sarif_log(outcome: Outcome, folder: str) -> dict[str, Any]:
    """The outcome as one log with one run.

    Args:
        outcome: What was found.
        folder: What the paths of places are relative to.
    """
    located = Located(folder)
    numbers: Counter[str] = Counter()
    driver = {
        "name": "scope check",
        "version": __version__,
        "informationUri": MANUAL_OF_CODES.partition("#")[0],
        "rules": [_rule(code) for code in CODES],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [
            *({"level": "error", "message": {"text": problem}} for problem in outcome.problems),
            *(_result(finding, located, numbers) for finding in outcome.findings),
        ],
    }
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    title = CODES[code]
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in title.split()),
        "shortDescription": {"text": f"{title[0].upper()}{title[1:]}"},
        "help": {"text": REMEDIES[code], "markdown": REMEDIES[code]},
        "helpUri": MANUAL_OF_CODES,
        "defaultConfiguration": {"level": level_of(code)},
    }


def _result(finding: CodeFinding, located: Located, numbers: Counter[str]) -> dict[str, Any]:
    path = located.path(finding)
    physical: dict[str, Any] = {"artifactLocation": _artifact(path)}
    place = located.place(finding)
    if place is not None:
        physical["region"] = {"startLine": place.line, "startColumn": place.column}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.within:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.within}]
    fingerprint = _fingerprint(finding, path, numbers)
    return {
        "ruleId": finding.code,
        "ruleIndex": list(CODES).index(finding.code),
        "level": level_of(finding.code),
        "message": {"text": message_in_file(finding)},
        "locations": [location],
        "partialFingerprints": {_FINGERPRINT: fingerprint, _FINGERPRINT_OF_GITHUB: fingerprint},
    }


def _artifact(path: str) -> dict[str, str]:
    uri = quote(os.fsencode(path), safe="/")
    return {"uri": f"file://{uri}"} if os.path.isabs(path) else {"uri": uri, "uriBaseId": _ROOT}


def _fingerprint(finding: CodeFinding, path: str, numbers: Counter[str]) -> str:
    """The identity, and which of those that are alike it is: the same wherever its line moves."""
    identity = json.dumps(identity_of(finding)._replace(file=path))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:32]
    numbers[digest] += 1
    return f"{digest}:{numbers[digest]}"
