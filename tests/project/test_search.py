"""The search of the manual, as it is built: the words of a question lead to the page that answers it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from faults.built_pages import BUILD_SECONDS
from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.timeout(2 * BUILD_SECONDS)  # the first test waits until the manual is made
# Of so many pages that are about the words, search.js has the right one among the first results.
FEW = 5
ENGLISH = SearchEnglish({})
# What users have asked, in words that are not the manual's own, and where the answer is.
QUESTIONS = {
    "How do I test without a network?": "testing/without-network",
    "Which version made this answer": "integrations/model-clients",
    "How do I rotate a key?": "operations/rotating-credentials",
    "Why is my prompt old?": "concepts/life-of-a-version",
    "What happens when the platform is down?": "operations/what-happens-when",
    "platform down": "concepts/outages",
    "gunicorn workers": "operations/deploying",
    "NoProductionVersionError": "errors",
    "How to set the timeout?": "settings",
    "FastAPI": "integrations/fastapi",
    "async": "concepts/event-loops",
    "chat history": "guide/chat",
    "Where do I get an API key?": "first-minute",
    "AWS Lambda": "operations/serverless",
    "log messages": "operations/logs",
    "the platform is down, prompts that are known go on being served": "operations/logs",
    "proxy": "guide/networks",
    "own CA": "guide/networks",
    "pin a version": "guide/reading",
    "MissingVariableError": "errors",
    "missing variable": "guide/rendering",
    "mock": "testing/without-network",
    "Is it thread safe?": "guide/reading",
    "free-threading": "limits",
    "redis with time limits": "concepts/shared-caches",
    "change a prompt in use": "changing-prompts",
    "offline": "testing/without-network",
    "429": "errors",
    "rate limit": "errors",
    "health check": "operations/health",
    "kubernetes": "operations/health",
    "windows": "limits",
    "docker": "operations/deploying",
    "type hints": "guide/reading",
    "celery": "integrations/celery",
    "clear the cache": "guide/reading",
    "retries": "settings",
    "fallback": "concepts/outages",
    "multi-tenant": "integrations/django-sites",
    "prometheus": "operations/alerts",
    "quick start": "tutorial",
    "check prompts in CI": "checking",
    "lint prompts": "checking",
    "pre-commit": "checking",
    "code scanning": "checking",
    "pin a prompt version for a deployment": "locked-mode",
    "roll back a prompt": "locked-mode",
    "lock file": "locked-mode",
    "typed prompts mypy": "typed-functions",
    "Why does it not connect?": "doctor",
    "troubleshooting": "doctor",
    "snapshot of a prompt in a pull request": "testing/snapshots",
    "test coverage of prompts": "testing/snapshots",
    "download prompts": "locking",
    "review prompts in a pull request": "locking",
    "prompts in git": "prompts-as-code",
    "openai": "recipes/openai",
    "claude": "recipes/anthropic",
    "streaming": "recipes/fastapi-streaming",
    "celery worker": "recipes/celery",
    "lambda cold start": "recipes/aws-lambda",
    "docker compose": "recipes/docker-compose",
    "configmap": "recipes/kubernetes",
    "sample code": "recipes/index",
    "A/B test": "rollouts",
    "canary": "rollouts",
    "sticky version": "pins",
    "celery headers": "pinned-conversations",
}


def stems(text: str) -> set[str]:
    """As searchtools.js takes words apart: without the small ones, and without numbers."""
    words = (word for word in re.split(r"\W+", text.lower()) if word and not word.isdigit())
    return {ENGLISH.stem(word) for word in words if word not in ENGLISH.stopwords}


class Manual(NamedTuple):
    """What the search page loads."""

    index: dict[str, list[str]]
    """Each entry of the index, and the pages to which it leads."""
    words: dict[str, set[str]]
    """Each page, and the stems of its title, its headings and its keywords."""

    def pages_about(self, asked: str) -> set[str]:
        """Those to which an entry of the index leads; if none does, those that have all of the words in a heading."""
        entries = (entry for entry in self.index if asked.lower() in entry and len(asked) >= len(entry) / 2)
        found = {page for entry in entries for page in self.index[entry]}
        wanted = stems(asked)
        return found or {page for page, words in self.words.items() if wanted and wanted <= words}


@pytest.fixture(scope="module")
def manual(site: Path) -> Manual:
    def loaded(name: str) -> dict[str, Any]:
        text = (site / name).read_text(encoding="utf-8")
        return json.loads(text[text.index("{") : text.rindex("}") + 1])

    index = loaded("searchindex.js")
    names = index["docnames"]

    def main_pages(found: Iterable[tuple[int, str, bool]]) -> list[str]:
        return [names[place] for place, _, is_main in found if is_main]

    entries = {entry: main_pages(found) for entry, found in index["indexentries"].items()}
    about = loaded("_static/about-pages.js")
    return Manual(entries, {name: stems(f"{page['title']} {page['headings']}") for name, page in about.items()})


@pytest.mark.parametrize(("asked", "answered"), QUESTIONS.items(), ids=QUESTIONS.keys())
def test_a_question_leads_to_the_page_that_answers_it(asked: str, answered: str, manual: Manual) -> None:
    found = {page for page in manual.pages_about(asked) if not page.startswith("api/")}
    assert answered in found
    assert len(found) <= FEW, sorted(found)


def test_words_that_nobody_wrote_lead_nowhere(manual: Manual) -> None:
    assert manual.pages_about("kubernetes on windows") == set()
    assert len(manual.words) > len(QUESTIONS)
