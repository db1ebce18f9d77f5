"""The local platform in a real browser: each page and each action, by mouse, by keyboard and without scripts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from faults.looks import SCREENS, check_looks, click
from playwright.sync_api import expect

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"]
LONG_WORD = "w" * 120
CHAT = [
    {"role": "system", "content": f"You know {{{{product}}}}. {LONG_WORD}"},
    {"role": "placeholder", "content": "{{history}}"},
    {
        "role": "user",
        "content": [{"type": "text", "text": "{{question}}"}, {"type": "image_url", "image_url": LONG_WORD}],
    },
]
ODD_NAME = f"50% <b>&\"' ünï {LONG_WORD}"
MOST_TABS = 60
expect.set_options(timeout=20_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    greeting = tmp_path / "prompts" / "greeting"
    greeting.mkdir(parents=True)
    (greeting / "v1.md").write_text("---\nstatus: published\nmetadata: {model: gpt-4}\n---\nHello, {{name}}!\n")
    (greeting / "v2.md").write_text(f"---\nmetadata: {{model: {LONG_WORD}}}\ntags: [warm]\n---\nHi, {{{{name}}}}!\n")
    (tmp_path / "prompts" / "support.md").write_text(f"---\ntype: chat\n---\n{json.dumps(CHAT)}\n")
    return tmp_path / "prompts"


@pytest.fixture
def platform(folder: Path) -> Iterator[LocalPlatform]:
    with LocalPlatform(folder, ui=True) as started:
        yield started


class Watched:
    """Contexts of the browser, with all that its pages complain of or ask of other hosts."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self.heard: list[str] = []
        self.contexts: list[BrowserContext] = []

    def page(self, **options: Any) -> Page:
        """A page of a new context, on the list of prompts."""
        context = self._browser.new_context(**options)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self.heard.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.heard.append(f"{page.url}: {error}"))
        page.on("request", lambda request: request.url.startswith(self.url) or self.heard.append(request.url))
        page.goto(self.url)
        return page


@pytest.fixture
def watched(browser: Browser, platform: LocalPlatform) -> Iterator[Watched]:
    watched = Watched(browser, platform.url)
    yield watched
    for context in watched.contexts:
        context.close()
    assert watched.heard == []


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page()


def at(path: str) -> Callable[[Page, LocalPlatform, Path], None]:
    return lambda page, platform, folder: page.goto(platform.url + path) and None


def filled(page: Page, platform: LocalPlatform, folder: Path) -> None:
    page.goto(f"{platform.url}/prompts/support/1")
    page.fill("[name=v-product]", LONG_WORD)
    page.fill("[name=v-history]", f"user: {LONG_WORD}\nassistant: Hi")
    page.fill("[name=v-question]", "Is it dimmable?")
    expect(page.locator("#filled")).to_contain_text("4 messages")


def half_filled(page: Page, platform: LocalPlatform, folder: Path) -> None:
    page.goto(f"{platform.url}/prompts/support/1")
    page.fill("[name=v-history]", "[")
    expect(page.locator("#filled")).to_contain_text("is not one")


def refused(page: Page, platform: LocalPlatform, folder: Path) -> None:
    page.goto(f"{platform.url}/prompts/greeting/draft")
    page.fill("#f-metadata", LONG_WORD)
    page.fill("#f-content", LONG_WORD)
    page.evaluate("document.querySelector('main form').requestSubmit()")
    expect(page.locator("[role=alert]")).to_contain_text("the metadata must be lines such as")


def broken(page: Page, platform: LocalPlatform, folder: Path) -> None:
    (folder / "broken.md").write_text("---\nstatus: [\n---\n")
    (folder / f"{LONG_WORD}.md").write_text("---\nstatus: wrong\n---\n")
    page.reload()
    expect(page.locator(".note.wrong")).to_contain_text("2 things in this folder cannot be used")


def with_odd_names(page: Page, platform: LocalPlatform, folder: Path) -> None:
    platform.publish(ODD_NAME, f"{ODD_NAME} {{{{{LONG_WORD}}}}}", tags=[ODD_NAME], metadata={LONG_WORD: ODD_NAME})
    page.reload()
    click(page, f"text={ODD_NAME}")


def with_odd_version(page: Page, platform: LocalPlatform, folder: Path) -> None:
    with_odd_names(page, platform, folder)
    click(page, "h3 >> text=Version 1")


