"""Leaves out of the lists of pages what is not written yet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def leave_out(app: Sphinx, docname: str, source: list[str]) -> None:
    folder = Path(app.srcdir, docname).parent

    def present(found: re.Match[str]) -> str:
        lines = found.group(0).splitlines()
        kept = [line for line in lines if line[:1] in ":`" or not line or (folder / f"{line}.md").exists()]
        return "\n".join(kept) if any(line and line[0] not in ":`" for line in kept) else ""

    source[0] = re.sub(r"^```\{toctree\}.*?^```$", present, source[0], flags=re.MULTILINE | re.DOTALL)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", leave_out)
    app.config.suppress_warnings.append("myst.xref_missing")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
