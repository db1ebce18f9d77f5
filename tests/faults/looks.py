"""A page as its reader sees it: whether it can be read on any screen, and what the browser complains of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

READABLE_CONTRAST = 4.5
ABORTED = "net::ERR_ABORTED"  # by the next click
SCREENS = [(1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")]

# The least contrast of any text on the page, by the formula of WCAG 2, and that text.
LEAST_CONTRAST = """() => {
  const parts = color => color.match(/[\\d.]+/g).map(Number);
  const light = color => parts(color).slice(0, 3).map(c => c / 255)
    .map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor, alpha = parts(color)[3];
      if (alpha === undefined || alpha > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.body.querySelectorAll("*")]
    .filter(node =>
      node.matches("input, textarea") || [...node.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(node => {
      const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((x, y) => y - x);
      return [(a + .05) / (b + .05), node.outerHTML.slice(0, 80)];
    })
    .sort((x, y) => x[0] - y[0])[0];
}"""
WITHOUT_LABEL = """() => [...document.querySelectorAll("input:not([type=hidden]):not([type=submit]), textarea")]
    .filter(field => !field.labels.length).map(field => field.outerHTML)"""


def complaints(page: Page) -> list[str]:
    """Fills with what the browser complains of from here on."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("requestfailed", lambda request: request.failure != ABORTED and heard.append(f"{request.url} failed"))
    page.on("response", lambda answer: answer.status >= 400 and heard.append(f"{answer.url}: {answer.status}"))
    page.on("dialog", lambda dialog: heard.append(f"a script ran: {dialog.message}"))
    return heard


def click(page: Page, what: str) -> None:
    """Clicks, and waits for the page that comes."""
    with page.expect_navigation(wait_until="load"):
        page.click(what)


def check_looks(page: Page) -> None:
    """Wide and narrow, in light and dark."""
    for width, scheme in SCREENS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        where = f"{page.url}, {width} wide, {scheme}"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{where}: too wide"
        contrast, text = page.evaluate(LEAST_CONTRAST)
        assert contrast >= READABLE_CONTRAST, f"{where}: {text}"
    assert page.evaluate(WITHOUT_LABEL) == []
    assert page.get_attribute("html", "lang") == "en"
    assert page.locator("h1").count() == page.locator("link[rel=icon]").count() == 1
