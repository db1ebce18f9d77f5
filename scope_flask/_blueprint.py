"""An optional blueprint for readiness probes: `app.register_blueprint(scope_flask.health, url_prefix="/scope")`."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from scope_client import frameworks

from ._extension import state_of_current_app

health = Blueprint("scope_health", __name__)
"""The blueprint, with one page: `/health`. Register it with url_defaults={"last_error": False} to leave errors out."""


@health.get("/health")
def show(*, last_error: bool = True) -> Response:
    """`client.status()` as JSON; nothing is sent. 200 also while the platform is down, because reads go on."""
    data, status = frameworks.health(lambda: state_of_current_app().client(), last_error=last_error)
    response = jsonify(data)
    response.status_code = status
    response.cache_control.no_store = True
    return response
