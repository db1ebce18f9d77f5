"""PromptUse: where a template asks for a prompt, and what it passes; read without rendering anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Callable, NamedTuple

from ._report import Finding

FUNCTION = "scope_prompt"
_OPTIONS = ("label", "version", "fallback", "variables")


class PromptUse(NamedTuple):
    """`name`, `label` and `version` are those of the template where it says them itself.

    With `is_dynamic` one of them is only known when the template is rendered. `variables` are the names that it
    passes; with `is_open` it may pass more.
    """

    file: str
    line: int
    name: str | None
    label: str | None = None
    version: str | None = None
    variables: tuple[str, ...] = ()
    is_dynamic: bool = False
    is_open: bool = False

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def wanted(self) -> tuple[str, str | None, str | None]:
        """As `ScopeClient.prefetch` takes it. Raises ValueError for a dynamic one."""
        if self.is_dynamic or self.name is None:
            raise ValueError(f"{self.place} names its prompt when it is rendered")
        return (self.name, None if self.label == "production" else self.label, self.version)


class Survey(NamedTuple):
    """What templates use; `unread` are those that mention prompts and cannot be parsed."""

    uses: list[PromptUse]
    unread: list[Finding]

    def take(self, file: str, read: Callable[[], list[PromptUse]]) -> None:
        """Whatever `read` raises, for a template may fail in any way, makes the file an unread one."""
        try:
            self.uses.extend(read())
        except Exception as error:  # noqa: BLE001  # it is named
            line = getattr(error, "lineno", None) or getattr(getattr(error, "token", None), "lineno", None)
            self.unread.append(Finding(f"cannot be read: {type(error).__name__}: {error}", file, line))


def jinja_survey(env: Any) -> Survey:
    """The calls of `scope_prompt` in all templates that the loader of a jinja2.Environment lists."""
    found = Survey([], [])
    for name in _names(env):
        try:
            text, file, _ = env.loader.get_source(env, name)
        except (OSError, LookupError, UnicodeError):  # a link that leads nowhere, a picture among the templates
            continue
        if FUNCTION in text:
            found.take(file or name, partial(_parsed, env, name, text, file))
    return found


def _names(env: Any) -> list[str]:
    """None where there is no loader, or one that cannot tell, such as a FunctionLoader."""
    try:
        return list(env.list_templates()) if env.loader else []
    except TypeError:
        return []


def _parsed(env: Any, name: str, text: str, file: str | None) -> list[PromptUse]:
    return jinja_uses(env.parse(text, name, file), file or name)


def jinja_uses(tree: Any, file: str) -> list[PromptUse]:
    """The calls of `scope_prompt` in what `jinja2.Environment.parse` returns."""
    return [_use(call, file) for call in _calls(tree)]


def _calls(node: Any) -> Iterator[Any]:
    """Known by the names of jinja2's node classes, which the core does not import."""
    if type(node).__name__ == "Call" and type(node.node).__name__ == "Name" and node.node.name == FUNCTION:
        yield node
    for child in node.iter_child_nodes():
        yield from _calls(child)


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
        variables=(*(key for key in keywords if key not in _OPTIONS), *named),
        is_dynamic=name is None or any(_is_dynamic(keywords.get(key)) for key in ("label", "version")),
        is_open=not is_whole or call.dyn_kwargs is not None,
    )


def _is_dynamic(node: Any) -> bool:
    """What is not written out, or is written out and cannot be right, such as a number."""
    return node is not None and not (type(node).__name__ == "Const" and isinstance(node.value, (str, type(None))))


def _text(node: Any) -> str | None:
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
