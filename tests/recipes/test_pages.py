"""Each recipe is one file and one page, and the page shows the whole of the file."""

from __future__ import annotations

import ast
import importlib.util
import re

import pytest
from manual import pages
from recipes import recipe

INDEX = "recipes/index.md"
PAGES = [page for page in pages.pages() if page.startswith("recipes/") and page != INDEX]
FILES = sorted(file for file in recipe.FOLDER.iterdir() if file.suffix in (".py", ".yaml"))
PROMPTS = sorted(recipe.PROMPTS.glob("*.md"))
SECTIONS = ("Run it", "In an outage", "Test it")
LONGEST = 90


def name_of(file: object) -> str:
    return getattr(file, "name", str(file))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_recipe_stands_whole_on_one_page(file) -> None:
    shown = [text for page in PAGES for path, text in pages.files_of(page).items() if path == file.name]
    assert shown == [file.read_text()]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_one_recipe_and_says_what_one_has_to_know(page: str) -> None:
    text = pages.text_of(page)
    names = [file.name for file in FILES if file.name in pages.files_of(page)]
    assert len(names) == 1
    assert text.startswith("<!-- keywords: ")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [section for section in SECTIONS if section not in headings] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_in_the_list_of_recipes_and_in_the_contents(page: str) -> None:
    name = page.rpartition("/")[2]
    assert f"]({name})" in pages.text_of(INDEX)
    assert page[: -len(".md")] in (pages.DOCS / "_contents" / "index.md").read_text().splitlines()


@pytest.mark.parametrize("prompt", PROMPTS, ids=name_of)
def test_the_list_of_recipes_shows_the_prompts(prompt) -> None:
    assert pages.prompts_of(INDEX)[f"prompts/{prompt.name}"] == prompt.read_text()


@pytest.mark.parametrize("file", [file for file in FILES if file.suffix == ".py"], ids=name_of)
def test_a_recipe_is_short_and_hides_no_library_that_it_imports(file) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= LONGEST
    assert ast.get_docstring(ast.parse(text))
    assert importlib.util.find_spec(file.stem) is None
