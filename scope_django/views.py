"""A view for readiness probes, to be included in a URLconf of yours."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from scope_client import frameworks

from ._client import get_client


@never_cache
@require_safe
def health(request: HttpRequest, *, last_error: bool = True) -> JsonResponse:
    """`client.status()` as JSON; nothing is sent. 200 also while the platform is down, because reads go on.

    Args:
        request: Needs no login.
        last_error: Whether the texts of errors are shown; False in the dict of the `path` leaves them out.

    Returns:
        The JSON.
    """
    data, status = frameworks.health(get_client, last_error=last_error)
    return JsonResponse(data, status=status)
