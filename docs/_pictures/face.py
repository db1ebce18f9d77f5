"""Takes docs/_static/face-version.png and face-outage.png: two pages of the local platform, in a browser.

python docs/_pictures/face.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from scope_client.local import LocalPlatform

STATIC = Path(__file__).resolve().parents[1] / "_static"
PORT = 8750
SIZE = {"width": 1080, "height": 880}
OLD = "---\nstatus: published\nmetadata: {model: gpt-4, temperature: 0.7}\n---\nGood {{time_of_day}}, {{name}}!\n"
NEW = """---
metadata: {model: gpt-4, temperature: 0.4}
tags: [warm]
---
Good {{time_of_day}}, dear {{name}}!

You have {{count}} new messages. Shall I read them to you?
"""


def take_the_version(page: Page, url: str) -> None:
    page.goto(f"{url}/prompts/greeting/2")
    for name, value in {"time_of_day": "morning", "name": "Ada", "count": "3"}.items():
        page.fill(f"[name=v-{name}]", value)
    expect(page.locator("#filled pre")).to_contain_text("You have 3 new messages.")
    page.screenshot(path=STATIC / "face-version.png")


def take_the_outage(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 1080, "height": 680})
    page.goto(f"{url}/faults")
    page.fill("#unavailable-for_seconds", "300")
    page.click("[data-switch=unavailable] button >> nth=0")
    for _ in range(12):
        page.request.post(f"{url}/v1/auth/sdk-token", data={})
    expect(page.locator("#state [data-hits]").nth(1)).to_have_text("12 requests")
    page.screenshot(path=STATIC / "face-outage.png")


def main() -> int:
    program = shutil.which("chromium")
    if program is None:
        print("this needs a browser: apt install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        greeting = Path(folder, "prompts", "greeting")
        greeting.mkdir(parents=True)
        (greeting / "v1.md").write_text(OLD, encoding="utf-8")
        (greeting / "v2.md").write_text(NEW, encoding="utf-8")
        with LocalPlatform(greeting.parent, port=PORT, ui=True) as platform:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
            take_the_version(page, platform.url)
            take_the_outage(page, platform.url)
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
