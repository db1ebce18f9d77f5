"""What templates and live prompts begin with: a version, and the values that go with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, Optional, TypeVar, overload

from langchain_core.prompt_values import PromptValue
from typing_extensions import Self

from scope_client import PromptVersion, ScopeClient, ValidationError
from scope_client import client as default_client
from scope_client.frameworks import Fallback, listed, nearest, refused_values, renderings, shown

from ._errors import missing_input, name_prompt
from ._prompt_values import made_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from scope_client.frameworks import ByLabel, ByVersion


VERSION_METADATA = "version_metadata"


def read(client: ScopeClient | None, name: str, **asked: Any) -> PromptVersion:
    """From the client, or the process-wide one."""
    return (client or default_client()).get_prompt_version(name, **asked)


class ScopeTemplate:
    """What text and chat templates have in common; it stands before LangChain's class among their bases."""

    @overload
    @classmethod
    def from_scope(
        cls,
        name: str,
        *,
        client: Optional[ScopeClient] = None,
        fallback: Fallback = None,
        partial_variables: Optional[Mapping[str, Any]] = None,
        requires: Optional[Collection[str]] = None,
        **which: Unpack[ByLabel],
    ) -> Self: ...

    @overload
    @classmethod
    def from_scope(
        cls,
        name: str,
        *,
        client: Optional[ScopeClient] = None,
        fallback: Fallback = None,
        partial_variables: Optional[Mapping[str, Any]] = None,
        requires: Optional[Collection[str]] = None,
        **which: Unpack[ByVersion],
    ) -> Self: ...

    @classmethod
    def from_scope(
        cls,
        name: str,
        *,
        client: Optional[ScopeClient] = None,
        label: Optional[str] = None,
        version: Optional[str] = None,
        fallback: Fallback = None,
        partial_variables: Optional[Mapping[str, Any]] = None,
        requires: Optional[Collection[str]] = None,
    ) -> Self:
        """The template of the version that is there now.

        Args:
            name: The prompt's name or ID.
            client: Reads the version; if None, the process-wide client does.
            label: The label of the version; production if None.
            version: The ID of the version.
            fallback: As for `ScopeClient.get_prompt_version`.
            partial_variables: Values that are given in advance.
            requires: As for `ScopeClient.get_prompt_version`.

        Returns:
            The template.

        Raises:
            ScopeError: What `ScopeClient.get_prompt_version` raises.
            ValidationError: LangChain cannot take the prompt, the prompt is of another type than the template, or it
                has no variable for one of `partial_variables`.
            TypeError: A label and a version are given.
        """
        found = read(client, name, label=label, version=version, fallback=fallback, requires=requires)
        return cls.of(found, checked_partials(found, partial_variables))

    @classmethod
    def of(cls, version: PromptVersion, partials: Mapping[str, Any]) -> Self:
        """The template of a version.

        Args:
            version: The version.
            partials: Values that are given in advance.

        Returns:
            The template.

        Raises:
            ValidationError: LangChain cannot take the prompt, or it is of another type.
        """
        raise NotImplementedError

    def needed(self) -> list[str]:
        """The input variables, in the order of the prompt."""
        raise NotImplementedError

    def format_prompt(self, **kwargs: Any) -> Any:
        """The value for a model, which knows what it was made of.

        Args:
            kwargs: The values that are not given in advance.

        Returns:
            Text or messages.

        Raises:
            ScopeError: What is wrong with the values.
        """
        return self._made_of_this(super().format_prompt(**kwargs))  # type: ignore[misc]  # of LangChain's class

    async def aformat_prompt(self, **kwargs: Any) -> Any:
        """`format_prompt` for an event loop."""
        return self._made_of_this(await super().aformat_prompt(**kwargs))  # type: ignore[misc]  # as above

    def to_json(self) -> Any:
        """As LangChain's own class has it."""
        found: Any = super().to_json()  # type: ignore[misc]  # as above
        found.get("kwargs", {}).pop(VERSION_METADATA, None)
        return found

    def _made_of_this(self, value: PromptValue) -> PromptValue:
        this: Any = self
        if not this.metadata:
            return value
        return made_of(value, {**this.metadata, **renderings.how_read(this.metadata)}, this.version_metadata)

    def _validate_input(self, inner_input: Any) -> dict[str, Any]:
        raise_for_missing(self, inner_input)
        return super()._validate_input(inner_input)  # type: ignore[misc,no-any-return]  # of LangChain's class


_Kind = TypeVar("_Kind", bound=type[ScopeTemplate])


def names_itself(kind: _Kind) -> _Kind:
    """Gives a class a `from_scope` of its own. Python then names this class if a keyword is wrong."""
    shared: Any = kind.from_scope.__func__  # type: ignore[attr-defined]  # of a class method
    own: Any = FunctionType(shared.__code__, shared.__globals__, shared.__name__)
    own.__kwdefaults__, own.__annotations__ = shared.__kwdefaults__, shared.__annotations__
    own.__module__, own.__doc__ = shared.__module__, shared.__doc__
    own.__qualname__ = f"{kind.__name__}.{shared.__name__}"
    kind.from_scope = classmethod(own)  # type: ignore[assignment]  # as a class method is declared
    return kind


def checked_partials(
    version: PromptVersion, given: Mapping[str, Any] | None, variables: Collection[str] | None = None
) -> dict[str, Any]:
    """A copy of what is given; raises ValidationError for a value without a variable, of these or of the version."""
    listed_names = version.variables if variables is None else variables
    known = frozenset(listed_names)
    unknown = refused_values(version, [name for name in given or () if name not in known])
    if unknown:
        near = nearest(unknown[0], known)
        advice = f": did you mean {shown(near)}?" if near else ""
        knows = f"the prompt {shown(version.name)} knows {listed(listed_names)}"
        raise ValidationError(f"partial_variables has {listed(unknown)}; {knows}{advice}")
    return {name: value for name, value in (given or {}).items() if name in known}


def raise_for_missing(template: Any, given: Any) -> None:
    """Raises MissingInputError for a dict that lacks a value of the template; anything else is left to LangChain."""
    if isinstance(given, dict):
        needed = template.needed()
        missing = [name for name in needed if name not in given]
        if missing:
            error = missing_input(missing, needed)
            name_prompt(error, template.metadata)
            raise error
