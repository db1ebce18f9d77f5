"""The Django and the Flask example site, clicked through in a real browser: they are one family."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from faults.clock import eventually
from faults.looks import check_looks, click, complaints
from faults.sites import EXAMPLES, PATIENCE, free_port, got, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

SHORT_TTL_SECONDS = "1"


class Site(NamedTuple):
    """A site that runs; `pages` are its pages by the words of the links to them."""

    url: str
    prompts: Path
    pages: dict[str, str]
    source: Path


SITES = {
    "django_site": ("preview/", "ask/", "answer/", "health/", "pages/templates/pages/greeting.html"),
    "flask_site": ("preview", "ask", "answer", "health", "templates/greeting.html"),
}


@contextlib.contextmanager
def started(name: str, folder: Path) -> Iterator[Site]:
    """Runs a site as its README says, over a copy of the prompts, which are stale after a second."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    prompts = Path(shutil.copytree(EXAMPLES / "prompts", folder / "prompts"))
    preview, ask, answer, health, source = SITES[name]
    paths = {"Greeting": "", "Preview": preview, "JSON": ask, "answer": answer, "Health": health}
    environ = {
        "SITE_VAR": str(folder / "var"),
        "PROMPT_TTL": SHORT_TTL_SECONDS,
        "FLASK_SCOPE_CACHE_TTL": SHORT_TTL_SECONDS,
    }
    with running(["run.py", "--port", str(port), "--prompts", str(prompts)], EXAMPLES / name, url, environ):
        yield Site(url, prompts, {name: url + path for name, path in paths.items()}, EXAMPLES / name / source)


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests that leave it as it is."""
    with started(request.param, tmp_path_factory.mktemp("site")) as running_site:
        yield running_site


@pytest.fixture(params=SITES)
def stoppable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """One for a test that stops the platform."""
    with started(request.param, tmp_path) as running_site:
        yield running_site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """What works here works without JavaScript."""
    opened = browser.new_page(java_script_enabled=False)
    yield opened
    opened.close()


def fact(page: Page, name: str) -> str:
    return page.inner_text(f".facts div:has(dt:text-is('{name}')) dd")


def posted(url: str, body: bytes, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_sites_share_one_stylesheet_and_one_icon() -> None:
    for file in ("site.css", "favicon.svg"):
        ours, theirs = EXAMPLES / "django_site/pages/static/pages" / file, EXAMPLES / "flask_site/static" / file
        assert ours.read_bytes() == theirs.read_bytes(), f"{ours} and {theirs} differ"


def test_every_page_looks_right_wide_and_narrow_in_light_and_dark(site: Site, page: Page) -> None:
    heard = complaints(page)
    page.goto(site.url)
    titles = set()
    names = [name for name in page.locator("nav a").all_inner_texts() if name not in ("Health", "Admin")]
    for name in names:
        click(page, f"nav >> text={name}")
        assert page.inner_text("nav [aria-current]") == name
        check_looks(page)
        titles.add(page.title())
    assert len(titles) == len(names) >= 3
    for name in ("extract-order", "support-chat", "no-such-prompt" * 9):
        page.goto(f"{site.pages['Preview']}?prompt={name}&version=latest")
        check_looks(page)
    page.goto(site.pages["JSON"])
    page.fill("#id_question", "w" * 200)
    click(page, "main form button")
    check_looks(page)
    assert heard == []


def test_dark_is_dark(site: Site, page: Page) -> None:
    page.goto(site.url)
    channels = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        channels[scheme] = [int(number) for number in re.findall(r"\d+", color)]
    assert min(channels["light"]) > 200
    assert max(channels["dark"]) < 60


def test_the_greeting_names_its_prompt_and_the_very_template_that_made_it(site: Site, page: Page) -> None:
    page.goto(site.url)
    assert page.inner_text("pre").strip() == site.source.read_text().strip()
    assert "stranger!" in page.inner_text(".prompt")
    assert (fact(page, "Prompt"), fact(page, "Version"), fact(page, "State")) == ("greeting", "2, published", "fresh")
    assert re.fullmatch(r"\d+\.\d seconds", fact(page, "Age"))


def test_the_page_goes_on_while_the_platform_is_stopped_and_is_fresh_again_after(stoppable: Site, page: Page) -> None:
    heard = complaints(page)
    page.goto(stoppable.url)
    page.focus("text=Stop the platform")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    assert "is stopped" in page.inner_text("#platform")

    def is_stale() -> bool:
        click(page, "text=Read again")
        assert "stranger!" in page.inner_text(".prompt")
        return fact(page, "State") == "stale"

    eventually(is_stale, PATIENCE)
    check_looks(page)
    first = float(fact(page, "Age").split()[0])
    eventually(lambda: is_stale() and float(fact(page, "Age").split()[0]) > first, PATIENCE)
    assert "last known good" in page.inner_text("#state")

    if page.locator("nav >> text=Sign in").count():
        click(page, "nav >> text=Sign in")
        assert "ada, with the password ada" in page.inner_text(".lead")
        page.fill("#id_username", "ada")
        page.fill("#id_password", "ada")
        click(page, "main [type=submit]")
    click(page, "button:text('Clear the cache')")
    assert (fact(page, "Version"), fact(page, "State"), fact(page, "Age")) == ("none", "fallback", "none")
    check_looks(page)
    assert re.fullmatch("Hello, (stranger|Ada)!", page.inner_text(".prompt"))
    click(page, "text=Start the platform")
    eventually(lambda: page.reload() and fact(page, "State") == "fresh", PATIENCE)
    assert re.match(r"Good \w+, (stranger|Ada)!", page.inner_text(".prompt"))
    if page.locator("text=Sign out").count():
        click(page, "text=Sign out")
        assert "stranger!" in page.inner_text(".prompt")
    assert heard == []


def test_a_page_without_a_fallback_says_that_the_platform_does_not_answer(stoppable: Site, page: Page) -> None:
    page.goto(stoppable.url)
    click(page, "text=Stop the platform")
    page.goto(stoppable.pages["JSON"])
    click(page, "main form button")
    assert "could not be reached" in page.inner_text(".errorlist")
    check_looks(page)
    status, text = posted(stoppable.pages["answer"], b'{"question": "Why?"}')
    assert (status, "could not be reached" in json.loads(text)["error"]) == (502, True)


def test_every_prompt_and_version_of_the_list_can_be_chosen(site: Site, page: Page) -> None:
    heard = complaints(page)
    page.goto(site.pages["Preview"])
    chosen = set()
    for place in range(page.locator(".prompts a").count()):
        link = page.locator(".prompts a").nth(place)
        name, text = link.locator("..").locator("b").inner_text(), link.inner_text()
        with page.expect_navigation(wait_until="load"):
            link.click()
        assert page.locator(".prompts a").nth(place).get_attribute("aria-current") == "true"
        if (name, text) == ("newsletter", "production"):
            assert "no production version" in page.inner_text(".errorlist")
            continue
        assert fact(page, "Prompt") == name
        if text.startswith("version "):
            assert fact(page, "Version").split(",")[0] == text.split()[1]
        assert page.locator("#template").count() == 1
        chosen.add(name)
    assert chosen == {file.stem for file in site.prompts.iterdir()} - {"README"}
    assert heard == []


def test_a_prompt_is_shown_before_and_after_it_is_filled_in(site: Site, page: Page) -> None:
    heard = complaints(page)
    page.goto(site.pages["Preview"])
    click(page, "text=version 3")
    assert page.inner_text("#template") == "Good {{time_of_day}}, {{name}}! How was your {{weekday}}?"
    for name, value in {"time_of_day": "evening", "name": "<script>alert(1)</script>", "weekday": "{{name}}"}.items():
        page.fill(f"#id_variable-{name}", value)
    click(page, "text=Fill in")
    assert page.inner_text("#text") == "Good evening, <script>alert(1)</script>! How was your {{name}}?"

    click(page, ".prompts li:has-text('support-chat') >> text=production")
    page.fill("#id_variable-shop", "Lamps & Co")
    page.fill("#id_variable-question", "Is it dimmable?")
    click(page, "text=Fill in")
    before, after = (page.locator(f"{part} tr").all_inner_texts() for part in ("#template", "#text"))
    assert [row.split("\t")[0] for row in before] == ["system", "user"]
    assert before[1].split("\t") == ["user", "{{question}}"]
    assert after[1].split("\t") == ["user", "Is it dimmable?"]
    assert "Lamps & Co" in after[0]
    assert heard == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("?prompt=no-such-prompt&version=production", "was not found"),
        ("?prompt=greeting&version=v_none", "no version 'v_none'"),
        ("?prompt=greeting&version=7", "must be the ID of a version"),
        ("?prompt=..&version=latest", "'..'"),
        ("?prompt=&version=latest", "prompt|required|name"),
        ("?prompt=%00&version=latest", "[Nn]ull|was not found"),
    ],
)
def test_a_wrong_choice_is_answered_with_a_sentence(site: Site, page: Page, asked: str, said: str) -> None:
    heard = complaints(page)
    page.goto(site.pages["Preview"] + asked)
    assert re.search(said, page.inner_text(".errorlist"))
    assert page.locator("h1").inner_text() == "Any prompt, before and after"
    assert heard == []


def test_a_value_that_lacks_is_asked_for(site: Site, page: Page) -> None:
    heard = complaints(page)
    page.goto(site.pages["Preview"])
    page.locator("#variables").evaluate("form => form.noValidate = true")
    page.fill("#id_variable-name", "Ada")
    click(page, "text=Fill in")
    assert page.locator("#variables .errorlist").count() == 1
    assert "required" in page.inner_text("#variables .errorlist")
    assert page.input_value("#id_variable-name") == "Ada"
    assert page.locator("#text").count() == 0
    assert heard == []


def test_the_form_of_the_endpoint_shows_what_the_endpoint_answers(site: Site, page: Page) -> None:
    heard = complaints(page)
    page.goto(site.pages["JSON"])
    question = """Is it "dimmable"? It's for Zoë."""
    page.fill("#id_question", question)
    click(page, "main form button")
    shown = json.loads(page.inner_text("#answer"))
    status, text = posted(site.pages["answer"], json.dumps({"question": question}).encode())
    assert (status, json.loads(text)) == (200, shown)
    assert shown["answer"] == f"You said, at a temperature of 0.2: {question}"
    assert [message["role"] for message in shown["messages"]] == ["system", "user"]
    assert heard == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"question"', b'{"question": null}', b'{"quest": "?"}'])
def test_the_endpoint_says_what_it_takes(site: Site, body: bytes) -> None:
    status, text = posted(site.pages["answer"], body)
    assert status == 400
    assert '{"question": ' in json.loads(text)["error"]


def test_health_is_linked_and_the_icon_is_found_where_browsers_look(site: Site, page: Page) -> None:
    heard = complaints(page)
    page.goto(site.url)
    click(page, "nav >> text=Health")
    assert page.url == site.pages["Health"]
    assert json.loads(page.inner_text("body"))["is_down"] is False
    assert got(f"{site.url}favicon.ico") == (EXAMPLES / "flask_site/static/favicon.svg").read_text()
    assert heard == []


@pytest.mark.parametrize("path", ["platform/stop", "clear-cache"])
def test_a_form_of_another_site_changes_nothing(site: Site, path: str) -> None:
    url = site.url + path + ("/" if site.pages["JSON"].endswith("/") else "")
    headers = {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"}
    assert posted(url, b"", **headers)[0] == 403
    assert "is running" in got(site.url)
