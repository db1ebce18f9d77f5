"""The lock wins: over a token of pins, and over a rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.locking import GREETING, answer_of, body, write_lock

if TYPE_CHECKING:
    from pathlib import Path

    from faults.server import FaultServer, Peer

    from scope_client import ScopeClient

OLDER = body("older {{name}}", number=6)
CANDIDATE = body("candidate {{name}}", number=8)
ROLLED_OUT = body("rolled out {{name}}", number=7, metadata={"rollout": {"v_greeting_8": 100}})


@pytest.fixture
def answers(server: FaultServer) -> None:
    """Each version by its ID, and the older one as the one in production."""
    known = {each["id"]: each for each in (GREETING, OLDER, CANDIDATE)}

    def reply(peer: Peer) -> None:
        peer.send(answer_of(known.get(peer.request.target.rpartition("/")[2], OLDER)))

    server.answers(reply)


@pytest.mark.usefixtures("answers")
def test_a_token_of_another_version_gives_way_to_the_lock(
    make_client: Callable[..., ScopeClient], make_locked: Callable[..., ScopeClient]
) -> None:
    token = make_client().pin("greeting").token
    client = make_locked()
    with client.pin(token=token) as pins:
        assert pins.versions == {"greeting": "v_greeting_6"}
        for _ in range(3):
            assert client.get_prompt_version("greeting").content == GREETING["content"]
        read = client.read_prompt("greeting")
        assert (read.version.id, read.is_locked) == ("v_greeting_7", True)
        assert pins.versions == {"greeting": "v_greeting_7"}
    with client.pin("greeting") as pins:
        assert client.get_prompt_version("greeting").content == GREETING["content"]
    other = make_client()
    with other.pin(token=pins.token):
        assert other.get_prompt_version("greeting").id == "v_greeting_7"


def test_a_locked_version_has_no_rollout(
    server: FaultServer, make_client: Callable[..., ScopeClient], tmp_path: Path
) -> None:
    known: dict[str, Any] = {each["id"]: each for each in (ROLLED_OUT, CANDIDATE)}

    def reply(peer: Peer) -> None:
        peer.send(answer_of(known.get(peer.request.target.rpartition("/")[2], ROLLED_OUT)))

    server.answers(reply)
    lock = write_lock(tmp_path / "rolled", [ROLLED_OUT])
    assert make_client().get_prompt_version("greeting", key=1).content == "candidate {{name}}"
    client, before = make_client(lock=lock), len(server.reads)
    for _ in range(2):
        assert client.get_prompt_version("greeting", key=1).content == "rolled out {{name}}"
        assert client.read_prompt("greeting", key=1).variant is None
    client.prefetch(["greeting"])
    assert not [each for each in server.reads[before:] if each.target.endswith("v_greeting_8")]
