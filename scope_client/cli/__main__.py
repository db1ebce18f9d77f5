"""`python -m scope_client.cli` is the `scope` command."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
