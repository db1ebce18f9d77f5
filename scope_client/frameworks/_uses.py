"""PromptUse: where a template asks for a prompt, and what it passes; read without rendering a template."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Callable, NamedTuple, Optional

from .._interrupts import pass_on
from .._wording import listed, shown
from ._report import Finding, counted, explained

TEMPLATE_FUNCTION = "scope_prompt"
_FUNCTION_KEYWORDS = ("label", "version", "fallback", "variables")

Ref = tuple[str, Optional[str], Optional[str]]
"""A name, a label and a version ID, as `ScopeClient.prefetch` takes them."""


class PromptUse(NamedTuple):
    """One place in a template that asks for a prompt."""

    file: str
    """The template's file, or its name if it does not come from a file."""
    line: int
    """The line in it."""
    name: Optional[str]
    """The prompt's name, or None if it is known only when the template is rendered."""
    label: Optional[str] = None
    """The label that the template writes out."""
    version: Optional[str] = None
    """The version ID that the template writes out."""
    variables: tuple[str, ...] = ()
    """The names of the variables that it passes."""
    is_dynamic: bool = False
    """Whether its name, label or version is known only when the template is rendered."""
    is_open: bool = False
    """Whether it may pass more than `variables`."""

    @property
    def place(self) -> str:
        """The file and the line, such as "page.html:3"."""
        return f"{self.file}:{self.line}"

    @property
    def wanted(self) -> Ref:
        """What it asks for; raises ValueError if `is_dynamic`."""
        if self.is_dynamic or self.name is None:
            raise ValueError(f"{self.place} names its prompt when it is rendered")
        return (self.name, None if self.label == "production" else self.label, self.version)

    def __str__(self) -> str:
        name = "a prompt named when rendered" if self.name is None else f"prompt {shown(self.name)}"
        which = (
            f", label {shown(self.label)}" if self.label else f", version {shown(self.version)}" if self.version else ""
        )
        return f"{name}{which}{', with ' + listed(self.variables, written=str) if self.variables else ''}"


class Survey(NamedTuple):
    """What templates use."""

    uses: list[PromptUse]
    """Each place that asks for a prompt."""
    unread: list[Finding]
    """The templates that mention prompts and cannot be parsed."""

    def take(self, file: str, read: Callable[[], list[PromptUse]]) -> None:
        """Adds what `read` returns, or adds the file to `unread`: a template may fail in any way.

        Args:
            file: The file that is read.
            read: Returns the uses in it.
        """
        try:
            self.uses.extend(read())
        except Exception as error:  # noqa: BLE001  # it is named
            pass_on(error)
            line = getattr(error, "lineno", None) or getattr(getattr(error, "token", None), "lineno", None)
            self.unread.append(Finding(f"cannot be read: {explained(error)}", file, line))

    @property
    def failure(self) -> Optional[str]:
        """One line that says how many templates are unread, or None."""
        return f"{counted(len(self.unread), 'template')} could not be read" if self.unread else None

    def unread_dicts(self) -> list[dict[str, Any]]:
        """`unread`, as JSON has it."""
        return [each.to_dict() for each in self.unread]


def jinja_survey(env: Any) -> Survey:
    """The calls of `scope_prompt` in all templates that the loader of this jinja2.Environment lists."""
    found = Survey([], [])
    for name in _names(env):
        try:
            text, file, _ = env.loader.get_source(env, name)
        except (OSError, LookupError, UnicodeError) as error:
            pass_on(error)
            continue  # a link that leads nowhere, a picture among the templates
        if TEMPLATE_FUNCTION in text:
            found.take(file or name, partial(_parsed, env, name, text, file))
    return found


def _names(env: Any) -> list[str]:
    """None if there is no loader, or one that cannot list its templates, such as a FunctionLoader."""
    try:
        return list(env.list_templates()) if env.loader else []
    except TypeError:
        return []


def _parsed(env: Any, name: str, text: str, file: Optional[str]) -> list[PromptUse]:
    return jinja_uses(env.parse(text, name, file), file or name)


def jinja_uses(tree: Any, file: str) -> list[PromptUse]:
    """The calls of `scope_prompt` in one template.

    Args:
        tree: What `jinja2.Environment.parse` returns.
        file: The file of the template.

    Returns:
        A use for each call, in their order.
    """
    return [_use(call, file) for call in _calls(tree)]


def _calls(tree: Any) -> Iterator[Any]:
    """Known by the names of jinja2's node classes, because this package imports no framework."""
    waiting = [tree]  # without recursion: 1 + 1 + 1 + ... is as deep as it is long
    while waiting:
        node = waiting.pop()
        if type(node).__name__ == "Call" and type(node.node).__name__ == "Name" and node.node.name == TEMPLATE_FUNCTION:
            yield node
        waiting.extend(reversed(list(node.iter_child_nodes())))


def _use(call: Any, file: str) -> PromptUse:
    keywords = {keyword.key: keyword.value for keyword in call.kwargs}
    name = _text(call.args[0]) if call.args else None
    label, version = (_text(keywords.get(key)) for key in ("label", "version"))
    given = keywords.get("variables")
    named, is_whole = _keys(given)
    return PromptUse(
        file=file,
        line=call.lineno,
        name=name,
        label=label,
        version=version,
        variables=(*(key for key in keywords if key not in _FUNCTION_KEYWORDS), *named),
        is_dynamic=name is None or any(_is_dynamic(keywords.get(key)) for key in ("label", "version")),
        is_open=not is_whole or call.dyn_kwargs is not None,
    )


def _is_dynamic(node: Any) -> bool:
    """Whether it is not written out; or is written out and cannot be right, such as a number."""
    return node is not None and not (type(node).__name__ == "Const" and isinstance(node.value, (str, type(None))))


def _text(node: Any) -> Optional[str]:
    is_text = type(node).__name__ == "Const" and isinstance(node.value, str)
    return node.value if is_text else None


def _keys(node: Any) -> tuple[Iterable[str], bool]:
    """The keys of a dictionary that the template writes out, and whether these are all."""
    if node is None or (type(node).__name__ == "Const" and node.value is None):
        return (), True
    if type(node).__name__ != "Dict":
        return (), False
    keys = [_text(pair.key) for pair in node.items]
    return [key for key in keys if key is not None], None not in keys
