"""The arguments of the commands: what is said of each, and what those of text stand for."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional, Union

from .._prompt.jsonvalue import as_json, parse
from .._wording import shown
from ..errors import ValidationError

ARGUMENTS: Mapping[str, str] = {
    "name": "The prompt's name or ID.",
    "label": "The version with this label; production by default.",
    "version": "The version with this ID, such as v_31G0...; `scope get` as JSON shows it.",
    "var": "The value of one variable; repeat it for more.",
    "vars_file": "A file with a JSON object of values, or - for standard input; -v wins over it.",
    "names": "Further prompts, which no template names.",
    "paths": "Files and folders to look at; by default all templates, and the Python code of the project.",
    "against": "The word platform, a folder of prompts, or a lock; by default the site's lock, else its platform.",
    "promoted": "Compare what is in production with this version: latest tells what a promotion would break.",
    "lock": "Tell of prompts that have moved on since this lock; by default scope.lock, if there is one.",
    "lock_of_doctor": "The lock to look at, in place of the one of SCOPE_LOCK or of the settings.",
    "one_name": "A prompt to read; without it, one that need not exist is asked for.",
    "strict": "Fail over what is known only at run time.",
    "baseline": "Tell nothing of the findings that this file has.",
    "write_baseline": "Write what is wrong into the file of --baseline.",
    "verbose": "List what is known only at run time, and what was left out.",
    "exclude": "Leave out the files whose path, or a part of it, fits this pattern, such as drafts or '*.txt'.",
    "format": "How the report is printed; as text by default.",
    "json": "The same as --format json.",
}
"""What the commands say of each argument."""
OUTPUT_FORMATS = ("text", "json")
"""What --format takes."""
STANDARD_INPUT = "-"


def wants_json(json: bool, format: Optional[str]) -> bool:  # noqa: A002  # the options' own words
    """Whether --json and --format ask for JSON; raises ValidationError if they contradict each other."""
    if json and format not in (None, "json"):
        raise ValidationError(f"--json and --format {format} exclude each other: give one of them")
    return json or format == "json"


def pairs(given: Iterable[str]) -> dict[str, str]:
    """The values of arguments such as "name=Alice"; raises ValidationError for another one."""
    values = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise ValidationError(f"a value is given as key=value, got {shown(pair)}")
        values[key] = value
    return values


def filed(path: Optional[str]) -> dict[str, Any]:
    """The values in a JSON file, or in standard input for "-", or none for None; ValidationError if they are not."""
    if path is None:
        return {}
    try:
        text = _standard_input() if path == STANDARD_INPUT else Path(path).read_bytes()
        values = as_json(parse(text)) if text.strip() else text
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    except (ValueError, RecursionError) as error:
        wrong = f"is not JSON ({error})"
    else:
        if isinstance(values, dict):
            return values
        wrong = f"holds a JSON {type(values).__name__}" if text.strip() else "is empty"
    what = "standard input" if path == STANDARD_INPUT else repr(path)
    raise ValidationError(f'{what} {wrong}; it must be a file with a JSON object such as {{"name": "Alice"}}')


def _standard_input() -> Union[bytes, str]:
    if sys.stdin is None:
        return b""
    text: Union[bytes, str] = getattr(sys.stdin, "buffer", sys.stdin).read()
    return text
