"""The limit of every row, by the group that measures it, and the rows that README and the manual's drawing show."""

from __future__ import annotations

from typing import NamedTuple


class Limit(NamedTuple):
    """A ratio of ours to the yardstick's: of costs, or of rates if `at_least`."""

    ratio: float
    at_least: bool = False

    def allows(self, ratio: float) -> bool:
        return ratio >= self.ratio if self.at_least else ratio <= self.ratio

    def __str__(self) -> str:
        return f"at {'least' if self.at_least else 'most'} {self.ratio:.2f} x"


GROUPS = {
    "Start": {
        "import scope_client": Limit(0.30),
        "import, first token, first prompt": Limit(1.40),  # it imports requests, too, and has parts of its own
    },
    "Read": {
        "cached read": Limit(3.00),
        'cached read, label="latest"': Limit(3.50),
        "cached read, version=": Limit(3.50),
        "cached reads, 8 threads": Limit(0.90, at_least=True),
        "cached read, Redis behind it": Limit(4.00),
        "store hit, Redis": Limit(1.60),
    },
    "Render": {
        "render, 2 kB, 5 variables": Limit(2.20),
        "render, 2 kB, 100 variables": Limit(3.00),
        "cached render_prompt, 2 kB, 5 variables": Limit(3.50),
    },
    "Fetch": {
        "cold fetch": Limit(0.70),
        "cold fetches, 16 threads": Limit(1.40, at_least=True),
    },
    "Memory": {
        "memory of 10,000 cached prompts of 2 kB": Limit(1.50),
    },
    "Loop": {  # of 20 ms
        "longest standstill of a loop, arender_prompt": Limit(1.00),
        "longest standstill of a loop, LangChain ainvoke": Limit(1.00),
        "longest standstill of a loop, FastAPI": Limit(1.00),
    },
    "Frameworks": {
        "Django tag, 2 variables": Limit(1.50),
        "Flask, 2 variables": Limit(1.50),
        "LangChain format, 2 kB, 5 variables": Limit(1.10),
        "LangChain live prompt, invoke": Limit(1.50),
        "LangChain prompt and scope_model, invoke": Limit(1.30),
    },
    "Otel": {  # of 150 ns
        "OpenTelemetry on: a rendering": Limit(1.00),
        "OpenTelemetry on: a cached render_prompt": Limit(1.00),
        "OpenTelemetry on: a rendering of another prompt than before": Limit(1.00),  # a context variable changes
    },
}
LIMITS = {what: limit for group in GROUPS.values() for what, limit in group.items()}
MISSED_IN_THE_LAST_RUN: tuple[str, ...] = ()  # RESULTS.md says so beside each figure
IN_THE_README = ("import scope_client", "cached read", "cold fetch")
IN_THE_DRAWING = (
    "import scope_client",
    "import, first token, first prompt",
    "cached read",
    "render, 2 kB, 5 variables",
    "cached render_prompt, 2 kB, 5 variables",
    "cold fetch",
    "memory of 10,000 cached prompts of 2 kB",
    "Django tag, 2 variables",
    "Flask, 2 variables",
    "LangChain format, 2 kB, 5 variables",
)
