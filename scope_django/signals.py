"""Signals that the thread which reads sends with `send_robust`; `prompt` is the name, and `age` is in seconds."""

from __future__ import annotations

from django.dispatch import Signal

prompt_stale = Signal()
"""The last known good version was served although it has expired, because the platform does not answer."""

prompt_fallback = Signal()
"""A stand-in was served, because nothing is known of the prompt; `age` is None."""
