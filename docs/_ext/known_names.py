"""What autodoc does not know of the packages: which names are public, and which signatures are for people."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from sphinx.errors import PycodeError
from sphinx.ext.napoleon import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

OURS = ("scope_client", "scope_django", "scope_flask", "scope_langchain")
PUBLIC_MODULES = (
    *("scope_client", "scope_client.testing", "scope_client.local", "scope_client.otel"),
    *("scope_django", "scope_flask", "scope_langchain"),
)
# What is written for type checkers, or takes a name by position and by keyword, as people call it.
_RENDER = "(name, variables=None, label=None, **options)"
SIGNATURES = {
    "scope_client.ScopeClient.render_prompt": _RENDER,
    "scope_client.ScopeClient.arender_prompt": _RENDER,
    "scope_client.testing.PromptsClient.render_prompt": _RENDER,
    "scope_client.testing.PromptsClient.arender_prompt": _RENDER,
    "scope_django.arender_prompt": _RENDER,
    "scope_client.ApiKeyCredentials": "(org_id, api_key, api_secret)",
    "scope_client.ClientCredentials": "(org_id, client_id, client_secret)",
    "scope_client.ApiKeyCredentials.from_env": "()",
    "scope_client.ClientCredentials.from_env": "()",
    "scope_client.Credentials": "",
    "scope_client.PromptVersion": "",
    "scope_client.PromptVersion.from_api": "(body, ref=None)",
    "scope_client.Clock": "(now=..., wall=..., sleep=..., chance=...)",
    "scope_langchain.LivePrompt": (
        "(name, *, client=None, label=None, version=None, fallback=None, deadline=None, cache_ttl=None, "
        "partial_variables=None, role=None, **inherited)"
    ),
    "scope_langchain.ScopePromptTemplate": "",
    "scope_langchain.ScopeChatPromptTemplate": "",
    "scope_langchain.ScopeStringPromptValue": "",
    "scope_langchain.ScopeChatPromptValue": "",
}
RETURNED = {
    "scope_client.ApiKeyCredentials.from_env": "~scope_client.ApiKeyCredentials | ~scope_client.ClientCredentials",
    "scope_client.ClientCredentials.from_env": "~scope_client.ApiKeyCredentials | ~scope_client.ClientCredentials",
}
# What a class is given by another of ours, and nobody writes.
MADE_BY_OURS = (
    *("PrefetchReport", "PromptRead", "PromptStatus", "Status", "RequestInfo", "ResponseInfo", "ErrorInfo"),
    *("CacheInfo", "ActiveFault", "RecordedRequest", "VersionRecord", "CacheStore", "Telemetry"),
)
_ALSO_PUBLIC = {"scope_client": ("ConnectionError", "TimeoutError")}
_SAYS_NOTHING = re.compile(r": As the (?:field|property)(?:; so are the others)?\.$")  # the field is a few lines below
_IN_BACKTICKS = re.compile(r"(?<![`:\w])`([A-Za-z_][\w.]*)`(?!`)")


@cache
def addresses() -> dict[str, str]:
    """Where each public name is, such as `scope_client.ScopeClient`."""
    found: dict[str, str] = {}
    for module in PUBLIC_MODULES:
        for name in (*importlib.import_module(module).__all__, *_ALSO_PUBLIC.get(module, ())):
            if name[0] != "_":
                found.setdefault(name, f"{module}.{name}")
    return found


def our_modules() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in OURS]


def forget_overloads(app: Sphinx) -> None:
    """Has the one signature of the definition shown, and not several that only type checkers need."""
    addresses()
    for name in our_modules():
        with contextlib.suppress(PycodeError):
            analyzer = ModuleAnalyzer.for_module(name)
            analyzer.analyze()
            analyzer.overloads = {}


def show_signature(
    app: Sphinx, what: str, name: str, obj: object, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    is_plain_error = what == "exception" and "__init__" not in vars(obj)
    if is_plain_error or (what == "class" and name.rpartition(".")[2] in MADE_BY_OURS):
        return "", None
    signature = SIGNATURES.get(name, signature)
    signature = signature and re.sub(r"\b(?:NOT_GIVEN|_STATUS_OF_THE_CLASS)\b", "...", signature)
    return signature, RETURNED.get(name, returns)


@cache
def docstrings_of_data() -> dict[str, list[str]]:
    """What stands under the constants of all modules, by name: a constant that is exported does not have it."""
    found: dict[str, list[str]] = {}
    for name in our_modules():
        with contextlib.suppress(PycodeError):
            docs = ModuleAnalyzer.for_module(name).find_attr_docs()
            found.update({attribute: lines for (of_class, attribute), lines in docs.items() if not of_class})
    return found


def link_names(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """In a docstring, `ScopeClient` is a link if that is a public name, and code if not."""

    def linked(found: re.Match[str]) -> str:
        first, _, rest = found.group(1).partition(".")
        target = addresses().get(first, "") + (f".{rest}" if rest else "")
        if first not in addresses() or not first[0].isupper() or target == name:
            return found.group(0)
        return f":py:obj:`{found.group(1)} <{target}>`"

    if what == "data":
        lines[:] = docstrings_of_data().get(name.rpartition(".")[2], lines)
    lines[:] = [line for line in lines if not _SAYS_NOTHING.search(line)]
    lines[:] = [_IN_BACKTICKS.sub(linked, line) for line in lines]
    if what in ("attribute", "data", "property"):
        # Of a field, Napoleon reads no sections, and takes what stands before a colon in the first line for a type.
        parsed = GoogleDocstring(lines, app.config, app, "method", name, obj, options).lines()
        lines[:] = ["..", "", *parsed]  # an empty comment is a first line that it leaves alone


def find_bare_name(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element) -> nodes.Node | None:
    """What is raised is named without its package, whichever one it is raised in."""
    target = addresses().get(node.get("reftarget", "").lstrip("."))
    if node.get("refdomain") != "py" or target is None:
        return None
    domain = env.domains.python_domain
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], target, node, text)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", forget_overloads)
    app.connect("autodoc-process-signature", show_signature)
    app.connect("autodoc-process-docstring", link_names, priority=400)  # before Napoleon, which takes the lines apart
    app.connect("missing-reference", find_bare_name)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
