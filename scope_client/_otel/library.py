"""What our tracer and our meter are called."""

from __future__ import annotations

LIBRARY_NAME = "scope_client"
SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"
