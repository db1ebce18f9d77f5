"""The scan: all uses of prompts in all files that are to be checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Optional, Union

from .configured_calls import ConfiguredCall
from .files import File, files
from .finding import CodeFinding
from .kinds import KINDS_OF_FILES, REASONS_TO_PASS_BY
from .left_out import LeftOut
from .look import Looked
from .scan_cache import CACHE_FOLDER, Kept
from .use import Use
from .worker_processes import Task, look_at_all


class Scan(NamedTuple):
    """What was found, before anything is compared. The same files give the same, in the same order."""

    uses: tuple[Use, ...]
    """Each place that asks for a prompt, sorted by place."""
    findings: tuple[CodeFinding, ...]
    """What is wrong whatever the prompts are, sorted by place: S100, S107."""
    left_out: tuple[LeftOut, ...]
    """The files and folders that were not looked at, and why, sorted."""
    unread: tuple[LeftOut, ...]
    """Those of them that may ask for prompts, and could not be looked at: nobody asked to leave them out."""
    counted: Mapping[str, int]
    """How many files of each kind were looked at: "python", "notebook", "template"."""


def scan(
    paths: Iterable[str],
    *,
    calls: Sequence[ConfiguredCall] = (),
    exclude: Iterable[str] = (),
    cache: Union[bool, str] = True,
    processes: Optional[int] = None,
    kinds: Sequence[str] = KINDS_OF_FILES,
    here: Optional[str] = None,
) -> Scan:
    """Looks for prompts in files and folders, without running anything.

    Args:
        paths: Files and folders.
        calls: The calls that the project configures.
        exclude: Patterns of paths to leave out.
        cache: Whether what was seen is kept for the next scan, in `.scope_cache`; or another folder for it.
        processes: How many processes share the work; as many as there are processors, if None and it is worth it.
        kinds: The kinds of files to look at; `("python", "notebook")` if the templates are found by their engines.
        here: The folder that places are relative to; the current one by default.

    Raises:
        ConfigurationError: A path is not there.
    """
    here = os.path.abspath(here or os.getcwd())
    left_out: list[LeftOut] = []
    found = list(
        files(paths, exclude, note=lambda path, why: left_out.append(LeftOut(path, why)), kinds=kinds, here=here)
    )
    folder = os.path.join(here, cache if isinstance(cache, str) else CACHE_FOLDER)
    kept = Kept(folder, here, calls) if cache else None
    looked = [None if kept is None else kept.seen(file) for file in found]
    missing = [file for file, known in zip(found, looked) if known is None]
    anew = list(zip(missing, look_at_all(missing, Task(tuple(calls), here), processes)))
    if kept is not None and anew:
        kept.keep(anew)
    news = iter(anew)
    return _summed_up(found, [next(news)[1].looked if known is None else known for known in looked], left_out, kinds)


def _summed_up(found: list[File], looked: list[Looked], left_out: list[LeftOut], kinds: Sequence[str]) -> Scan:
    more = [LeftOut(file.shown, each.left_out) for file, each in zip(found, looked) if each.left_out is not None]
    return Scan(
        tuple(sorted((use for each in looked for use in each.uses), key=lambda use: use.place)),
        tuple(sorted((finding for each in looked for finding in each.findings), key=lambda each: each[:3])),
        tuple(sorted({*left_out, *more})),
        tuple(sorted({*more, *(each for each in left_out if each.reason not in REASONS_TO_PASS_BY)})),
        {kind: sum(file.kind == kind for file in found) for kind in kinds},
    )
