#!/usr/bin/env python
"""Runs the site with everything it needs: a local Scope Platform, a database, and a user to sign in as."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from scope_client.local import LocalPlatform

PROMPTS = Path(__file__).resolve().parent.parent / "prompts"
PROMPT_TTL_SECONDS = "10"  # so short that an outage is soon seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the site; %(default)s by default")
    parser.add_argument("--prompts", default=PROMPTS, help="a folder of prompts; edit a file while the site runs")
    arguments = parser.parse_args()
    with LocalPlatform(arguments.prompts) as platform:
        os.environ.update(platform.environ, DJANGO_DEBUG="1", DJANGO_SETTINGS_MODULE="demo_site.settings")
        os.environ.setdefault("PROMPT_TTL", PROMPT_TTL_SECONDS)
        serve(arguments.port, platform)


def serve(port: int, platform: LocalPlatform) -> None:
    import django
    from django.core.management import call_command
    from pages import demo

    django.setup()
    demo.switch = demo.Switch(platform)
    call_command("migrate", verbosity=0)
    make_user()
    print(f"A Scope Platform runs on {platform.url}. For manage.py in another terminal:")
    print(f"export DJANGO_DEBUG=1 {' '.join(f'{key}={shlex.quote(value)}' for key, value in platform.environ.items())}")
    print(
        f"The site: http://127.0.0.1:{port}/ (sign in as {demo.USER} with the password {demo.PASSWORD}). Ctrl-C stops.",
        flush=True,
    )
    call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)


def make_user() -> None:
    from django.contrib.auth import get_user_model
    from pages.demo import PASSWORD, USER

    users = get_user_model().objects
    if not users.filter(username=USER).exists():
        users.create_superuser(USER, password=PASSWORD, first_name="Ada")


if __name__ == "__main__":
    sys.exit(main())
