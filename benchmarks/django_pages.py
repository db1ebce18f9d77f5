"""The tag beside plain `{{ }}` in a Django template; and the first request of a new process, with a warm Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from scope_client.local import LocalPlatform

from . import redisserver
from .measure import Row, medians, seconds

RENDERS = 3000
LIMIT = 2.5
TAG = '{% load scope %}{% scope_prompt "greeting" time_of_day=time_of_day name=name %}'
PLAIN = "Good {{ time_of_day }}, {{ name }}!"
VALUES = {"time_of_day": "morning", "name": "Ada"}
EXPECTED = "Good morning, Ada!"


def rows() -> list[Row]:
    content = {"greeting": "Good {{time_of_day}}, {{name}}!"}
    with redisserver.running() as url, LocalPlatform(content) as platform:
        os.environ.update(platform.environ)
        try:
            return [_first_request(url, platform), _tag(url)]
        finally:
            for variable in platform.environ:
                del os.environ[variable]


def _tag(redis_url: str) -> Row:
    engine = _engine(redis_url)
    tag, plain = engine.from_string(TAG), engine.from_string(PLAIN)
    assert tag.render(VALUES) == plain.render(VALUES) == EXPECTED

    def timed(template: Any) -> float:
        started = time.perf_counter()
        for _ in range(RENDERS):
            template.render(VALUES)
        return (time.perf_counter() - started) / RENDERS

    ours, theirs = medians(lambda: timed(tag), lambda: timed(plain))
    return Row("Django tag, 2 variables", seconds(ours), f"plain {{{{ }}}} {seconds(theirs)}", ours / theirs, LIMIT)


def _first_request(redis_url: str, platform: LocalPlatform) -> Row:
    for _ in range(2):  # the first one warms the Redis
        before = len(platform.requests)
        subprocess.run([sys.executable, "-m", __name__, redis_url], check=True)
    asked = len(platform.requests) - before
    assert before > 0, "nothing was asked for"
    return Row("Django, new process, warm Redis", f"{asked} requests", "", asked, 0, unit="requests")


def _engine(redis_url: str) -> Any:
    import django
    from django.conf import settings
    from django.template import engines

    settings.configure(
        INSTALLED_APPS=["scope_django"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}},
    )
    django.setup()
    return engines["django"]


if __name__ == "__main__":
    assert _engine(sys.argv[1]).from_string(TAG).render(VALUES) == EXPECTED
