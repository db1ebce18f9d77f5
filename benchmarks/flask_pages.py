"""`scope_prompt` in a Jinja template of a Flask app, beside the same template with its values printed plainly."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask

from scope_client.local import LocalPlatform
from scope_flask import Scope

from .measure import Row, medians, seconds

RENDERS = 3000
LIMIT = 2.5
FUNCTION = '{{ scope_prompt("greeting", time_of_day=time_of_day, name=name) }}'
PLAIN = "Good {{ time_of_day }}, {{ name }}!"
VALUES = {"time_of_day": "morning", "name": "Ada"}


def rows() -> list[Row]:
    with LocalPlatform({"greeting": "Good {{time_of_day}}, {{name}}!"}) as platform:
        app = Flask("benchmark")
        keys = platform.credentials
        app.config.from_mapping(SCOPE_CREDENTIALS=keys, SCOPE_BASE_URL=platform.url, SCOPE_AUTH_API_URL=platform.url)
        Scope(app)
        function, plain = app.jinja_env.from_string(FUNCTION), app.jinja_env.from_string(PLAIN)
        assert function.render(VALUES) == plain.render(VALUES) == "Good morning, Ada!"

        def timed(template: Any) -> float:
            started = time.perf_counter()
            for _ in range(RENDERS):
                template.render(VALUES)
            return (time.perf_counter() - started) / RENDERS

        ours, theirs = medians(lambda: timed(function), lambda: timed(plain))
    return [Row("Flask, 2 variables", seconds(ours), f"plain {{{{ }}}} {seconds(theirs)}", ours / theirs, LIMIT)]
