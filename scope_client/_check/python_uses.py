"""The uses of prompts in one file of Python, read without running or importing it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

from .call_forms import FORMS, TYPED_FUNCTIONS
from .configured_calls import ConfiguredCall
from .import_paths import is_package
from .imported_constants import ConstantsOf
from .module_walk import read_module
from .python_comments import PythonComments
from .seen import Seen
from .source_places import SourcePlaces
from .use_making import UseMaking

_MAY_USE = re.compile(
    rb"%b|#[^\n#]*[Ss][Cc][Oo][Pp][Ee]:" % b"|".join(word.encode() for word in sorted([*FORMS, TYPED_FUNCTIONS]))
)


def may_use_prompts(octets: bytes, calls: Sequence[ConfiguredCall] = ()) -> bool:
    """Whether a file may ask for prompts. Takes microseconds, and spares most files of a project the reading.

    Args:
        octets: The file: Python or a notebook.
        calls: The calls that a project configures.
    """
    return _MAY_USE.search(octets) is not None or any(call.last_name.encode() in octets for call in calls)


def uses_in_python(
    text: str, file: str, calls: Sequence[ConfiguredCall] = (), constants_of: ConstantsOf | None = None
) -> Seen:
    """What one file of Python shows.

    Args:
        text: The file. `source_text` gives that of its octets.
        file: Its path as places give it, relative with forward slashes; relative imports are resolved by it.
        calls: The calls that a project configures.
        constants_of: Gives the constants of the modules that the file imports. Without it, an imported name is known
            only at run time.

    Raises:
        SyntaxError: It is not Python that this interpreter reads.
        ValueError: It holds what no source may hold, such as NUL.
        RecursionError: It is nested too deeply.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    module = read_module(parsed(text), file, is_package=is_package(file))
    places = SourcePlaces(text, file)
    comments = PythonComments(text, places)
    making = UseMaking(module, places, comments, calls, constants_of)
    said = comments.seen(making.functions_of(comments.of_lines))
    uses = dict.fromkeys([*making.uses(), *said.uses])
    return Seen(sorted(uses, key=lambda use: use.place[1:]), said.findings)


def parsed(text: str) -> ast.Module:
    """The tree of a text.

    Args:
        text: Python.

    Raises:
        SyntaxError: It is not Python that this interpreter reads.
        ValueError: It holds what no source may hold, such as NUL.
        RecursionError: It is nested too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an escape such as "\d", which is not ours to tell
        try:
            return ast.parse(text)
        except MemoryError:  # what the parser calls its own depth
            raise RecursionError("it is nested too deeply for Python's parser") from None
