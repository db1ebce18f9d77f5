"""Remedies: what to do about each code."""

from __future__ import annotations

REMEDIES = {
    "S100": "Correct the file so that it can be read, or leave it out with `--exclude`.",
    "S101": "Correct the prompt's name, or make a prompt of this name. With a lock: `scope pull NAME` adds it.",
    "S102": "Correct the variable's name, or leave it out. Or publish a version of the prompt that has it.",
    "S103": "Give a value for the variable. Or publish a version of the prompt that does without it.",
    "S104": "Ask for `production`, `latest`, or the ID of a version of this prompt. Or publish one.",
    "S105": "Read a prompt of the type that the code needs, or give the variable what it takes.",
    "S106": "Look at what has changed, and bring the lock up to date: `scope bump`, or `scope pull`.",
    "S107": "Write the tag on one line: Django prints one over several lines as text.",
    "S108": "Write the name out, or say it in a comment: `# scope: uses greeting(name)`.",
}
"""What to do about each code, in one or two sentences of Markdown."""