def with_slips(page: Page, platform: LocalPlatform, folder: Path) -> None:
    platform.draft("greeting", f"Hi {{{{ {LONG_WORD} }}}}, {{{{first name}}}} and {{{{name}}}}")
    platform.draft("support", [{"role": "placeholder", "content": f"{LONG_WORD} {{{{history}}}}"}])
    page.goto(f"{platform.url}/prompts/greeting/3")
    expect(page.locator(".slip")).to_have_count(2)


def in_an_outage(page: Page, platform: LocalPlatform, folder: Path) -> None:
    platform.fail(429, retry_after=30, for_seconds=3600)
    platform.slow(0.001)
    platform.refuse_credentials()
    page.goto(f"{platform.url}/faults")
    assert page.locator(".sheet.on").count() == 3


def with_a_wrong_setting(page: Page, platform: LocalPlatform, folder: Path) -> None:
    page.goto(f"{platform.url}/faults")
    page.fill("#slow-seconds", LONG_WORD)
    page.evaluate("document.querySelector('[action=\"/faults/slow\"]').requestSubmit()")
    expect(page.locator("[role=alert]")).to_contain_text("must be a number of seconds")


def with_requests(page: Page, platform: LocalPlatform, folder: Path) -> None:
    with platform.client(cache_enabled=False) as client:
        client.get_prompt_version("greeting")
    page.goto(f"{platform.url}/requests")
    page.request.get(f"{platform.url}/api/v1/prompts/{LONG_WORD}/latest", headers={"User-Agent": LONG_WORD})
    expect(page.locator("#rows tr")).to_have_count(3)


def without_one(page: Page, platform: LocalPlatform, folder: Path) -> None:
    for file in folder.rglob("*.md"):
        file.unlink()
    (folder / "greeting").rmdir()
    page.reload()
    expect(page.locator("h2")).to_have_text("This folder has no prompt yet")


def published(page: Page, platform: LocalPlatform, folder: Path) -> None:
    (folder / "greeting" / "v2.md").write_text(f"Hi, {{{{{LONG_WORD}}}}} and {{{{other}}}}!\n")
    page.goto(f"{platform.url}/prompts/greeting")
    click(page, "li:has-text('Version 2') button:has-text('Publish')")
    expect(page.locator("[data-notice]")).to_contain_text("Its variables are not those of version 1.")
    page.click("summary")


def stopped(page: Page, platform: LocalPlatform, folder: Path) -> None:
    platform.stop()
    expect(page.locator("#lost")).to_be_visible()


STATES = {
    "prompts": at("/"),
    "search": at("/?q=greet"),
    "nothing found": at(f"/?q={LONG_WORD}"),
    "empty": without_one,
    "broken": broken,
    "prompt": at("/prompts/greeting"),
    "odd prompt": with_odd_names,
    "odd version": with_odd_version,
    "version": at("/prompts/greeting/1"),
    "chat": filled,
    "half filled": half_filled,
    "difference": at("/prompts/greeting/diff?old=1&new=2"),
    "slips": with_slips,
    "draft": at("/prompts/support/draft"),
    "refused": refused,
    "new": at("/new"),
    "faults": at("/faults"),
    "outage": in_an_outage,
    "wrong setting": with_a_wrong_setting,
    "no requests": at("/requests"),
    "requests": with_requests,
    "connect": at("/connect"),
    "missing": at("/prompts/nobody"),
    "published": published,
    "stopped": stopped,
}


@pytest.mark.parametrize("state", STATES)
def test_every_page_can_be_read_by_everybody_wide_and_narrow_in_light_and_dark(
    state: str, page: Page, platform: LocalPlatform, folder: Path, watched: Watched
) -> None:
    STATES[state](page, platform, folder)
    check_looks(page)
    for width, scheme in (SCREENS[0], SCREENS[-1]):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page, options={"runOnly": AXE_RULES})
        assert found.violations_count == 0, f"{state}, {width}, {scheme}: {found.generate_report()}"
    page.goto("about:blank")  # since a page goes on asking for a platform that was stopped
    # A browser writes down each answer that is an error.
    expected = ("422", "404", *(["ERR_"] if state == "stopped" else []))
    watched.heard = [each for each in watched.heard if not any(word in each for word in expected)]


def test_dark_is_dark(page: Page) -> None:
    channels = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        channels[scheme] = [int(number) for number in re.findall(r"\d+", color)]
    assert min(channels["light"]) > 200
    assert max(channels["dark"]) < 60


