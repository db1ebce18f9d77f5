"""What users' own tests are given: the pytest plugin."""
