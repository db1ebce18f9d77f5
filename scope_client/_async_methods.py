"""The methods of a client that are awaited."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Union, overload

from ._config.options import NOT_GIVEN, Unpack
from ._config.read_options import Label, ReadByLabel, ReadByVersion, ReadOptions
from ._pins.pins import Pins
from ._prefetch import PrefetchReport, Wanted, by_label
from ._prompt.prompt_version import PromptVersion
from ._prompt.ref import PromptRef
from ._read_signatures import with_read_options
from ._render_call import sorted_call, values_of

if TYPE_CHECKING:
    from ._rooms import Rooms


class AsyncMethods:
    """What ScopeClient has beside its plain reads."""

    if TYPE_CHECKING:  # of a room that comes with the first client
        _rooms: Rooms
    _new_pins: Callable[[object, object], Pins]

    @overload
    async def aget_prompt_version(self, name: str, **options: Unpack[ReadByLabel]) -> PromptVersion: ...

    @overload
    async def aget_prompt_version(self, name: str, **options: Unpack[ReadByVersion]) -> PromptVersion: ...

    @with_read_options
    async def aget_prompt_version(self, name: str, **options: Any) -> PromptVersion:
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
        ref = PromptRef.of(name, options.pop("label", None), options.pop("version", None))
        return (await self._rooms.async_reads.read(ref, **options)).version

    @overload
    async def arender_prompt(
        self,
        name: str,
        variables: Optional[Mapping[str, object]] = None,
        label: Optional[Label] = None,
        **options: Unpack[ReadOptions],
    ) -> str: ...

    @overload
    async def arender_prompt(
        self, name: str, variables: Optional[Mapping[str, object]] = None, **options: Unpack[ReadByVersion]
    ) -> str: ...

    @with_read_options  # type: ignore[misc]  # as `ScopeClient.render_prompt`
    async def arender_prompt(
        self,
        name: str = NOT_GIVEN,
        variables: Optional[Mapping[str, object]] = NOT_GIVEN,
        label: Optional[Label] = NOT_GIVEN,
        /,
        **options: Any,
    ) -> str:
        """`render_prompt` for an asyncio event loop, which reads as `aget_prompt_version` does.

        Args:
            name: The prompt's name or ID; by keyword too.
            variables: The values by name, in a mapping; by keyword too.
            label: As for `get_prompt_version`; by keyword too.
            options: What else `get_prompt_version` takes.

        Raises:
            MissingVariableError: The prompt needs a variable that `variables` does not have.
            ValidationError: The prompt has no such variable, or an argument is not what it must be.
            RenderError: A value has no text.
            ScopeError: Whatever `aget_prompt_version` raises.
        """
        name, variables, options = sorted_call("arender_prompt", name, variables, label, options)
        values = values_of(variables)
        if options.get("key") is None:
            found = await self.aget_prompt_version(name, **options)
        else:
            found = await self._aread_for(values, name, **options)
        if options.get("cache", True) and self._rooms.reading.needs_another(found, values):
            options["requires"] = [variable for variable in values if isinstance(variable, str)]
            found = await self.aget_prompt_version(name, **options)
        return found._render(values)

    async def _aread_for(
        self,
        values: Mapping[str, object],
        name: str,
        *,
        label: Optional[str] = None,
        version: Optional[str] = None,
        **options: Any,
    ) -> PromptVersion:
        """As `ScopeClient._read_for`."""
        ref = PromptRef.of(name, label, version)
        return (await self._rooms.async_reads.read_for(ref, values, **options)).version

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

    async def apin(
        self, *prompts: Wanted, token: Optional[str] = None, secret: Union[str, Sequence[str], None] = None
    ) -> Pins:
        """`pin` for an asyncio event loop, which goes on while the prompts are read. `with` needs no `await`.

        Args:
            prompts: As for `pin`.
            token: As for `pin`.
            secret: As for `pin`.

        Returns:
            The pins, to be entered with `with`.

        Raises:
            ConfigurationError: No asyncio event loop runs here, or there is no secret to sign with.
            ScopeError: Whatever `pin` raises.
        """
        try:
            pins = self._new_pins(token, secret)
        finally:  # an error shows the local variables of this frame
            del token, secret
        refs = by_label(prompts)
        with pins:
            if len(refs) > 1:
                await self.aprefetch(prompts, strict=True)
            for ref in refs[:1]:
                await self._rooms.async_reads.read(ref)
        return pins
