"""What is wrong with a content: one answer for the form, the pages that show it, and publishing."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._prompt.chat_template import ChatTemplate
from ..._prompt.template import Template
from ..._wording import shown
from ...errors import ApiError
from ._json_text import read_json
from ._messages import SHOWN_ROLES, shown_message

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_VERDICTS_KEPT = 2_000
_USUAL_ROLES = (*SHOWN_ROLES, "model", "human", "ai")
_IN_BRACES = re.compile(r"(\{\{[^{}\n]*\}\})")  # variables are taken out before
A_NAME = "a variable's name has letters, digits and _ only, and no space around it"


class Verdict(NamedTuple):
    """On a content. Each is in words for people, and "" or () if there is nothing to say."""

    refusal: str = ""
    """Why it cannot even be a draft."""
    flaw: str = ""
    """Why no program could use it, so that it is not published."""
    doubts: tuple[str, ...] = ()
    """What is likely a slip."""

    @property
    def unfit(self) -> str:
        """Why it is not published."""
        return self.refusal or self.flaw


@functools.lru_cache(maxsize=MOST_VERDICTS_KEPT)
def verdict_on(kind: str, content: str) -> Verdict:
    """Whether programs can use a content of this type."""
    if not content.strip():
        return Verdict(refusal="it is empty: write what a model is to get")
    return _on_chat(content) if kind == "chat" else Verdict(doubts=tuple(_no_variables([content])))


def pieces_of(text: str) -> list[tuple[str, str]]:
    """Pairs of what a piece of a text is and the piece: "slot" for a variable, "slip" for what only looks like one."""
    pieces: list[tuple[str, str]] = []
    for place, piece in enumerate(Template(text).pieces):
        if place % 2:
            pieces.append(("slot", f"{{{{{piece}}}}}"))
            continue
        parts = enumerate(_IN_BRACES.split(piece))
        pieces += [("slip" if number % 2 else "", part) for number, part in parts if part]
    return pieces


def _on_chat(content: str) -> Verdict:
    try:
        messages = read_json(content)
    except ValueError as error:
        return Verdict(refusal=f"the messages are not JSON. {str(error)[:1].upper()}{str(error)[1:]}")
    try:
        template = ChatTemplate(content)
    except ApiError as error:
        return Verdict(refusal=error.message)
    flaw = template.flaw if template.parts else "it has no message"
    return Verdict(flaw=flaw, doubts=tuple(_doubts_of(messages)))


def _doubts_of(messages: list[dict[str, Any]]) -> Iterator[str]:
    for number, message in enumerate(messages, 1):
        role = message.get("role", _USUAL_ROLES[0])
        if role.lower() not in _USUAL_ROLES:
            yield f"message {number} has the role {shown(role)}, which models may not know"
        if message.get("content") == "":
            yield f"message {number} has an empty content, which models may refuse"
    yield from _no_variables([text for message in messages for _, text in shown_message(message).parts])


def _no_variables(texts: list[str]) -> Iterator[str]:
    slips = [piece for text in texts for kind, piece in pieces_of(text) if kind == "slip"]
    for slip in dict.fromkeys(slips):
        yield f"{slip} is not a variable, so models get it as it stands: {A_NAME}"
