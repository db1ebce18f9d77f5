"""The prompts that the templates of a jinja2.Environment name. This package imports no framework: classes are known by
their names and their shape."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Callable, Optional

from .._interrupts import pass_on
from ._report import Finding, explained
from ._survey import Reading, Search, Shelf
from ._uses import FILTERS_THAT_PRINT_THEIR_ARGUMENT, TEMPLATE_FUNCTION, PromptUse, braces_mistake

_MODULE_OF_LOADERS = "jinja2.loaders"
_CALL = re.compile(rb"scope_prompt\s*\(")


def search_jinja(
    search: Search, env: Any, is_template: Callable[[str], bool] = lambda name: True, *, takes_using: bool = False
) -> None:
    """Looks through all templates that the loader of this environment lists.

    Args:
        search: Gets what is found.
        env: A jinja2.Environment.
        is_template: Whether the environment is asked for a template of this name at all.
        takes_using: Whether the keyword `using` names an organisation, and not a variable.
    """
    _Walk(search, env, is_template, takes_using).look_into(env.loader, "", ())


class _Walk:
    """From loader to loader: one that cannot list its templates hides no other."""

    def __init__(self, search: Search, env: Any, is_template: Callable[[str], bool], takes_using: bool) -> None:
        self._search = search
        self._shelf = Shelf(search, _CALL)
        self._env = env
        self._is_template = is_template
        self._takes_using = takes_using

    def look_into(self, loader: Any, prefix: str, above: tuple[Any, ...]) -> None:
        if loader is None or any(loader is each for each in above):
            return
        parts = _parts(loader)
        if parts is not None:
            self._look_into_all(parts, prefix, (*above, loader))
        elif _is_of_folders(loader):
            for folder in loader.searchpath:
                for path, name, content in self._search.files(folder):
                    self._put(prefix + name, path, content, partial(self._read_octets, name, loader.encoding))
        else:
            self._look_into_other(loader, prefix, (*above, loader))

    def _look_into_all(self, parts: "_Loaders", prefix: str, above: tuple[Any, ...]) -> None:
        for more, part in parts:
            self.look_into(part, prefix + more, above)

    def _look_into_other(self, loader: Any, prefix: str, above: tuple[Any, ...]) -> None:
        try:
            names = list(loader.list_templates())
        except Exception as error:  # noqa: BLE001  # of anybody's loader
            pass_on(error)
            is_unable = isinstance(error, (AttributeError, NotImplementedError, TypeError))
            self._search.cannot_list(loader, None if is_unable else error)
            self._look_into_all(_inside(loader), prefix, above)
            return
        for name in names:
            try:
                text, file, _ = loader.get_source(self._env, name)
            except (OSError, LookupError, UnicodeError) as error:
                pass_on(error)
                continue  # a link that leads nowhere, a picture among the templates
            except Exception as error:  # noqa: BLE001  # as above
                pass_on(error)
                self._search.unread.append(Finding(f"cannot be read: {explained(error)}", prefix + name))
                continue
            read = partial(self._read_text, name, text)
            self._put(prefix + name, file or prefix + name, text.encode("utf-8", "replace"), read)

    def _put(self, name: str, file: str, content: bytes, read: Callable[[bytes, str], Reading]) -> None:
        if self._is_template(name):
            self._shelf.put(name, file, content, read)

    def _read_octets(self, name: str, encoding: str, content: bytes, file: str) -> Reading:
        return self._read_text(name, content.decode(encoding), content, file)

    def _read_text(self, name: str, text: str, content: bytes, file: str) -> Reading:
        opening = self._env.variable_start_string
        calls = _calls(self._env.parse(text, name, file))
        return Reading([_use(call, file, opening, self._takes_using) for call in calls], [])


_Loaders = list[tuple[str, Any]]


def _parts(loader: Any) -> Optional[_Loaders]:
    """The loaders that this one asks, and what the names of their templates begin with; None if it asks no other."""
    mapping, loaders = getattr(loader, "mapping", None), getattr(loader, "loaders", None)
    if isinstance(mapping, dict) and hasattr(loader, "delimiter"):  # a PrefixLoader
        return [(f"{prefix}{loader.delimiter}", part) for prefix, part in mapping.items()]
    if isinstance(loaders, (list, tuple)):  # a ChoiceLoader
        return [("", part) for part in loaders]
    app: Any = getattr(loader, "app", None)
    if hasattr(app, "iter_blueprints"):  # the loader of a Flask app
        return [("", part.jinja_loader) for part in (app, *app.iter_blueprints())]
    return None


def _inside(loader: Any) -> _Loaders:
    """The loaders that somebody's own loader holds."""
    held = vars(loader).values() if hasattr(loader, "__dict__") else ()
    return [("", each) for value in held for each in _members(value) if hasattr(each, "get_source")]


