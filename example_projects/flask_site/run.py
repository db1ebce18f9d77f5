#!/usr/bin/env python
"""Runs the site with a local Scope Platform."""

import argparse
import os
import shlex
from pathlib import Path

from scope_client.local import LocalPlatform

PROMPTS = Path(__file__).resolve().parent.parent / "prompts"
PROMPT_TTL_SECONDS = "10"  # so short that an outage is soon seen


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the site; %(default)s by default")
    parser.add_argument("--prompts", default=PROMPTS, help="a folder of prompts; edit a file while the site runs")
    arguments = parser.parse_args()
    with LocalPlatform(arguments.prompts) as platform:
        os.environ.update(platform.environ)
        os.environ.setdefault("FLASK_SCOPE_CACHE_TTL", PROMPT_TTL_SECONDS)
        from app import create_app
        from switch import Switch

        print(f"A Scope Platform runs on {platform.url}. For `flask --app app scope check` in another terminal:")
        print(f"export {' '.join(f'{key}={shlex.quote(value)}' for key, value in platform.environ.items())}")
        print(f"The site: http://127.0.0.1:{arguments.port}/. Ctrl-C stops.", flush=True)
        create_app(SWITCH=Switch(platform)).run(port=arguments.port)


if __name__ == "__main__":
    main()
