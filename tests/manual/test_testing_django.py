"""The tests on the page about testing a Django site pass, and fail if they should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from faults.manual import DJANGO_SETTINGS, DJANGO_TEMPLATES, ManualPage, run_python, run_tests, write

SITE_PAGE = ManualPage("integrations/django.md")
PAGE = ManualPage("testing/django.md")
DJANGO = {"DJANGO_SETTINGS_MODULE": "settings"}
TEST = "import django.core.management as m; m.execute_from_command_line(['manage.py', 'test'])"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    SITE_PAGE.write(tmp_path, "views.py", "urls.py", "templates/page.html")
    write(tmp_path, {"settings.py": SITE_PAGE.files["settings.py"] + DJANGO_SETTINGS + DJANGO_TEMPLATES})
    return PAGE.write(tmp_path)


def test_each_file_of_the_page_is_run():
    assert set(PAGE.files) == {"tests.py", "test_templates.py", "conftest.py", "test_with_pytest.py"}
    assert len(PAGE.named) == len(re.findall(r"^```python$", PAGE.text, re.MULTILINE))


def test_djangos_own_runner_passes(site):
    (site / "test_with_pytest.py").unlink()
    done = run_python(site, "-c", TEST, **DJANGO)
    assert (done.returncode, "Ran 5 tests" in done.stderr) == (0, True), done.stderr


def test_pytest_passes(site):
    done = run_tests(
        site, "-p", "pytest_django.plugin", "tests.py", "test_templates.py", "test_with_pytest.py", **DJANGO
    )
    assert (done.returncode, "8 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_its_test_of_templates_fails_if_one_does_not_fit(site):
    page = site / "templates" / "page.html"
    page.write_text(page.read_text().replace('time_of_day="morning" ', ""))
    done = run_tests(site, "-p", "pytest_django.plugin", "test_templates.py", **DJANGO)
    assert "is given no value for 'time_of_day'" in done.stdout, done.stdout
