"""Imported names: what the modules that a file imports say of theirs."""

from __future__ import annotations

import ast

from .imported_constants import ConstantsOf
from .known import UNKNOWN, Found, Known, together
from .scopes import ReadModule, Spot


class ImportedNames:
    """Looks imported names up.

    Args:
        module: The module that imports them.
        constants_of: Gives the constants of other modules, if they are at hand.
    """

    def __init__(self, module: ReadModule, constants_of: ConstantsOf | None) -> None:
        self._module = module
        self._constants_of = constants_of

    def constant(self, path: str, spot: Spot) -> Known:
        """What a dotted path may be.

        Args:
            path: The path, with brackets behind it for what is in it; see `Constants`.
            spot: Where it is asked for.
        """
        if self._constants_of is None:
            return UNKNOWN
        parts = path.split(".")
        for length in range(len(parts) - 1, 0, -1):
            constants = self._constants_of(".".join(parts[:length]))
            if constants is not None:
                texts = constants.get(".".join(parts[length:]), ())
                return Known([Found(ast.Constant(text), spot, False) for text in texts]) if texts else UNKNOWN
        return UNKNOWN

    def item(self, path: str, key: Known, spot: Spot) -> Known:
        """What a dict at a dotted path has under a key.

        Args:
            path: The path.
            key: What the key may be.
            spot: Where it is asked for.
        """
        keys = [each.node.value for each in key.found if isinstance(each.node, ast.Constant)]
        if key.is_open or len(keys) != len(key.found):
            return self.constant(f"{path}{{}}", spot)
        return together(self.constant(f"{path}[{each!r}]", spot) for each in keys)

    def starred(self, name: str, spot: Spot) -> Known:
        """What a name may be that a module has from `import *`.

        Args:
            name: The name.
            spot: Where it is asked for.
        """
        for source in self._module.starred_modules:
            known = self.constant(f"{source}.{name}", spot)
            if known.found:
                return known
        return UNKNOWN

    def is_function(self, path: str) -> bool:
        """Whether an imported module defines a function of its own at a dotted path.

        Args:
            path: The path.
        """
        module, _, name = path.rpartition(".")
        constants = self._constants_of(module) if self._constants_of is not None and module else None
        return constants is not None and f"{name}()" in constants
