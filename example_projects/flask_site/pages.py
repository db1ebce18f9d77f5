"""A page with a prompt in its template, one that previews any prompt, and an endpoint that answers in JSON."""

import json
import shlex

from flask import Blueprint, abort, current_app, jsonify, redirect, render_template, request, url_for
from model import FakeModel

from scope_client import ScopeError
from scope_flask import current_scope

LABELS = ("production", "latest")

# The API has no list of prompts, so a site names those that it uses; the platform shows the IDs of their versions.
PROMPTS = {
    "greeting": {
        "version 1": "v_31G0N6DDKE85D9JDNXGDG3XM05",
        "version 2": "v_5AMB6FV5ZVS5HQTXBFXVF20WQM",
        "version 3": "v_5XD0PKECJF0AJDD7D2KAE88PRR",
    },
    "extract-order": {},
    "newsletter": {},
    "support-chat": {},
}

pages = Blueprint("pages", __name__)
model = FakeModel()


@pages.before_request
def refuse_forms_of_other_sites():
    """Browsers say where a form is; programs such as curl say nothing, and have no cookies that could be misused."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403)


@pages.get("/")
def home():
    return render_template(
        "home.html",
        name=request.args.get("name") or "stranger",
        read=current_scope.read_prompt("greeting", fallback="..."),  # how it was read; greeting.html shows the text
        source=current_app.jinja_env.loader.get_source(current_app.jinja_env, "greeting.html")[0],
        cache_ttl=current_scope.config.cache_ttl,
        switch=current_app.config.get("SWITCH"),
    )


@pages.route("/preview", methods=["GET", "POST"])
def preview():
    """`?prompt=...&version=...` chooses a prompt; a POST there fills it in."""
    asked = {"prompt": request.args.get("prompt", "greeting"), "version": request.args.get("version", "production")}
    shown = {"prompts": PROMPTS, "labels": LABELS, **asked}
    read_and_fill_in(shown)
    return render_template("preview.html", **shown)


def read_and_fill_in(shown):
    kind = "label" if shown["version"] in LABELS else "version"
    try:
        shown["read"] = current_scope.read_prompt(shown["prompt"], **{kind: shown["version"]})
    except ScopeError as error:
        shown["error"] = error
        return
    version = shown["read"].version
    is_chat = version.type == "chat"
    shown["before"] = json.loads(version.content) if is_chat else version.content
    shown["values"] = values = {name: request.form.get(f"variable-{name}", "") for name in version.variables}
    if request.method == "POST" and all(values.values()):
        try:
            shown["after"] = version.messages(**values) if is_chat else version.render(**values)
        except ScopeError as error:
            shown["values_error"] = error


@pages.route("/ask", methods=["GET", "POST"])
def ask():
    """A form for the JSON endpoint: shows what a program sends to it, and what it answers."""
    question = request.form.get("question")
    if not question:
        return render_template("ask.html", is_missing=question is not None)
    body = shlex.quote(json.dumps({"question": question}, ensure_ascii=False))
    url = url_for("pages.answer", _external=True)
    return render_template(
        "ask.html",
        question=question,
        command=f"curl -H 'Content-Type: application/json' \\\n-d {body} \\\n{url}",
        answer=json.dumps(answer_to(question), indent=2, ensure_ascii=False),
    )


@pages.post("/answer")
def answer():
    """Takes {"question": ...} as JSON."""
    asked = request.get_json(silent=True)
    question = asked.get("question") if isinstance(asked, dict) else None
    if not isinstance(question, str):
        return jsonify(error='Send JSON such as {"question": "Is the lamp dimmable?"}'), 400
    return jsonify(answer_to(question))


def answer_to(question):
    """The messages that were sent, and the answer of the model."""
    version = current_scope.get_prompt_version("support-chat")
    messages = version.messages(shop="Lamps & Co", question=question)
    said = model.complete(messages, temperature=version.get_metadata("temperature", 0.0))
    return {"version": version.version_number, "messages": messages, "answer": said}


@pages.post("/clear-cache")
def clear_cache():
    demo_switch()  # without a sign-in, only the demo lets everybody do this
    current_scope.clear_cache()
    return redirect(url_for("pages.home"))


@pages.post("/platform/<any(stop, start):what>")
def turn_platform(what):
    demo_switch().turn(on=what == "start")
    return redirect(url_for("pages.home"))


def demo_switch():
    """The switch of run.py; a deployed site has none, and answers 404."""
    return current_app.config.get("SWITCH") or abort(404)


@pages.get("/favicon.ico")
def favicon():
    return redirect(url_for("static", filename="favicon.svg"))


def explain(error):
    """What the platform does not give is said on a page, or in JSON to programs."""
    if request.endpoint == "pages.answer":
        return jsonify(error=str(error)), 502
    return render_template("error.html", error=error), 502