def _members(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else (value,)


def _is_of_folders(loader: Any) -> bool:
    """Whether it is a FileSystemLoader that finds and reads its files as jinja2 does."""
    methods = (getattr(type(loader), name, None) for name in ("get_source", "list_templates"))
    is_of_jinja = all(getattr(method, "__module__", None) == _MODULE_OF_LOADERS for method in methods)
    return is_of_jinja and hasattr(loader, "searchpath") and hasattr(loader, "encoding")


def _calls(tree: Any) -> Iterator[Any]:
    """The calls of the function, and the places that hand it on under another name."""
    waiting = [tree]  # without recursion: 1 + 1 + 1 + ... is as deep as it is long
    while waiting:
        node = waiting.pop()
        inner = list(node.iter_child_nodes())
        if _kind(node) == "Call" and _is_function(node.node):
            yield node
            inner.remove(node.node)
        elif _kind(node) == "Test" and _is_function(node.node):  # "is defined"
            inner.remove(node.node)
        elif _is_function(node):
            yield node
        waiting.extend(reversed(inner))


def _is_function(node: Any) -> bool:
    return _kind(node) == "Name" and node.name == TEMPLATE_FUNCTION and node.ctx == "load"


def _use(call: Any, file: str, opening: str, takes_using: bool) -> PromptUse:
    if _kind(call) != "Call":
        return PromptUse(file, call.lineno, None, is_dynamic=True, is_open=True)
    keywords = {keyword.key: keyword.value for keyword in call.kwargs}
    name = _text(call.args[0]) if call.args else None
    which = {key: keywords.pop(key, None) for key in ("label", "version", *(["using"] if takes_using else []))}
    named, is_whole = _keys(keywords.pop("variables", None))
    keywords.pop("fallback", None)
    keywords.pop("rollout_key", None)
    values = {**keywords, **named}
    return PromptUse(
        file=file,
        line=call.lineno,
        name=name,
        label=_text(which["label"]),
        version=_text(which["version"]),
        using=_text(which.get("using")),
        variables=(*keywords, *named),
        is_dynamic=name is None or any(map(_is_dynamic, which.values())),
        is_open=not is_whole or call.dyn_kwargs is not None,
        mistakes=tuple(
            braces_mistake(key, text) for key, value in values.items() for text in _with_braces(value, opening)
        ),
    )


def _kind(node: Any) -> str:
    return type(node).__name__


def _is_dynamic(node: Any) -> bool:
    """Whether it is not written out; or is written out and cannot be right, such as a number."""
    return node is not None and not (_kind(node) == "Const" and isinstance(node.value, (str, type(None))))


def _text(node: Any) -> Optional[str]:
    return node.value if _kind(node) == "Const" and isinstance(node.value, str) else None


def _keys(node: Any) -> tuple[dict[str, Any], bool]:
    """The values by their keys of a dictionary that the template writes out, and whether these are all."""
    if node is None or (_kind(node) == "Const" and node.value is None):
        return {}, True
    if _kind(node) != "Dict":
        return {}, False
    keys = [(_text(pair.key), pair.value) for pair in node.items]
    return {key: value for key, value in keys if key is not None}, all(key is not None for key, _ in keys)


def _with_braces(value: Any, opening: str) -> list[str]:
    """The texts with braces that are a part of what a value prints, and are written out in the template."""
    waiting, found = [value], []
    while waiting:
        node = waiting.pop()
        text = _text(node)
        if text is not None and opening in text:
            found.append(text)
        waiting += reversed(_printed_parts(node))
    return found


def _printed_parts(node: Any) -> list[Any]:
    kind = _kind(node)
    if kind in ("Add", "And", "Or"):
        return [node.left, node.right]
    if kind == "Concat":
        return list(node.nodes)
    if kind == "CondExpr":
        return [node.expr1, *([] if node.expr2 is None else [node.expr2])]
    if kind in ("List", "Tuple"):
        return list(node.items)
    if kind == "Dict":
        return [pair.value for pair in node.items]
    if kind == "Filter":
        prints = node.name in FILTERS_THAT_PRINT_THEIR_ARGUMENT
        return [each for each in (node.node, *(node.args if prints else ())) if each is not None]
    return []
