"""What the packages for frameworks share: settings, template tags, stores, and commands that look after templates."""

from __future__ import annotations

# For type checkers alone, so that they are not in `__all__`.
from .._attributes import facts_of
from .._config.read_options import ByLabel as ByLabel
from .._config.read_options import ByVersion as ByVersion
from .._config.read_options import Label as Label
from .._config.read_options import ReadByLabel as ReadByLabel
from .._config.read_options import ReadByVersion as ReadByVersion
from .._config.read_options import ReadOptions as ReadOptions
from .._extras import missing_extra
from .._fork import renew_in_children
from .._frames import hides_what_it_was_given
from .._frozen import CopiedAsItself
from .._interrupts import pass_on
from .._process import follow_default, made_client, made_off_the_loop
from .._prompt.chat_template import Message, Placeholder, checked_messages
from .._prompt.fallback import Fallback
from .._prompt.prompt_version import refused_values
from .._prompt.ref import LABELS, check_ref
from .._prompt.values import plain_text
from .._public_names import publish
from .._renderings import Rendering, renderings
from .._running_loop import advise_on_a_loop
from .._stores.cache_store import STORE_METHODS, asynchronous_method, has_methods
from .._stores.patience import Patience, Wait, check_client, patience_of
from .._wording import cut, listed, nearest, shown
from ._arguments import ARGUMENTS, OUTPUT_FORMATS, wants_json
from ._commands import COMMANDS, Command, health
from ._foreign_store import ForeignStore
from ._jinja_uses import search_jinja
from ._rendering import TemplateFunction, joined_values, render_in_template
from ._report import Finding, Report, explained
from ._request_pins import (
    SESSION_KEY,
    all_of,
    client_to_pin,
    pinned_async_chunks,
    pinned_chunks,
    pins_of_request,
    token_to_keep,
)
from ._settings import SettingProblem, Settings
from ._signature import called_like
from ._site import Site
from ._survey import Reading, Search, Shelf, Survey
from ._uses import FILTERS_THAT_PRINT_THEIR_ARGUMENT, OPENING_BRACES, TEMPLATE_FUNCTION, PromptUse, braces_mistake

__all__ = [
    "ARGUMENTS",
    "COMMANDS",
    "FILTERS_THAT_PRINT_THEIR_ARGUMENT",
    "LABELS",
    "OPENING_BRACES",
    "OUTPUT_FORMATS",
    "SESSION_KEY",
    "STORE_METHODS",
    "TEMPLATE_FUNCTION",
    "Command",
    "CopiedAsItself",
    "Fallback",
    "Finding",
    "ForeignStore",
    "Message",
    "Patience",
    "Placeholder",
    "PromptUse",
    "Reading",
    "Rendering",
    "Report",
    "Search",
    "SettingProblem",
    "Settings",
    "Shelf",
    "Site",
    "Survey",
    "TemplateFunction",
    "Wait",
    "advise_on_a_loop",
    "all_of",
    "asynchronous_method",
    "braces_mistake",
    "called_like",
    "check_client",
    "check_ref",
    "checked_messages",
    "client_to_pin",
    "cut",
    "explained",
    "facts_of",
    "follow_default",
    "has_methods",
    "health",
    "hides_what_it_was_given",
    "joined_values",
    "listed",
    "made_client",
    "made_off_the_loop",
    "missing_extra",
    "nearest",
    "pass_on",
    "patience_of",
    "pinned_async_chunks",
    "pinned_chunks",
    "pins_of_request",
    "plain_text",
    "publish",
    "refused_values",
    "render_in_template",
    "renderings",
    "renew_in_children",
    "search_jinja",
    "shown",
    "token_to_keep",
    "wants_json",
]

publish(__name__, __all__)
