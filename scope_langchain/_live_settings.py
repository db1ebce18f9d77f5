"""LiveSettings: what a live prompt is made of, and how it is changed, copied, shown and saved. Nothing is read here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Optional, overload

from langchain_core.messages import BaseMessage
from langchain_core.prompts import BaseChatPromptTemplate, BasePromptTemplate
from langchain_core.prompts.chat import BaseMessagePromptTemplate  # type: ignore[attr-defined]  # for all versions
from pydantic import ConfigDict, Field, model_validator
from typing_extensions import Self, TypedDict

from scope_client import ScopeClient
from scope_client.frameworks import Fallback, check_ref, nearest

from .messages import check_role

if TYPE_CHECKING:
    from typing_extensions import Unpack

OPTIONS_OF_READS = ("label", "version", "fallback", "deadline", "cache_ttl")
_HAS_A_CLIENT = (
    "its client holds secrets. Make it without client=, and call scope_client.configure(...) where it is used"
)
_CAN_BE_ADDED = (str, list, tuple, BaseMessage, BasePromptTemplate, BaseMessagePromptTemplate)


class LiveOptions(TypedDict, total=False):
    """What a live prompt takes beside its name and a label or version."""

    client: Optional[ScopeClient]
    """Reads the version; if None, the process-wide client of each call does."""
    fallback: Fallback
    """As for `ScopeClient.get_prompt_version`."""
    deadline: Optional[float]
    """As for `ScopeClient.get_prompt_version`."""
    cache_ttl: Optional[float]
    """As for `ScopeClient.get_prompt_version`."""
    partial_variables: Optional[Mapping[str, Any]]
    """Values that are given in advance, or functions that are asked for them."""
    role: Optional[str]
    """If it is given, a text prompt is one message of this role, such as "system"."""
    metadata: Optional[dict[str, Any]]
    """LangChain's, for the runs of the prompt."""
    tags: Optional[list[str]]
    """LangChain's, for the runs of the prompt."""


class LiveByLabel(LiveOptions, total=False):
    """The keywords of a live prompt that follows a label."""

    label: Optional[Literal["production", "latest"]]
    """"production", which is the default, or "latest"."""
    version: None
    """The ID of a version, in place of a label."""


class LiveByVersion(LiveOptions, total=False):
    """The keywords of a live prompt that stays with a version."""

    version: Optional[str]
    """The ID of a version, in place of a label."""
    label: None
    """"production", which is the default, or "latest"."""


