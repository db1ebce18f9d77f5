"""Log: values are shown as they say of themselves, in one line."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from scope_client._log import Log


class Wait(NamedTuple):
    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:g}\nseconds"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Wait(5.0), r"5\nseconds"),
        ((1, "a"), "(1, 'a')"),
        (["a\n"], r"['a\n']"),
        (5, "5"),
        (0.5, "0.5"),
        (None, "None"),
        ("a\n", r"a\n"),
    ],
)
def test_a_value_is_shown_as_it_says_and_in_one_line(
    value: object, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    Log("scope_client.http").warning("it is %s", value)
    assert caplog.messages == [f"it is {shown}"]


def test_a_fact_that_is_a_list_stays_one(caplog: pytest.LogCaptureFixture) -> None:
    Log("scope_client.http").warning("it is so", facts={"those": ["a\n", 5], "others": ("b", 0.5), "nothing": None})
    (record,) = caplog.records
    assert (record.those, record.others) == ([r"a\n", 5], ["b", 0.5])
    assert not hasattr(record, "nothing")
