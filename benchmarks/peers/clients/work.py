"""One client at work: `work.py ADAPTER URL TTL SIZE`."""

from __future__ import annotations

import sys
from importlib import import_module

from jobs import Jobs
from lines import answer

if __name__ == "__main__":
    adapter, url, ttl, size = sys.argv[1:]
    answer(Jobs(import_module(adapter).Reader(url, int(ttl), int(size))))
