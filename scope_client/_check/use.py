"""Use: one place in code or in a template that asks for a prompt, with all that can be known of it without running."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Where something is written."""

    file: str
    """The path relative to where the check was started, with forward slashes; if it is not below that, as it was given.
    For a cell of a notebook, "notebook.ipynb:cell 3"."""
    line: int
    """1 for the first line."""
    column: int
    """1 for the first character of the line; in characters, not bytes."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Given(NamedTuple):
    """A variable that a use gives a value for."""

    name: str
    place: Place
    kind: str | None = None
    """"text" or "messages", where the code shows which of the two the value is."""


class Use(NamedTuple):
    """One place that asks for one prompt; a place that may ask for several is as many uses."""

    place: Place
    """Of the name, where that is written out in the call or the tag; else of the call or the tag."""
    name: str | None
    """The prompt's name or ID; None if it is known only at run time."""
    label: str | None = None
    """The label that is written out; None for production."""
    version: str | None = None
    """The version ID that is written out."""
    is_dynamic: bool = False
    """Whether its name, label or version is known only at run time."""
    given: tuple[Given, ...] = ()
    """The variables that get values here."""
    renders: bool = True
    """Whether the variables are filled in here; False for a call that only reads, of which nothing more is known."""
    is_open: bool = False
    """Whether more variables may be given than are seen, such as by `**values`."""
    kind: str | None = None
    """"text" or "chat", where the code works with one of the two alone, such as a list of messages as `fallback`."""
    why_kind: str = ""
    """What shows the kind, for the message: "ScopeChatPromptTemplate needs a chat prompt"."""
    using: str | None = None
    """The organisation, on a Django site that has several."""
    ignored: frozenset[str] | None = frozenset()
    """The codes that a comment `# scope: ignore[S102]` on its line names; None for all of them."""
    in_function: str = ""
    """The function or class around it, such as "Mailer.send"; "" at the top of a file. It tells equal uses apart."""
    passes_extra: bool = False
    """Whether values without a variable do no harm, as LangChain's `invoke` drops them: no S102 then."""
    remedy: str = ""
    """What mends values that do not fit, where nobody writes them by hand: "run `scope types` again"."""
