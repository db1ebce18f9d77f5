"""A view for readiness probes; include it in a URLconf of yours."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from scope_client import ScopeError

from .client import get_client


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """`client.status()` as JSON; asks nobody. 200 also while the platform is down, for reads go on; 503 where
    the settings give no client."""
    try:
        return JsonResponse({"ok": True, **get_client().status().to_dict()})
    except ScopeError as error:
        return JsonResponse({"ok": False, "error": f"{type(error).__name__}: {error}"}, status=503)
