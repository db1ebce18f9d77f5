"""What the platform does not give is said on a page, and is not a server error of the site."""

from collections.abc import Callable
from typing import Optional

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from scope_client import ScopeError


class ExplainScopeErrors:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> Optional[HttpResponse]:
        if not isinstance(exception, ScopeError):
            return None
        return render(request, "pages/error.html", {"error": exception}, status=502)