class TestReading:
    def test_a_version_is_filled_in_as_one_types(self, page: Page) -> None:
        click(page, "text=greeting")
        click(page, "h3 >> text=Version 1")
        page.locator("[name=v-name]").press_sequentially("Ada <b>")
        expect(page.locator("#filled pre")).to_have_text("Hello, Ada <b>!")
        page.fill("[name=v-name]", "")
        expect(page.locator("#filled")).to_contain_text("no value was given for 'name'")
        page.check("#empty")
        expect(page.locator("#filled pre")).to_have_text("Hello, !")
        assert page.locator("main form button:visible").count() == 0

    def test_a_result_outlives_a_platform_that_is_stopped(self, watched: Watched, platform: LocalPlatform) -> None:
        page = watched.page()
        page.goto(f"{platform.url}/prompts/greeting/1")
        page.fill("[name=v-name]", "Ada")
        expect(page.locator("#filled pre")).to_have_text("Hello, Ada!")
        platform.stop()
        page.fill("[name=v-name]", "Adam")
        expect(page.locator("#filled .note")).to_contain_text("did not fill this in")
        expect(page.locator("#filled pre")).to_have_text("Hello, Ada!")
        platform.start()
        page.fill("[name=v-name]", "Eve")
        expect(page.locator("#filled pre")).to_have_text("Hello, Eve!")
        watched.heard = [each for each in watched.heard if "ERR_" not in each]

    def test_a_screen_reader_hears_what_came_out_and_no_more(self, page: Page, platform: LocalPlatform) -> None:
        page.goto(f"{platform.url}/prompts/greeting/1")
        page.fill("[name=v-name]", "Ada")
        expect(page.get_by_role("status")).to_have_text("11 characters")  # which finds nothing that is hidden
        assert page.locator("[aria-live]").count() == 0
        assert page.locator("[role=status]").count() == 1

    def test_the_list_is_shortened_as_one_types_and_enter_looks_into_the_texts(self, page: Page) -> None:
        page.locator("#q").press_sequentially("SUPP")
        assert page.locator("#prompts > li:visible").count() == 1
        expect(page.locator("#announcer")).to_have_text("1 prompt")
        page.fill("#q", "hello")
        assert page.locator("#prompts > li:visible").count() == 0
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("#prompts h2").all_inner_texts() == ["greeting"]

    def test_a_difference_is_reached_from_the_prompt(self, page: Page) -> None:
        click(page, "text=greeting")
        click(page, "text=Show the difference")
        assert page.locator("del.whole").all_text_contents() == ["taken out: Hello, {{name}}!"]
        assert page.locator("ins.whole").all_text_contents() == ["put in: Hi, {{name}}!"]

    def test_what_a_button_copies_is_on_the_clipboard(self, watched: Watched, platform: LocalPlatform) -> None:
        page = watched.page(permissions=["clipboard-read", "clipboard-write"])
        click(page, "text=Connect")
        page.click(".sheet:has(#sh) button")
        expect(page.locator(".sheet:has(#sh) button")).to_contain_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.splitlines()[-1] == f"export SCOPE_AUTH_API_URL={platform.url}"
        assert len(copied.splitlines()) == 5


