"""What the fake models answer: the first words of the system prompt and the question, or a call of a tool."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Union

SYSTEM_WORDS = 5
Body = dict[str, Any]
# The name of an event of a stream, if it has one, and its data.
Event = tuple[Optional[str], Union[Body, str]]


class ToolCall(NamedTuple):
    """What a model asks its program to call."""

    id: str
    name: str
    arguments: dict[str, Any]


class Answer(NamedTuple):
    """One answer of a model: a text, or calls of tools."""

    id: str
    model: str
    text: str
    calls: tuple[ToolCall, ...]
    words_asked: int

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed: word by word. Together they are the text."""
        words = self.text.split(" ")
        return [f"{word} " for word in words[:-1]] + words[-1:]

    @property
    def words(self) -> int:
        return len(self.text.split())


def text_of(content: Any) -> str:
    """The text of a message's content, which may be a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part)


def messages_of(body: Body) -> list[Body]:
    """The messages of a request, in whichever of the three protocols."""
    asked = body.get("messages", body.get("input", []))
    if isinstance(asked, str):
        return [{"role": "user", "content": asked}]
    return [message for message in asked if isinstance(message, dict)]


def system_of(body: Body) -> str:
    """The system prompt: apart from the messages in two protocols, the first of them in the third."""
    apart = [text_of(body[key]) for key in ("system", "instructions") if body.get(key)]
    within = [text_of(each.get("content")) for each in messages_of(body) if each.get("role") in ("system", "developer")]
    return "\n\n".join([*apart, *within])


def said(body: Body) -> str:
    """`You answer questions about the: Is it dimmable?`."""
    users = [text_of(each.get("content")) for each in messages_of(body) if each.get("role") == "user"]
    question = next((text for text in reversed(users) if text), "")
    system = " ".join(system_of(body).split()[:SYSTEM_WORDS])
    return f"{system}: {question}" if system else question


def tools_of(body: Body) -> set[str]:
    """The names of the tools that a request offers."""
    return {str(tool.get("name") or tool.get("function", {}).get("name")) for tool in body.get("tools") or ()}


def answer_to(body: Body, number: int, calls: tuple[ToolCall, ...]) -> Answer:
    asked = " ".join([system_of(body), *(text_of(each.get("content")) for each in messages_of(body))])
    text = "" if calls else said(body)
    return Answer(f"answer_{number}", str(body.get("model")), text, calls, len(asked.split()))


def is_word(data: Body | str) -> bool:
    """Whether an event of a stream carries a piece of the answer's text, in whichever of the three protocols."""
    if isinstance(data, str):
        return False
    if "choices" in data:
        return any(choice["delta"].get("content") for choice in data["choices"])
    delta = data.get("delta")
    return data["type"] == "response.output_text.delta" or (isinstance(delta, dict) and "text" in delta)
