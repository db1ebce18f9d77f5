"""docs/scaling.md: its formula is that of the code, its table is near it, and a small fleet keeps to it."""

from __future__ import annotations

import re

import pytest
from manual.pages import text_of

from benchmarks import report, scaling
from benchmarks.scaling import ALONE, IN_A_FLEET, JITTER, Setting, counted, expected, line
from scope_client import Configuration
from scope_client._cache.loading import TTL_JITTER_SHARE
from scope_client._cache.policy import FLEET_RENEWAL_SHARE, RENEWAL_SHARE

PAGE = text_of("scaling.md")
COUNTED = re.findall(r"^\| (\d+) \| (none|Redis) \|(.*)\|$", report.section(PAGE, "scaling"), re.MULTILINE)


def test_the_shares_of_the_formula_are_those_of_the_code():
    assert pytest.approx(1 - RENEWAL_SHARE) == ALONE
    assert pytest.approx(1 - FLEET_RENEWAL_SHARE) == IN_A_FLEET
    assert pytest.approx(TTL_JITTER_SHARE / 2) == JITTER
    assert f"{ALONE * (1 - JITTER):.2f} · T" in PAGE
    assert f"{IN_A_FLEET * (1 - JITTER):.2f} · T" in PAGE


def test_the_example_with_the_defaults_is_what_the_formula_says():
    config = Configuration()
    options = {"names": 10, "ttl": config.cache_ttl, "local_ttl": config.cache_local_ttl, "reads_every": 0.0}
    alone, fleet = (expected(Setting(64, has_store, **options)) for has_store in (False, True))
    text = PAGE.replace("\n", " ")
    assert f"{alone.platform:.1f} times a second with the defaults" in text
    assert f"and {fleet.platform:.2f} times a second with a store." in text
    assert f"look into that store {fleet.looks:.0f} times a second" in text


def test_each_line_of_the_table_has_the_formula_beside_what_was_counted():
    assert [(int(size), store) for size, store, _ in COUNTED] == [
        (size, store) for store in ("none", "Redis") for size in scaling.SIZES
    ]
    for size, store, cells in COUNTED:
        shown = tuple(cell.strip() for cell in cells.split("|"))
        formula = line(Setting(int(size), store == "Redis"), expected(Setting(int(size), store == "Redis")))[2:]
        assert shown[1::2] == formula[1::2]


def test_what_was_counted_is_near_the_formula():
    for size, store, cells in COUNTED:
        pairs = [float(cell) for cell in cells.split("|") if cell.strip()]
        for found, wanted in list(zip(pairs[::2], pairs[1::2]))[:2]:
            assert found == pytest.approx(wanted, rel=0.15), (size, store)


@pytest.mark.parametrize("has_store", [False, True])
def test_a_small_fleet_keeps_to_the_formula(has_store):
    """Real processes, for as long as three lives of a version."""
    setting = Setting(3, has_store, names=4, ttl=1.0, local_ttl=0.25, counted=2.7, reads_every=0.05)
    found, wanted = counted(setting), expected(setting)
    assert 0.4 * wanted.platform < found.platform < 2 * wanted.platform
    assert 0.3 * wanted.looks <= found.looks <= 2 * wanted.looks
    if has_store:
        assert found.platform < 0.8 * expected(setting._replace(has_store=False)).platform
    else:
        assert (found.looks, found.writes) == (0, 0)


def test_a_reader_that_fails_is_told_of(monkeypatch):
    monkeypatch.setattr(scaling, "_asked", lambda lines: 0)
    with pytest.raises(RuntimeError, match="before its time"):
        counted(Setting(1, False, names=1, ttl=-1.0, counted=0.1))
