"""An app factory with a page, and an endpoint that asks a model."""

import os
from pathlib import Path

from flask import Flask, abort, jsonify, render_template, request
from flask_caching import Cache
from model import FakeModel

from scope_client import MissingVariableError, ScopeError, ValidationError
from scope_flask import Scope, current_scope, health

cache = Cache()
scope = Scope()
model = FakeModel()


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(cache_settings(os.environ.get("REDIS_URL")), SCOPE_CACHE=cache)
    app.config.from_prefixed_env()  # such as FLASK_SCOPE_CACHE_TTL=1
    app.config.from_mapping(config)
    cache.init_app(app)
    scope.init_app(app)
    app.register_blueprint(health)
    app.add_url_rule("/", view_func=home)
    app.add_url_rule("/answer", view_func=answer, methods=["POST"])
    app.register_error_handler(ScopeError, explain)
    return app


def cache_settings(redis_url):
    """The processes of this machine share the prompts; with REDIS_URL, those of all machines do."""
    if redis_url:
        return {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": f"{redis_url}?socket_timeout=0.5"}
    folder = Path(os.environ.get("SITE_VAR") or Path(__file__).parent / "var")
    return {"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(folder / "cache")}


def home():
    return render_template("home.html", name=request.args.get("name", "stranger"))


def answer():
    """Takes {"question": ...}; returns the messages that were sent, and the answer of the model."""
    asked = request.get_json()
    if not isinstance(asked, dict) or "shop" in asked:
        abort(400)
    version = current_scope.get_prompt_version("support-chat")
    messages = version.messages(shop="Lamps & Co", **asked)
    said = model.complete(messages, temperature=version.get_metadata("temperature", 0.0))
    return jsonify(version=version.version_number, messages=messages, answer=said)


def explain(error):
    is_bad_request = isinstance(error, (MissingVariableError, ValidationError))
    return jsonify(error=str(error)), 400 if is_bad_request else 502
