"""The methods of a client that are awaited."""

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from ._config.options import ReadOptions, Unpack
from ._prefetch import PrefetchReport, Wanted
from ._prompt.prompt_version import PromptVersion
from ._prompt.ref import PromptRef
from ._reading import values_of
from ._rooms import Rooms


class AsyncMethods:
    """What ScopeClient has beside its plain reads."""

    _rooms: Rooms

    async def aget_prompt_version(self, name: str, **options: Unpack[ReadOptions]) -> PromptVersion:
        """`get_prompt_version` for an asyncio event loop, which goes on meanwhile.

        What is fresh in memory is returned without leaving the loop. Anything else is read in a thread, and all tasks
        that want the same share one read. A task that is cancelled leaves the others their outcome.

        Args:
            name: The prompt's name or ID.
            options: What `get_prompt_version` takes.

        Raises:
            ConfigurationError: No asyncio event loop runs here.
            ScopeError: Whatever `get_prompt_version` raises.
        """
        asked: dict[str, Any] = {**options}
        ref = PromptRef.of(name, asked.pop("label", None), asked.pop("version", None))
        return (await self._rooms.async_reads.read(ref, **asked)).version

    async def arender_prompt(
        self, name: str, variables: Optional[Mapping[str, object]] = None, **options: Unpack[ReadOptions]
    ) -> str:
        """`render_prompt` for an asyncio event loop, which reads as `aget_prompt_version` does.

        Args:
            name: The prompt's name or ID.
            variables: The values by name.
            options: What `get_prompt_version` takes.

        Raises:
            MissingVariableError: The prompt needs a variable that `variables` does not have.
            ValidationError: The prompt has no such variable, or an argument is not what it must be.
            RenderError: A value has no text.
            ScopeError: Whatever `aget_prompt_version` raises.
        """
        values = values_of(variables)
        found = await self.aget_prompt_version(name, **options)
        if self._rooms.reading.needs_another(found, values):
            options["requires"] = [variable for variable in values if isinstance(variable, str)]
            found = await self.aget_prompt_version(name, **options)
        return found._render(values)

    async def aprefetch(
        self, prompts: Iterable[Wanted], *, strict: bool = False, deadline: Optional[float] = None
    ) -> PrefetchReport:
        """`prefetch` for an asyncio event loop, which goes on meanwhile.

        Args:
            prompts: Each a name, (name, label) or (name, None, version).
            strict: Whether to raise the first error. What cannot be had is in the report otherwise.
            deadline: Seconds for all of them together.

        Returns:
            The versions and the errors, by what was asked for.

        Raises:
            ConfigurationError: No asyncio event loop runs here.
            ValidationError: What cannot be asked for is among them; nothing was sent.
            ScopeError: With `strict`, the first error, under a message that names all of them.
        """
        report = await self._rooms.async_reads.prefetch(prompts, deadline)
        if strict:
            report.raise_first()
        return report
