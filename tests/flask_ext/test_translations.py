"""Translations in an app's templates, by Flask-Babel: lazy texts and {% trans %} beside prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest
from babel.messages import Catalog, mofile
from flask import Flask, render_template_string, request
from flask_babel import Babel, lazy_gettext
from jinja2 import DictLoader

from scope_client import NotFoundError, ValidationError
from scope_flask import current_scope
from scope_flask.test import override_prompts

if TYPE_CHECKING:
    from pathlib import Path

PROMPTS = {"hello": "Hello {{who}} & co", "hallo": "Hallo {{who}} & Co"}
WORLD = lazy_gettext("the <world>")
HELLO = lazy_gettext("hello")
PRODUCTION = lazy_gettext("production")
UNKNOWN = lazy_gettext("unknown")
Visit = Callable[..., str]


@pytest.fixture
def app(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """Its language is the one of the query."""
    catalog = Catalog(locale="de")
    catalog.add("the <world>", "die <Welt>")
    catalog.add("hello", "hallo")
    catalog.add("Our prompt says: %(text)s", "Unser Prompt sagt: %(text)s")
    (tmp_path / "de" / "LC_MESSAGES").mkdir(parents=True)
    with (tmp_path / "de" / "LC_MESSAGES" / "messages.mo").open("wb") as file:
        mofile.write_mo(file, catalog)
    app = make_app(BABEL_TRANSLATION_DIRECTORIES=str(tmp_path))
    Babel(app, locale_selector=lambda: request.args.get("language", "en"))
    return app


@pytest.fixture
def visit(app: Flask) -> Visit:
    def visit(source: str, language: str, **context: object) -> str:
        with app.test_request_context(f"/?language={language}"), override_prompts(PROMPTS):
            return render_template_string(source, **context)

    return visit


HELLO_WORLD = ("Hello the &lt;world&gt; &amp; co", "Hello die &lt;Welt&gt; &amp; co")
HELLO_YOU = ("Hello you &amp; co", "Hallo you &amp; Co")
OUR_PROMPT = ("Our prompt says: Hello you &amp; co", "Unser Prompt sagt: Hallo you &amp; Co")
TRANS = "{% trans %}Our prompt says: {{ text }}{% endtrans %}"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ scope_prompt('hello', who=world) }}", HELLO_WORLD),
        ("{{ scope_prompt('hello', variables={'who': world}) }}", HELLO_WORLD),
        ("{{ scope_prompt('hello', who=_('the <world>')) }}", HELLO_WORLD),
        ("{{ scope_prompt(hello, who='you') }}", HELLO_YOU),
        ("{{ scope_prompt(_('hello'), label=production, who='you') }}", HELLO_YOU),
        (TRANS.replace("trans ", "trans text=scope_prompt(hello, who='you') ", 1), OUR_PROMPT),
        ("{% set text = scope_prompt(hello, who='you') %}" + TRANS, OUR_PROMPT),
        ("{{ _('Our prompt says: %(text)s', text=scope_prompt(hello, who='you')) }}", OUR_PROMPT),
    ],
)
def test_the_page_is_in_the_language_of_its_request(source: str, said: tuple[str, str], visit: Visit) -> None:
    context = {"world": WORLD, "hello": HELLO, "production": PRODUCTION}
    shown = [visit(source, language, **context) for language in ("en", "de", "en")]
    assert shown == [said[0], said[1], said[0]]


def test_the_client_takes_lazy_values_too(app: Flask) -> None:
    for language, said in (("en", "Hello the <world> & co"), ("de", "Hello die <Welt> & co")):
        with app.test_request_context(f"/?language={language}"), override_prompts(PROMPTS):
            assert current_scope.render_prompt("hello", {"who": WORLD}) == said


def test_a_lazy_name_or_label_that_is_not_there_is_named_as_it_reads(visit: Visit) -> None:
    with pytest.raises(NotFoundError, match="'unknown'"):
        visit("{{ scope_prompt(unknown) }}", "de", unknown=UNKNOWN)
    with pytest.raises(ValidationError, match="'unknown'"):
        visit("{{ scope_prompt('hello', label=unknown, who='you') }}", "de", unknown=UNKNOWN)


def test_a_prompt_within_trans_is_found_in_templates(app: Flask) -> None:
    source = "<p>\n{% trans text=scope_prompt('hello', wo='you') %}Our prompt says: {{ text }}{% endtrans %}"
    app.jinja_loader = DictLoader({"page.html": source})
    with override_prompts(PROMPTS):
        checked = app.test_cli_runner().invoke(args=["scope", "check"])
        listed = app.test_cli_runner().invoke(args=["scope", "list"])
    assert " S102 prompt 'hello' has no variable 'wo'" in checked.output
    assert "page.html:2  prompt 'hello'" in listed.output
