"""An app factory. The pages are in pages.py."""

import os
from pathlib import Path

from flask import Flask
from flask_caching import Cache
from pages import explain, pages

from scope_client import ScopeError
from scope_flask import Scope, health

cache = Cache()
scope = Scope()


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(cache_settings(os.environ.get("REDIS_URL")), SCOPE_CACHE=cache, SCOPE_DEADLINE=2.0)
    app.config.from_prefixed_env()  # such as FLASK_SCOPE_CACHE_TTL=1
    app.config.from_mapping(config)
    cache.init_app(app)
    scope.init_app(app)
    app.register_blueprint(health)
    app.register_blueprint(pages)
    app.register_error_handler(ScopeError, explain)
    return app


def cache_settings(redis_url):
    """The processes of this machine share the prompts; with REDIS_URL, those of all machines do."""
    if redis_url:
        return {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": f"{redis_url}?socket_timeout=0.5"}
    folder = Path(os.environ.get("SITE_VAR") or Path(__file__).parent / "var")
    return {"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(folder / "cache")}