class TestWriting:
    def test_a_version_is_written_published_and_archived_and_another_browser_sees_it(
        self, watched: Watched, platform: LocalPlatform, folder: Path
    ) -> None:
        writer, reader = watched.page(), watched.page()
        click(writer, "text=greeting")
        click(writer, "text=Write a new version")
        writer.fill("#f-content", "Good day,\n{{name}}!")
        click(writer, "text=Save as a draft")
        expect(writer.locator(".note.good")).to_contain_text("Version 3 is saved as a draft.")
        click(reader, "text=greeting")
        expect(reader.locator("li:has-text('Version 3')")).to_contain_text("draft")
        click(reader, "li:has-text('Version 3') button:has-text('Publish')")
        expect(reader.locator(".note.good")).to_contain_text("Version 3 is in production.")
        assert platform.client().render_prompt("greeting", {"name": "Ada"}) == "Good day,\nAda!"
        click(writer, "li:has-text('Version 3') button:has-text('Publish')")
        expect(writer.locator("[role=alert]")).to_contain_text("was changed since you looked at it")
        writer.click("li:has-text('Version 3') summary")
        click(writer, "li:has-text('Version 3') button:has-text('out of production')")
        expect(writer.locator(".lead")).to_contain_text("No version is in production")
        assert "status: archived" in (folder / "greeting" / "v3.md").read_text()
        watched.heard = [each for each in watched.heard if "409" not in each]

    def test_a_second_click_on_publish_archives_nothing(self, page: Page, platform: LocalPlatform) -> None:
        click(page, "text=greeting")
        where = page.locator("li:has-text('Version 2') button:has-text('Publish')").bounding_box()
        assert where is not None
        for _ in range(2):
            page.mouse.click(where["x"] + where["width"] / 2, where["y"] + where["height"] / 2)
            expect(page.locator(".lead")).to_contain_text("Version 2 is in production.")
        assert platform.client().get_prompt_version("greeting").version_number == 2

    def test_a_notice_is_gone_after_a_reload(self, page: Page) -> None:
        click(page, "text=greeting")
        click(page, "li:has-text('Version 2') button:has-text('Publish')")
        expect(page.locator("[data-notice]")).to_be_visible()
        page.wait_for_url("**/prompts/greeting")
        page.reload()
        assert page.locator("[data-notice]").count() == 0

    def test_what_two_people_wrote_at_once_is_both_there_in_the_end(self, watched: Watched, folder: Path) -> None:
        first, second = watched.page(), watched.page()
        for each in (first, second):
            click(each, "text=support")
            click(each, "text=Write a new version")
        first.fill("#f-content", '[{"role": "user", "content": "First"}]')
        second.fill("#f-content", '[{"role": "user", "content": "Second"}]')
        click(first, "text=Publish at once")
        click(second, "text=Save as a draft")
        expect(second.locator("[role=alert]")).to_contain_text("was changed since you looked at it")
        assert "Second" in second.input_value("#f-content")
        click(second, "text=Save as a draft")
        expect(second.locator(".note.good")).to_contain_text("Version 3 is saved as a draft.")
        assert "First" in (folder / "support" / "v2.md").read_text()
        assert "Second" in (folder / "support" / "v3.md").read_text()
        watched.heard = [each for each in watched.heard if "409" not in each]

    def test_text_that_was_refused_is_not_left_by_accident(self, watched: Watched) -> None:
        page = watched.page()
        click(page, "text=support")
        click(page, "text=Write a new version")
        page.fill("#f-metadata", "[1]")
        click(page, "text=Save as a draft")
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        page.click("h1")  # a browser asks nobody who has not touched the page
        page.click("text=Requests")
        page.wait_for_url("**/requests")
        assert asked == ["beforeunload"]
        watched.heard = [each for each in watched.heard if "422" not in each]

    def test_the_form_speaks_of_the_type_that_is_chosen_and_takes_nothing_empty(
        self, page: Page, platform: LocalPlatform
    ) -> None:
        click(page, "text=New prompt")
        page.fill("#f-name", "fresh")
        page.press("#f-name", "Enter")
        assert page.evaluate("document.activeElement.id") == "f-content"
        assert page.url == f"{platform.url}/new"
        expect(page.locator("label[for=f-content]")).to_have_text("Text", use_inner_text=True)
        expect(page.locator("pre.well")).to_be_hidden()
        page.select_option("#f-type", "chat")
        expect(page.locator("label[for=f-content]")).to_have_text("Messages", use_inner_text=True)
        page.fill("#f-content", page.inner_text("pre.well"))
        click(page, "text=Publish at once")
        expect(page.locator(".note.good")).to_contain_text("Version 1 is in production.")
        assert platform.client().get_prompt_version("fresh").variables == ("product", "history", "question")

    def test_the_field_that_is_wrong_has_the_focus(self, watched: Watched) -> None:
        page = watched.page()
        click(page, "text=support")
        click(page, "text=Write a new version")
        page.fill("#f-metadata", "[1]")
        click(page, "text=Save as a draft")
        assert page.evaluate("document.activeElement.id") == "f-metadata"
        assert page.get_attribute("#f-metadata", "aria-invalid") == "true"
        watched.heard = [each for each in watched.heard if "422" not in each]

    def test_the_first_prompt_of_an_empty_folder_is_written_in_the_browser(
        self, browser: Browser, tmp_path: Path
    ) -> None:
        with LocalPlatform(tmp_path, ui=True) as platform:
            page = Watched(browser, platform.url).page()
            click(page, "text=Write the first prompt here")
            page.fill("#f-name", "welcome")
            page.fill("#f-content", "Hi {{name}}")
            click(page, "text=Publish at once")
            page.context.close()
            assert platform.client().render_prompt("welcome", {"name": "Ada"}) == "Hi Ada"


