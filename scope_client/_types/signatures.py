"""Signatures: what the function of each prompt is called, and how it takes the values of the variables.

| a variable                                             | how it is given                                   |
|--------------------------------------------------------|---------------------------------------------------|
| of the content                                         | by a keyword                                      |
| that is declared, and not in the content               | by a keyword that may be left out                 |
| whose name cannot be a keyword here: class, a-b, 1     | in the mapping `values`, whose keys have types too |
"""

from __future__ import annotations

import keyword
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from .._wording import listed, nearest, shown
from ..errors import ConfigurationError
from .sources import TypedPrompt

CLIENT = "client"
VALUES = "values"
RUNTIME = "_prompts"
_NAMES_IN_BODIES = (CLIENT, RUNTIME)
# What the module means by these must not change under a prompt of the same name.
_NAMES_IN_MODULES = frozenset(("Any", "Optional", "ScopeClient", "TypedDict", "annotations", "list", "object", "str"))


class Parameter(NamedTuple):
    """How one variable is given."""

    variable: str
    """The name of the variable."""
    keyword: str
    """The keyword; empty for a key of `values`."""
    is_messages: bool
    """Whether it takes a list of messages."""
    is_needed: bool
    """Whether it has to be given."""


class Signature(NamedTuple):
    """The function of a prompt."""

    prompt: TypedPrompt
    """What it is made for."""
    function: str
    """Its name."""
    twin: str
    """The name of its asynchronous twin."""
    parameters: tuple[Parameter, ...]
    """All variables, in the order of the prompt."""

    @property
    def keywords(self) -> tuple[Parameter, ...]:
        """Those with a keyword of their own."""
        return tuple(each for each in self.parameters if each.keyword)

    @property
    def values(self) -> tuple[Parameter, ...]:
        """Those that go into the mapping."""
        return tuple(each for each in self.parameters if not each.keyword)


def signatures_of(prompts: Iterable[TypedPrompt], renamed: Mapping[str, str]) -> tuple[Signature, ...]:
    """The functions, in the order of the prompts.

    Args:
        prompts: What they are for.
        renamed: By prompt, the name that its function is to have.

    Raises:
        ConfigurationError: Two prompts would have the same function, or one has a name that no function can have.
    """
    found = tuple(prompts)
    _check_renamed([prompt.name for prompt in found], renamed)
    made = tuple(_signature(prompt, renamed.get(prompt.name)) for prompt in found)
    _check_apart(made)
    return made


def _signature(prompt: TypedPrompt, renamed: str | None) -> Signature:
    function = _function_name(prompt.name) if renamed is None else renamed
    return Signature(prompt, function, _free(f"a{function}"), tuple(_parameters(prompt)))


def _function_name(prompt: str) -> str:
    letters = [char if f"a{char}".isidentifier() else " " for char in unicodedata.normalize("NFKC", prompt)]
    name = "_".join("".join(letters).split()).strip("_")
    if not name:
        raise ConfigurationError(
            f"no name of a function can be made of the prompt's name {shown(prompt)}; "
            f"give one with --rename {shown(f'{prompt}=name')}"
        )
    return _free(name if name.isidentifier() else f"prompt_{name}")


def _free(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) or name in _NAMES_IN_MODULES else name


def _parameters(prompt: TypedPrompt) -> Iterator[Parameter]:
    names = (*prompt.variables, *prompt.declared)
    # Python takes two names for the same if they only differ in the form of a character, such as a ligature.
    plain = {name: unicodedata.normalize("NFKC", name) for name in names}
    times = Counter(plain.values())
    fit = {name for name in names if _is_keyword(plain[name]) and times[plain[name]] == 1}
    if len(fit) < len(names):
        fit.discard(next((name for name in names if plain[name] == VALUES), ""))
    for name in names:
        yield Parameter(
            variable=name,
            keyword=plain[name] if name in fit else "",
            is_messages=name in prompt.placeholders,
            is_needed=name in prompt.variables,
        )


def _is_keyword(name: str) -> bool:
    is_reserved = keyword.iskeyword(name) or name == "__debug__" or name in _NAMES_IN_BODIES
    return name.isidentifier() and not is_reserved


def _check_renamed(prompts: list[str], renamed: Mapping[str, str]) -> None:
    for prompt, function in renamed.items():
        if prompt not in prompts:
            near = nearest(prompt, prompts, cutoff=0.0)
            there = f"the nearest one is {shown(near)}" if near else f"there are: {listed(prompts)}"
            raise ConfigurationError(f"--rename names the prompt {shown(prompt)}, which is not there; {there}")
        if not function.isidentifier() or function.startswith("_") or _free(function) != function:
            raise ConfigurationError(
                f"--rename gives {shown(prompt)} the name {shown(function)}, which no function can have here; "
                "take one of letters, digits and underscores that begins with a letter and means nothing in Python"
            )


def _check_apart(signatures: Iterable[Signature]) -> None:
    owners: dict[str, str] = {}
    for signature in signatures:
        for name in (signature.function, signature.twin):
            owner = owners.setdefault(name, signature.prompt.name)
            if owner != signature.prompt.name:
                advice = f"--rename {shown(f'{signature.prompt.name}=another_name')}"
                raise ConfigurationError(
                    f"the prompts {shown(owner)} and {shown(signature.prompt.name)} would both have a function "
                    f"{name}; give one of them another name, as with {advice}"
                )
