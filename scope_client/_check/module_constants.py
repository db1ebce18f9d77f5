"""Module constants: the texts that the names of a module may be, for those that import it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .annotations import parts_of
from .import_paths import is_package
from .imported_constants import Constants, ConstantsOf
from .known import Known, Member
from .module_walk import read_module
from .python_uses import parsed
from .reaching import AT_THE_END
from .scopes import Binding, Imported, ReadModule, Spot
from .texts import texts_of
from .values import Values

_Texts = tuple[str, ...]
_MAY_BE_A_CONSTANT = (
    *(ast.Constant, ast.JoinedStr, ast.BinOp, ast.IfExp, ast.BoolOp, ast.Name, ast.Attribute, ast.Subscript, ast.Call),
    *(ast.List, ast.Tuple, ast.Set, ast.Dict),
)


def constants_in_python(text: str, file: str, constants_of: ConstantsOf | None = None) -> Constants:
    """The constants of a module.

    Args:
        text: Its file. `source_text` gives that of octets.
        file: The path of its file, by which relative imports are resolved.
        constants_of: Gives the constants of what it imports, to those who import them from here.

    Raises:
        SyntaxError: It is not Python that this interpreter reads.
        ValueError: It holds what no source may hold, such as NUL.
        RecursionError: It is nested too deeply.
    """
    within_package = is_package(file)
    module = read_module(parsed(text), file, is_package=within_package)
    return dict(_Exports(module, constants_of, passes_imports_on=within_package).all())


class _Exports:
    def __init__(self, module: ReadModule, constants_of: ConstantsOf | None, *, passes_imports_on: bool) -> None:
        self._module = module
        self._values = Values(module, constants_of)
        self._spot = Spot(module.top, module.top.root, AT_THE_END)
        self._constants_of = constants_of
        self._passes_imports_on = passes_imports_on

    def all(self) -> Iterator[tuple[str, _Texts]]:
        for name, bindings in self._module.top.names.items():
            imported = bindings[0].node if len(bindings) == 1 else None
            if isinstance(imported, Imported):
                yield from self._of_import(name, imported.path)
            elif all(self._may_export(each) for each in bindings):
                yield from self._of_name(name)
            elif any(each.kind == "def" for each in bindings):
                yield f"{name}()", ()

    def _of_import(self, name: str, path: str) -> Iterator[tuple[str, _Texts]]:
        """What comes from elsewhere, if it is likely to be there for others: it costs reading one more file."""
        module, _, there = path.rpartition(".")
        if self._constants_of is None or not module or not (self._passes_imports_on or name.isupper()):
            return
        for key, texts in (self._constants_of(module) or {}).items():
            rest = key[len(there) :]
            if key.startswith(there) and rest[:1] in ("", ".", "[", "{", "("):
                yield name + rest, texts

    def _may_export(self, binding: Binding) -> bool:
        return binding.kind == "class" or (binding.kind == "value" and isinstance(binding.node, _MAY_BE_A_CONSTANT))

    def _of_name(self, name: str) -> Iterator[tuple[str, _Texts]]:
        node = ast.Name(name, ast.Load())
        known = self._values.of(node, self._spot)
        yield from self._entry(name, self._texts(known))
        if len(known.found) != 1 or known.is_open:
            return
        only = known.found[0].node
        if isinstance(only, ast.ClassDef):
            yield from self._of_class(name, only)
        elif isinstance(only, ast.Dict):
            yield from self._of_dict(name, node, only)
        elif isinstance(only, (ast.List, ast.Tuple, ast.Set, ast.Call)):
            yield from self._entry(f"{name}[]", self._texts(self._values.items(node, self._spot)))
        elif isinstance(only, ast.Subscript) and parts_of(only):
            named = self._values.named_by(node, self._spot)
            yield from self._entry(f"{name}[]", None if named is None else self._texts(named))

    def _of_class(self, name: str, node: ast.ClassDef) -> Iterator[tuple[str, _Texts]]:
        if self._values.classes.member_names(node):
            yield from self._entry(f"{name}[]", self._texts(self._values.classes.members(node, self._spot)))
        for attribute in self._module.inner[node].names:
            known = self._values.classes.attribute(node, attribute, is_of_instance=False)
            yield from self._entry(f"{name}.{attribute}", self._texts(known))

    def _of_dict(self, name: str, asked: ast.Name, node: ast.Dict) -> Iterator[tuple[str, _Texts]]:
        yield from self._entry(f"{name}[]", self._texts(self._values.items(asked, self._spot)))
        values = ast.Call(ast.Attribute(asked, "values", ast.Load()), [], [])
        yield from self._entry(f"{name}{{}}", self._texts(self._values.items(values, self._spot)))
        for key in node.keys:
            if isinstance(key, ast.Constant):
                item = self._values.of(ast.Subscript(asked, key, ast.Load()), self._spot)
                yield from self._entry(f"{name}[{key.value!r}]", self._texts(item))

    def _entry(self, name: str, texts: _Texts | None) -> Iterator[tuple[str, _Texts]]:
        if texts:
            yield name, texts

    def _texts(self, known: Known) -> _Texts | None:
        """The texts, if they are all that it may be."""
        found: dict[str, None] = {}
        for each in known.found:
            node = each.node
            if isinstance(node, Member):
                inner = self._values.classes.member_value(node)
                more = self._texts(inner)
                if more is None:
                    return None
                found.update(dict.fromkeys(more))
                continue
            texts = texts_of(self._values, node, each.spot)
            if texts.is_open:
                return None
            found.update(dict.fromkeys(each.text for each in texts.known))
        return None if known.is_open else tuple(found)
