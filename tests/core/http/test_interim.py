"""1xx answers come before the answer and are no answer (RFC 9110, 15.2)."""

from __future__ import annotations

import pytest
from faults.replies import head, prompt
from faults.server import FaultServer

from scope_client import ApiError, ScopeClient


@pytest.mark.parametrize("status", [100, 102, 103])
@pytest.mark.parametrize("count", [1, 3])
def test_an_interim_answer_is_passed_over(status: int, count: int, client: ScopeClient, server: FaultServer) -> None:
    server.answers(head(status, Link="</style.css>") * count + prompt("first"), prompt("second"))
    assert client.get_prompt_version("a").content == "first"
    assert client.get_prompt_version("b").content == "second"


def test_interim_answers_of_several_kinds_are_passed_over(client: ScopeClient, server: FaultServer) -> None:
    server.answers(head(100) + head(103) + head(100) + head(102) + prompt("first"))
    assert client.get_prompt_version("a").content == "first"


def test_after_a_switch_of_protocols_nothing_is_read_from_that_connection(
    client: ScopeClient, server: FaultServer
) -> None:
    server.answers(head(101, Upgrade="h2c") + prompt("not for b"), prompt("for b"))
    with pytest.raises(ApiError, match="101"):
        client.get_prompt_version("a")
    assert client.get_prompt_version("b").content == "for b"
