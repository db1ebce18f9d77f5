"""A page with a prompt in its template, one that previews any prompt, and an endpoint that answers in JSON."""

import json
import shlex
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.urls import reverse
from django.utils.timezone import localtime
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from pages import demo
from pages.forms import FIRST, LABELS, PROMPTS, PromptForm, QuestionForm, VariablesForm
from pages.model import FakeModel
from scope_client import ScopeError
from scope_django import get_client

model = FakeModel()


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    hour = localtime().hour
    client = get_client()
    context = {
        "time_of_day": "morning" if hour < 12 else "afternoon" if hour < 18 else "evening",
        "read": client.read_prompt("greeting", fallback="..."),  # how it was read; greeting.html shows the text
        "source": get_template("pages/greeting.html").template.source,
        "cache_ttl": client.config.cache_ttl,
        "demo": demo,
    }
    return render(request, "pages/home.html", context)


def preview(request: HttpRequest) -> HttpResponse:
    """`?prompt=...&version=...` chooses a prompt; a POST there fills it in."""
    context: dict[str, Any] = {"choice": PromptForm(request.GET or FIRST), "prompts": PROMPTS, "labels": LABELS}
    if context["choice"].is_valid():
        read_and_fill_in(request, context)
    return render(request, "pages/preview.html", context)


def read_and_fill_in(request: HttpRequest, context: dict[str, Any]) -> None:
    chosen = context["choice"].cleaned_data
    kind = "label" if chosen["version"] in LABELS else "version"
    try:
        read = get_client().read_prompt(chosen["prompt"], **{kind: chosen["version"]})
    except ScopeError as error:
        context["error"] = error
        return
    version = read.version
    is_chat = version.type == "chat"
    form = VariablesForm(version, request.POST if request.method == "POST" else None)
    context.update(read=read, form=form, before=json.loads(version.content) if is_chat else version.content)
    if form.is_valid():
        values = form.cleaned_data
        try:
            context["after"] = version.messages(**values) if is_chat else version.render(**values)
        except ScopeError as error:
            form.add_error(None, str(error))


def ask(request: HttpRequest) -> HttpResponse:
    """A form for the JSON endpoint: shows what a program sends to it, and what it answers."""
    form = QuestionForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        url = request.build_absolute_uri(reverse("answer"))
        body = shlex.quote(json.dumps(form.cleaned_data, ensure_ascii=False))
        context["command"] = f"curl -H 'Content-Type: application/json' \\\n-d {body} \\\n{url}"
        context["answer"] = json.dumps(answer_to(form.cleaned_data["question"]), indent=2, ensure_ascii=False)
    return render(request, "pages/ask.html", context)


@csrf_exempt  # programs have no token; nothing is changed, and no cookie is looked at
@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    """Takes {"question": ...} as JSON."""
    try:
        asked = json.loads(request.body)
    except ValueError:
        asked = None
    question = asked.get("question") if isinstance(asked, dict) else None
    if not isinstance(question, str):
        return JsonResponse({"error": 'Send JSON such as {"question": "Is the lamp dimmable?"}'}, status=400)
    try:
        return JsonResponse(answer_to(question))
    except ScopeError as error:
        return JsonResponse({"error": str(error)}, status=502)


def answer_to(question: str) -> dict[str, Any]:
    """The messages that were sent, and the answer of the model."""
    version = get_client().get_prompt_version("support-chat")
    sent = version.messages(shop="Lamps & Co", question=question)
    said = model.complete(sent, temperature=version.get_metadata("temperature", 0.0))
    return {"version": version.version_number, "messages": sent, "answer": said}


@require_POST
@staff_member_required(login_url="sign-in")
def clear_cache(request: HttpRequest) -> HttpResponse:
    get_client().clear_cache()
    messages.success(request, "The cache was cleared: the next read of each prompt asks the platform.")
    return redirect("home")


@require_POST
def turn_platform(request: HttpRequest, on: bool) -> HttpResponse:
    if demo.switch is None:
        raise Http404("there is a switch only in the demo")
    demo.switch.turn(on)
    return redirect("home")
