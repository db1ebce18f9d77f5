"""Read options: the keywords of the methods that read, of which a label and a version exclude each other.

A method that takes them has two signatures for type checkers, one for each of the two, by `typing.overload`.
"""

from collections.abc import Collection
from typing import Literal, Optional, TypedDict

from .._prompt.fallback import Fallback

Label = Literal["production", "latest"]


class ByLabel(TypedDict, total=False):
    """Which version it is, if no version is named."""

    label: Optional[Label]
    """"production", which is the default, or "latest"."""
    version: None
    """The ID of a version, such as "v_01J9ZK3Q", in place of a label."""


class ByVersion(TypedDict, total=False):
    """Which version it is, by its ID."""

    version: Optional[str]
    """The ID of a version, such as "v_01J9ZK3Q", in place of a label."""
    label: None
    """"production", which is the default, or "latest"."""


class ReadOptions(TypedDict, total=False):
    """What `ScopeClient.get_prompt_version` takes beside a name and a label or version, and so do those like it."""

    cache: bool
    """False asks the platform, leaves the cache as it is, and is answered by nothing else but a fallback."""
    cache_ttl: Optional[float]
    """How old the answer may be, in seconds, and for how long it is kept; in place of the Configuration's."""
    fallback: Fallback
    """What to serve if the platform cannot answer and nothing is known: template text, for a chat prompt a list of
    messages, or a callable that returns one of the two.
    """
    deadline: Optional[float]
    """Seconds for the whole call, in place of the Configuration's."""
    requires: Optional[Collection[str]]
    """The names of all variables that the caller can give. A version that needs another one is an error, or is held
    back if the Configuration has when_unfit="last_fitting".
    """
    key: object
    """Of whom or what the read is, such as user.id: text, a whole number, a UUID or the like. A rollout of the
    production version picks by it. None, the default, leaves rollouts aside.
    """


class ReadByLabel(ReadOptions, ByLabel, total=False):
    """The keywords of a read by label."""


class ReadByVersion(ReadOptions, ByVersion, total=False):
    """The keywords of a read by version ID."""


KEYWORDS_OF_READS = tuple(dict.fromkeys((*ReadByLabel.__annotations__, *ReadByVersion.__annotations__)))
