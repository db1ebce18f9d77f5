"""Prefetch: several prompts at once, and one report of what came and what did not."""

import copy
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Callable, ClassVar, Optional, Union

from ._foreign_text import printable
from ._frozen import Frozen
from ._interrupts import pass_on
from ._prompt.prompt_version import PromptVersion
from ._prompt.ref import PromptRef
from ._wording import LONGEST_SHOWN_VALUE, cut, listed, shown
from .errors import ScopeError, ValidationError

MAX_PREFETCH_THREADS = 8
LONGEST_REPORT_CHARACTERS = 1000

Wanted = Union[str, tuple[str, Optional[str]], tuple[str, Optional[str], Optional[str]]]


class PrefetchReport(Frozen):
    """What a prefetch brought: each prompt that was asked for is in `versions` or in `errors`."""

    __slots__ = ("versions", "errors")
    versions: Mapping[Wanted, PromptVersion]
    """The versions by what was asked for, in its order; one may be a stand-in (`is_fallback`)."""
    errors: Mapping[Wanted, ScopeError]
    """The errors by what was asked for, in its order."""

    def __init__(self, versions: Mapping[Wanted, PromptVersion], errors: Mapping[Wanted, ScopeError]) -> None:
        self._freeze(versions=MappingProxyType(dict(versions)), errors=MappingProxyType(dict(errors)))

    @property
    def is_complete(self) -> bool:
        """Whether every prompt came."""
        return not self.errors

    def raise_first(self) -> None:
        """Raises the first error, with a message that names all of them; does nothing if there is no error."""
        if not self.errors:
            return
        first = next(iter(self.errors.values()))
        count = len(self.errors)
        which = listed(self.errors.items(), written=_told, joint="; ", most=LONGEST_REPORT_CHARACTERS)
        error = copy.copy(first)
        error.message = f"{count} of {count + len(self.versions)} prompts could not be read: {which}"
        error.args = (error.message,)
        raise error from first

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it holds errors

    def __reduce__(self) -> Any:
        return type(self), (dict(self.versions), dict(self.errors))


def prefetch(
    wanted: Iterable[Wanted],
    read: Callable[[PromptRef], PromptVersion],
    check: Optional[Callable[[PromptRef], None]] = None,
) -> PrefetchReport:
    """Reads each prompt once, on at most eight threads, which have ended when this returns.

    Raises ValidationError, before anything is read, for something that is not a ref, or that `check` does not pass.
    """
    refs = refs_of(wanted, check)
    versions: dict[Wanted, PromptVersion] = {}
    errors: dict[Wanted, ScopeError] = {}
    lock = threading.Lock()
    waiting = list(reversed(refs))

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                each = waiting.pop()
            try:
                versions[each] = read(refs[each])
            except ScopeError as error:
                pass_on(error)
                errors[each] = error

    try:
        _run_together(work, min(MAX_PREFETCH_THREADS, len(refs)))
    finally:
        waiting.clear()  # so that the threads stop if an interrupt ends this one
    return report_of(refs, versions, errors)


def report_of(
    refs: Iterable[Wanted], versions: Mapping[Wanted, PromptVersion], errors: Mapping[Wanted, ScopeError]
) -> PrefetchReport:
    """The report, in the order in which the prompts were asked for."""
    unread = ScopeError("was not read: the thread that should read it has died")
    return PrefetchReport(
        {each: versions[each] for each in refs if each in versions},
        {each: errors.get(each, unread) for each in refs if each not in versions},
    )


def _run_together(work: Callable[[], None], count: int) -> None:
    """The calling thread is one of them, so that the work is done even if no thread can be started."""
    import contextvars

    # Each in a copy of the caller's context: a hook of the caller's, or a tracer, finds there whose work it is.
    contexts = [contextvars.copy_context() for _ in range(count - 1)]
    threads = [
        threading.Thread(target=context.run, args=(work,), name="scope-prefetch", daemon=True) for context in contexts
    ]
    started = []
    for thread in threads:
        try:
            thread.start()
        except Exception as error:  # an interrupt may come out as a KeyError of Thread.start
            pass_on(error)
            if not isinstance(error, RuntimeError):
                raise
            break
        started.append(thread)
    work()
    for thread in started:
        thread.join()


def refs_of(wanted: Iterable[Wanted], check: Optional[Callable[[PromptRef], None]] = None) -> dict[Wanted, PromptRef]:
    """The refs by what was asked for; raises ValidationError for what cannot be asked for."""
    if isinstance(wanted, (str, bytes)) or (isinstance(wanted, Mapping) and wanted) or not isinstance(wanted, Iterable):
        raise ValidationError(f'prefetch takes a list such as ["a", ("b", "latest")], got {type(wanted).__name__}')
    refs = {each: _ref(each) for each in map(_hashable, wanted)}
    if check is not None:
        for ref in refs.values():
            check(ref)
    return refs


def by_label(prompts: Iterable[Wanted]) -> list[PromptRef]:
    """The refs of what is to be pinned, each once; raises ValidationError for what cannot be pinned."""
    for each in prompts:
        is_pair = isinstance(each, tuple) and 1 <= len(each) <= 3
        if not isinstance(each, str) and not is_pair:
            raise ValidationError(
                f'pin takes names one by one, as text or as (name, label): client.pin("a", ("b", "latest")), '
                f"got {shown(each)}"
            )
    refs = list(refs_of(prompts).values())
    for ref in refs:
        if ref.label is None:
            raise ValidationError(
                f"pin takes names, and (name, label), got a version of {shown(ref.name)} by its ID: "
                "a read by version= needs no pin"
            )
    return refs


def _hashable(each: Any) -> Wanted:
    return tuple(each) if isinstance(each, list) else each


def _ref(each: Any) -> PromptRef:
    parts = (each,) if isinstance(each, str) else each
    if not isinstance(parts, tuple) or not 1 <= len(parts) <= 3:
        raise ValidationError(
            f"a prompt to prefetch is a name, (name, label) or (name, None, version), got {shown(each)}"
        )
    try:
        return PromptRef.of(*parts)
    except TypeError as error:
        raise ValidationError(f"{shown(each)}: {error}") from None


def _told(each: Any) -> str:
    wanted, error = each
    name = wanted if isinstance(wanted, str) else " ".join(part for part in wanted if part)
    return f"{printable(name, LONGEST_SHOWN_VALUE)}: {cut(str(error))}"
