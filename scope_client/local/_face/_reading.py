"""The pages to read: all prompts, a prompt, a version that is filled in, and the difference of two versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional
from urllib.parse import unquote_to_bytes

from flask import Response, request

from ..._wording import shown
from ._difference import facts_that_differ, lines_that_differ, summary_of
from ._filling import fields_of, filled_in, identity_of, version_of
from ._messages import shown_messages
from ._notices import Notice, notice_of
from ._shelf import Shelf, all_shelves, shelf_of

if TYPE_CHECKING:
    from flask import Blueprint

    from ..._folder.record import VersionRecord
    from ._page import Pages

PART_HEADER = "X-Scope-Part"


class Reading:
    """The views."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._library = pages.behind.library

    def add_to(self, face: Blueprint) -> None:
        face.add_url_rule("/", "prompts", self.prompts)
        face.add_url_rule("/prompts/<name>", "prompt", self.prompt)
        face.add_url_rule("/prompts/<name>/<int:number>", "version", self.version, methods=["GET", "POST"])
        face.add_url_rule("/prompts/<name>/diff", "diff", self.diff)

    def prompts(self) -> Response:
        """All of them, or those that have the words of a query."""
        query = request.args.get("q", "").strip()
        shelves, flaws = all_shelves(self._library)
        found = [shelf for shelf in shelves if shelf.has(query.lower().split())]
        return self._pages.show("prompts.html", shelves=found, total=len(shelves), query=query, flaws=flaws)

    def prompt(self, name: str) -> Response:
        """A prompt with its versions."""
        shelf = self.find(name)
        if isinstance(shelf, Response):
            return shelf
        return self.show_prompt(shelf, notice=notice_of(shelf, request.args))

    def show_prompt(
        self, shelf: Shelf, status: int = 200, *, notice: Optional[Notice] = None, why: str = ""
    ) -> Response:
        """The page of a prompt, with what was done or why it was not."""
        old, new = shelf.compared()
        compared = {"old": old.number, "new": new.number}
        return self._pages.show(
            "prompt.html", status, shelf=shelf, compared=compared, flaws=shelf.flaws, notice=notice, why=why
        )

    def version(self, name: str, number: int) -> Response:
        """A version; or what becomes of it with the values of the form, as a page or as a part of one."""
        shelf = self.find(name)
        if isinstance(shelf, Response):
            return shelf
        record = shelf.version(number)
        if record is None:
            return self.no_version(shelf, str(number))
        version = version_of(record)
        fields = fields_of(version, request.form)
        takes_empty = request.form.get("empty") == "1"
        has_asked = request.method == "POST" or not fields
        filled = filled_in(version, fields, takes_empty=takes_empty) if has_asked else None
        is_changed = request.form.get("of", identity_of(record)) != identity_of(record)
        if request.headers.get(PART_HEADER) == "filled":
            return Response(
                self._pages.part("_filled.html", filled=filled, changed=is_changed, url=request.path),
                mimetype="text/html",
            )
        return self._pages.show(
            "version.html",
            shelf=shelf,
            version=record,
            messages=shown_messages(record.content) if record.type == "chat" else None,
            fields=fields,
            filled=filled,
            of=identity_of(record),
            changed=False,
            takes_empty=takes_empty,
            flaws=shelf.flaws,
        )

    def diff(self, name: str) -> Response:
        """What differs between two versions of a prompt."""
        shelf = self.find(name)
        if isinstance(shelf, Response):
            return shelf
        chosen = [self._chosen(shelf, which) for which in ("old", "new")]
        for which, version in zip(("old", "new"), chosen):
            if version is None:
                return self.no_version(shelf, request.args.get(which, ""))
        old, new = (version for version in chosen if version is not None)
        lines = lines_that_differ(old, new)
        return self._pages.show(
            "diff.html",
            shelf=shelf,
            old=old,
            new=new,
            lines=lines,
            summary=summary_of(lines or ()),
            facts=facts_that_differ(old, new),
        )

    def find(self, name: str) -> Shelf | Response:
        """The prompt of a name as it is in an address; or the page that says that there is none."""
        try:
            wanted = unquote_to_bytes(name).decode()
        except UnicodeDecodeError:
            return self._pages.missing("This address is not readable", "It is not percent-encoded UTF-8.", 400)
        shelf = shelf_of(self._library, wanted)
        if shelf is not None:
            return shelf
        flaws = self._library.flaws(wanted)
        return self._pages.missing("There is no such prompt", f"No prompt is called {shown(wanted)}.", flaws=flaws)

    def no_version(self, shelf: Shelf, number: str) -> Response:
        there = ", ".join(str(version.number) for version in shelf.versions)
        return self._pages.missing(
            "There is no such version",
            f"{shown(shelf.name)} has no version {shown(number)}. Its versions are: {there}.",
        )

    def _chosen(self, shelf: Shelf, which: str) -> Optional[VersionRecord]:
        said = request.args.get(which, "")
        return shelf.version(int(said)) if said.isascii() and said.isdecimal() and len(said) < 10 else None
