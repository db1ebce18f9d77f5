"""The tests on the page about testing a Django site pass, and fail if they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manual import pages
from manual.sites import DJANGO_SETTINGS, DJANGO_TEMPLATES, MANAGE

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "testing/django.md"
DJANGO = {"DJANGO_SETTINGS_MODULE": "settings"}
PYTEST = ("-p", "pytest_django.plugin")


@pytest.fixture
def site(folder: Path) -> Path:
    """That of the page on Django, with the tests of this page."""
    pages.write_files("integrations/django.md", folder)
    with open(folder / "settings.py", "a") as settings:
        settings.write(DJANGO_SETTINGS + DJANGO_TEMPLATES)
    pages.write_files(PAGE, folder)
    return folder


def test_djangos_own_runner_passes(site):
    (site / "test_with_pytest.py").unlink()
    done = pages.python(["-c", MANAGE, "test"], site, **DJANGO)
    assert (done.returncode, "Ran 5 tests" in done.stderr) == (0, True), done.stderr


def test_pytest_passes(site):
    done = pages.run_tests(site, *PYTEST, "tests.py", "test_templates.py", "test_with_pytest.py", **DJANGO)
    assert (done.returncode, "8 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_its_test_of_templates_fails_if_one_does_not_fit(site):
    page = site / "templates" / "page.html"
    page.write_text(page.read_text().replace('time_of_day="morning" ', ""))
    done = pages.run_tests(site, *PYTEST, "test_templates.py", **DJANGO)
    assert "is given no value for 'time_of_day'" in done.stdout, done.stdout
