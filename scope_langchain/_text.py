"""ScopePromptTemplate: LangChain's own, filled in by the core's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.prompts import PromptTemplate

from scope_client import PromptVersion, ScopeClient, ValidationError

from . import _fstring as fstring
from ._errors import missing_input
from ._reading import Fallback, checked_partials, raise_for_missing, read
from ._tracing import trace_metadata, trace_tags

if TYPE_CHECKING:
    from typing_extensions import Self


class ScopePromptTemplate(PromptTemplate):
    """A PromptTemplate whose values go through `str()`, as `version.render` does; None is a ValidationError.

    Values that it has no variable for are left out, as LangChain does. It is saved as a PromptTemplate.
    """

    @classmethod
    def lc_id(cls) -> list[str]:
        return PromptTemplate.lc_id()

    @classmethod
    def from_scope(
        cls,
        name: str,
        *,
        client: ScopeClient | None = None,
        label: str | None = None,
        version: str | None = None,
        fallback: Fallback = None,
        partial_variables: Mapping[str, Any] | None = None,
    ) -> Self:
        """The version that is there now. Raises what `get_prompt_version` raises, ValidationError for a chat prompt."""
        found = read(client, name, label, version, fallback)
        return cls.of(found, checked_partials(found, partial_variables))

    @classmethod
    def of(cls, version: PromptVersion, partials: Mapping[str, Any]) -> Self:
        """The template of a text prompt; raises ValidationError for another, and for what LangChain cannot take."""
        if version.type == "chat":
            raise ValidationError(f"{version.name!r} is a chat prompt: use ScopeChatPromptTemplate.from_scope")
        fstring.check_names(version)
        template: Any = version.template
        return cls(
            template=fstring.from_pieces(template.pieces),
            input_variables=[name for name in version.variables if name not in partials],
            partial_variables=dict(partials),
            metadata=trace_metadata(version),
            tags=trace_tags(version),
        )

    def format(self, **kwargs: Any) -> str:
        """Raises MissingInputError, ValidationError for None, RenderError for a value without text."""
        values = self._merge_partial_and_user_variables(**kwargs)
        template = fstring.parsed(self.template) if self.template_format == "f-string" else None
        if template is None:
            return super().format(**kwargs)
        names = template.variables
        missing = [name for name in names if name not in values]
        if missing:
            raise missing_input(missing, names)
        return template.render({name: values[name] for name in names})  # type: ignore[no-any-return]  # text

    def __add__(self, other: Any) -> ScopePromptTemplate:
        """By the same rules, under this one's metadata."""
        joined = super().__add__(other)
        return type(self)(
            template=joined.template,
            template_format=joined.template_format,
            input_variables=joined.input_variables,
            partial_variables=joined.partial_variables,
            validate_template=joined.validate_template,
            metadata=self.metadata and dict(self.metadata),
            tags=self.tags and list(self.tags),
        )

    def needed(self) -> list[str]:
        """The input variables, in the order of the prompt."""
        template = fstring.parsed(self.template) if self.template_format == "f-string" else None
        known = self.input_variables if template is None else template.variables
        return [name for name in known if name in self.input_variables]

    def _validate_input(self, inner_input: Any) -> dict[str, Any]:
        raise_for_missing(self.needed(), inner_input)
        return super()._validate_input(inner_input)
