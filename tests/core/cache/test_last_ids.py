"""LastIds: a change of version is noticed, for so many prompts."""

from __future__ import annotations

from scope_client._cache.last_ids import LastIds


def test_it_gives_the_id_that_another_one_replaces() -> None:
    ids = LastIds(2)
    assert [ids.replaced("a", version) for version in ("v_1", "v_1", "v_2", None, "v_3")] == [
        *(None, None, "v_1", "v_2", None)
    ]


def test_past_so_many_prompts_all_are_forgotten() -> None:
    ids = LastIds(2)
    assert [ids.replaced(key, "v_1") for key in "ab"] == [None, None]
    assert [ids.replaced(key, "v_2") for key in "ab"] == ["v_1", "v_1"]
    assert ids.replaced("c", "v_1") is None
    assert [ids.replaced(key, "v_3") for key in "ca"] == ["v_1", None]
