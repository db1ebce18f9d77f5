"""A conversation goes on in another process, after a promotion, with the version that it began with: `make pinned`."""

import subprocess
import sys

from scope_client import ScopeClient
from scope_client.local import LocalPlatform

NEWER = "Welcome, {{name}}, this {{time_of_day}}!"


def answer(token: str) -> None:
    """One process of the site: it answers one message of the conversation, and one of a new one."""
    values = {"time_of_day": "morning", "name": "Ada"}
    with ScopeClient() as client:  # keys and addresses: those of the environment
        with client.pin("reminder", token=token or None) as pins:
            print(client.render_prompt("reminder", values), "|", end=" ")
        print(client.render_prompt("reminder", values), pins.token, sep="\n")


def process(platform: LocalPlatform, token: str = "") -> str:
    """Runs such a process to its end, and gives the token that it hands on."""
    words = [sys.executable, __file__, "answer", token]
    done = subprocess.run(words, env=platform.environ, check=True, capture_output=True, text=True)
    said, handed_on = done.stdout.splitlines()
    print(f"  the conversation | a new one: {said}")
    return handed_on


def main() -> None:
    with LocalPlatform({"reminder": "Good {{time_of_day}}, {{name}}!"}) as platform:
        print("process A")
        token = process(platform)
        print("somebody promotes another version, and the site is deployed")
        platform.publish("reminder", NEWER)
        print("process B")
        token = process(platform, token)
        print("process C, a week later")
        process(platform, token)
        print(f"the token: {len(token)} characters")


if __name__ == "__main__":
    answer(sys.argv[2]) if sys.argv[1:2] == ["answer"] else main()
