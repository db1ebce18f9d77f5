"""What a survey of templates leaves out: files that are not templates, and those that `--exclude` names."""

import fnmatch
import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, Optional

_DOCUMENTS = re.compile(r"(readme|changelog|contributing|licen[cs]e)(\.(adoc|markdown|md|mdx|rst|txt))?")
_CODE = (".py", ".pyc", ".pyi", ".pyo", ".so", ".map")
_MEDIA = (
    *(".avif", ".bmp", ".eot", ".gif", ".gz", ".ico", ".jpeg", ".jpg", ".mo", ".mp3", ".mp4", ".otf", ".pdf", ".png"),
    *(".tif", ".tiff", ".ttf", ".wasm", ".webm", ".webp", ".woff", ".woff2", ".zip"),
)
_COPIES = ("~", ".bak", ".orig", ".rej", ".swo", ".swp", ".tmp")
_SUFFIXES_OF_DOCUMENTS = (".adoc", ".markdown", ".md", ".mdx", ".rst")


class LeftOut(NamedTuple):
    """A file that mentions prompts and was not read; or a folder of packages, whose files were not looked at."""

    file: str
    """The file, as reports show it."""
    reason: str
    """Why it was left out, in a few words."""

    def __str__(self) -> str:
        return f"{self.file} ({self.reason})"

    def to_dict(self) -> dict[str, Any]:
        """The fields by their names."""
        return self._asdict()


def why_not_a_template(file: str) -> Optional[str]:
    """Why a file with this name is a template of no engine; None if it may be one."""
    name = os.path.basename(file).lower()
    if _DOCUMENTS.fullmatch(name):
        return "documentation"
    if name.endswith(_CODE):
        return "code"
    if name.endswith(_MEDIA):
        return "not text"
    return "a copy of an editor's" if name.endswith(_COPIES) or name.startswith((".#", "#")) else None


def may_be_a_document(file: str) -> bool:
    """Whether a file that no engine can parse is rather a text about templates."""
    return file.lower().endswith(_SUFFIXES_OF_DOCUMENTS)


class Excluded:
    """Which paths the patterns of `--exclude` name: as a whole, or by one or more of their parts.

    Args:
        patterns: As a shell writes them, such as "drafts", "drafts/*.html" and "*.txt".
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [_regex(pattern) for pattern in patterns]

    def names(self, shown: str, path: str) -> bool:
        """Whether a file is one of them.

        Args:
            shown: The path as reports show it.
            path: The whole path, for patterns that begin at the root.

        Returns:
            Whether any pattern fits.
        """
        paths = (_with_slashes(shown), _with_slashes(path))
        return any(pattern.fullmatch(paths[is_whole]) for pattern, is_whole in self._patterns)


def _regex(pattern: str) -> tuple["re.Pattern[str]", bool]:
    written = _with_slashes(pattern)
    is_whole = os.path.isabs(pattern)
    while written.startswith("./"):
        written = written[2:]
    any_part = fnmatch.translate(written.rstrip("/"))[:-2]  # without its \Z
    return re.compile(f"{'' if is_whole else '(?:.*/)?'}{any_part}(?:/.*)?", re.DOTALL), is_whole


def _with_slashes(path: str) -> str:
    return path.replace(os.sep, "/")
