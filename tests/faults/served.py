"""Versions as a platform may serve them, for tests that generate them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from hypothesis import strategies as st

from scope_client import PromptVersion
from scope_client._folder.escaping import paths_of
from scope_client._folder.record import is_prompt_id
from scope_client._folder.served_version import record_of
from scope_client._folder.written_file import octets_of
from scope_client._prompt.ref import PromptRef

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
odd_text = st.lists(
    st.sampled_from(
        ["---", "\n", "\r\n", "\r", "\ufeff", " ", "{{name}}", "x", "#", "\x85", "\u2028", "\x00", ":", "'", "\ud83d"]
    ),
    max_size=6,
).map("".join)
yaml_words = st.sampled_from(
    [
        *("yes", "1:30", "2026-01-01", "2026-01-01T00:00:00Z", "~", "=", "<<", "*a", "&a", "0x1f", "1e5", "null"),
        *("!!int 1", "{a: 1}", "1" * 5000, "1:" * 30 + "1", "- a", "? a", "", "x" * 2000),
    ]
)
texts = st.one_of(any_text, odd_text, yaml_words)
numbers = st.one_of(
    st.integers(-(10**300), 10**300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e-7, 1e16, 1e300, -0.0, 1.0, 10**40]),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda each: st.one_of(st.lists(each, max_size=3), st.dictionaries(texts, each, max_size=3)),
    max_leaves=8,
)
deep = st.integers(30, 150).map(lambda depth: json.loads("[" * depth + "]" * depth))
metadata = st.dictionaries(texts, st.one_of(values, deep), max_size=3)
chats = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": texts}), max_size=3)
contents = st.one_of(
    st.fixed_dictionaries({"content": texts}, optional={"prompt_type": st.just("text")}),
    st.fixed_dictionaries({"content": st.one_of(chats, chats.map(json.dumps)), "prompt_type": st.just("chat")}),
)
known = {
    "variables": st.lists(st.one_of(st.from_regex(r"\w{1,5}", fullmatch=True), texts, st.just("name")), max_size=4),
    "status": st.one_of(st.sampled_from(["draft", "published", "archived"]), texts, st.none()),
    "is_production": st.one_of(st.booleans(), st.none()),
    "metadata": st.one_of(st.none(), metadata),
    "tags": st.lists(texts, max_size=3),
    "description": st.one_of(texts, st.none(), st.integers()),
    **{
        field: st.one_of(texts, st.none(), st.just("2026-01-02T03:04:05.678901+02:00"))
        for field in ("created_at", "updated_at", "promoted_at", "promoted_by")
    },
}
unknown = st.dictionaries(texts, values, max_size=2)
IDENTITIES = (("id", "version_number"), ("version_id", "version"))


@st.composite
def bodies(draw: st.DrawFn, name: str, prompt_id: str | None, number: int) -> dict[str, object]:
    """The body of an answer with a version; its ID, if it has one, differs from those of other numbers."""
    identity, count = draw(st.sampled_from(IDENTITIES))
    body = {**draw(unknown), **draw(contents), **draw(st.fixed_dictionaries({}, optional=known)), "name": name}
    if prompt_id is not None:
        body["prompt_id"] = prompt_id
    if draw(st.booleans()):
        body[identity] = f"v{number}{draw(texts)}"
    if draw(st.booleans()):
        body[count] = draw(st.sampled_from([number, 0, -1, 10**30]))
    return body


name_pieces = st.sampled_from(
    [
        *("a", "A", "b", "/", "//", "%", "%41", "%+", ".", "..", "v1", "V2", ".md", "README", "con", " ", "é", "É"),
        *("e\u0301", "ß", "?", "#", ":", "\\", "\x00", "\n", "support", "greeting", "x" * 170, "{{name}}"),
    ]
)
names = st.one_of(any_text, st.lists(name_pieces, min_size=1, max_size=5).map("".join)).filter(
    lambda name: name not in ("", ".", "..") and not is_prompt_id(name)
)


@st.composite
def prompts(draw: st.DrawFn) -> dict[str, list[PromptVersion]]:
    """Prompts by their names, each with its production version and perhaps a newer one."""
    served = {}
    for place, name in enumerate(draw(st.lists(names, min_size=1, max_size=4, unique=True))):
        prompt_id = draw(st.sampled_from([None, f"prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z{place:02}", f"p {place}/"]))
        numbers = draw(st.sampled_from([(1,), (7,), (1, 2), (3, 40)]))
        served[name] = [
            PromptVersion.from_api(draw(bodies(name, prompt_id, number)), PromptRef(name)) for number in numbers
        ]
    return served


def written(folder: str | os.PathLike[str], served: dict[str, list[PromptVersion]]) -> None:
    """Prompts as files: the first version of each as what a read of production gave, the second one as the latest."""
    for name, path in paths_of(served).items():
        place = Path(folder, path)
        place.mkdir(parents=True, exist_ok=True)
        for version, number, status in zip(served[name], (1, 10**6), ("published", "draft")):
            has_number = 0 < (version.version_number or 0) < 10**6
            record = record_of(version, number=None if has_number else number, status=status)
            (place / f"v{record.number}.md").write_bytes(octets_of(record))
