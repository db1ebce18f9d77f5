"""A word diff shows what went and what came, loses nothing, and takes no time that grows with the square of a text."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scope_client._lock.marked_text import as_code, fenced, marked
from scope_client._lock.word_diff import NEW, OLD, SAME, word_diff

texts = st.lists(
    st.sampled_from([" ", "  ", "\n", "\r\n", "\t", "a", "b", "word", "{{name}}", ".", "é", "今日", "`", "\0"])
).map("".join)


def shown(old: str, new: str) -> str:
    return marked(word_diff(old, new))


@settings(max_examples=300, deadline=None)
@given(old=st.one_of(texts, st.text()), new=st.one_of(texts, st.text()))
def test_each_text_can_be_read_out_of_it(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert "".join(text for kind, text in pieces if kind != NEW) == old
    assert "".join(text for kind, text in pieces if kind != OLD) == new
    assert all(text for _, text in pieces)
    assert all({one.kind, other.kind} != {SAME} for one, other in zip(pieces, pieces[1:]))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Good morning, {{name}}!", "Good evening, {{name}}!", "Good [-morning-]{+evening+}, {{name}}!"),
        ("{{name}}", "{{full_name}}", "[-{{name}}-]{+{{full_name}}+}"),
        ("a b c", "a x y c", "a [-b-]{+x y+} c"),
        ("How are you", "How was it", "How [-are you-]{+was it+}"),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("今日は晴れです", "今日は雨です", "今日は[-晴れ-]{+雨+}です"),
        ("a b", "a  b", "a[-·-]{+··+}b"),
        ("a\tb", "a b", "a[-⇥-]{+·+}b"),
        ("a\n", "a", "a[-⏎\n-]"),
        ("a\r\nb", "a\nb", "a[-␍⏎\n-]{+⏎\n+}b"),
        ("a", "a \n", "a{+·⏎\n+}"),
        ("one\ntwo", "one\nnew\ntwo", "one\n{+new\n+}two"),
        ("a\u200bb", "ab", "[-a\\u200bb-]{+ab+}"),
        ("a\xa0b", "a b", "a[-\\xa0-]{+·+}b"),
        ("\x1b[2J", "x", "[-\\x1b[2J-]{+x+}"),
    ],
)
def test_it_marks_the_words_that_changed_and_shows_what_nobody_sees(old: str, new: str, said: str) -> None:
    assert shown(old, new) == said


def test_it_leaves_out_what_is_far_from_a_change() -> None:
    lines = [f"line {number}" for number in range(40)]
    old, new = "\n".join(lines), "\n".join(lines).replace("line 20\n", "line twenty\n")
    assert shown(old, new) == (
        "... 18 lines ...\nline 18\nline 19\nline [-20-]{+twenty+}\nline 21\nline 22\n... 17 lines ..."
    )
    long = "x" * 5000
    assert len(shown(f"{long} a {long}", f"{long} b {long}")) < 1000


@pytest.mark.parametrize("count", [2, 30, 5000])
def test_a_huge_text_takes_little_time(count: int) -> None:
    chance = random.Random(1)
    for joint in (" ", "\n"):
        old, new = (joint.join(str(chance.randrange(count)) for _ in range(50_000)) for _ in range(2))
        began = time.process_time()
        pieces = word_diff(old, new)
        assert time.process_time() - began < 20  # some 0.3; without a bound it is hours
        assert "".join(text for kind, text in pieces if kind != NEW) == old


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("`a \n|<\\")))
def test_no_text_ends_the_code_that_it_is_in(text: str) -> None:
    span = as_code(text)
    ticks = len(span) - len(span.lstrip("`"))
    assert "`" * ticks not in span[ticks:-ticks].strip("\n").replace(" ", "x") or not text.count("`" * ticks)
    assert "\n" not in span
    block = fenced(text).splitlines()
    fence = block[0][: -len("text")]
    assert block[-1] == fence
    assert not [line for line in block[1:-1] if line.strip().startswith(fence)]
