"""What an app shows."""

from __future__ import annotations

from faults.greeting import VALUES
from flask import Flask

from scope_flask import current_scope


def greeting(app: Flask) -> str:
    with app.app_context():
        return current_scope.render_prompt("greeting", VALUES)
