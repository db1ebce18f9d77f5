"""Writing: a new version, publish and archive; forms whose text is never lost, whatever happened to the files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Optional
from urllib.parse import quote, unquote

from flask import Response, redirect, request

from ..._folder.version_file import parts_in
from ..._wording import shown
from ...errors import ConfigurationError
from ._content import verdict_on
from ._json_text import read_json
from ._messages import as_json_text
from ._shelf import Shelf, shelf_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Blueprint

    from ..._folder.record import VersionRecord
    from ._page import Pages
    from ._reading import Reading


CRLF = "CR LF"
_WORD = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(?:,|\Z)')


class WrittenForm(NamedTuple):
    """What a person wrote; what is not in a field of the page comes from the version before, in hidden ones."""

    name: str
    type: str
    content: str
    metadata: str
    tags: str
    variables: str
    """Those that are declared beside those of the text."""
    line_ends: str = ""
    """"CR LF" if those of the version before were, which a browser does not keep."""
    description: str = ""

    @property
    def kept_content(self) -> str:
        return self.content.replace("\n", "\r\n") if self.line_ends == CRLF else self.content


class Writing:
    """The views."""

    def __init__(self, pages: Pages, reading: Reading) -> None:
        self._pages = pages
        self._library = pages.behind.library
        self._reading = reading

    def add_to(self, face: Blueprint) -> None:
        both = ["GET", "POST"]
        face.add_url_rule("/new", "new", self.new, methods=both)
        face.add_url_rule("/prompts/<name>/draft", "draft", self.draft, methods=both)
        face.add_url_rule("/prompts/<name>/<int:number>/publish", "publish", self.publish, methods=both)
        face.add_url_rule("/prompts/<name>/<int:number>/archive", "archive", self.archive, methods=both)

    def new(self) -> Response:
        """The form of a new prompt; and what becomes of it."""
        if request.method != "POST":
            if self._pages.is_read_only:
                return self._pages.read_only()
            return self._form(None, None, WrittenForm("", "text", "", "", "", ""))
        refused = self._pages.refused_write()
        if refused is not None:
            return refused
        form = _written("")
        there = shelf_of(self._library, form.name)
        if there is not None:
            why = f"There is a prompt {shown(form.name)} already. Choose another name, or write a new version of it."
            return self._form(None, None, form, why=why, status=409, wrong="name")
        return self._saved(None, form)

    def draft(self, name: str) -> Response:
        """The form of a new version, which begins with another one; and what becomes of it."""
        shelf = self._reading.find(name)
        if isinstance(shelf, Response):
            return self._gone(name) if request.method == "POST" else shelf
        if request.method != "POST":
            if self._pages.is_read_only:
                return self._pages.read_only()
            asked = request.args.get("from", str(shelf.latest.number))
            source = shelf.version(int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else None
            return self._reading.no_version(shelf, asked) if source is None else self._form(shelf, source, _of(source))
        return self._pages.refused_write() or self._saved(shelf, _written(shelf.name))

    def _gone(self, segment: str) -> Response:
        """What was written for a prompt whose files are not there any more, as the form of a new one."""
        name = unquote(segment)
        why = (
            f"There is no prompt {shown(name)} any more: its file was renamed or deleted meanwhile. Nothing was saved. "
            "Your text is below. Send it again to make the prompt anew, or give it another name."
        )
        return self._pages.refused_write() or self._form(None, None, _written(name), why=why, status=409)

    def publish(self, name: str, number: int) -> Response:
        """Puts a version into production."""
        return self._changed(name, number, "publish", self._library.publish_version)

    def archive(self, name: str, number: int) -> Response:
        """Takes a version out of production, or off the list of drafts."""
        return self._changed(name, number, "archive", self._library.archive_version)

    def _changed(self, name: str, number: int, what: str, change: Callable[..., VersionRecord]) -> Response:
        is_sent = request.method == "POST"
        refused = self._pages.refused_write() if is_sent else None
        if refused is not None:
            return refused
        shelf = self._reading.find(name)
        if isinstance(shelf, Response):
            return shelf
        if not is_sent:  # Enter in the address bar, after a page that said no
            return _seen_other(shelf.url)
        version = shelf.version(number)
        if version is None:
            return self._reading.no_version(shelf, str(number))
        unfit = verdict_on(version.type, version.content).unfit if what == "publish" else ""
        if unfit:
            why = f"Version {number} cannot be published: {unfit}."
            return self._reading.show_prompt(shelf, 422, why=why)
        try:
            change(shelf.name, number, expected=request.form.get("seen", ""))
        except ConfigurationError as error:
            return self._reading.show_prompt(shelf, 409, why=error.message)
        return _seen_other(f"{shelf.url}?said={what}&number={number}{_before(shelf)}")

    def _saved(self, shelf: Optional[Shelf], form: WrittenForm) -> Response:
        verdict = verdict_on(form.type, form.content)
        is_to_publish = request.form.get("as") == "published"
        if verdict.refusal or (is_to_publish and verdict.flaw):
            advice = "" if verdict.refusal else " Save it as a draft, or correct it."
            why = f"Nothing was saved: {verdict.unfit}.{advice}"
            return self._form(shelf, None, form, why=why, status=422, wrong="content")
        try:
            metadata = _metadata(form.metadata)
        except ConfigurationError as error:
            return self._form(
                shelf, None, form, why=f"Nothing was saved: {error.message}", status=422, wrong="metadata"
            )
        expected = None if shelf is None else request.form.get("seen", "")
        is_changed = shelf is not None and expected != shelf.seen
        try:
            new = self._library.draft(
                form.name,
                form.kept_content,
                type=form.type,
                metadata=metadata,
                tags=_words(form.tags),
                variables=_words(form.variables),
                description=form.description or None,
                expected=expected,
            )
        except ConfigurationError as error:
            return self._form(
                shelf, None, form, why=error.message, status=409 if is_changed else 422, changed=is_changed
            )
        url = f"/prompts/{quote(form.name, safe='')}"
        if not is_to_publish:
            return _seen_other(f"{url}?said=draft&number={new.number}")
        try:
            self._library.publish_version(form.name, new.number)
        except ConfigurationError as error:
            saved = shelf_of(self._library, form.name)
            assert saved is not None
            why = f"Version {new.number} is saved as a draft, but not published: {error.message}"
            return self._reading.show_prompt(saved, 409, why=why)
        return _seen_other(f"{url}?said=publish&number={new.number}{_before(shelf)}")

    def _form(
        self,
        shelf: Optional[Shelf],
        source: Optional[VersionRecord],
        form: WrittenForm,
        *,
        why: str = "",
        status: int = 200,
        changed: bool = False,
        wrong: str = "",
    ) -> Response:
        return self._pages.show(
            "draft.html",
            status,
            shelf=shelf,
            source=source,
            form=form,
            why=why,
            changed=changed,
            wrong=wrong,
            seen="" if shelf is None else shelf.seen,
            action="/new" if shelf is None else f"{shelf.url}/draft",
        )


def _before(shelf: Optional[Shelf]) -> str:
    """For the address of the page that says what was done: the version that was in production."""
    return "" if shelf is None or shelf.production is None else f"&before={shelf.production.number}"


def _seen_other(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]  # of Flask's own class, as it makes them


def _of(version: VersionRecord) -> WrittenForm:
    """The form that a new version begins with. A chat prompt on one line is spread over several."""
    content = version.content
    if version.type == "chat" and "\n" not in content.strip():
        content = as_json_text(read_json(content))
    metadata = version.to_body()["metadata"]
    in_text = version.content_variables  # an answer of the platform declares them too
    kept = _in_a_line(name for name in version.declared if name not in in_text)
    told = as_json_text(metadata) if metadata else ""
    ends = CRLF if 0 < content.count("\n") == content.count("\r\n") else ""
    tags = _in_a_line(version.tags)
    return WrittenForm(version.prompt, version.type, content, told, tags, kept, ends, version.description or "")


def _written(name: str) -> WrittenForm:
    """The form that was sent; a browser ends the lines in CR LF."""

    def field(key: str) -> str:
        return request.form.get(key, "").replace("\r\n", "\n")

    return WrittenForm(
        name or field("name").strip(),
        field("type") or "text",
        field("content"),
        field("metadata"),
        field("tags"),
        field("variables"),
        field("line_ends"),
        field("description"),
    )


def _metadata(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        found = read_json(text)
    except ValueError as error:
        found = _as_front_matter(text, str(error))
    if not isinstance(found, dict):
        raise ConfigurationError('the metadata must be lines such as model: gpt-4, or JSON such as {"model": "gpt-4"}')
    return found


def _as_front_matter(text: str, not_json: str) -> Any:
    lines = "".join(f"  {line}\n" for line in text.split("\n"))
    try:
        return parts_in(f"---\nmetadata:\n{lines}---\n".encode())[0].get("metadata")
    except ConfigurationError:
        why = f"the metadata is not lines such as model: gpt-4, and not JSON either ({not_json})"
        raise ConfigurationError(why) from None


def _words(text: str) -> list[str]:
    found = (quoted.replace('""', '"') or plain.strip() for quoted, plain in _WORD.findall(text))
    return [word for word in found if word]


def _in_a_line(words: Iterable[str]) -> str:
    """Words as they come back from `_words`: one that has a comma, say, is in double quotes."""
    return ", ".join(map(_in_quotes_if_needed, words))


def _in_quotes_if_needed(word: str) -> str:
    is_plain = _words(word) == [word] and not word.startswith('"')
    return word if is_plain else '"{}"'.format(word.replace('"', '""'))
