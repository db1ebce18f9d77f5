"""In use: which version the code that runs here works with, by a block or as what was rendered last."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Any, Optional

# As in `inspect`, which takes long to import.
GENERATOR_FLAGS = 0x20 | 0x200
ASYNC_GENERATOR_FLAG = 0x200
Place = tuple[int, int]  # the identities of a frame and of its code
NO_FRAME: Place = (0, 0)


class Use:
    """One block that was entered: whose it is, and where it was entered.

    `frame` is the frame that has the block, by its identity, which is its own while it lives; and a frame outlives its
    blocks. It does not outlive what an ExitStack or an object holds open: then another frame may get its identity, but
    hardly one of the same code.
    """

    __slots__ = ("frame", "is_of_generator", "is_over", "of", "task", "thread", "version")

    def __init__(self, version: Any, of: InUse, frame: FrameType) -> None:
        self.version = version
        self.of = of
        self.frame = _place(frame)
        self.is_of_generator = bool(frame.f_code.co_flags & GENERATOR_FLAGS)
        self.is_over = False
        self.thread = threading.get_ident()
        self.task: Any = _task() if frame.f_code.co_flags & ASYNC_GENERATOR_FLAG else None

    @property
    def reaches_beyond_its_frame(self) -> bool:
        """Whether it counts where its frame is not on the stack: in a task or thread that was started in the block.

        A generator that is suspended leaves its block open in the context of its consumer, for whom it does not count.
        """
        return not self.is_of_generator or self._is_at_work

    @property
    def _is_at_work(self) -> bool:
        """Whether the generator runs, in another thread or by waiting for something: it is not suspended then."""
        if self.frame == NO_FRAME:
            return False
        other = None if self.thread == threading.get_ident() else sys._current_frames().get(self.thread)
        return self.frame in map(_place, _up(other)) or self.frame in map(_place, _awaited(self.task and self.task()))


_uses: ContextVar[tuple[Use, ...]] = ContextVar("scope_prompts_in_use", default=())
uses_here = _uses.get
# Those that are open, by their frames, the last one last: a context need not have them in each step of a generator.
of_generators: dict[Place, tuple[Use, ...]] = {}
last_rendered: ContextVar[Any] = ContextVar("scope_prompt_rendered_last", default=None)


class InUse:
    """A block in which a version is in use. It may be entered several times, also by several threads and tasks.

    An adapter that has no PromptVersion gives the attributes of one.
    """

    def __init__(self, version: Any) -> None:
        self._version = version
        self._open: list[Use] = []

    def __enter__(self) -> Any:
        use = Use(self._version, self, _owner(sys._getframe(1)))
        self._open.append(use)
        if use.is_of_generator:
            of_generators[use.frame] = (*of_generators.get(use.frame, ()), use)
        _uses.set((*(each for each in _uses.get() if not each.is_over), use))
        return self._version

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        here = _uses.get()
        use = self._ending(here, _place(_owner(sys._getframe(1))))
        if use is None:
            return
        self._open.remove(use)
        if use.is_of_generator:
            still_open = tuple(each for each in of_generators.pop(use.frame, ()) if each is not use)
            if still_open:
                of_generators[use.frame] = still_open
            use.frame = NO_FRAME
            use.is_over = True  # also in the contexts of those who have taken other steps
        if use in here:
            # A task that was started in the block has a context of its own, in which the block goes on.
            _uses.set(tuple(each for each in here if each is not use and not each.is_over))
        else:  # a generator that an event loop closes, in a context of the loop's
            use.is_over = True

    def _ending(self, here: tuple[Use, ...], frame: Place) -> Use | None:
        """Of the blocks that are open, that of this frame, or else of this context, or else any; each time the last."""
        found = list(reversed(self._open))
        this_thread = threading.get_ident()
        of_frame = [use for use in found if use.frame == frame and (use.is_of_generator or use.thread == this_thread)]
        of_context = [use for use in found if use in here]
        return next(iter([*of_frame, *of_context, *found]), None)

    def __repr__(self) -> str:
        return f"<in use: {self._version!r}>"


def in_use() -> Any:
    """The version of the block that the caller is in: of the nearest one on the stack, or of a later one elsewhere.

    A thread or task that takes one step of a generator has the context of its own starter. If this one is not in the
    generator's block, the stack says so alone.
    """
    uses = [use for use in _uses.get() if not use.is_over]
    if not uses and not of_generators:
        return None
    stack = {_place(frame): depth for depth, frame in enumerate(_up(sys._getframe(1)))}
    here = [found[-1] for found in map(of_generators.get, stack) if found]
    here += (use for use in reversed(uses) if use.frame in stack)
    nearest = min(here, key=lambda use: stack[use.frame], default=None)
    if nearest is not None and nearest not in uses:
        return nearest.version
    later = uses if nearest is None else uses[uses.index(nearest) + 1 :]
    beyond = (use for use in reversed(later) if use.frame not in stack and use.reaches_beyond_its_frame)
    found = next(beyond, nearest)
    return None if found is None else found.version


def _owner(frame: FrameType) -> FrameType:
    """The frame that the block is written in: past `contextlib`, and past a generator that `contextlib` runs."""
    back = frame.f_back
    while back is not None:
        is_made_a_block = bool(frame.f_code.co_flags & GENERATOR_FLAGS) and _is_of_contextlib(back)
        if not (is_made_a_block or _is_of_contextlib(frame)):
            break
        frame, back = back, back.f_back
    return frame


def _place(frame: FrameType) -> Place:
    return id(frame), id(frame.f_code)


def _is_of_contextlib(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == "contextlib"


def _up(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _task() -> Any:
    """A weak reference to the task that runs here, if there is one."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return None
    import weakref

    task = asyncio.current_task()
    return None if task is None else weakref.ref(task)


def _awaited(task: Any) -> Iterator[FrameType]:
    """The frames of what a task waits in, from the outermost one."""
    waiting = task and task.get_coro()
    while waiting is not None:
        frame = _first_of(waiting, "cr_frame", "ag_frame", "gi_frame")
        if frame is not None:
            yield frame
            waiting = _first_of(waiting, "cr_await", "ag_await", "gi_yieldfrom")
        else:  # the step of an asynchronous generator, or an `anext`, which does not say of what it is
            behind = (each for each in gc.get_referents(waiting) if hasattr(each, "ag_frame") or hasattr(each, "send"))
            waiting = next(behind, None)


def _first_of(value: object, *names: str) -> Any:
    return next((found for name in names if (found := getattr(value, name, None)) is not None), None)
