"""The prompt that most tests read, and what becomes of it."""

from __future__ import annotations

GREETING = "Good {{time_of_day}}, {{name}}!"
VALUES = {"time_of_day": "morning", "name": "Ada"}
SAID = "Good morning, Ada!"
