"""A certificate for 127.0.0.1 and the authority that signed it, made at test time: no private key is kept anywhere."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple


class Certificate(NamedTuple):
    """Two files: what a client trusts, and what a server shows, with its private key."""

    authority: Path
    server: Path


@functools.cache
def certificate() -> Certificate:
    """The one of this process; its files are removed when it ends."""
    import trustme  # most tests need none of it

    folder = Path(tempfile.mkdtemp(prefix="scope-tests-"))
    atexit.register(_remove, folder, os.getpid())
    authority = trustme.CA()
    made = Certificate(folder / "authority.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(made.authority)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(made.server)
    return made


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child ends sooner
        shutil.rmtree(folder, ignore_errors=True)
