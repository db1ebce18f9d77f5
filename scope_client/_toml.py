"""TOML, read by Python itself; before Python 3.11 by tomli, which comes with an extra."""

from __future__ import annotations

import sys
from typing import Any

from ._extras import missing_extra
from ._fork import held_back
from .errors import ConfigurationError


def toml_in(octets: bytes, what: str) -> dict[str, Any]:
    """The table of a file.

    Args:
        octets: The file.
        what: What is read, for the message if the package is missing: "TOML before Python 3.11".

    Raises:
        ValueError: It is not TOML, or not UTF-8; RecursionError if it is nested too deeply.
        ConfigurationError: The package that reads it is missing.
    """
    try:
        with held_back():
            if sys.version_info >= (3, 11):
                import tomllib
            else:
                import tomli as tomllib
    except ImportError as error:
        raise ConfigurationError(missing_extra(what, ("tomli",), "local", error)) from None
    return tomllib.loads(octets.decode("utf-8-sig"))
