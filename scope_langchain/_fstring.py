"""From the core's parsed template to LangChain's f-string and back; neither way parses the content again."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from string import Formatter
from typing import Any

from scope_client import PromptVersion, ValidationError
from scope_client.frameworks import listed, shown

_NAMES_OF_LANGCHAIN = ("self", "stop")
KEPT_TEMPLATES = 1024


def from_pieces(pieces: Iterable[str]) -> str:
    """The f-string of pieces that are literal text and a variable by turns."""
    return "".join("{%s}" % piece if place % 2 else _literal(piece) for place, piece in enumerate(pieces))  # noqa: UP031


def check_names(version: PromptVersion) -> None:
    """Raises ValidationError for a variable that LangChain cannot take."""
    bad = [name for name in version.variables if name in _NAMES_OF_LANGCHAIN or name.isdigit()]
    if bad:
        variables, them = ("variable", "it") if len(bad) == 1 else ("variables", "them")
        raise ValidationError(
            f"LangChain cannot take the {variables} {listed(bad)} of the prompt {shown(version.name)}: "
            f"rename {them} there, or call version.render(...) or version.messages(...) in a RunnableLambda"
        )


@lru_cache(maxsize=KEPT_TEMPLATES)
def parsed(fstring: str) -> Any:
    """The core's template for an f-string, or None if a field of it has more than a name, such as a format."""
    pieces = []
    literals: list[str] = []  # those up to the next variable: each brace ends one
    try:
        for literal, name, spec, conversion in Formatter().parse(fstring):
            literals.append(literal)
            if name is None:
                continue
            if spec or conversion or not name:
                return None
            pieces += ["".join(literals), name]
            literals = []
    except ValueError:
        return None
    pieces.append("".join(literals))
    content = "".join("{{%s}}" % piece if place % 2 else piece for place, piece in enumerate(pieces))  # noqa: UP031
    template = PromptVersion.from_api({"content": content, "type": "text"}).template
    return template if getattr(template, "pieces", None) == tuple(pieces) else None


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
