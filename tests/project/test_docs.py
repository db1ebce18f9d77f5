"""The manual as it is built: without a warning, with every public name, without a broken link; and in a browser."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from faults.built_pages import BUILD_SECONDS, broken_links, read_pages
from faults.clock import eventually
from faults.looks import SCREENS, complaints
from faults.sites import browser_page
from manual.pages import ROOT, pages
from sphinx.util.inventory import InventoryFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

# `scope_client.frameworks` is for those who write a package for a framework, and its docstrings are its manual.
PUBLIC_MODULES = (
    *("scope_client", "scope_client.local", "scope_client.otel", "scope_client.testing"),
    *("scope_django", "scope_flask", "scope_langchain"),
)
ALSO_PUBLIC = {
    *("scope_client.ConnectionError", "scope_client.TimeoutError"),
    *("scope_django.test.override_prompts", "scope_django.views.health", "scope_django.jinja2.ScopeExtension"),
    *("scope_django.middleware.PinMiddleware", "scope_django.middleware.PinSessionMiddleware"),
    *("scope_django.signals.prompt_stale", "scope_django.signals.prompt_fallback", "scope_flask.test.override_prompts"),
}
pytestmark = pytest.mark.timeout(2 * BUILD_SECONDS)  # the first test waits until the manual is made
LOADS = {"link", "script", "img", "source", "iframe", "video", "audio", "object", "embed"}
# A page of words, one of tables, one of code, one of the API, and the two that no page's source makes.
SAMPLE = (
    "index.html",
    "operations/logs.html",
    "guide/reading.html",
    "api/testing.html",
    "search.html?q=key",
    "genindex.html",
)
SERIOUS = ("serious", "critical")  # to axe
WIDE_AND_LIGHT, NARROW_AND_DARK = SCREENS[0], SCREENS[3]


@pytest.fixture(scope="module")
def page(site: Path) -> Iterator[Page]:
    with browser_page() as opened:
        yield opened


def address(site: Path, name: str) -> str:
    file, _, query = name.partition("?")
    return (site / file).as_uri() + (f"?{query}" if query else "")


def test_the_makefile_builds_it_as_this_test_does() -> None:
    (command,) = re.findall(r"sphinx-build (.+) docs docs/_build/html$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command == "-E -W --keep-going -n -q -b html"


def test_every_page_is_made(site: Path) -> None:
    missing = [page for page in pages() if not (site / page).with_suffix(".html").is_file()]
    assert missing == []


def test_no_link_within_the_manual_is_broken(site: Path) -> None:
    found = read_pages(site)
    assert len(found) >= len(pages())
    assert broken_links(found) == []


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p id="here"><a href="#here"></a><a href="b.html#there"></a><img src="c.svg">')
    (tmp_path / "b.html").write_text('<a href="a.html#here"></a><a href="a.html#gone"></a>')
    assert broken_links(read_pages(tmp_path)) == ["a.html: b.html#there", "a.html: c.svg", "b.html: a.html#gone"]


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    tags = re.compile(rf"<(?:{'|'.join(LOADS)})\b[^>]*\b(?:src|href|srcset|data)=\"(?:https?:)?//[^\"]*\"[^>]*>")
    loaded = {tag for file in site.rglob("*.html") for tag in tags.findall(file.read_text(encoding="utf-8"))}
    assert not loaded
    styles = [
        file for file in site.rglob("*.css") if re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", file.read_text())
    ]
    assert styles == []


def test_each_public_name_is_on_one_page_of_the_api(site: Path) -> None:
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    entries = {
        name: item.uri
        for kind, found in inventory.data.items()
        if kind.startswith("py:")
        for name, item in found.items()
    }
    exported = {f"{module}.{name}" for module in PUBLIC_MODULES for name in importlib.import_module(module).__all__}
    public = {name for name in exported | ALSO_PUBLIC if not name.endswith("__version__")}
    assert sorted(public - entries.keys()) == []
    assert sorted(name for name in public if not entries[name].startswith("api/")) == []


def test_the_fixtures_of_pytest_are_among_the_api(site: Path) -> None:
    from scope_client.testing import plugin

    text = (site / "api" / "testing.html").read_text(encoding="utf-8")
    fixtures = [name for name, value in vars(plugin).items() if type(value).__name__ == "FixtureFunctionDefinition"]
    assert len(fixtures) >= 6
    assert [name for name in fixtures if f'id="scope_client.testing.plugin.{name}"' not in text] == []


def test_a_private_name_is_nowhere_in_the_api(site: Path) -> None:
    for file in (site / "api").glob("*.html"):
        article = file.read_text(encoding="utf-8").partition('<article role="main"')[2].partition("</article>")[0]
        text = re.sub(r"<[^>]+>", "", article)
        assert not re.findall(r"\bscope_\w+\._\w+|NOT_GIVEN|<factory>| object at 0x|As the field", text), file.name


def test_the_list_for_language_models_has_every_page_with_a_sentence(site: Path) -> None:
    lines = (site / "llms.txt").read_text(encoding="utf-8").splitlines()
    links = dict(re.findall(r"^- \[[^]]+\]\(([^)]+)\): (.+)$", "\n".join(lines), re.MULTILINE))
    assert {page.replace(".md", ".html") for page in pages()} - {"index.html"} == links.keys()
    assert [link for link in links if not (site / link).is_file()] == []
    assert lines[0] == "# scope-prompts"
    whole = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert "The production version of a prompt" in whole  # a docstring


def test_no_page_is_wider_than_a_telephone_and_no_request_leaves_the_machine(site: Path, page: Page) -> None:
    heard = complaints(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 375, "height": 800})
    wide = []
    for name in [each.replace(".md", ".html") for each in pages()] + ["search.html?q=key", "genindex.html"]:
        page.goto(address(site, name))
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            wide.append(name)
    assert wide == []
    assert heard == []
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data"}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_page_can_be_read_by_everybody(name: str, site: Path, page: Page) -> None:
    for width, scheme in WIDE_AND_LIGHT, NARROW_AND_DARK:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.goto(address(site, name))
        page.wait_for_selector("h1, #search-results h2")  # the second one by a script
        where = f"{name}, {width} wide, {scheme}"
        violations = Axe().run(page).response["violations"]
        found = [(each["id"], each["nodes"][0]["html"][:200]) for each in violations if each["impact"] in SERIOUS]
        assert found == [], where
        assert page.get_attribute("html", "lang") == "en"
        assert page.locator("h1, #search-results h2").count() == page.locator("link[rel~=icon]").count() == 1


def test_dark_is_dark(site: Path, page: Page) -> None:
    channels = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(address(site, "index.html"))
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        channels[scheme] = [int(number) for number in re.findall(r"\d+", color)][:3]
    assert min(channels["light"]) > 200
    assert max(channels["dark"]) < 60


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("rotate", "operations/rotating-credentials.html"),
        ("stale_if_error", "settings.html"),
        ("How do I test without a network?", "testing/without-network.html"),
        ("which version made this answer", "guide/watching.html"),
        ("why is my prompt old", "concepts/life-of-a-version.html"),
        ("prompts in git", "prompts-as-code.html"),
        ("thread safe", "guide/reading.html"),
        ("MissingVariableError", "api/errors.html"),
    ],
)
def test_the_search_finds_a_page_without_a_server(words: str, found: str, site: Path, page: Page) -> None:
    heard = complaints(page)
    page.goto(address(site, "index.html"))
    page.fill("input.sidebar-search", words)
    page.press("input.sidebar-search", "Enter")
    results = page.locator("#search-results li a")
    eventually(lambda: results.count() > 0 and "finished" in page.inner_text("#search-results"), 20.0)
    links = [str(results.nth(place).get_attribute("href")) for place in range(min(5, results.count()))]
    assert found in [link.partition("#")[0] for link in links]
    assert heard == []


def test_each_title_is_on_one_page(site: Path) -> None:
    """The search shows titles, and two that are the same say nothing."""
    titles = Counter(
        re.search(r"<title>(.*?)</title>", (site / page).with_suffix(".html").read_text(), re.DOTALL).group(1)  # type: ignore[union-attr]
        for page in pages()
    )
    assert [title for title, count in titles.items() if count > 1] == []
