"""A host with several addresses: one that is dead is a warning as long as another one answers."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from scope_client._doctor.network import network_checks
from scope_client._doctor.places import places_of
from scope_client._doctor.setup import setup_of_environment

if TYPE_CHECKING:
    import pytest
    from faults.server import FaultServer


def outcomes(server: FaultServer, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> dict[str, str]:
    def found(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    for name in ("SCOPE_API_URL", "SCOPE_AUTH_API_URL"):
        monkeypatch.setenv(name, f"http://localhost:{server.port}")
    setup = setup_of_environment()
    assert setup.config is not None
    (place,) = places_of(setup.config)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", found)
        checks = list(network_checks(setup, place))
    return {check.name: check.outcome for check in checks if check.name.startswith("tcp")}


def test_one_dead_address_is_a_warning(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    found = outcomes(server, monkeypatch, "127.0.0.2", "127.0.0.1")
    assert found == {f"tcp 127.0.0.2:{server.port}": "warning", f"tcp 127.0.0.1:{server.port}": "ok"}


def test_all_of_them_dead_is_a_failure(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(outcomes(server, monkeypatch, "127.0.0.2", "127.0.0.3").values()) == {"failed"}
