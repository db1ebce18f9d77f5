"""What `import scope_client` costs and leaves behind, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("requests", "urllib3", "django", "flask", "langchain_core", "click", "jinja2", "yaml", "jwt", "frontmatter")
SLOW_TO_LOAD = (*HEAVY, "socket", "ssl", "logging", "difflib", "dataclasses", "inspect", "redis", "cachetools")


def python(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert run.stderr == ""
    return run.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "import scope_client",
        "from scope_client import *",
        "from scope_client import *; ScopeClient(credentials=ApiKeyCredentials('a', 'b', 'c')).close()",
        "from scope_client import *; PromptVersion.from_api({'content': 'Hi {{name}}'}).render(name='A')",
    ],
)
def test_neither_requests_nor_a_framework_is_imported_before_the_first_fetch(code: str) -> None:
    assert python(f"import sys\n{code}\nprint([name for name in {HEAVY!r} if name in sys.modules])") == "[]"


def test_the_import_leaves_out_what_takes_long_in_the_standard_library_too() -> None:
    assert (
        python(f"import sys, scope_client\nprint([name for name in {SLOW_TO_LOAD!r} if name in sys.modules])") == "[]"
    )


def test_a_program_that_makes_no_client_does_without_what_a_client_is_made_of() -> None:
    code = "import sys, scope_client; print([name for name in sys.modules if name.startswith('scope_client._cache.')])"
    assert python(code) == "[]"


def test_a_client_without_a_store_does_without_what_a_fleet_shares() -> None:
    code = """
import sys
from scope_client import *
ScopeClient(credentials=ApiKeyCredentials("a", "b", "c")).close()
print([name for name in sys.modules if name.split(".")[-1].startswith(("fleet_", "shared_", "store_", "held_lock"))])
"""
    assert python(code) == "[]"


def test_a_site_does_not_import_what_tests_are_given() -> None:
    code = "import sys, scope_client.frameworks; print([name for name in sys.modules if 'test' in name.split('.')[-1]])"
    assert python(code) == "[]"


def test_a_program_that_does_not_configure_logging_hears_nothing() -> None:
    code = "import logging, scope_client; logging.getLogger('scope_client.tokens').error('loud')"
    assert python(code) == ""


def test_the_logger_of_the_package_has_a_null_handler_and_no_level() -> None:
    code = """
import logging, scope_client
logger = logging.getLogger("scope_client")
print([type(handler).__name__ for handler in logger.handlers], logger.level, logger.propagate)
"""
    assert python(code) == "['NullHandler'] 0 True"


def test_no_thread_is_started_by_an_import_or_by_a_client() -> None:
    code = """
import threading
from scope_client import *
client = ScopeClient(credentials=ApiKeyCredentials("a", "b", "c"))
print(threading.active_count())
"""
    assert python(code) == "1"
