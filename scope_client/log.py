"""Log: the loggers of the package, which no handler or filter of the user's can break a read with."""

from __future__ import annotations

import contextlib
import logging


class Log:
    """What a handler raises stops at this logger: a line is lost, and nothing else."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, *values: object) -> None:
        self._write(logging.DEBUG, message, values)

    def info(self, message: str, *values: object) -> None:
        self._write(logging.INFO, message, values)

    def warning(self, message: str, *values: object) -> None:
        self._write(logging.WARNING, message, values)

    def exception(self, message: str) -> None:
        """With the traceback of the exception that is being handled."""
        self._write(logging.ERROR, message, (), exc_info=True)

    def _write(self, level: int, message: str, values: tuple[object, ...], *, exc_info: bool = False) -> None:
        if not self._logger.isEnabledFor(level):
            return
        with contextlib.suppress(Exception):  # there is nowhere left to say it
            self._logger.log(level, message, *values, exc_info=exc_info, stacklevel=3)
