"""The template tag library `scope`."""