class LiveSettings(BaseChatPromptTemplate):
    """The fields of a live prompt."""

    name: Optional[str] = None
    """What traces call its run: the prompt's name, unless somebody changes it."""
    prompt_name: str
    """The prompt's name or ID."""
    client: Any = Field(default=None, exclude=True)
    """Reads the version; if None, the process-wide client of each call does."""
    label: Optional[str] = None
    """The label of the version."""
    version: Optional[str] = None
    """The ID of the version."""
    fallback: Any = None
    """What to serve if the platform cannot answer and nothing is known."""
    deadline: Optional[float] = None
    """Seconds for a read."""
    cache_ttl: Optional[float] = None
    """How old the version may be, in seconds."""
    role: Optional[str] = None
    """The role of the message that a text prompt is; None if it is text."""
    added: list[Any] = Field(default=[])
    """What `+` has put after the prompt."""
    names_seen: Any = Field(default_factory=set, exclude=True)
    """The variables of all versions so far; one set for the prompt and its changed copies."""
    input_variables: list[str] = Field(default=[], exclude=True)
    """Always empty here: `LivePrompt` has a property in its place."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    @overload
    def __init__(self, name: str, **options: Unpack[LiveByLabel]) -> None: ...

    @overload
    def __init__(self, name: str, **options: Unpack[LiveByVersion]) -> None: ...

    def __init__(
        self,
        name: str,
        *,
        client: Optional[ScopeClient] = None,
        label: Optional[str] = None,
        version: Optional[str] = None,
        fallback: Fallback = None,
        deadline: Optional[float] = None,
        cache_ttl: Optional[float] = None,
        partial_variables: Optional[Mapping[str, Any]] = None,
        role: Optional[str] = None,
        metadata: Optional[dict[str, Any]] = None,
        tags: Optional[list[str]] = None,
        **inherited: Any,
    ) -> None:
        _refuse_unknown(type(self).__name__, inherited, type(self).model_fields)
        prompt_name = inherited.get("prompt_name") or name
        check_ref(prompt_name, label, version)
        check_role(role)
        fields: dict[str, Any] = {
            **inherited,
            "name": name,
            "prompt_name": prompt_name,
            "client": client,
            "label": label,
            "version": version,
            "fallback": fallback,
            "deadline": deadline,
            "cache_ttl": cache_ttl,
            "role": role,
            "partial_variables": dict(partial_variables or {}),
            "metadata": metadata,
            "tags": tags,
            "input_variables": [],
        }
        super().__init__(**fields)

    @model_validator(mode="after")
    def validate_variable_names(self) -> Self:
        """Nothing, in place of LangChain's check of the variables: they are not known yet.

        Returns:
            The prompt.
        """
        return self

    def bind(self, **kwargs: Any) -> Self:
        """The live prompt with other options of its reads.

        Args:
            kwargs: `label` or `version`, which take the place of both, `fallback`, `deadline` and `cache_ttl`.

        Returns:
            A changed copy.

        Raises:
            ValidationError: The ID cannot be asked for, or there is no such label.
            TypeError: A label and a version are given, or an unknown keyword.
        """
        if not kwargs:
            return self
        _refuse_unknown("a live prompt", kwargs, OPTIONS_OF_READS)
        which = {"label": None, "version": None} if "label" in kwargs or "version" in kwargs else {}
        return self._changed(**{**which, **kwargs})

    def partial(self, **kwargs: Any) -> Self:
        """The live prompt with more values that are given in advance.

        Args:
            kwargs: The values by name, or functions that are asked for them at each call.

        Returns:
            A changed copy.
        """
        return self._changed(partial_variables={**self.partial_variables, **kwargs})

    def __add__(self, other: Any) -> Self:
        """The live prompt with something after it: text, a message, a list of messages, a template or a live prompt.

        To text, text is added. With anything else it becomes messages, as LangChain adds it to a ChatPromptTemplate.
        """
        if not isinstance(other, _CAN_BE_ADDED):
            return NotImplemented
        return self._changed(added=[*self.added, other])

    def _changed(self, **changes: Any) -> Self:
        kind: Any = type(self)
        return kind(**{**self._fields(), **changes})  # type: ignore[no-any-return]  # of this class

    def _fields(self) -> dict[str, Any]:
        """What the constructor takes."""
        values = self.__dict__
        return {field: values[field] for field in type(self).model_fields if field in values}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return {**self._fields(), "names_seen": None} == {**other._fields(), "names_seen": None}

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        self.__dict__.pop("_converted", None)

    def __getstate__(self) -> dict[Any, Any]:
        """For pickling, which copies do not use."""
        if self.client is not None:
            raise TypeError(f"{self!r} cannot be pickled: {_HAS_A_CLIENT}")
        state: dict[Any, Any] = super().__getstate__()
        return {**state, "__dict__": {key: value for key, value in state["__dict__"].items() if key != "_converted"}}

    def to_json(self) -> Any:
        """For `langchain_core.load.dumps`: what the constructor takes, apart from a client.

        Returns:
            JSON in LangChain's form; with a client it says that it cannot be loaded, and why.
        """
        if self.client is not None:
            return {**self.to_json_not_implemented(), "repr": f"{self!r} cannot be saved: {_HAS_A_CLIENT}"}
        fields, values = type(self).model_fields, self._fields()
        saved = {field: value for field, value in values.items() if not fields[field].exclude and value}
        return {"lc": 1, "type": "constructor", "id": self.lc_id(), "kwargs": saved, "name": self.get_name()}

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """The package, from which LangChain loads what it has saved."""
        return ["scope_langchain"]

    def __repr_args__(self) -> Any:
        yield None, self.prompt_name
        for field in ("label", "version", "role"):
            if getattr(self, field) is not None:
                yield field, getattr(self, field)
        if self.partial_variables:
            yield "partial_variables", [*self.partial_variables]  # the values may be secret
        if self.added:
            yield "added", len(self.added)

    def __str__(self) -> str:
        return repr(self)  # in what LangChain says of a template that it cannot take

    def pretty_repr(self, html: bool = False) -> str:
        """The repr: the text is read at each call.

        Args:
            html: Is not looked at.
        """
        return repr(self)


def _refuse_unknown(what: str, given: Mapping[str, Any], known: Any) -> None:
    for name in given:
        if name not in known:
            near = nearest(name, known)
            advice = f": did you mean {near!r}?" if near else f": it takes {', '.join(known)}"
            raise TypeError(f"{what} got an unexpected keyword argument {name!r}{advice}")
