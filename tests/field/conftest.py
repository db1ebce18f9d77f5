"""A client on a fault server, as the core's tests have it; and the machine of whoever runs the tests left out."""

from core.conftest import (  # noqa: F401  # fixtures
    clock,
    closed_port,
    keys,
    make_client,
    make_session,
    no_proxy_of_this_machine,
    nothing_stays_registered,
    other_server,
    server,
    session,
)
