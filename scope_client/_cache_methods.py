"""The methods of a client that look after what it keeps: what is cached ahead, pinned, and forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Union, overload

from ._config.configuration import Configuration
from ._config.options import Unpack
from ._config.read_options import ByLabel, ByVersion, Label
from ._fork import held_back
from ._frames import hides_what_it_was_given
from ._pins.pins import Pins, State
from ._prefetch import PrefetchReport, Wanted, by_label, prefetch
from ._prompt.ref import PromptRef

if TYPE_CHECKING:
    from ._cache.memory import Entries, Others
    from ._reading import Reading
    from ._rooms import Rooms


class CacheMethods:
    """What ScopeClient has beside its reads."""

    _config: Configuration
    if TYPE_CHECKING:  # of rooms that come with the first client
        _rooms: Rooms
        _reading: Reading
        _entries: Entries
        _others: Optional[Others]
    _new_state: Optional[Callable[..., State]] = None

    def prefetch(
        self, prompts: Iterable[Wanted], *, strict: bool = False, deadline: Optional[float] = None
    ) -> PrefetchReport:
        """Reads several prompts at once, so that they are cached. For start-up hooks.

        Args:
            prompts: Each a name, (name, label) or (name, None, version).
            strict: Whether to raise the first error. What cannot be had is in the report otherwise.
            deadline: Seconds for all of them together.

        Returns:
            The versions and the errors, by what was asked for.

        Raises:
            ValidationError: What cannot be asked for is among them; nothing was sent.
            ScopeError: With `strict`, the first error, under a message that names all of them.
        """
        budget = self._reading.budget(deadline)
        report = prefetch(prompts, lambda ref: self._reading.prefetched(ref, budget).version, self._reading.check)
        if strict:
            report.raise_first()
        return report

    @hides_what_it_was_given
    def pin(
        self, *prompts: Wanted, token: Optional[str] = None, secret: Union[str, Sequence[str], None] = None
    ) -> Pins:
        """Has all reads of this client inside a `with` block see one version of each prompt: the one read first.

        `with client.pin():` holds for this thread or task and what copies its context, such as asyncio's tasks, until
        the block ends. A read by `version=` is what it says. A stand-in is not pinned.

        Args:
            prompts: Read and pinned now, each a name, or (name, label).
            token: What `Pins.token` gave, in this process or another: the versions that it names are pinned.
            secret: What tokens are signed with, at least 32 random characters; or several, of which the first signs and
                all are accepted. By default a key made of the credentials' secret.

        Returns:
            The pins, to be entered with `with`; their `token` is for another process.

        Raises:
            ValidationError: The token was changed, or is another organisation's, or an argument is not what it must be.
            ConfigurationError: There is no secret, and the credentials are of a kind that has none.
            ScopeError: Whatever `get_prompt_version` raises for one of the prompts.
        """
        pins = self._new_pins(token, secret)
        if prompts:
            with pins:
                self._read_all(prompts)
        return pins

    @hides_what_it_was_given
    def _new_pins(self, token: Any, secret: Any) -> Pins:
        new_state = self._new_state or self._import_new_state()
        assert self._config.credentials is not None
        return Pins(new_state(self, self._reading, self._config.credentials, (token, secret)))

    def _import_new_state(self) -> Callable[..., State]:
        with held_back():  # most programs have no pins
            from ._pins.pin_state import new_state
        self._new_state = new_state
        return new_state

    def _read_all(self, prompts: Sequence[Wanted]) -> None:
        refs = by_label(prompts)
        if len(refs) > 1:
            self.prefetch(prompts, strict=True)
        for ref in refs[:1]:
            self._reading.read(ref)

    @overload
    def clear_cache(self) -> None: ...

    @overload
    def clear_cache(self, name: Optional[str], **options: Unpack[ByLabel]) -> None: ...

    @overload
    def clear_cache(self, name: Optional[str], **options: Unpack[ByVersion]) -> None: ...

    def clear_cache(
        self, name: Optional[str] = None, *, label: Optional[Label] = None, version: Optional[str] = None
    ) -> None:
        """Forgets every cached version, or those of one prompt; a fetch under way brings no old one back.

        All who share a cache store forget them too; of one prompt, whatever the label or version. The last version that
        fits (when_unfit="last_fitting") stays.

        Args:
            name: The prompt's name or ID. By default every prompt.
            label: Only the version with this label.
            version: Only the version with this ID.

        Raises:
            ValidationError: An argument is not what it must be.
            TypeError: A label and a version were given together, or one of them without a name.
        """
        if name is None:
            if label is not None or version is not None:
                raise TypeError("clear_cache takes a label or a version only with the name of a prompt")
            self._rooms.cache.clear()
        else:
            is_whole = label is None and version is None
            self._rooms.cache.clear_prompt(PromptRef.of(name, label, version), is_whole=is_whole)
