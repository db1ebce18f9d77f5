"""Fields: those of a version by their names, as in the mapping that the platform sent."""

import json
from typing import Any, NoReturn, Optional

from .._frozen import Frozen

_OTHER_NAMES = {"version_id": "id", "version": "version_number", "prompt_type": "type"}


class Fields(Frozen):
    """What has a `to_dict` can be asked for its fields like one, in the words of either generation of the API."""

    __slots__ = ()
    __iter__ = None  # without it, `iter` would take what has `__getitem__` for a sequence
    status: Optional[str]
    version_number: Optional[int]

    @property
    def is_draft(self) -> bool:
        """Whether `status` is "draft"."""
        return self.status == "draft"

    @property
    def is_published(self) -> bool:
        """Whether `status` is "published"."""
        return self.status == "published"

    @property
    def is_archived(self) -> bool:
        """Whether `status` is "archived"."""
        return self.status == "archived"

    @property
    def version(self) -> Optional[int]:
        """Another name of `version_number`."""
        return self.version_number

    def to_dict(self) -> dict[str, Any]:
        """The fields by their names; fit for JSON."""
        raise NotImplementedError

    def to_json(self, *, indent: Optional[int] = None) -> str:
        """`to_dict` as JSON text; with `indent`, on several lines that are indented by so many spaces."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    @property
    def raw_data(self) -> dict[str, Any]:
        """Another name of `to_dict()`."""
        return self.to_dict()

    def get(self, field: str, default: Any = None) -> Any:
        """One field of `to_dict()`, by its name in either generation of the API.

        Args:
            field: The name.
            default: What to return if there is no such field, or if it is None.
        """
        fields = self.to_dict()
        found = fields.get(field, fields.get(_OTHER_NAMES.get(field, field)))
        return default if found is None else found

    def __getitem__(self, field: str) -> Any:
        fields = self.to_dict()
        return fields[field if field in fields else _OTHER_NAMES.get(field, field)]

    def __contains__(self, field: object) -> bool:
        return field in _OTHER_NAMES or field in self.to_dict()


def refuse_mapping(method: str, given: tuple[object, ...]) -> NoReturn:
    """Raises the TypeError for values that came by position to a method that takes them as keywords."""
    raise TypeError(
        f'{method} takes the values as keywords, got a {type(given[0]).__name__}: write {method}(name="Ada"), '
        f"or {method}(**values); client.render_prompt(prompt, values) is what takes a mapping"
    )
