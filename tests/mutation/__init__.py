"""Mutants: what happens to the tests if one place of the code is wrong. `make mutants` runs it."""
