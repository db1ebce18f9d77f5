"""A converted prompt beside a hand-written f-string PromptTemplate; a live one beside a plain one."""

from __future__ import annotations

import time
from collections.abc import Callable

from langchain_core.prompts import PromptTemplate

from scope_client.local import LocalPlatform
from scope_langchain import scope_prompt, to_langchain

from .measure import Row, medians, seconds

FORMATS = 5000
INVOKES = 500
LIMIT_FORMAT = 1.1
LIMIT_INVOKE = 1.5
LITERAL = "x" * 340
VALUES = {name: name * 10 for name in "abcde"}


def rows() -> list[Row]:
    content = LITERAL + "".join("{{%s}}%s" % (name, LITERAL) for name in VALUES)  # noqa: UP031  # braces
    plain = PromptTemplate.from_template(LITERAL + "".join(f"{{{name}}}{LITERAL}" for name in VALUES))
    with LocalPlatform({"greeting": content}) as platform:
        client = platform.client()
        ours = to_langchain(client.get_prompt_version("greeting"))
        live = scope_prompt("greeting", client=client)
        assert ours.format(**VALUES) == plain.format(**VALUES) == live.invoke(VALUES).to_string()
        formatted = medians(
            lambda: timed(lambda: ours.format(**VALUES), FORMATS),
            lambda: timed(lambda: plain.format(**VALUES), FORMATS),
        )
        invoked = medians(
            lambda: timed(lambda: live.invoke(VALUES), INVOKES),
            lambda: timed(lambda: plain.invoke(VALUES), INVOKES),
        )
    return [
        row("LangChain format, 2 kB, 5 variables", *formatted, LIMIT_FORMAT),
        row("LangChain live prompt, invoke", *invoked, LIMIT_INVOKE),
    ]


def timed(call: Callable[[], object], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times


def row(what: str, ours: float, theirs: float, limit: float) -> Row:
    return Row(what, seconds(ours), f"PromptTemplate {seconds(theirs)}", ours / theirs, limit)
