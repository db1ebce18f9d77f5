"""A view for readiness probes, to be included in a URLconf of yours."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from scope_client import frameworks

from ._client import get_client
from ._conf import DEFAULT


@never_cache
@require_safe
def health(request: HttpRequest, *, last_error: bool = True, using: str = DEFAULT) -> JsonResponse:
    """`client.status()` as JSON; nothing is sent. 200 also while the platform is down, because reads go on.

    Args:
        request: Needs no login.
        last_error: Whether the texts of errors are shown; False in the dict of the `path` leaves them out.
        using: The organisation, a key of SCOPE, on a site that has several.

    Returns:
        The JSON.
    """
    data, status = frameworks.health(partial(get_client, using), last_error=last_error)
    return JsonResponse(data, status=status)
