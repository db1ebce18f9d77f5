"""An optional blueprint for readiness probes: `app.register_blueprint(scope_flask.health, url_prefix="/scope")`."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from scope_client.frameworks import _commands as commands

from ._extension import state_of_current_app

health = Blueprint("scope_health", __name__)


@health.get("/health")
def show() -> Response:
    """`client.status()` as JSON; asks nobody. 200 also while the platform is down, for reads go on."""
    data, status = commands.health(lambda: state_of_current_app().client())
    response = jsonify(data)
    response.status_code = status
    response.cache_control.no_store = True
    return response
