"""The tests on the page about testing a Flask app pass, without a platform and whatever the environment has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from faults.manual import ManualPage, run_tests

APP = ManualPage("integrations/flask.md")
PAGE = ManualPage("testing/flask.md")
KEYS = dict.fromkeys(("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"), "a-real-one")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    APP.write(tmp_path, "app.py", "templates/home.html")
    return PAGE.write(tmp_path)


def test_each_file_of_the_page_is_run():
    names = ("conftest.py", "test_app.py", "test_wsgi.py", "test_promotion.py")
    assert set(PAGE.files) == {"wsgi.py", *(f"tests/{name}" for name in names)}
    assert len(PAGE.named) == len(re.findall(r"^```python$", PAGE.text, re.MULTILINE))


@pytest.mark.parametrize("keys", [{}, KEYS])
def test_they_pass_without_a_platform(keys, site):
    (site / "tests" / "test_promotion.py").unlink()
    done = run_tests(site, "tests", **keys)
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_one_about_a_promotion_passes_beside_them(site):
    done = run_tests(site, "tests")
    assert (done.returncode, "5 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_test_of_templates_fails_if_one_does_not_fit(site):
    page = site / "templates" / "home.html"
    page.write_text(page.read_text().replace("name=name", "nane=name", 1))
    done = run_tests(site, "tests/test_app.py", "-k", "templates")
    assert "has no variable 'nane'" in done.stdout, done.stdout
