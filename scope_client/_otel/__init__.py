"""What `scope_client.otel` turns on: the only rooms that import OpenTelemetry."""
