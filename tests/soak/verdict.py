"""The verdict on a soak: its table, and which of its bounds were broken."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from .board import READERS
from .figures import percentile, total
from .weather import FAULTS, REDIS, WEATHERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .conductor import Conductor

Report = dict[str, Any]
SHARES = (0.5, 0.99, 0.999, 1.0)
HEAD = ("", "reads", "p50 ms", "p99 ms", "p99.9 ms", "max ms")
LEAST_READS_A_SECOND = 100  # of one process
MORE_THREADS = 5  # four behind the readers, and one that watches slow fetches
MORE_SOCKETS = 16  # a connection to Redis for each thread
MORE_MEGABYTES = 8.0
MORE_MEMORY_SHARE = 0.1
SECONDS_FOR_ALL_FAULTS = 300.0
SHOWN_PLACES = 12


class Soak(NamedTuple):
    """What came of it: a report of each reader process, what the conductor did, and what the platform was asked."""

    seconds: float
    slowest_ms: float
    reports: Sequence[Report]
    conductor: Conductor
    requests: int


def table(soak: Soak) -> str:
    reports = soak.reports
    lines = [_row(HEAD)]
    lines += [_timed(f"process {number}", report["by_weather"]) for number, report in enumerate(reports)]
    lines.append(_timed("all", [total(each["by_weather"]) for each in reports]))
    for place, weather in enumerate(WEATHERS):
        lines.append(_timed(f"platform: {weather.name}", [each["by_weather"][place] for each in reports]))
    for place, state in enumerate(REDIS):
        lines.append(_timed(f"redis: {state}", [each["by_redis"][place] for each in reports]))
    for place, state in enumerate(REDIS):
        lines.append(_timed(f"misspelt, redis: {state}", [each["of_nobodys"][place] for each in reports]))
    lines += ["", _row(("", "first quarter", "last quarter"))]
    for number, report in enumerate(reports):
        for what in ("threads", "sockets", "megabytes"):
            first, last = _quarters(report, what)
            lines.append(_row((f"process {number}: {what}", f"{first:.1f}", f"{last:.1f}")))
    lines += ["", *(_counted(name, counts) for name, counts in _facts(soak)), "", "where reads over 20 ms were:"]
    slow: Counter[str] = sum((Counter(report["slow"]) for report in reports), Counter())
    lines += [f"{count:>6}  {place}" for place, count in slow.most_common(SHOWN_PLACES)]
    lines += [f"  {example}" for report in reports for example in report["examples"]]
    return "\n".join(lines)


def broken(soak: Soak) -> list[str]:
    """The bounds that do not hold, in words."""
    found = []
    for number, report in enumerate(soak.reports):
        who = f"process {number}"
        complaints = dict(report["complaints"])
        failed = complaints.pop("failed", 0)
        if complaints:
            found.append(f"{who}: {sum(complaints.values())} reads were wrong")
        if failed:
            found.append(f"{who}: {failed} reads failed")
        if report["stuck"]:
            found.append(f"{who}: {report['stuck']} threads did not come back from a read")
        slow = percentile(total(report["by_weather"]), 0.999)
        if slow > soak.slowest_ms:
            found.append(f"{who}: p99.9 is {slow:.1f} ms, over {soak.slowest_ms:g} ms")
        if report["reads"] < LEAST_READS_A_SECOND * soak.seconds:
            found.append(f"{who}: only {report['reads']} reads")
        found += [f"{who}: {what}" for what in _grown(report)]
    return found + _not_seen(soak)


def _grown(report: Report) -> Iterable[str]:
    for what, more in (("threads", MORE_THREADS), ("sockets", MORE_SOCKETS), ("megabytes", MORE_MEGABYTES)):
        first, last = _quarters(report, what)
        if last > first + max(more, first * MORE_MEMORY_SHARE if what == "megabytes" else 0):
            yield f"{what} grew from {first:.1f} to {last:.1f}"


def _not_seen(soak: Soak) -> list[str]:
    """A soak in which nothing happened proves nothing."""
    if soak.seconds < SECONDS_FOR_ALL_FAULTS:
        return []
    missing = [name for name in FAULTS if not soak.conductor.weathers[name]]
    missing += [f"redis {name}" for name in REDIS[1:] if not soak.conductor.troubles[name]]
    if not all(report["judged"] for report in soak.reports):
        missing.append("a read of which it was known how old its answer may be")
    if not all(sum(total(report["of_nobodys"])) for report in soak.reports):
        missing.append("a misspelt name in each process")
    if not all(report["warnings"].get("scope_client.outage") for report in soak.reports):
        missing.append("an outage in each process")
    return [f"never happened: {', '.join(missing)}"] if missing else []


def _quarters(report: Report, what: str) -> tuple[float, float]:
    figures = [sample[what] for sample in report["samples"]] or [0.0]
    quarter = max(len(figures) // 4, 1)
    return statistics.median(figures[:quarter]), statistics.median(figures[-quarter:])


def _facts(soak: Soak) -> list[tuple[str, Any]]:
    reports = soak.reports
    judged = sum(report["judged"] for report in reports)
    return [
        ("reads, of all processes", sum(report["reads"] for report in reports)),
        ("wrong or failed", sum((Counter(report["complaints"]) for report in reports), Counter())),
        ("of which the age was judged", judged),
        ("platform requests", soak.requests),
        ("misspelt names, while the platform fails", sum((Counter(each["errors"]) for each in reports), Counter())),
        ("processes stopped and woken", soak.conductor.stops),
        ("faults of the platform", soak.conductor.weathers),
        ("troubles of Redis", soak.conductor.troubles),
        *((f"process {number}: warnings", reports[number]["warnings"]) for number in range(READERS)),
        *((f"process {number}: counters", reports[number]["counters"]) for number in range(READERS)),
    ]


def _counted(name: str, counts: Any) -> str:
    if not isinstance(counts, dict):
        return f"{name}: {counts}"
    by_count = sorted(counts.items(), key=lambda item: -item[1])
    return f"{name}: " + (", ".join(f"{key} {count}" for key, count in by_count) or "none")


def _timed(name: str, histograms: Sequence[Sequence[int]]) -> str:
    counts = total(histograms)
    return _row((name, str(sum(counts)), *(f"{percentile(counts, share):.3f}" for share in SHARES)))


def _row(cells: Sequence[str]) -> str:
    return f"{cells[0]:<32}" + "".join(f"{cell:>15}" for cell in cells[1:])
