"""Use making: uses out of the calls of a module, with all that is known of each."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .call_forms import OPTIONS_OF_FUNCTION, takes_keywords
from .configured_calls import Argument, ConfiguredCall
from .fills import Fill, Fills
from .given_values import NOT_SEEN, GivenValues, Mappings, is_list_of_messages
from .imported_constants import ConstantsOf
from .known import Found, is_none, last_name
from .origins import Origins
from .prompt_calls import PromptCall, PromptCalls
from .python_comments import PythonComments, lines_of
from .scopes import ReadModule, Spot
from .source_places import SourcePlaces
from .texts import Text, Texts, texts_of
from .typed_functions import TYPES_REMEDY, TypedFunctions
from .use import Given, Place, Use
from .values import Values

MOST_USES_OF_A_CALL = 400
_VARIABLE_OF_MIDDLEWARE = "messages"  # which the middleware gives
_NO_TEXTS = Texts([], False, True)


class _Wanted(NamedTuple):
    """One prompt that a call asks for."""

    place: Place
    name: str | None
    label: str | None = None
    version: str | None = None
    is_dynamic: bool = False


class UseMaking:
    """Makes the uses of one module.

    Args:
        module: The module.
        places: Gives places in its file.
        comments: The comments of the file.
        configured: The calls that a project configures.
        constants_of: Gives the constants of imported modules.
    """

    def __init__(
        self,
        module: ReadModule,
        places: SourcePlaces,
        comments: PythonComments,
        configured: Sequence[ConfiguredCall],
        constants_of: ConstantsOf | None,
    ) -> None:
        self._module = module
        self._places = places
        self._comments = comments
        self._values = Values(module, constants_of)
        self._origins = Origins(self._values)
        self._mappings = Mappings(self._values, places.of)
        self._typed = TypedFunctions(module, places.of)
        self._prompt_calls = PromptCalls(self._values, self._origins, configured)

    def uses(self) -> Iterator[Use]:
        """All uses, in no order."""
        found = (self._prompt_calls.of(call, spot) for call, spot in self._module.calls)
        calls: dict[ast.AST, PromptCall] = {each.call: each for each in found if each is not None}
        if not calls:
            return
        try:
            fills = Fills(self._values, self._mappings, calls).of
        except RecursionError:
            fills = {}
        for call in calls.values():
            yield from self._uses_as_far_as_seen(call, fills.get(call.call, []))

    def _uses_as_far_as_seen(self, call: PromptCall, fills: list[Fill]) -> list[Use]:
        """What is made of too much to be followed is known only at run time."""
        try:
            return list(self._uses_of(call, fills))
        except RecursionError:
            return [self._bare(call, _Wanted(self._places.of(call.call), None))._replace(renders=False)]

    def functions_of(self, lines: Iterable[int]) -> dict[int, str]:
        """The function or class around each of these lines.

        Args:
            lines: The lines.
        """
        named = [
            (node.lineno, node.end_lineno or node.lineno, scope.title)
            for node, scope in self._module.inner.items()
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        ]
        within = {}
        for line in lines:
            around = [(first, title) for first, last, title in named if first <= line <= last]
            within[line] = max(around, default=(0, ""))[1]
        return within

    def _uses_of(self, call: PromptCall, fills: list[Fill]) -> Iterator[Use]:
        first, last = lines_of(call.spot.statement, call.call)
        is_told = self._comments.tells_of(first, last)
        all_wanted = list(self._wanted(call))[:MOST_USES_OF_A_CALL]
        if self._prompt_calls.passes_on(call):  # its callers are looked at instead
            all_wanted = [each for each in all_wanted if each.name is not None]
        is_one = len({each.name for each in all_wanted}) == 1
        for wanted in all_wanted:
            if wanted.name is None:
                if not is_told:
                    yield self._bare(call, wanted)._replace(renders=False)
                continue
            if wanted.is_dynamic and is_told:
                continue
            yield from self._filled(call, self._bare(call, wanted), fills, is_one=is_one)

    def _bare(self, call: PromptCall, wanted: _Wanted) -> Use:
        ignored = self._comments.ignored(*lines_of(call.spot.statement, call.call))
        remedy = TYPES_REMEDY if call.form.kind == "typed" else ""
        use = Use(*wanted, using=self._using(call), ignored=ignored, in_function=call.spot.scope.title)
        return use._replace(remedy=remedy)

    def _filled(self, call: PromptCall, use: Use, fills: list[Fill], *, is_one: bool) -> Iterator[Use]:
        given, renders, passes_extra = self._given(call)
        given = given if is_one else given.of_one()
        if not fills:
            kind, why = self._kind(call, is_text=call.form.kind in ("render", "function"))
            yield use._replace(
                kind=kind,
                why_kind=why,
                given=given.given,
                is_open=given.is_open,
                renders=renders,
                passes_extra=passes_extra and renders,
            )
            return
        before = self._partial(call)
        for fill in fills:
            values = before.joined(fill.values if is_one else fill.values.of_one())
            ignored = self._comments.ignored(*lines_of(fill.spot.statement, fill.node))
            both = None if ignored is None or use.ignored is None else ignored | use.ignored
            kind, why = self._kind(call, is_text=fill.word == "render")
            typed = use._replace(kind=kind, why_kind=why, ignored=both)
            yield typed._replace(given=values.given, is_open=values.is_open, passes_extra=fill.passes_extra)

    # Which prompt

    def _wanted(self, call: PromptCall) -> Iterator[_Wanted]:
        form, arguments = call.form, call.arguments
        place = self._places.of(call.call)
        name = arguments.get(form.name)
        if name is None:
            # A function of the project's own may take its name in a way that `calls` does not tell.
            if form.kind == "configured" or (arguments.may_hide(form.name) and form.kind != "clear"):
                yield _Wanted(place, None, is_dynamic=True)
            return
        if form.kind == "clear" and is_none(name):
            return
        if form.kind == "many" or arguments.each_of_first:
            yield from self._listed(name, call.spot, place)
            return
        names = texts_of(self._values, name, call.spot)
        if form.kind == "clear":  # of a name that is known at run time, as after a promotion: it is read elsewhere
            names = names._replace(is_open=False, has_none=True)
        if form.kind == "configured" and names.is_open and not names.known:
            listed = self._values.items(name, call.spot)
            if listed.found:
                yield from self._listed(name, call.spot, place)
                return
        labels = self._which(call, form.label, call.form.version)
        versions = self._which(call, form.version, call.form.label)
        yield from self._combined(names, labels, versions, place)

    def _which(self, call: PromptCall, choices: tuple[Argument, ...], other: tuple[Argument, ...]) -> Texts:
        node = call.arguments.get(choices)
        if node is not None:
            return texts_of(self._values, node, call.spot)
        is_hidden = bool(choices) and call.arguments.may_hide(choices) and call.arguments.get(other) is None
        is_of_values = takes_keywords(call.form) or call.form.kind == "configured"
        return Texts([], True) if is_hidden and not is_of_values else _NO_TEXTS

    def _combined(self, names: Texts, labels: Texts, versions: Texts, place: Place) -> Iterator[_Wanted]:
        is_unclear = labels.is_open or versions.is_open
        which = [(label, version) for label in _choices(labels) for version in _choices(versions)]
        if len(names.known) + names.is_open > 1 and len(which) > 1:  # each of them may have a label of its own
            which, is_unclear = [(None, None)], True
        for name in names.known:
            at = place if name.node is None else self._places.of(name.node)
            for label, version in which:
                yield _Wanted(at, name.text, None if label == "production" else label, version, is_unclear)
        if names.is_open or (not names.known and not names.has_none):
            yield _Wanted(place, None, is_dynamic=True)

    def _listed(self, node: ast.expr, spot: Spot, place: Place) -> Iterator[_Wanted]:
        known = self._values.items(node, spot)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and not node.elts:
            return
        for each in known.found:
            yield from self._listed_one(each, place)
        if known.is_open:
            yield _Wanted(place, None, is_dynamic=True)

    def _listed_one(self, found: Found, place: Place) -> Iterator[_Wanted]:
        for each in self._values.of(found.node, found.spot).found or [found]:
            parts = each.node.elts if isinstance(each.node, (ast.Tuple, ast.List)) else [each.node]
            if not 1 <= len(parts) <= 3:
                yield _Wanted(place, None, is_dynamic=True)
                continue
            name, *rest = [texts_of(self._values, part, each.spot) for part in parts]
            if not (found.is_written and each.is_written):
                name = Texts([Text(text.text, None) for text in name.known], name.is_open, name.has_none)
            label, version = [*rest, _NO_TEXTS, _NO_TEXTS][:2]
            yield from self._combined(name, label, version, place)

    def _using(self, call: PromptCall) -> str | None:
        """The organisation that `get_client("shop")` names."""
        keyword = call.arguments.keywords.get("using") if call.form.kind == "function" else None
        receiver = call.function.value if isinstance(call.function, ast.Attribute) else None
        for found in self._values.of(receiver, call.spot).found if receiver is not None else []:
            node = found.node
            if isinstance(node, ast.Call) and last_name(node) == "get_client":
                named = [each.value for each in node.keywords if each.arg == "using"]
                keyword = node.args[0] if node.args else (named[0] if named else None)
        texts = texts_of(self._values, keyword, call.spot).known if keyword is not None else []
        return texts[0].text if len(texts) == 1 and texts[0].text != "default" else None

    # What it is given

    def _given(self, call: PromptCall) -> tuple[GivenValues, bool, bool]:
        """What the call itself gives, whether it fills in the variables, and whether too many values do no harm."""
        form, arguments, spot = call.form, call.arguments, call.spot
        if form.kind == "render":
            if arguments.get(form.values) is None and arguments.may_hide(form.values):
                return NOT_SEEN, True, False
            given = self._mappings.of(arguments.get(form.values), spot)
            has_unknown = not arguments.fits(form) or arguments.may_get_more
            return (given._replace(is_open=True) if has_unknown else given), True, False
        if form.kind == "function":
            given = self._mappings.keywords(arguments.all_keywords, spot, OPTIONS_OF_FUNCTION)
            return given.joined(self._mappings.of(arguments.get(("variables",)), spot)), True, False
        if form.kind == "middleware":
            given = self._mappings.of(arguments.get(("values",)), spot)
            own = Given(_VARIABLE_OF_MIDDLEWARE, self._places.of(call.call))
            return GivenValues((own,)).joined(given), True, True
        if form.kind == "typed":
            return GivenValues(self._typed.given(arguments, spot)), True, False
        if form.kind == "configured" and form.values:
            return self._given_as_configured(call)
        return self._required(call)

    def _given_as_configured(self, call: PromptCall) -> tuple[GivenValues, bool, bool]:
        form, arguments = call.form, call.arguments
        if takes_keywords(form):
            own = (*form.name, *form.label, *form.version)
            options = frozenset(each for each in own if isinstance(each, str))
            return self._mappings.keywords(arguments.all_keywords, call.spot, options), True, False
        node = arguments.get(form.values)
        if node is None and (arguments.may_hide(form.values) or arguments.has_more_positional):
            return NOT_SEEN, True, False
        return self._mappings.of(node, call.spot), True, False

    def _required(self, call: PromptCall) -> tuple[GivenValues, bool, bool]:
        """`requires=` names all variables that the caller can give, so that none may lack."""
        node = call.arguments.get(("requires",))
        if node is None or is_none(node) or call.form.kind not in ("read", "langchain"):
            return GivenValues(), False, False
        known = self._values.items(node, call.spot)
        given = []
        for each in known.found:
            texts = texts_of(self._values, each.node, each.spot)
            if texts.is_open:
                return GivenValues(), False, False
            at = each.node if each.is_written else call.call
            given += [Given(text.text, self._places.of(at)) for text in texts.known]
        is_whole = not known.is_open and bool(known.found or isinstance(node, (ast.List, ast.Tuple, ast.Call)))
        given += self._partial(call).given
        return GivenValues(tuple(given)), is_whole, True

    def _partial(self, call: PromptCall) -> GivenValues:
        node = call.arguments.get(("partial_variables",)) if call.form.kind == "langchain" else None
        return self._mappings.of(node, call.spot)

    def _kind(self, call: PromptCall, *, is_text: bool) -> tuple[str | None, str]:
        """The type that the code works with alone, and what shows it; `is_text` if it uses the prompt as a text."""
        if call.form.kind == "typed":
            is_of_text = last_name(call.function) == "text"
            return ("text", "its function returns text") if is_of_text else ("chat", "its function returns messages")
        template = self._prompt_calls.template_class(call.function, call.spot)
        if template:
            kind = "chat" if "Chat" in template else "text"
            return kind, f"{template} needs a {kind} prompt"
        node = call.arguments.get(("fallback",)) if call.form.kind != "configured" else None
        found = self._values.of(node, call.spot).found if node is not None else []
        if len(found) != 1:
            return None, ""
        if is_list_of_messages(found[0].node):
            return "chat", "its fallback is a list of messages"
        text = found[0].node.value if isinstance(found[0].node, ast.Constant) else None
        is_of_text = is_text and isinstance(text, str) and not text.lstrip().startswith("[")
        return ("text", "its fallback is a text") if is_of_text else (None, "")


def _choices(texts: Texts) -> list[str | None]:
    """The labels or versions that may be asked for; None for none."""
    known: list[str | None] = [each.text for each in texts.known]
    return [*known, None] if texts.has_none or not known else known
