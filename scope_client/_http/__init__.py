"""One fetch over HTTP: tokens, attempts, retries, time limits; only what a fetch needs imports requests."""
