"""What a prompt's tag or function in a template does, in any template engine."""

from collections.abc import Mapping
from typing import Any, Callable, NoReturn, Optional

from .._client import ScopeClient
from .._prompt.fallback import Fallback
from .._prompt.prompt_version import PromptVersion
from .._prompt.values import is_callable, is_none
from .._render_call import values_of
from .._wording import LONGEST_SHOWN_VALUE, cut, listed, shown
from ..errors import MissingVariableError, RenderError, ValidationError

_FUNCTION_OPTIONS = ("name", "label", "version", "fallback", "variables", "rollout_key")


def render_in_template(
    client: ScopeClient,
    name: str,
    values: dict[str, Any],
    unresolved: Optional[Mapping[str, str]] = None,
    *,
    label: Optional[str] = None,
    version: Optional[str] = None,
    fallback: Fallback = None,
    rollout_key: object = None,
    passes: tuple[type[Exception], ...] = (),
) -> str:
    """The prompt with its values filled in.

    Args:
        client: Reads the version.
        name: The prompt's name or ID.
        values: The values of its variables.
        unresolved: By prompt variable, why the template has no value for it.
        label: The label of the version.
        version: The ID of the version.
        fallback: As for `ScopeClient.get_prompt_version`.
        rollout_key: The `key` of `ScopeClient.get_prompt_version`, by a name that hardly a variable has.
        passes: What a value that is evaluated now may raise as it is: the framework has an answer for it.

    Returns:
        Plain text, which the template has to escape.

    Raises:
        MissingVariableError: A value is missing or unresolved.
        ScopeError: What else `ScopeClient.render_prompt` raises; errors of the render name the prompt.
        TypeError: A label and a version are given.
    """
    asked: dict[str, Any] = {
        "label": _settled(label),
        "version": _settled(version),
        "fallback": _settled(fallback),
    }
    if rollout_key is None:
        found = client.get_prompt_version(_settled(name), **asked)
    else:
        found = client._read_for({**values, **(unresolved or {})}, _settled(name), **asked, key=_settled(rollout_key))
    if client.config.when_unfit != "error" and not unresolved:
        found = client._fitted(found, values, _settled(name), **asked)
    if unresolved and found.is_fallback:
        needed = frozenset(found.variables)
        unresolved = {variable: said for variable, said in unresolved.items() if variable in needed}
    if unresolved:
        raise _missing(found, name, values, unresolved)
    try:
        return found._render(values)
    except RenderError as error:
        if isinstance(error.__cause__, passes):
            raise error.__cause__ from None
        raise


def joined_values(variables: object, more: dict[str, Any]) -> dict[str, Any]:
    """The values in a mapping that a template gives as `variables`, and those that it gives by name.

    Args:
        variables: A mapping, or None.
        more: The values by name.

    Returns:
        All of them.

    Raises:
        ValidationError: It is not a mapping, or a value is given twice.
    """
    return more if is_none(variables) else {**_apart(values_of(variables), more), **more}


def _settled(value: Any) -> Any:
    """The text of an object that stands for text, such as a lazy translation; any other value as it is."""
    if type(value) is str or value is None:  # as nearly all are
        return value
    if is_none(value):
        return None
    is_plain = is_callable(value) or isinstance(value, (str, bytes, int, float, list, tuple, dict, set))
    # A proxy is not text because its class has a `__str__`: the core looks at what it stands for.
    is_proxy = value.__class__ is not type(value)
    return value if is_plain or is_proxy or "__str__" not in _attributes(type(value)) else str(value)


def _attributes(kind: type) -> set[str]:
    return {name for each in kind.__mro__[:-1] for name in vars(each)}


def _missing(
    found: PromptVersion, name: str, values: Mapping[str, Any], unresolved: Mapping[str, str]
) -> MissingVariableError:
    missing = [variable for variable in found.variables if variable not in values]
    missing = list(dict.fromkeys([*missing, *unresolved]))
    why = listed(unresolved.items(), written=_told, joint="; ")
    message = f"prompt {shown(name)}: no value for {listed(missing)} ({why})"
    return MissingVariableError(message, missing_variables=missing)


def _told(each: Any) -> str:
    variable, said = each
    return f"{shown(variable)}: {cut(said)}"


def _apart(variables: Mapping[str, object], more: Mapping[str, object]) -> Mapping[str, object]:
    twice = [key for key in variables if key in more]
    if twice:
        names = listed(twice, written=lambda key: cut(str(key), LONGEST_SHOWN_VALUE))
        raise ValidationError(f"a value is given twice for {names}: in variables and as a keyword")
    return variables


class TemplateFunction:
    """The function `scope_prompt` of Jinja templates. It returns plain text, which autoescaping escapes.

    Args:
        client: Returns the client, at each call.
        undefined: The class jinja2.Undefined. A value of this class is a missing value.
        passes: As for `render_in_template`.
    """

    def __init__(
        self, client: Callable[[], ScopeClient], undefined: type, passes: tuple[type[Exception], ...] = ()
    ) -> None:
        self._client = client
        self._undefined = undefined
        self._passes = passes

    def __call__(
        self,
        name: str,
        /,
        *mapping: NoReturn,
        label: Optional[str] = None,
        version: Optional[str] = None,
        fallback: Fallback = None,
        variables: Optional[Mapping[str, object]] = None,
        rollout_key: object = None,
        **more: object,
    ) -> str:
        """The prompt with its values filled in.

        Args:
            name: The prompt's name or ID.
            mapping: Nothing: a mapping of values goes into `variables`.
            label: The label of the version.
            version: The ID of the version.
            fallback: As for `ScopeClient.get_prompt_version`.
            variables: More values; also those whose names are keywords here, such as "label".
            rollout_key: The `key` of `ScopeClient.get_prompt_version`, such as user.id.
            more: The values of the prompt's variables.

        Returns:
            Plain text.

        Raises:
            MissingVariableError: A value is missing or undefined.
            ValidationError: An option is undefined, or a value is given twice.
            ScopeError: What else `ScopeClient.render_prompt` raises.
            TypeError: A label and a version are given.
        """
        if mapping:
            raise TypeError(
                "scope_prompt takes one positional argument, the name. Values are keywords, or a mapping: "
                "scope_prompt(name, variables=values)"
            )
        for what, value in zip(_FUNCTION_OPTIONS, (name, label, version, fallback, variables, rollout_key)):
            if isinstance(value, self._undefined):
                raise ValidationError(f"the {what} of a prompt is not defined: {self._said(value)}")
        given = more if variables is None else joined_values(variables, more)
        unresolved = {key: self._said(value) for key, value in given.items() if isinstance(value, self._undefined)}
        values = {key: value for key, value in given.items() if key not in unresolved} if unresolved else given
        return render_in_template(
            self._client(),
            name,
            values,
            unresolved,
            label=label,
            version=version,
            fallback=fallback,
            rollout_key=rollout_key,
            passes=self._passes,
        )

    def _said(self, value: object) -> str:
        """jinja2's own words, such as "'user' is undefined"."""
        return str(getattr(value, "_undefined_message", "something undefined"))
