"""Survey: what a site's templates use, and what of them could not be looked at; Search, which finds it out."""

import os
import re
from collections.abc import Iterable
from functools import partial
from typing import Any, Callable, NamedTuple, Optional

from .._check.left_out import Excluded, LeftOut, may_be_a_document, why_not_a_template
from .._check.octets import octets
from .._interrupts import pass_on
from .._wording import listed
from ._folders import files
from ._report import Finding, counted, explained
from ._uses import TEMPLATE_FUNCTION, PromptUse

_MENTION = TEMPLATE_FUNCTION.encode()


class Unlisted(NamedTuple):
    """A loader, or an engine, that cannot say which templates it has."""

    loader: str
    """Its class, such as "jinja2.loaders.FunctionLoader"."""
    error: Optional[str] = None
    """What it raised, or None if it has no way to list templates at all."""

    def __str__(self) -> str:
        return self.loader if self.error is None else f"{self.loader} ({self.error})"

    def to_dict(self) -> dict[str, Any]:
        """The fields by their names."""
        return self._asdict()


class Survey(NamedTuple):
    """What templates use."""

    uses: list[PromptUse]
    """Each place that asks for a prompt."""
    unread: list[Finding]
    """The templates that mention prompts and cannot be parsed, and the tags that an engine takes for text."""
    unlisted: list[Unlisted]
    """The loaders whose templates were not looked at."""
    left_out: list[LeftOut]
    """The files that mention prompts and were not read, and what could not be opened."""

    @property
    def failure(self) -> Optional[str]:
        """One line that says how many templates are unread, or None."""
        number = len({finding.file for finding in self.unread})
        return f"{counted(number, 'template')} could not be read" if number else None

    @property
    def notes(self) -> list[str]:
        """A line about the loaders that cannot be listed, and one about the files that were left out, if there are."""
        lines = []
        if self.unlisted:
            number = counted(len(self.unlisted), "loader")
            its = "its" if len(self.unlisted) == 1 else "their"
            loaders = listed(self.unlisted, written=str)
            lines.append(f"{number} cannot be listed, {its} templates were not looked at: {loaders}")
        if self.left_out:
            lines.append(f"{counted(len(self.left_out), 'file')} left out: {listed(self.left_out, written=str)}")
        return lines

    def not_looked_at(self) -> dict[str, Any]:
        """`unlisted` and `left_out`, as JSON has them."""
        return {
            "unlisted": [each.to_dict() for each in self.unlisted],
            "left_out": [each.to_dict() for each in self.left_out],
        }

    def to_dict(self) -> dict[str, Any]:
        """What could not be read or was not looked at, as JSON has it."""
        return {"unread": [each.to_dict() for each in self.unread], **self.not_looked_at()}


class Reading(NamedTuple):
    """What one engine sees in a template."""

    uses: list[PromptUse]
    """Each place that asks for a prompt."""
    printed: list[Finding]
    """The tags that the engine takes for text, and prints."""


class _Template(NamedTuple):
    """A template that mentions prompts, as one engine finds it."""

    file: str
    hidden_by: Optional[str]
    is_likely: bool
    read: Callable[[str], Reading]


