"""A page with a prompt in its template, and one that previews any prompt."""

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST, require_safe

from pages.forms import PromptForm, VariablesForm
from scope_client import ScopeError
from scope_django import get_client


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    hour = localtime().hour
    time_of_day = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    return render(request, "pages/home.html", {"time_of_day": time_of_day})


def preview(request: HttpRequest) -> HttpResponse:
    """`?prompt=...&label=...` chooses a prompt; a POST there fills it in."""
    context: dict = {"choice": PromptForm(request.GET or None)}
    if context["choice"].is_valid():
        fill_in(request, context)
    return render(request, "pages/preview.html", context)


def fill_in(request: HttpRequest, context: dict) -> None:
    asked = context["choice"].cleaned_data
    try:
        version = get_client().get_prompt_version(asked["prompt"], label=asked["label"] or None)
    except ScopeError as error:
        context["choice"].add_error("prompt", str(error))
        return
    form = VariablesForm(version, request.POST if request.method == "POST" else None)
    context.update(version=version, form=form)
    if form.is_valid():
        try:
            context["text"] = version.render(**form.cleaned_data)
        except ScopeError as error:
            form.add_error(None, str(error))


@require_POST
@staff_member_required
def clear_cache(request: HttpRequest) -> HttpResponse:
    get_client().clear_cache()
    messages.success(request, "The cache was cleared: the next read of each prompt asks the platform.")
    return redirect("home")
