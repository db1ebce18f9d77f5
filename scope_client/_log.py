"""Log: the loggers of the package. A handler or filter of the user's cannot break a read.

A record has its facts as attributes of its own too, by the names of `_attribute_names`.

`logging` is imported with the first client, unless the program has imported it already.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._error_facts import error_facts
from ._foreign_text import printable_values
from ._interrupts import pass_on

if TYPE_CHECKING:
    from logging import Logger

_DEBUG, _INFO, _WARNING, _ERROR = 10, 20, 30, 40  # as in logging
_NO_FACTS: Mapping[str, object] = {}
_PACKAGE = __name__.partition(".")[0]


class Log:
    """A logger whose values take one line, and that lets no error of a handler out: a line is lost, nothing else."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._logger: Logger | None = None

    def debug(self, message: str, *values: object, facts: Mapping[str, object] = _NO_FACTS) -> None:
        self._write(_DEBUG, message, values, facts)

    def info(self, message: str, *values: object, facts: Mapping[str, object] = _NO_FACTS) -> None:
        self._write(_INFO, message, values, facts)

    def warning(self, message: str, *values: object, facts: Mapping[str, object] = _NO_FACTS) -> None:
        self._write(_WARNING, message, values, facts)

    def exception(self, message: str) -> None:
        """An error, with the traceback of the exception that is being handled."""
        error = sys.exc_info()[1]
        self._write(_ERROR, message, (), _NO_FACTS if error is None else error_facts(error), exc_info=True)

    def _write(
        self,
        level: int,
        message: str,
        values: tuple[object, ...],
        facts: Mapping[str, object],
        *,
        exc_info: bool = False,
    ) -> None:
        if self._logger is None:
            self._logger = open_logger(self._name)
        if not self._logger.isEnabledFor(level):
            return
        try:
            known = {name: fact for name, fact in facts.items() if fact is not None}
            texts = [value if isinstance(value, (int, float)) else str(value) for value in values]
            printable = printable_values([*texts, *known.values()])
            shown, extra = printable[: len(values)], dict(zip(known, printable[len(values) :]))
            is_written = False
            while not is_written:
                try:
                    self._logger.log(level, message, *shown, exc_info=exc_info, stacklevel=3, extra=extra)
                    is_written = True
                except KeyError as error:  # noqa: PERF203  # seldom more than once
                    del extra[_taken(error, extra)]
        except Exception as error:  # noqa: BLE001  # what reports errors has failed itself
            pass_on(error)


def _taken(refusal: KeyError, extra: Mapping[str, object]) -> str:
    """The fact whose name the program's own factory of records has given a value already, which stays."""
    for name in extra:
        if refusal.args == (f"Attempt to overwrite {name!r} in LogRecord",):
            return name
    raise refusal


def open_logger(name: str = _PACKAGE) -> Logger:
    """A logger of this package, which is silent unless the program configures logging.

    A client calls this before it makes a thread: the fork hook of `logging` renews the locks of that module in a
    child, and has to be registered before ours (see `_fork`).
    """
    import logging

    package = logging.getLogger(_PACKAGE)
    if not any(isinstance(handler, logging.NullHandler) for handler in package.handlers):
        package.addHandler(logging.NullHandler())
    return logging.getLogger(name)


if "logging" in sys.modules:
    open_logger()
