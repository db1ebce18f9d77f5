"""The repository that a path is in: what GitHub and SARIF take paths to be relative to."""

from __future__ import annotations

import os

from ..finding import CodeFinding
from ..outcome import notebook_and_cell
from .notebook_lines import InFile, place_in_notebook

_MARKS_OF_A_ROOT = (".git", ".hg")


def repository_root(folder: str) -> str:
    """The folder of the repository around a folder; the folder itself, if there is none."""
    folder = above = os.path.abspath(folder)
    while not any(os.path.exists(os.path.join(above, mark)) for mark in _MARKS_OF_A_ROOT):
        parent = os.path.dirname(above)
        if parent == above:
            return folder
        above = parent
    return above


class Located:
    """Places as paths of a repository.

    Args:
        folder: What the paths of places are relative to.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.abspath(folder)
        self._root = repository_root(folder)

    def path(self, finding: CodeFinding) -> str:
        """The file of a finding, relative to the repository, with forward slashes; absolute outside of it."""
        file, _ = notebook_and_cell(finding.place.file)
        path = os.path.normpath(os.path.join(self._folder, file))
        if path.startswith(os.path.join(self._root, "")):
            path = os.path.relpath(path, self._root)
        return path.replace(os.sep, "/")

    def place(self, finding: CodeFinding) -> InFile | None:
        """The line and the column in the file; None for a cell of a notebook that is not as it was."""
        file, cell = notebook_and_cell(finding.place.file)
        _, line, column = finding.place
        if not cell:
            return InFile(line, column)
        return place_in_notebook(os.path.join(self._folder, file), int(cell[len("cell ") :]), line, column)


def message_in_file(finding: CodeFinding) -> str:
    """The message, with the place in the cell if it is in a notebook."""
    _, cell = notebook_and_cell(finding.place.file)
    where = f"{cell}, line {finding.place.line}, column {finding.place.column}: " if cell else ""
    return f"{where}{finding.message}"
