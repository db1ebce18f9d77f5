#!/usr/bin/env python
"""Runs the site with a local Scope Platform."""

import argparse
import os
from pathlib import Path

import uvicorn

from scope_client.local import LocalPlatform

PROMPTS = Path(__file__).resolve().parent.parent / "prompts"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the site; %(default)s by default")
    parser.add_argument("--prompts", default=PROMPTS, help="a folder of prompts; edit a file while the site runs")
    arguments = parser.parse_args()
    with LocalPlatform(arguments.prompts) as platform:
        os.environ.update(platform.environ)
        print(f"A Scope Platform runs on {platform.url}.")
        print(f"The site: http://127.0.0.1:{arguments.port}/. Ctrl-C stops.", flush=True)
        uvicorn.run("app:app", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
