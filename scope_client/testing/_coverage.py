"""Coverage: which prompts, versions and variables the tests of a run have rendered, of those that there are."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Optional

import pytest

from .._renderings import Rendering, renderings
from ..errors import ConfigurationError
from ._coverage_report import Figures, report_lines
from ._prompts_to_cover import Known, known_in, known_on, merged

if TYPE_CHECKING:
    from ..local import LocalPlatform

_TOLD = "scope_coverage"
_HEADING = "scope coverage"


class Rendered:
    """What was rendered of one prompt."""

    def __init__(self) -> None:
        self.versions: set[tuple[Optional[str], Optional[int]]] = set()
        self.variables: set[str] = set()


class Coverage:
    """The plugin of a run that measures; in each process there is one.

    Args:
        config: Of the run.
        path: The folder or the lock whose prompts are to be rendered; None for those of the platforms of the tests.
        fail_under: The percentage below which the run fails.

    Raises:
        pytest.UsageError: There is no such folder or lock, or it cannot be used.
    """

    def __init__(self, config: pytest.Config, path: Optional[str], fail_under: Optional[float]) -> None:
        self._config = config
        self._path = path
        self._fail_under = fail_under
        self._lock = threading.Lock()
        self._rendered: dict[str, Rendered] = {}
        try:
            self._known: list[Known] = [] if path is None else known_in(path)
        except ConfigurationError as error:
            raise pytest.UsageError(f"--scope-coverage: {error.message}") from None
        self._figures: Optional[Figures] = None
        self._stop = renderings.listen(self._hear)

    def _hear(self, rendering: Rendering) -> None:
        if rendering.version_id is None:  # a fallback of the caller's is none of the prompts that there are
            return
        with self._lock:
            found = self._rendered.setdefault(rendering.name, Rendered())
            found.versions.add((rendering.version_id, rendering.version_number))
            found.variables.update(name for name in rendering.variables if name in rendering.values)

    def platform_ends(self, platform: LocalPlatform) -> None:
        """What was published on the platform of a test counts, unless a folder or a lock was named."""
        if self._path is None:
            self._known = merged([*self._known, *known_on(platform)])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._stop()
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_TOLD] = self._to_tell()
            return
        if self._config.getoption("collectonly", False):
            return
        self._figures = Figures.of(self._known, self._rendered)
        if self._is_too_little() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended."""
        told = getattr(node, "workeroutput", {}).get(_TOLD)
        if told is None:
            return
        for name, versions, variables in told["rendered"]:
            found = self._rendered.setdefault(name, Rendered())
            found.versions.update(map(tuple, versions))
            found.variables.update(variables)
        if self._path is None:
            more = (Known(name, number, id_, tuple(variables)) for name, number, id_, variables in told["known"])
            self._known = merged([*self._known, *more])

    def _to_tell(self) -> Mapping[str, Any]:
        """In types that pytest-xdist can send."""
        rendered = [
            [name, [list(each) for each in found.versions], sorted(found.variables)]
            for name, found in self._rendered.items()
        ]
        known = [] if self._path is not None else [[*each[:3], list(each.variables)] for each in self._known]
        return {"rendered": rendered, "known": known}

    def _is_too_little(self) -> bool:
        assert self._figures is not None
        return self._fail_under is not None and self._figures.percent < self._fail_under

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._figures is None:
            return
        terminalreporter.section(_HEADING)
        for line in self._lines(self._figures):
            terminalreporter.write_line(line)
        if self._is_too_little():
            terminalreporter.write_line(_too_little(self._figures, self._fail_under), red=True)

    def _lines(self, figures: Figures) -> Iterable[str]:
        if self._path is None and not self._known:
            yield "no prompt was published by scope_prompts; name a folder or a lock: --scope-coverage=prompts"
            return
        yield from report_lines(figures)


def _too_little(figures: Figures, fail_under: Optional[float]) -> str:
    return f"FAIL: scope coverage of {figures.shown_percent} is under the {fail_under:g} % that are asked for"