class Search:
    """Gathers the templates of all engines of a site. One that several engines see is judged by all of these.

    Args:
        project: The folder that the paths in reports are relative to.
        exclude: Patterns of paths to leave out.
    """

    def __init__(self, project: str, exclude: Iterable[str] = ()) -> None:
        self._project = os.path.abspath(project)
        self._excluded = Excluded(exclude)
        self._templates: dict[str, list[_Template]] = {}
        self._not_looked_at: dict[str, str] = {}
        self._folders: dict[str, list[tuple[str, str, bytes]]] = {}
        self.unread: list[Finding] = []
        self.unlisted: list[Unlisted] = []

    def cannot_list(self, loader: object, error: Optional[BaseException] = None) -> None:
        """Notes that the templates of a loader or an engine are not looked at.

        Args:
            loader: The loader.
            error: What it raised when it was asked, if it did.
        """
        kind = type(loader)
        why = None if error is None else explained(error)
        self.unlisted.append(Unlisted(f"{kind.__module__}.{kind.__qualname__}", why))

    def survey(self) -> Survey:
        """What all of these templates use."""
        uses: list[PromptUse] = []
        unread = list(self.unread)
        left_out = [
            LeftOut(self.shown(path), why)
            for path, why in self._not_looked_at.items()
            if not (why_not_a_template(path) or self._excluded.names(self.shown(path), path))
        ]
        for path, templates in self._templates.items():
            file = self.shown(templates[0].file)
            reason = self._reason_to_leave_out(file, path, templates)
            found = Reading([], []) if reason else _agreed([each for each in templates if not each.hidden_by], file)
            if found.printed and not found.uses and may_be_a_document(file):
                reason = "documentation"
            if reason:
                left_out.append(LeftOut(file, reason))
                continue
            uses += found.uses
            unread += found.printed
        uses.sort(key=lambda use: (use.file, use.line))
        return Survey(uses, unread, list(dict.fromkeys(self.unlisted)), left_out)

    def shown(self, file: str) -> str:
        """The path relative to the project; or as it is, for one that is outside, and for the name of a template."""
        if not os.path.isabs(file):
            return file
        for path, project in ((file, self._project), (os.path.realpath(file), os.path.realpath(self._project))):
            if path.startswith(os.path.join(project, "")):
                return path[len(os.path.join(project, "")) :]
        return file

    def _reason_to_leave_out(self, file: str, path: str, templates: list[_Template]) -> Optional[str]:
        if self._excluded.names(file, path):
            return "--exclude"
        hidden_by = templates[0].hidden_by if all(each.hidden_by for each in templates) else None
        return why_not_a_template(file) or (f"hidden by {self.shown(hidden_by)}" if hidden_by else None)

    def add(self, template: _Template) -> None:
        """Adds a template that mentions prompts."""
        path = os.path.realpath(template.file) if os.path.isabs(template.file) else template.file
        self._templates.setdefault(path, []).append(template)

    def files(self, folder: str) -> list[tuple[str, str, bytes]]:
        """The files in a folder and below; several engines and loaders may ask for the same folder.

        Args:
            folder: The folder.

        Returns:
            The path of each, its name as a template's, and what is in it; nothing if that mentions no prompt.
        """
        folder = os.path.abspath(folder)
        if folder not in self._folders:
            note = self._not_looked_at.__setitem__
            read = ((path, name, octets(path, note)) for path, name in files(folder, note))
            self._folders[folder] = [
                (path, name, content if _MENTION in content else b"")
                for path, name, content in read
                if content is not None
            ]
        return self._folders[folder]


class Shelf:
    """The templates that one engine can load, in the order in which it looks for a name.

    Args:
        search: Gets those that mention prompts.
        asks: How a template of this engine asks for a prompt.
        goes_on: Whether the template of this name, in this file, loads the next one of its name.
    """

    def __init__(
        self, search: Search, asks: "re.Pattern[bytes]", goes_on: Callable[[str, str], bool] = lambda name, file: False
    ) -> None:
        self.search = search
        self._asks = asks
        self._goes_on = goes_on
        self._loaded: dict[str, str] = {}

    def put(self, name: str, file: str, content: bytes, read: Callable[[bytes, str], Reading]) -> None:
        """Puts a template behind those that are there.

        Args:
            name: The name by which the engine loads it.
            file: Its absolute path; its name, if it does not come from a file.
            content: What is in it.
            read: Takes the content, and the file as reports show it.
        """
        loaded = self._loaded.setdefault(name, file)
        hidden_by = None if loaded == file or self._goes_on(name, loaded) else loaded
        if hidden_by is None:
            self._loaded[name] = file
        if _MENTION in content:
            is_likely = self._asks.search(content) is not None
            self.search.add(_Template(file, hidden_by, is_likely, partial(read, content)))


def _agreed(templates: list[_Template], file: str) -> Reading:
    """What an engine sees that finds a prompt; failing that, one that can parse it; failing that, an error.

    A template is written for one engine. The others that see its folder may take what is in it for text.
    """
    readings: list[Reading] = []
    errors: list[Finding] = []
    for template in sorted(templates, key=lambda each: not each.is_likely):
        try:
            reading = template.read(file)
        except Exception as error:  # noqa: BLE001  # a template may fail in any way, and is named
            pass_on(error)
            errors.append(_unread(error, file))
            continue
        if reading.uses or (reading.printed and not errors):
            return reading
        readings.append(reading)
    is_parsed = any(not reading.printed for reading in readings)
    return Reading([], [] if is_parsed else errors[:1])


def _unread(error: Exception, file: str) -> Finding:
    line = getattr(error, "lineno", None) or getattr(getattr(error, "token", None), "lineno", None)
    return Finding(f"cannot be read: {explained(error)}", file, line)
