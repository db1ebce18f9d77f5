"""What the platform serves comes back the same from a file."""

from __future__ import annotations

from faults.served import bodies, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from scope_client import PromptVersion
from scope_client._folder.record import VersionRecord
from scope_client._folder.served_version import record_of
from scope_client._folder.version_file import version_in
from scope_client._folder.whole_file import WholeFile
from scope_client._folder.written_file import octets_of

ULID = "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A"


def through_a_file(version: PromptVersion, **how: object) -> VersionRecord:
    record = record_of(version, **how)
    return version_in(WholeFile(octets_of(record), 1e9), record.prompt, record.number, "draft")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_version_comes_back_from_a_file_as_it_was_served(data: st.DataObject) -> None:
    name = data.draw(texts.filter(lambda text: text.encode(errors="ignore").decode() == text != ""))
    body = data.draw(bodies(name, data.draw(st.one_of(st.none(), st.just(ULID), texts)), 3))
    version = PromptVersion.from_api(body)
    assert PromptVersion(through_a_file(version).to_body()).to_dict() == version.to_dict()
