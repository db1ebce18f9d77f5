"""Severity: how bad each code is, and what its level is called."""

from __future__ import annotations

from .finding import CodeFinding

_WORST_FIRST = ("S101", "S105", "S104", "S103", "S102", "S107", "S100", "S106", "S108")
_WARNINGS = frozenset({"S106", "S108"})  # nothing is broken today


def level_of(code: str) -> str:
    """ "error" or "warning", as GitHub and SARIF call them."""
    return "warning" if code in _WARNINGS else "error"


def worst_first(findings: tuple[CodeFinding, ...]) -> list[CodeFinding]:
    """The findings in the order of what they break; those of one code stay in their order."""
    return sorted(findings, key=lambda each: _WORST_FIRST.index(each.code))
