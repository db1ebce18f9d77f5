"""What LangChain saves of a chat prompt if none of its classes has the variables of a message: a sequence of them."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.load.mapping import SERIALIZABLE_MAPPING
from langchain_core.messages import convert_to_messages
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.prompts.dict import DictPromptTemplate
from langchain_core.runnables import RunnablePassthrough, RunnablePick

from scope_client.frameworks import Message

from . import _fstring as fstring
from .messages import StoredMessagePromptTemplate

_NOT_READ = (ValueError, KeyError, TypeError, NotImplementedError)  # what LangChain raises for a message


def as_sequence(template: Any) -> Any:
    """Makes the messages of `StoredMessagePromptTemplate` first, and puts them into the places that they have.

    None if each message is saved as it is, or if LangChain's classes cannot make one of them. LangChain's `loads` of
    before 1.6 does not know the class that takes a list out of a dict.
    """
    if tuple(RunnablePick.lc_id()) not in SERIALIZABLE_MAPPING:
        return None
    made: dict[str, Any] = {}
    messages: list[Any] = []
    for number, message in enumerate(template.messages):
        if isinstance(message, StoredMessagePromptTemplate) and message.input_variables:
            place = f"message {number}"  # no variable has a space
            filled_in = _dict_template(message)
            if filled_in is None or not template.partial_variables.keys().isdisjoint(message.input_variables):
                return None
            made[place] = filled_in
            messages.append(MessagesPlaceholder(place))
        else:
            messages.append(message)
    if not made:
        return None
    kept = {name: getattr(template, name) for name in ("partial_variables", "metadata", "tags")}
    return RunnablePassthrough.assign(**made) | ChatPromptTemplate(messages, **kept)


def _dict_template(message: StoredMessagePromptTemplate) -> Any:
    read = {"content": None, **json.loads(message.message)}
    if "function_call" in read:  # its arguments are JSON text for LangChain too: a value has to be escaped there
        return None
    try:
        read.update({"role": read["role"].lower()} if "role" in read else {})
        convert_to_messages([read])
        read["tool_calls"] = [_with_an_object(call) for call in read.get("tool_calls") or ()]
        filled_in = _fstrings(dict(Message(read).json))
    except _NOT_READ:
        return None
    if not read["tool_calls"]:
        del filled_in["tool_calls"]
    in_a_list = DictPromptTemplate(template={"messages": [filled_in]}, template_format="f-string")
    return in_a_list | RunnablePick("messages")


def _with_an_object(call: dict[str, Any]) -> dict[str, Any]:
    """The tool call with arguments into which a value can be put without being escaped."""
    function = call.get("function")
    if not function or not isinstance(function["arguments"], str):
        return call
    return {**call, "function": {**function, "arguments": json.loads(function["arguments"], strict=False)}}


def _fstrings(value: Any) -> Any:
    """The texts of a message as LangChain fills them in; raises ValueError for texts that it leaves as they are."""
    if hasattr(value, "pieces"):
        return fstring.from_pieces(value.pieces)
    if isinstance(value, str):
        return fstring.from_pieces([value])
    if isinstance(value, dict):
        return {name: _fstrings(each) for name, each in value.items()}
    if isinstance(value, list) and any(isinstance(each, list) for each in value):
        raise ValueError("LangChain fills in no list within a list")
    return [_fstrings(each) for each in value] if isinstance(value, list) else value
