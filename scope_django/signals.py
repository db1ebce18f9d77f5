"""Signals, sent with `send_robust` by the thread that reads: `prompt` is the name, `age` is in seconds."""

from __future__ import annotations

from django.dispatch import Signal

prompt_stale = Signal()
"""The last known good version was served past its end, since the platform does not answer."""

prompt_fallback = Signal()
"""A stand-in was served, since nothing is known of the prompt; `age` is None."""