class TestFaults:
    def test_a_program_goes_through_an_outage_that_is_switched_in_the_browser(
        self, page: Page, platform: LocalPlatform
    ) -> None:
        with platform.client(cache_ttl=0.001, max_retries=0) as client:
            assert client.read_prompt("greeting").source == "platform"
            click(page, "text=Faults")
            click(page, "[data-switch=unavailable] button >> nth=0")
            expect(page.locator("#state")).to_contain_text("503 to requests for prompts")
            assert client.read_prompt("greeting").source == "stale"
            expect(page.locator("#state [data-hits]").nth(0)).to_have_text("1 request")
            click(page, "[data-switch=unavailable] .off-button")
            expect(page.locator("#state")).to_contain_text("All is well")
            client.clear_cache()
            assert client.read_prompt("greeting").source == "platform"

    def test_another_browser_sees_it_at_once_and_can_end_it(self, watched: Watched, platform: LocalPlatform) -> None:
        first, second = watched.page(), watched.page()
        click(second, "text=Faults")
        click(first, "text=Faults")
        first.fill("#limited-retry_after", "7")
        first.fill("#limited-for_seconds", "600")
        click(first, "[data-switch=limited] button >> nth=0")
        expect(second.locator("#state")).to_contain_text("429 to requests for prompts, Retry-After 7")
        expect(second.locator("[data-switch=limited] .on-mark")).to_be_visible()
        expect(second.locator("[data-switch=limited] .off-button")).to_be_visible()
        expect(second.locator("[data-switch=limited] button").nth(0)).to_have_text("Switch on again: Rate limit")
        expect(second.locator("#announcer")).to_have_text("Rate limit: 429 to requests for prompts, Retry-After 7")
        before = second.inner_text("#state .clock >> nth=0")
        expect(second.locator("#state .clock").nth(0)).not_to_have_text(before)
        click(second, "text=All well again")
        expect(first.locator("#state")).to_contain_text("All is well")
        expect(first.locator(".on-mark:visible")).to_have_count(0)
        expect(first.locator(".off-button:visible")).to_have_count(0)
        assert platform.faults == ()

    def test_one_that_ends_by_itself_ends_on_the_page_too(self, page: Page, platform: LocalPlatform) -> None:
        platform.slow(0.001, for_seconds=4.0)
        expect(page.locator("#state")).to_contain_text("Slow: each answer waits")
        expect(page.locator("#state")).to_contain_text("All is well")


class TestRequests:
    def test_two_browsers_see_each_request_when_it_comes(self, watched: Watched, platform: LocalPlatform) -> None:
        pages = watched.page(), watched.page()
        for each in pages:
            click(each, "text=Requests")
            expect(each.locator("#line")).to_contain_text("Live")
        with platform.client() as client:
            client.get_prompt_version("greeting", label="latest")
        for each in pages:
            row = each.locator("#rows tr").nth(0)
            expect(row).to_contain_text("greeting")
            expect(row).to_contain_text("latest")
            expect(row).to_contain_text("v2")
            expect(row).to_contain_text("scope-prompts")
            expect(each.locator("#rows tr")).to_have_count(2)
            expect(each.locator("[data-nothing]")).to_be_hidden()

    def test_what_was_asked_in_a_pause_comes_after_it(self, page: Page, platform: LocalPlatform) -> None:
        click(page, "text=Requests")
        expect(page.locator("#line")).to_contain_text("Live")
        page.click("#pause")
        expect(page.locator("#line")).to_contain_text("Paused")
        page.request.get(f"{platform.url}/api/v1/prompts/x/latest")
        assert page.locator("#rows tr").count() == 0
        page.click("#pause")
        expect(page.locator("#rows tr")).to_have_count(1)

    def test_a_platform_that_was_started_anew_is_followed_again(
        self, page: Page, platform: LocalPlatform, watched: Watched
    ) -> None:
        click(page, "text=Requests")
        expect(page.locator("#line")).to_contain_text("Live")
        platform.stop()
        expect(page.locator("#line")).to_contain_text("Not connected")
        expect(page.locator("#lost")).to_be_visible()
        expect(page.locator("#state")).to_be_hidden()
        expect(page.locator("#announcer")).to_have_text("Not connected to the platform")
        platform.start()
        expect(page.locator("#line")).to_contain_text("Live")
        expect(page.locator("#lost")).to_be_hidden()
        expect(page.locator("#state")).to_contain_text("All is well")
        # The browser's own words for a platform that was away.
        watched.heard[:] = [line for line in watched.heard if "net::ERR_CONNECTION_REFUSED" not in line]


