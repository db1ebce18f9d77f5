"""Shortcuts for views that are `async def`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse


async def arender(
    request: Optional[HttpRequest],
    template_name: Union[str, Sequence[str]],
    context: Optional[Mapping[str, Any]] = None,
    content_type: Optional[str] = None,
    status: Optional[int] = None,
    using: Optional[str] = None,
) -> HttpResponse:
    """`django.shortcuts.render` for an event loop: a page whose template has to ask for a prompt does not hold it up.

    The page is rendered in the thread that Django keeps for this request, in which a template may query the database.

    Args:
        request: The request.
        template_name: The name of a template; of several, the first one that exists.
        context: What the template can show.
        content_type: The MIME type of the response.
        status: The HTTP status of the response; 200 if None.
        using: The name of the template engine.

    Returns:
        The response.

    Raises:
        ScopeError: What a prompt of the template raises.
    """
    from django.shortcuts import render

    return await sync_to_async(render, thread_sensitive=True)(
        request, template_name, context, content_type, status, using
    )
