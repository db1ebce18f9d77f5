"""Both orders of changing a prompt that is in use: the code first, and the prompt first."""

from __future__ import annotations

import logging
import sys

from scope_client import ScopeClient, ScopeError
from scope_client.local import LocalPlatform

OLD_CODE = {"name": "Ada"}
NEW_CODE = {"name": "Ada", "tone": "warm"}


def say(text: str) -> None:
    print(text, flush=True)


def reads(client: ScopeClient, who: str, values: dict[str, str]) -> None:
    """One request of somebody's product."""
    client.clear_cache()  # so that each step is seen at once; in a product a promotion arrives within the TTL
    try:
        say(f"  {who} sends: {client.render_prompt('greeting', values)}")
    except ScopeError as error:
        say(f"  {who} FAILS: {type(error).__name__}: {error}")


def code_first(**options: str) -> None:
    with LocalPlatform() as platform, platform.client(**options) as client:
        platform.publish("greeting", "Hello {{name}}")
        reads(client, "the old code", OLD_CODE)
        say("  the new code is deployed, which gives a tone")
        reads(client, "the new code", NEW_CODE)
        platform.publish("greeting", "Hello {{name}}, in a {{tone}} voice")
        say("  version 2 is promoted, which needs a tone")
        reads(client, "the new code", NEW_CODE)


def prompt_first(**options: str) -> None:
    with LocalPlatform() as platform, platform.client(**options) as client:
        platform.publish("greeting", "Hello {{name}}")
        reads(client, "the old code", OLD_CODE)
        platform.publish("greeting", "Hello {{name}}, in a {{tone}} voice")
        say("  version 2 is promoted, which needs a tone")
        reads(client, "the old code", OLD_CODE)
        say(f"  status: {[(each.name, each.missing_variables) for each in client.status().prompts]}")
        say("  the new code is deployed, which gives a tone")
        reads(client, "the new code", NEW_CODE)


def main() -> None:
    logging.basicConfig(format="  %(levelname)s %(message)s", stream=sys.stdout)
    say("Code first, as it is by default:")
    code_first()
    say('Code first, with extra_values="warn":')
    code_first(extra_values="warn")
    say("Prompt first, as it is by default:")
    prompt_first()
    say('Prompt first, with when_unfit="last_fitting":')
    prompt_first(when_unfit="last_fitting")


if __name__ == "__main__":
    main()