class TestKeyboard:
    def tab_to(self, page: Page, selector: str) -> None:
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
        raise AssertionError(f"{selector} was not reached")

    def press(self, page: Page, key: str) -> None:
        with page.expect_navigation(wait_until="load"):
            page.keyboard.press(key)

    def test_a_version_is_published_by_keyboard_alone(self, page: Page, platform: LocalPlatform) -> None:
        self.tab_to(page, ".skip")
        page.keyboard.press("Enter")
        self.tab_to(page, "[href='/prompts/greeting']")
        self.press(page, "Enter")
        self.tab_to(page, "[action$='/2/publish'] button")
        self.press(page, "Space")
        expect(page.locator(".note.good")).to_contain_text("Version 2 is in production.")
        assert platform.client().get_prompt_version("greeting").version_number == 2

    def test_a_version_is_written_and_filled_in_by_keyboard_alone(self, page: Page, platform: LocalPlatform) -> None:
        page.goto(f"{platform.url}/prompts/greeting/1")
        self.tab_to(page, "[href='/prompts/greeting/draft?from=1']")
        self.press(page, "Enter")
        self.tab_to(page, "#f-content")
        page.keyboard.press("Control+A")
        page.keyboard.type("Ahoy {{name}}")
        self.tab_to(page, "[value=published]")
        self.press(page, "Enter")
        self.tab_to(page, "[href='/prompts/greeting/3']")
        self.press(page, "Enter")
        self.tab_to(page, "[name=v-name]")
        page.keyboard.type("Ada")
        expect(page.locator("#filled pre")).to_have_text("Ahoy Ada")

    def test_a_fault_is_switched_on_and_off_by_keyboard_alone(self, page: Page, platform: LocalPlatform) -> None:
        self.tab_to(page, "nav [href='/faults']")
        self.press(page, "Enter")
        self.tab_to(page, "#unavailable-status")
        page.keyboard.press("ArrowUp")
        self.tab_to(page, "#unavailable-for_seconds")
        page.keyboard.type("60")
        self.press(page, "Enter")
        assert {fault.status for fault in platform.faults} == {502}
        self.tab_to(page, "[action='/faults/none'] button")
        self.press(page, "Enter")
        assert platform.faults == ()


class TestWithoutScripts:
    @pytest.fixture
    def page(self, watched: Watched) -> Page:
        return watched.page(java_script_enabled=False)

    def test_all_is_read(self, page: Page) -> None:
        page.fill("#q", "hello")
        click(page, "button:text-is('Find')")
        click(page, "text=greeting")
        click(page, "text=Show the difference")
        assert page.locator("del.whole").count() == 1
        click(page, "a:text-is('Version 1')")
        page.fill("[name=v-name]", "Ada")
        click(page, "text=Fill in")
        assert page.inner_text("#filled pre") == "Hello, Ada!"
        assert page.input_value("[name=v-name]") == "Ada"
        click(page, "text=Connect")
        assert "export SCOPE_API_URL=" in page.inner_text("#sh")
        assert page.locator("[data-copy]:visible").count() == 0

    def test_requests_are_a_table_with_a_link_to_reload(self, page: Page, platform: LocalPlatform) -> None:
        click(page, "text=Requests")
        page.request.get(f"{platform.url}/api/v1/prompts/x/latest")
        click(page, "text=Reload")
        assert page.locator("#rows tr").count() == 1

    def test_all_is_written_and_switched(self, page: Page, platform: LocalPlatform) -> None:
        click(page, "text=support")
        click(page, "text=Write a new version")
        page.fill("#f-content", '[{"role": "user", "content": "Hi"}]')
        click(page, "text=Publish at once")
        assert "Version 2 is in production." in page.inner_text(".note.good")
        click(page, "text=Faults")
        click(page, "[data-switch=tokens] button >> nth=0")
        assert "Tokens refused: 401 to requests for prompts" in page.inner_text("#state")
        click(page, "[data-switch=tokens] .off-button")
        assert platform.faults == ()
        click(page, "[data-switch=slow] button >> nth=0")
        click(page, "text=All well again")
        assert platform.faults == ()
