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
    """Files: what a client trusts, what a server shows, with its private key, and a certificate of a stranger."""

    authority: Path
    server: Path
    stranger: Path
    strangers_key: Path


@functools.cache
def certificate() -> Certificate:
    """The one of this process; its files are removed when it ends."""
    import trustme  # most tests need none of it

    folder = Path(tempfile.mkdtemp(prefix="scope-tests-"))
    atexit.register(_remove, folder, os.getpid())
    authority = trustme.CA()
    made = Certificate(*(folder / f"{name}.pem" for name in Certificate._fields))
    authority.cert_pem.write_to_path(made.authority)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(made.server)
    strangers = trustme.CA().issue_cert("stranger@example.com")
    strangers.cert_chain_pems[0].write_to_path(made.stranger)
    strangers.private_key_pem.write_to_path(made.strangers_key)
    return made


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child ends sooner
        shutil.rmtree(folder, ignore_errors=True)
