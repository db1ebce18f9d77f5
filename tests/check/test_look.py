"""What a file shows that is wrong in itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scope_client._check.scan import scan

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("octets", "place"),
    [
        (b"\xff = 1\n", "1:1"),
        (b"a = 1\nb = '\xe9'\n", "2:6"),
        ("a = 1\n\n\nb = 'é".encode() + b"\xff'\n", "4:7"),
        (b"# coding: ascii\na = 1\nb = '\xe9'\n", "3:6"),
    ],
)
def test_octets_that_are_not_text_have_their_line(octets: bytes, place: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(octets)
    (finding,) = scan(["app.py"], cache=False, here=str(tmp_path)).findings
    assert (f"{finding.place.line}:{finding.place.column}", finding.code) == (place, "S100")
