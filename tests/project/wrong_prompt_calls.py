"""Mistakes in calls of functions that `scope types` made; the names behind a line say which type checkers find it."""

from __future__ import annotations

from prompts import agreeting, aqa_v2, greeting, odd, qa_v2, wait

greeting(nmae="Ada", time_of_day="morning")  # mypy pyright ty pyrefly
greeting(name="Ada")  # mypy pyright ty pyrefly
greeting(name="Ada", time_of_day="morning", tone="x")  # mypy pyright ty pyrefly
greeting("Ada", "morning")  # mypy pyright ty pyrefly
greeting(name="Ada", time_of_day="morning", client="client")  # mypy pyright ty pyrefly
number: int = greeting(name="Ada", time_of_day="morning")  # mypy pyright ty pyrefly
qa_v2(history="Hi", q="Why?")  # mypy pyright ty pyrefly
qa_v2(history=None, q="Why?")  # mypy pyright ty pyrefly
qa_v2(q="Why?")  # mypy pyright ty pyrefly
text: str = qa_v2(history=[], q="Why?")  # mypy pyright ty pyrefly
odd(name="Ada", values={"clas": "x", "1": 2})  # mypy pyright ty pyrefly
odd(name="Ada", values={"class": "x", "1": 2, "retrun": 3})  # mypy pyright ty pyrefly
odd(name="Ada", values={"1": 2})  # mypy pyright ty pyrefly
odd(name="Ada")  # mypy pyright ty pyrefly
wait(name="x")  # mypy pyright ty pyrefly


async def main() -> None:
    await agreeting(name="Ada")  # mypy pyright ty pyrefly
    await agreeting(nmae="Ada", time_of_day="morning")  # mypy pyright ty pyrefly
    await aqa_v2(histroy=[], q="Why?")  # mypy pyright ty pyrefly
    not_awaited: str = agreeting(name="Ada", time_of_day="morning")  # mypy pyright ty pyrefly
    print(not_awaited)
