"""The tests on the page about testing a Flask app pass, without a platform and whatever the environment has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manual import pages

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "testing/flask.md"
KEYS = dict.fromkeys(("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"), "a-real-one")


@pytest.fixture
def site(folder: Path) -> Path:
    """The app of the page on Flask, with the tests of this page."""
    pages.write_files("integrations/flask.md", folder)
    pages.write_files(PAGE, folder)
    return folder


@pytest.mark.parametrize("keys", [{}, KEYS])
def test_they_pass_without_a_platform(keys, site):
    (site / "tests" / "test_promotion.py").unlink()
    done = pages.run_tests(site, "tests", **keys)
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_one_about_a_promotion_passes_beside_them(site):
    done = pages.run_tests(site, "tests")
    assert (done.returncode, "5 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_test_of_templates_fails_if_one_does_not_fit(site):
    page = site / "templates" / "home.html"
    page.write_text(page.read_text().replace("name=name", "nane=name", 1))
    done = pages.run_tests(site, "tests/test_app.py", "-k", "templates")
    assert "has no variable 'nane'" in done.stdout, done.stdout
