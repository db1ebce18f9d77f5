"""ScopePromptTemplate: LangChain's own, filled in by the core's rules."""

from collections.abc import Mapping
from typing import Any

from langchain_core.prompts import PromptTemplate
from pydantic import Field
from typing_extensions import Self

from scope_client import PromptVersion, ResourceError, ValidationError
from scope_client.frameworks import renderings, shown

from . import _fstring as fstring
from ._errors import missing_input, name_prompt
from ._options import plain_metadata
from ._reading import ScopeTemplate, names_itself
from ._tracing import tell_rendering, trace_metadata, trace_tags


@names_itself
class ScopePromptTemplate(ScopeTemplate, PromptTemplate):
    """A PromptTemplate that fills in as `PromptVersion.render` does: values go through `str()`, None is an error.

    A value without a variable is left out, as LangChain does. The template is saved as a PromptTemplate.
    """

    version_metadata: dict[str, Any] = Field(default_factory=dict, exclude=True, repr=False)
    """The metadata of the version, which `scope_model` may take options from."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """LangChain's own class, as which the template is saved."""
        return PromptTemplate.lc_id()

    @classmethod
    def of(cls, version: PromptVersion, partials: Mapping[str, Any]) -> Self:
        """The template of a text prompt; see `ScopeTemplate.of`."""
        if version.type == "chat":
            raise ValidationError(f"{shown(version.name)} is a chat prompt: use ScopeChatPromptTemplate.from_scope")
        fstring.check_names(version)
        template: Any = version.template
        return cls(
            template=fstring.from_pieces(template.pieces),
            input_variables=[name for name in version.variables if name not in partials],
            partial_variables=dict(partials),
            metadata=trace_metadata(version),
            version_metadata=plain_metadata(version),
            tags=trace_tags(version),
        )

    def format(self, **kwargs: Any) -> str:
        """The text of the prompt with its values.

        Args:
            kwargs: The values that are not given in advance.

        Returns:
            The text.

        Raises:
            MissingInputError: A value is missing.
            ValidationError: A value is None.
            RenderError: A value has no text.
        """
        values = self._merge_partial_and_user_variables(**kwargs)
        template = fstring.parsed(self.template) if self.template_format == "f-string" else None
        if template is None:
            return super().format(**kwargs)
        names = template.variables
        missing = [name for name in names if name not in values]
        try:
            if missing:
                raise missing_input(missing, names)
            text: str = template.render({name: values[name] for name in names})
        except ResourceError as error:
            name_prompt(error, self.metadata)
            raise
        if renderings.are_heard:
            tell_rendering(self.metadata, names, values, text)
        return text

    def __add__(self, other: Any) -> "ScopePromptTemplate":
        """This template and another one, or text, after it; filled in by the same rules, with this one's metadata."""
        joined = super().__add__(other)
        return type(self)(
            template=joined.template,
            template_format=joined.template_format,
            input_variables=joined.input_variables,
            partial_variables=joined.partial_variables,
            validate_template=joined.validate_template,
            metadata=self.metadata and dict(self.metadata),
            version_metadata=self.version_metadata,
            tags=self.tags and list(self.tags),
        )

    def needed(self) -> list[str]:
        """The input variables, in the order of the prompt; see `ScopeTemplate.needed`."""
        template = fstring.parsed(self.template) if self.template_format == "f-string" else None
        known = self.input_variables if template is None else template.variables
        taken = frozenset(self.input_variables)
        return [name for name in known if name in taken]
