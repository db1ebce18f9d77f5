"""Keys: the credentials, and the mistakes that people make when they copy them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from .._config.configuration import Configuration
from .._config.credentials import ApiKeyCredentials, ClientCredentials, Kind, kind_in_environment, setting_keys
from .._redaction import SHORTEST_SECRET_CHARACTERS
from .._wording import shown
from .check import Check, Said, at_once, failed, ok, warning
from .setup import Setup

LONGEST_ID_CHARACTERS = 36  # those of a UUID
_LIKE_A_KEY = re.compile(r"(?:key|app|client|ak|sk)[_-]", re.IGNORECASE)
_LIKE_AN_ORGANISATION = re.compile(r"(?:org|account|acct)[_-]", re.IGNORECASE)


def credentials_checks(setup: Setup) -> Iterator[Check]:
    """Whose keys are used, and what looks wrong with those of the environment."""
    config = setup.config
    if not setup.is_from_environment and config is not None and config.credentials is not None:
        yield at_once("credentials", ok(_named(config)))
    elif setup.is_from_environment or config is not None:
        yield from (at_once("credentials", said) for said in _in_environment(os.environ, config))


def _named(config: Configuration) -> str:
    found = config.credentials
    kind = type(found).__name__
    if not isinstance(found, (ApiKeyCredentials, ClientCredentials)):
        return f"{kind} of the organisation {shown(getattr(found, 'org_id', None))}"
    identity = found.api_key if isinstance(found, ApiKeyCredentials) else found.client_id
    return f"{kind}: organisation {_id(found.org_id, found)}, ID {_id(identity, found)}, secret ***"


def _id(text: str, keys: ApiKeyCredentials | ClientCredentials) -> str:
    """An ID is shown; not one that may be the secret in the wrong place."""
    secret = str.__str__(keys.api_secret)
    is_secret = secret in text or text in secret
    return "***" if is_secret or len(text) > LONGEST_ID_CHARACTERS else shown(text)


def _in_environment(environ: Mapping[str, str], config: Configuration | None) -> Iterator[Said]:
    kind = kind_in_environment()
    identity, secret = (f"SCOPE_{key}" for key in setting_keys(kind)[1:])
    others = [f"SCOPE_{key}" for key in setting_keys(_other(kind))[1:]]
    beside = [name for name in others if environ.get(name)]
    missing = [name for name in ("SCOPE_ORG_ID", identity, secret) if not environ.get(name)]
    flaws = list(_odd_values(environ, ("SCOPE_ORG_ID", identity, secret)))
    if missing:
        yield _incomplete(missing, identity, secret, beside)
    elif beside:
        yield warning(
            f"{' and '.join(beside)} {'is' if len(beside) == 1 else 'are'} set beside {identity}, and not used",
            f"keep one pair: unset {' and '.join(beside)}, or unset {identity} and {secret} to use the other",
        )
    yield from flaws
    if not missing and not flaws:
        swapped = _swapped(environ["SCOPE_ORG_ID"], environ[identity], environ[secret], identity, secret)
        if swapped is not None:
            yield swapped
        elif config is not None and config.credentials is not None:
            yield ok(f"{_named(config)} (SCOPE_ORG_ID, {identity}, {secret})")


def _other(kind: Kind) -> Kind:
    return ClientCredentials if kind is ApiKeyCredentials else ApiKeyCredentials


def _incomplete(missing: list[str], identity: str, secret: str, beside: list[str]) -> Said:
    remedy = f"set {', '.join(missing)} as the platform shows {'it' if len(missing) == 1 else 'them'}"
    if len(missing) == 3 and not beside:
        return failed("there are no credentials", f"{remedy}; `scope serve` prints those of a platform on your machine")
    if beside:
        # Half of each pair: the other half's name was taken for that of the first.
        other = beside[0]
        if secret in missing and other.endswith("_SECRET"):
            remedy = f"keep one pair: put the secret of {identity} into {secret}, and unset {other}"
        elif identity in missing and other.endswith(("_KEY", "_ID")):
            remedy = f"keep one pair: put the ID that belongs to {secret} into {identity}, and unset {other}"
        return failed(
            f"{' and '.join(missing)} {_is(missing)} not set, and {' and '.join(beside)} {_is(beside)}", remedy
        )
    return failed(f"{', '.join(missing)} {_is(missing)} not set", remedy)


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _odd_values(environ: Mapping[str, str], names: tuple[str, ...]) -> Iterator[Said]:
    for name in names:
        value = environ.get(name, "")
        if value != value.strip():
            what = "a line break" if re.search(r"[\r\n]\s*$|^\s*[\r\n]", value) else "a space"
            yield failed(f"{name} begins or ends with {what}", f"set {name} without the white space around it")
        elif len(value) > 1 and value[0] == value[-1] and value[0] in "'\"`":
            yield failed(
                f"{name} has quotation marks around it, which belong to it in a .env file or in Docker's --env-file",
                f"set {name} without the quotation marks",
            )
        elif re.search(r"\$\{?\w|<[^>]*>|\.\.\.|…", value) or value.lower() in ("changeme", "xxx", "todo", "none"):
            yield failed(f"{name} holds a placeholder, and no value", f"set {name} as the platform shows it")
        elif re.search(r"[\x00-\x20\x7f]", value):
            yield failed(f"{name} has a space or a control character in it", f"copy {name} again from the platform")


def _swapped(organisation: str, identity_value: str, secret_value: str, identity: str, secret: str) -> Said | None:
    if organisation == identity_value:
        return failed(f"SCOPE_ORG_ID and {identity} are the same", "set SCOPE_ORG_ID to the ID of the organisation")
    if secret_value in (organisation, identity_value) and len(secret_value) >= SHORTEST_SECRET_CHARACTERS:
        where = "SCOPE_ORG_ID" if secret_value == organisation else identity
        return failed(f"{where} and {secret} are the same", f"set {where} to the ID, which is no secret")
    if _LIKE_A_KEY.match(organisation) and not _LIKE_A_KEY.match(identity_value):
        return failed(f"SCOPE_ORG_ID and {identity} look swapped", f"swap the values of SCOPE_ORG_ID and {identity}")
    if _LIKE_AN_ORGANISATION.match(identity_value) and not _LIKE_AN_ORGANISATION.match(organisation):
        return failed(f"SCOPE_ORG_ID and {identity} look swapped", f"swap the values of SCOPE_ORG_ID and {identity}")
    if len(identity_value) > LONGEST_ID_CHARACTERS and len(secret_value) * 2 <= len(identity_value):
        return failed(f"{identity} looks like the secret, and {secret} like the ID", f"swap {identity} and {secret}")
    return None
