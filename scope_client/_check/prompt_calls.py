"""Prompt calls: which calls of a module ask for prompts, and which have only the same name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .call_forms import FORMS, TYPED_FORMS, TYPED_FUNCTIONS, Arguments, Form, form_of, form_of_configured
from .configured_calls import ConfiguredCall
from .known import last_name
from .name_binding import owner_of
from .origins import Origins
from .scopes import Imported, Parameter, ReadModule, Scope, Spot
from .texts import texts_of
from .values import Values

LONGEST_PLAUSIBLE_NAME = 200
# Packages whose objects have methods of the same names.
_OTHER_PACKAGES = frozenset(
    "builtins unittest mock mlflow langfuse langsmith promptlayer promptflow humanloop vellum guidance semantic_kernel"  # noqa: SIM905
    " opik phoenix braintrust agenta literalai lunary haystack dspy vertexai google boto3 openai anthropic".split()
)
_CALLS_LATER = {"partial": 0, "to_thread": 0, "submit": 0, "run_sync": 0, "run_in_executor": 1, "run_in_threadpool": 0}
_CHANGES_A_FUNCTION = frozenset({"sync_to_async", "async_to_sync", "partial"})
_NOT_A_NAME = re.compile(r"[\n{}<>]|\.(?:txt|md|j2|jinja2?|ya?ml|json|prompt|html?|tmpl|tpl|toml|xml|py)$")
_FIXTURES = tuple(f"scope_{what}{how}" for what in ("prompts", "platform") for how in ("", "_module", "_session"))
_TEMPLATE_CLASSES = ("ScopePromptTemplate", "ScopeChatPromptTemplate")


class PromptCall(NamedTuple):
    """A call that asks for a prompt."""

    call: ast.Call
    function: ast.expr
    """What is called in the end."""
    spot: Spot
    form: Form
    arguments: Arguments
    origins: frozenset[str] = frozenset()
    """Where the function comes from."""


class PromptCalls:
    """Finds them in one module.

    Args:
        values: Looks names up.
        origins: Looks origins up.
        configured: The calls that a project configures.
    """

    def __init__(self, values: Values, origins: Origins, configured: Sequence[ConfiguredCall]) -> None:
        self._values = values
        self._origins = origins
        self._module: ReadModule = values.module
        self._configured: dict[str, list[ConfiguredCall]] = {}
        for call in configured:
            self._configured.setdefault(call.last_name, []).append(call)
        self._words = {*FORMS, *self._configured, *self._words_of_types()}
        self._aliases = set(self._other_names())

    def _words_of_types(self) -> Iterable[str]:
        """Those of a module that `scope types` wrote: elsewhere they are everybody's."""
        imported = (each.node for bindings in self._module.top.names.values() for each in bindings)
        is_typed = any(isinstance(each, Imported) and TYPED_FUNCTIONS in each.path for each in imported)
        return TYPED_FORMS if is_typed else ()

    def _other_names(self) -> Iterator[str]:
        """The names that a module gives to what asks for prompts: `ask = client.render_prompt`."""
        for scope in (self._module.top, *self._module.inner.values()):
            for name, bindings in scope.names.items():
                for binding in bindings:
                    node = binding.node
                    path = node.path.rpartition(".")[2] if isinstance(node, Imported) else None
                    word = node.attr if isinstance(node, ast.Attribute) and binding.kind == "value" else path
                    if word in self._words and word != name:
                        yield name

    def of(self, call: ast.Call, spot: Spot) -> PromptCall | None:
        """What a call asks for; None if it asks for no prompt.

        Args:
            call: The call.
            spot: Where it stands.
        """
        function, arguments = self._called(call)
        if isinstance(function, ast.Name) and function.id in self._aliases:
            function, spot_of_function = self._unaliased(function, spot)
        else:
            spot_of_function = spot
        word = last_name(function) if isinstance(function, (ast.Name, ast.Attribute)) else ""
        if isinstance(function, Imported):
            word = function.path.rpartition(".")[2]
        if word not in self._words:
            return None
        origins = (
            frozenset({function.path})
            if isinstance(function, Imported)
            else self._origins.of(function, spot_of_function)
        )
        for configured in self._configured.get(word, ()):
            if self._is_configured(configured, function, spot_of_function, origins):
                return PromptCall(call, function, spot, form_of_configured(configured), arguments, origins)
        form = form_of(word, origins)
        if form is None or _is_in_test(spot) or not self._is_ours(function, spot_of_function, form, arguments, origins):
            return None
        return PromptCall(call, function, spot, form, arguments, origins)

    def _called(self, call: ast.Call) -> tuple[ast.expr, Arguments]:
        """What is called, now or later, with which arguments."""
        function, args = call.func, call.args
        word = last_name(function)
        at = _CALLS_LATER.get(word)
        if at is not None and len(args) > at and last_name(args[at]) in self._words | self._aliases:
            return args[at], Arguments(args[at + 1 :], call.keywords, may_get_more=word == "partial")
        if word == "map" and len(args) == 2 and last_name(args[0]) in self._words | self._aliases:
            return args[0], Arguments(args[1:], [], each_of_first=True)
        if isinstance(function, ast.Call) and word in _CHANGES_A_FUNCTION and function.args:
            return function.args[0], Arguments(args, call.keywords)
        return function, Arguments(args, call.keywords)

    def _unaliased(self, function: ast.Name, spot: Spot) -> tuple[ast.expr, Spot]:
        found = self._values.of(function, spot).found
        if len(found) == 1 and isinstance(found[0].node, (ast.Attribute, Imported)):
            return found[0].node, found[0].spot  # type: ignore[return-value]  # an import, which is no expression
        return function, spot

    # Configured calls

    def passes_on(self, call: PromptCall) -> bool:
        """Whether the name is a parameter of a function around that is configured itself.

        Args:
            call: The call.
        """
        name = call.arguments.get(call.form.name)
        if not isinstance(name, ast.Name):
            return False
        for scope in call.spot.scope.around():
            bindings = scope.names.get(name.id)
            if bindings:
                is_parameter = all(isinstance(each.node, Parameter) for each in bindings)
                return is_parameter and self._is_wrapper(f"{self._module.path}.{scope.title}")
        return False

    def _is_wrapper(self, function: str) -> bool:
        named = self._configured.get(function.rpartition(".")[2], ())
        return any(_ends_with(function, each.path) for each in named)

    def _is_configured(
        self, configured: ConfiguredCall, function: ast.expr, spot: Spot, origins: frozenset[str]
    ) -> bool:
        path = configured.path
        if any(_ends_with(origin, path) for origin in origins):
            return True
        if len(path) == 1:
            return not origins
        is_of_object = path[-2][:1].isupper() or len(path) == 2
        if not is_of_object or not isinstance(function, ast.Attribute):
            return False
        receivers = self._origins.of(function.value, spot)
        return not receivers and _plain(last_name(function.value)) == _plain(path[-2])

    # Ours

    def _is_ours(
        self, function: ast.expr, spot: Spot, form: Form, arguments: Arguments, origins: frozenset[str]
    ) -> bool:
        if self._origins.is_of_scope(origins):
            return not any(_is_stand_in(origin) for origin in origins)
        if not isinstance(function, ast.Attribute) or form.kind == "function":
            return False
        if any(origin.split(".")[0] in _OTHER_PACKAGES for origin in origins):
            return False
        if function.attr in ("from_scope", "scope_prompt", "LivePrompt", "scope_prompt_middleware"):
            return self._is_template_class(function, spot)
        if any(self._values.is_function(origin) for origin in origins):
            return False
        owner = owner_of(function.value, spot)
        if owner is not None:
            return self._is_method_of_client(owner)
        if self._is_method_of_own_class(function, spot):
            return False
        return self._is_likely(function, spot, form, arguments)

    def _is_method_of_own_class(self, function: ast.Attribute, spot: Spot) -> bool:
        """Whether the receiver is made here, of a class that has this method and is no client."""
        for found in self._values.of(function.value, spot).found:
            if not isinstance(found.node, ast.Call):
                continue
            for made in self._values.of(found.node.func, found.spot).found:
                if not isinstance(made.node, ast.ClassDef) or made.node not in self._module.inner:
                    continue
                named = [getattr(each, "name", "") for each in made.node.body]
                if function.attr in named and not self._is_method_of_client(self._module.inner[made.node]):
                    return True
        return False

    def _is_template_class(self, function: ast.Attribute, spot: Spot) -> bool:
        return function.attr == "from_scope" and bool(self.template_class(function, spot))

    def template_class(self, function: ast.expr, spot: Spot) -> str:
        """The template class of LangChain's whose `from_scope` is called; "" if that is another one.

        Args:
            function: What is called.
            spot: Where it stands.
        """
        if not isinstance(function, ast.Attribute):
            return ""
        names = {last_name(function.value), *(path.split(".")[-1] for path in self._origins.of(function.value, spot))}
        for found in self._values.of(function.value, spot).found:
            if isinstance(found.node, ast.ClassDef):
                names |= {last_name(base) for base in found.node.bases}
        return next((each for each in _TEMPLATE_CLASSES if each in names), "")

    def _is_method_of_client(self, owner: Scope) -> bool:
        """Whether `self` is a client: its class is derived from one of Scope's."""
        node = owner.node
        if not isinstance(node, ast.ClassDef) or owner.spot is None:
            return False
        return any(self._origins.is_of_scope(self._origins.of(base, owner.spot)) for base in node.bases)

    def _is_likely(self, function: ast.Attribute, spot: Spot, form: Form, arguments: Arguments) -> bool:
        """Whether a method of an object of which nothing is known is ours."""
        receiver = _written(function.value).lower()
        is_hinted = self._module.imports_scope or "scope" in receiver
        if form.kind == "many":
            return self._is_list_of_prompts(spot, arguments, is_hinted or form.is_distinct, receiver)
        if not arguments.fits(form):
            return is_hinted and form.is_distinct
        if is_hinted:
            return form.is_distinct or form.kind == "read" or self._names_plain_text(form, arguments, spot)
        if not form.is_distinct and not re.search(r"client|prompts?$", receiver):
            return False
        name = arguments.get(form.name)
        if name is None:
            return form.is_distinct and arguments.may_hide(form.name)
        texts = texts_of(self._values, name, spot)
        is_plausible = all(
            not _NOT_A_NAME.search(each.text) and len(each.text) <= LONGEST_PLAUSIBLE_NAME for each in texts.known
        )
        return is_plausible and (form.is_distinct or bool(texts.known))

    def _names_plain_text(self, form: Form, arguments: Arguments, spot: Spot) -> bool:
        name = arguments.get(form.name)
        return name is not None and bool(texts_of(self._values, name, spot).known)

    def _is_list_of_prompts(self, spot: Spot, arguments: Arguments, is_hinted: bool, receiver: str) -> bool:
        wanted = arguments.get((0, "prompts"))
        if wanted is None or len(arguments.positional) > 1:
            return False
        if is_hinted and re.search(r"scope|client", receiver):
            return True
        first = self._values.items(wanted, spot).found
        return is_hinted and bool(first) and bool(texts_of(self._values, first[0].node, first[0].spot).known)


def _is_in_test(spot: Spot) -> bool:
    """Whether a fixture of `scope_client.testing` gives the prompts that are asked for."""
    around = (scope.names for scope in spot.scope.around() if scope.kind == "function")
    return any(isinstance(each.node, Parameter) for names in around for key in _FIXTURES for each in names.get(key, ()))


def _ends_with(origin: str, path: tuple[str, ...]) -> bool:
    parts = origin.replace("()", "").split(".")
    return tuple(parts[-len(path) :]) == path


def _is_stand_in(origin: str) -> bool:
    """Whether it is what tests put in the place of a client: its prompts are their own."""
    return re.search(r"^scope_\w+\.(?:testing|test)\.|\.PromptsClient\(\)|\.override_prompts\(\)", origin) is not None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _written(node: ast.AST) -> str:
    """The names of an expression such as `self.scope.client`."""
    names: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Call, ast.Await)):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name):
        names.append(node.id)
    return ".".join(reversed(names))
