"""`manage.py scope`: what it finds in the templates of all engines, what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import jinja2
import pytest
from django.core.management import CommandError, call_command
from django.template import Library, Node
from django_app.caching import BACKENDS
from django_app.process import reset_client
from faults.forked import Forking, as_text
from faults.greeting import GREETING

from scope_client import ServerError
from scope_client.local import LocalPlatform
from scope_django import get_client
from scope_django.test import override_prompts

if TYPE_CHECKING:
    from collections.abc import Iterator

USE = '{% scope_prompt "greeting" time_of_day="day" name=user %}'
LOAD = "{% load scope %}"
DJANGO = "django.template.backends.django.DjangoTemplates"
JINJA = "django.template.backends.jinja2.Jinja2"
EXTENSION = "scope_django.jinja2.ScopeExtension"
TESTS = Path(__file__).resolve().parents[1]

register = Library()


class Kept(Node):
    """Keeps the nodes of its block as tags of third parties do."""

    def __init__(self, how: str, nodes: Any, parser: Any) -> None:
        if how == "attribute":
            self.inner = nodes
        elif how == "tuples":
            self.branches = [(None, nodes), ("else", [])]
        elif how == "dictionary":
            self.slots = {"main": nodes}
        elif how == "twice":
            self.nodelist = nodes
            self.children = list(nodes)
        elif how == "circle":
            self.nodelist = nodes
            self.me = self
        elif how == "object":
            self.branch = Branch(nodes)
        elif how == "slots":
            self.nodelist = nodes
            self.parser = parser


class Branch:
    """No Node itself."""

    def __init__(self, nodes: Any) -> None:
        self.nodelist = nodes


@register.tag
def kept(parser: Any, token: Any) -> Kept:
    _, how = token.split_contents()
    nodes = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(how, nodes, parser)


@pytest.fixture(autouse=True)
def site(scope_settings: Callable[..., dict]) -> Callable[..., dict]:
    scope_settings(MAX_RETRIES=0)
    return scope_settings


class Templates:
    """Sets TEMPLATES up over folders and texts."""

    def __init__(self, settings: Any, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.django = folder / "templates"
        self.jinja = folder / "jinja"
        self.use()

    def use(self, **options: Any) -> None:
        library = {"libraries": {"kept": __name__}}
        self.settings.TEMPLATES = [
            {
                "BACKEND": DJANGO,
                "DIRS": [self.django],
                "APP_DIRS": "loaders" not in options,
                "OPTIONS": {**library, **options},
            },
            {"BACKEND": JINJA, "DIRS": [self.jinja], "OPTIONS": {"extensions": [EXTENSION]}},
        ]

    def write(self, name: str, text: str | bytes, engine: str = "django") -> str:
        path = getattr(self, engine) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)


@pytest.fixture
def templates(settings: Any, tmp_path: Path) -> Templates:
    return Templates(settings, tmp_path)


class Ended:
    """What a command printed, and the CommandError that it ended with, or None."""

    def __init__(self, *arguments: str, **options: Any) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.error: str | None = None
        try:
            call_command("scope", *arguments, stdout=out, stderr=err, **options)
        except CommandError as error:
            self.error = str(error)
        self.out = out.getvalue()
        assert err.getvalue() == ""

    @property
    def data(self) -> Any:
        return json.loads(self.out)


def listed(*arguments: str) -> list[tuple[str, int, str]]:
    uses = Ended("list", "--format", "json", *arguments).data["uses"]
    return [(use["file"], use["line"], use["name"]) for use in uses]


def lines_of(text: str) -> list[int]:
    """Where the prompts of this name are."""
    return [number for number, line in enumerate(text.splitlines(), 1) if '"greeting"' in line]


class TestGet:
    def test_it_prints_the_content_and_nothing_else(self) -> None:
        ended = Ended("get", "greeting")
        assert (ended.out, ended.error) == (GREETING + "\n", None)

    def test_as_json_it_prints_the_whole_version(self) -> None:
        shown = Ended("get", "greeting", "--format", "json").data
        assert shown["content"] == GREETING
        assert shown["name"] == "greeting"

    def test_a_label_and_a_version_are_asked_for(self, platform: LocalPlatform) -> None:
        platform.draft("greeting", "draft")
        assert Ended("get", "greeting", "--label", "latest").out == "draft\n"
        assert Ended("get", "greeting", "--label", "production").out == GREETING + "\n"
        version = get_client().get_prompt_version("greeting", label="latest").id
        assert Ended("get", "greeting", "--version", version).out == "draft\n"

    def test_keywords_of_call_command_do_the_same(self) -> None:
        assert Ended("get", "greeting", format="json").data["content"] == GREETING
        assert Ended("get", "greeting", label="latest").out == GREETING + "\n"
        assert Ended("get", "greeting", verbosity=0).out == GREETING + "\n"

    def test_hostile_and_foreign_text_is_printed_as_it_is(self, platform: LocalPlatform) -> None:
        text = "{% load scope %}{{x}}<script>\r\n%s {0} Grüße 🎈"
        platform.publish("hostile", text)
        assert Ended("get", "hostile").out == text + "\n"
        assert Ended("get", "hostile", "--format", "json").data["content"] == text

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["get", "unknown"], "NotFoundError: "),
            (["get", ".."], "ValidationError: "),
            (["get", ""], "ValidationError: "),
            (["get", "greeting", "--version", "unknown"], "NotFoundError: "),
            (["get", "greeting", "--label", "staging"], "invalid choice: 'staging'"),
            (["get", "greeting", "--label", "latest", "--version", "v"], "not allowed with argument"),
            (["get", "greeting", "--format", "yaml"], "invalid choice: 'yaml'"),
            (["get"], "required: name"),
            ([], "required: action"),
            (["gett"], "invalid choice: 'gett'"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_what_goes_wrong_is_a_command_error(self, arguments: list[str], said: str) -> None:
        ended = Ended(*arguments)
        assert ended.error is not None
        assert said in ended.error
        assert ended.out == ""


class TestRender:
    def test_it_prints_the_text(self) -> None:
        assert Ended("render", "greeting", "-v", "time_of_day=day", "--var", "name=<Ada>").out == "Good day, <Ada>!\n"

    def test_a_value_is_everything_after_the_first_equals_sign(self, platform: LocalPlatform) -> None:
        platform.publish("echo", "{{a}}|{{b}}|{{name}}")
        assert Ended("render", "echo", "-v", "a=1=2", "-v", "b=", "-v", "name={{a}}").out == "1=2||{{a}}\n"

    def test_as_json_it_tells_which_version_and_its_messages(self, platform: LocalPlatform) -> None:
        platform.publish("chat", [{"role": "user", "content": "Say {{what}}"}])
        shown = Ended("render", "chat", "-v", 'what="hi"', "--format", "json").data
        assert shown["messages"] == [{"role": "user", "content": 'Say "hi"'}]
        assert (shown["name"], shown["version_number"]) == ("chat", 1)

    @pytest.mark.parametrize(
        ("pairs", "said"),
        [
            (["name=Ada"], "MissingVariableError: .*time_of_day"),
            (["name=Ada", "time_of_day=day", "more=1"], "ValidationError: .*more"),
            (["name"], "ValidationError: .*key=value"),
            (["=Ada"], "ValidationError: .*key=value"),
        ],
        ids=" ".join,
    )
    def test_wrong_values_are_a_command_error(self, pairs: list[str], said: str) -> None:
        arguments = [word for pair in pairs for word in ("-v", pair)]
        with pytest.raises(CommandError, match=said):
            call_command("scope", "render", "greeting", *arguments)

    def test_keywords_of_call_command_do_the_same(self) -> None:
        ended = Ended("render", "greeting", var=["time_of_day=day", "name=Ada"])
        assert ended.out == "Good day, Ada!\n"

    def test_values_come_from_a_file_or_standard_input_and_v_wins(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "values.json"
        file.write_text('{"name": "Bob", "time_of_day": "night"}')
        assert Ended("render", "greeting", "--vars-file", str(file)).out == "Good night, Bob!\n"
        assert Ended("render", "greeting", vars_file=str(file), var=["name=Eve"]).out == "Good night, Eve!\n"
        for octets, out in ((b'{"name": "Zo\xc3\xab", "time_of_day": "day"}', "Good day, Zoë!\n"), (b"", "")):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets)))
            ended = Ended("render", "greeting", "--vars-file", "-")
            assert (ended.out, "standard input is empty" in (ended.error or "")) == (out, not out)


@pytest.mark.parametrize("words", [["check"], ["get", "greeting"], ["list"], ["warm", "greeting"]], ids=" ".join)
def test_json_and_format_say_the_same(words: list[str]) -> None:
    text, as_json = Ended(*words, "--format", "text"), Ended(*words, "--json")
    assert isinstance(as_json.data, dict)
    assert text.out != as_json.out
    for more in (["--format", "json"], ["--json", "--format", "json"]):
        assert Ended(*words, *more).data.keys() == as_json.data.keys()
    assert Ended(*words, json=True).data.keys() == as_json.data.keys()
    contradiction = Ended(*words, "--json", "--format", "text")
    assert "--json and --format text exclude each other: give one of them" in (contradiction.error or "")


NESTED = {
    "plain": f"{LOAD}\n\n{USE}",
    "if": f"{LOAD}{{% if a %}}\n{USE}\n{{% elif b %}}\n{USE}\n{{% else %}}\n\n{USE}{{% endif %}}",
    "for": f"{LOAD}{{% for a in b %}}\n{USE}\n{{% empty %}}\n{USE}\n{{% endfor %}}",
    "with": f"{LOAD}{{% with a=1 %}}\n{USE}\n{{% endwith %}}",
    "block": f"{LOAD}{{% block a %}}\n{{% block b %}}\n{USE}\n{{% endblock %}}\n{USE}\n{{% endblock %}}",
    "extends": f'{{% extends "base.html" %}}\n{LOAD}\n{{% block a %}}\n{USE}\n{{% endblock %}}',
    "extends a name of the context": f"{{% extends parent %}}\n{LOAD}\n{{% block a %}}\n{USE}\n{{% endblock %}}",
    "extends what is not there": f'{{% extends "nowhere.html" %}}{LOAD}\n{{% block a %}}\n{USE}\n{{% endblock %}}',
    "include": f'{LOAD}{{% include "nowhere.html" %}}\n{USE}',
    "ifchanged": f"{LOAD}{{% ifchanged a %}}\n{USE}\n{{% else %}}\n{USE}\n{{% endifchanged %}}",
    "autoescape": f"{LOAD}{{% autoescape off %}}\n{USE}\n{{% endautoescape %}}",
    "filter": f"{LOAD}{{% filter upper %}}\n{USE}\n{{% endfilter %}}",
    "spaceless": f"{LOAD}{{% spaceless %}}\n{USE}\n{{% endspaceless %}}",
    "cache": f"{{% load cache %}}{LOAD}{{% cache 5 a %}}\n{USE}\n{{% endcache %}}",
    "language": f"{{% load i18n %}}{LOAD}{{% language 'de' %}}\n{USE}\n{{% endlanguage %}}",
    "localize": f"{{% load l10n %}}{LOAD}{{% localize on %}}\n{USE}\n{{% endlocalize %}}",
    "deep": f"{LOAD}" + "{% if a %}\n" * 30 + USE + "{% endif %}" * 30,
    "a comment": f"{LOAD}{{% comment %}}\n{{% scope_prompt 'x' %}}\n{{% endcomment %}}{{# {{% scope_prompt 'y' %}} #}}",
    "verbatim": f"{LOAD}{{% verbatim %}}\n{{% scope_prompt 'x' %}}\n{{% endverbatim %}}",
    "as": f'{LOAD}\n{{% scope_prompt "greeting" time_of_day="day" name=user as text %}}{{{{ text }}}}',
    "only what is loaded": f"{{% load scope_prompt from scope %}}\n{USE}",
    "windows line ends": f"{LOAD}\r\n\r\n{USE}\r\n",
    "no name": "{% load scope %} scope_prompt is only mentioned",
}
KEPT = ["attribute", "tuples", "dictionary", "twice", "circle", "object", "slots"]


class TestWhereItLooks:
    @pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
    def test_each_use_is_found_once_with_its_file_and_line(self, text: str, templates: Templates) -> None:
        templates.write("base.html", "{% block a %}{% endblock %}")
        path = templates.write("deep/er/page.html", text)
        assert listed() == [(path, line, "greeting") for line in lines_of(text)]

    @pytest.mark.parametrize("how", KEPT)
    def test_each_use_inside_a_tag_of_a_third_party_is_found_once(self, how: str, templates: Templates) -> None:
        text = f"{LOAD}{{% load kept %}}\n{{% kept {how} %}}\n{{% if a %}}\n{USE}\n{{% endif %}}{{% endkept %}}"
        path = templates.write("page.html", text)
        assert listed() == [(path, 4, "greeting")]

    @pytest.mark.parametrize(
        "kind",
        ["filesystem", "app_directories", "cached", "cached by default", "locmem", "cached locmem", "jinja"],
    )
    def test_every_loader_is_asked(self, kind: str, templates: Templates, settings: Any, tmp_path: Path) -> None:
        text = f"{LOAD}\n{USE}"
        loaders = "django.template.loaders."
        expected = templates.write("page.html", text)
        if kind == "app_directories":
            made_app(settings, tmp_path, {"templates/an_app/page.html": text})
            Path(expected).unlink()
            expected = str(tmp_path / "an_app" / "templates" / "an_app" / "page.html")
            templates.use(loaders=[loaders + "app_directories.Loader"])
        elif kind == "filesystem":
            templates.use(loaders=[loaders + "filesystem.Loader"])
        elif kind == "cached":
            templates.use(loaders=[(loaders + "cached.Loader", [loaders + "filesystem.Loader"])])
        elif kind.endswith("locmem"):
            Path(expected).unlink()
            expected = "page.html"
            locmem = (loaders + "locmem.Loader", {expected: text})
            templates.use(loaders=[(loaders + "cached.Loader", [locmem])] if kind.startswith("cached") else [locmem])
        elif kind == "jinja":
            Path(expected).unlink()
            expected = templates.write("page.html", '\n{{ scope_prompt("greeting", name=1, time_of_day=2) }}', "jinja")
        assert listed() == [(expected, 2, "greeting")]

    def test_a_folder_that_two_loaders_or_engines_share_is_read_once(self, templates: Templates, settings: Any) -> None:
        path = templates.write("page.html", f"{LOAD}\n{USE}")
        first = {"BACKEND": DJANGO, "DIRS": [templates.django]}
        settings.TEMPLATES = [{**first, "NAME": "a"}, {**first, "NAME": "b", "DIRS": [str(templates.django)] * 2}]
        assert listed() == [(path, 2, "greeting")]

    def test_the_tag_may_be_built_into_the_engine(self, templates: Templates) -> None:
        path = templates.write("page.html", f"\n{USE}")
        templates.use(builtins=["scope_django.templatetags.scope"])
        assert listed() == [(path, 2, "greeting")]

    def test_what_is_no_text_is_passed_over(self, templates: Templates) -> None:
        for engine in ("django", "jinja"):
            templates.write("picture.png", b"\x89PNG\r\n\x1a\n\xff\xfe\x00", engine)
            templates.write("latin.html", "Grüße".encode("latin-1"), engine)
        path = templates.write("page.html", f"{LOAD}\n{USE}")
        ended = Ended("list", "--format", "json")
        assert [(use["file"], use["line"]) for use in ended.data["uses"]] == [(path, 2)]
        assert ended.data["unread"] == []
        assert ended.error is None

    def test_a_link_that_leads_nowhere_is_passed_over(self, templates: Templates) -> None:
        path = templates.write("page.html", f"{LOAD}\n{USE}")
        os.symlink(templates.django / "nowhere", templates.django / "dangling.html")
        assert listed() == [(path, 2, "greeting")]

    def test_folders_that_are_not_there_hold_no_templates(self, settings: Any, tmp_path: Path) -> None:
        for backend in (DJANGO, JINJA):
            settings.TEMPLATES = [{"BACKEND": backend, "DIRS": [tmp_path / "nowhere"]}]
            assert listed() == []

    def test_a_site_without_template_engines_has_no_prompts(self, settings: Any) -> None:
        settings.TEMPLATES = []
        assert Ended("list").out == "no template asks for a prompt\n"

    def test_nothing_is_rendered(self, templates: Templates) -> None:
        templates.write("page.html", LOAD + USE + "{% now 'Y' %}{% include undefined %}{{ a.b.c }}")
        assert len(listed()) == 1


JINJA_TEXTS = {
    "plain": '\n\n{{ scope_prompt("greeting", name=1) }}',
    "if": '{% if a %}\n{{ scope_prompt("greeting") }}\n{% else %}\n{{ scope_prompt("greeting") }}{% endif %}',
    "for": '{% for a in b %}\n{{ scope_prompt("greeting") }}\n{% else %}\n{{ scope_prompt("greeting") }}{% endfor %}',
    "set": '{% set a = scope_prompt("greeting") %}{% set b %}\n{{ scope_prompt("greeting") }}{% endset %}',
    "block": '{% extends "x" %}\n{% block a %}\n{{ scope_prompt("greeting") }}{% endblock %}',
    "macro": '{% macro a() %}\n{{ scope_prompt("greeting") }}{% endmacro %}',
    "filter": '\n{{ scope_prompt("greeting")|upper|trim }}',
    "condition": '\n{{ "a" if scope_prompt("greeting") else scope_prompt("other") }}',
    "argument": '\n{{ a(b=[scope_prompt("greeting")]) }}',
    "joined": '\n{{ "a" ~ scope_prompt("greeting") ~ "b" }}',
    "comment": '{# {{ scope_prompt("greet") }} #}{% raw %}{{ scope_prompt("greet") }}{% endraw %}',
    "with": '{% with a = 1 %}\n{{ scope_prompt("greeting") }}{% endwith %}',
    "call": '{% call(a) b() %}\n{{ scope_prompt("greeting") }}{% endcall %}',
    "include": '{% include "nowhere" %}\n{{ scope_prompt("greeting") }}',
}


class TestJinja:
    @pytest.mark.parametrize("text", JINJA_TEXTS.values(), ids=JINJA_TEXTS)
    def test_each_use_is_found_with_its_file_and_line(self, text: str, templates: Templates) -> None:
        path = templates.write("deep/page.html", text, "jinja")
        found = [place for place in listed() if place[2] == "greeting"]
        assert found == [(path, line, "greeting") for line in lines_of(text)]

    def test_what_is_passed_is_compared(self, templates: Templates) -> None:
        path = templates.write(
            "page.html",
            '{{ scope_prompt("greeting", name=1, tiem_of_day=2) }}\n'
            '{{ scope_prompt("greeting", name=1) }}\n'
            '{{ scope_prompt("greeting", variables={"name": 1, "time_of_day": 2}) }}\n'
            '{{ scope_prompt("greeting", variables=them) }}\n'
            '{{ scope_prompt("greeting", **them) }}\n'
            '{{ scope_prompt("greeting", variables={"name": 1, other: 2}) }}\n',
            "jinja",
        )
        findings = Ended("check", "--format", "json").data["findings"]
        assert [(found["file"], found["line"]) for found in findings] == [(path, 1), (path, 1), (path, 2)]
        assert "'time_of_day'" in findings[0]["message"]

    def test_a_template_that_cannot_be_parsed_is_named_with_its_line(self, templates: Templates) -> None:
        path = templates.write("page.html", '\n{{ scope_prompt("greeting" }}', "jinja")
        (unread,) = Ended("list", "--format", "json").data["unread"]
        assert (unread["file"], unread["line"]) == (path, 2)

    @pytest.mark.parametrize("loader", ["function", "none", "dictionary"])
    def test_an_environment_with_a_loader_of_another_kind_is_no_error(
        self, loader: str, templates: Templates, settings: Any
    ) -> None:
        text = '\n{{ scope_prompt("greeting", name=1, time_of_day=2) }}'
        loaders = {
            "function": jinja2.FunctionLoader(lambda _: text),
            "none": jinja2.BaseLoader(),
            "dictionary": jinja2.DictLoader({"page.html": text}),
        }
        options = {"extensions": [EXTENSION], "loader": loaders[loader]}
        settings.TEMPLATES = [
            {"BACKEND": JINJA, "OPTIONS": options},
            {"BACKEND": DJANGO, "DIRS": [templates.django]},
        ]
        path = templates.write("page.html", LOAD + USE)
        found = listed()
        assert (path, 1, "greeting") in found
        assert (("page.html", 2, "greeting") in found) == (loader == "dictionary")


def made_app(settings: Any, folder: Path, files: dict[str, str]) -> None:
    for name, text in {"__init__.py": "", **files}.items():
        path = folder / "an_app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "an_app"]


@pytest.fixture(autouse=True)
def modules_as_they_were() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before
    sys.modules.pop("an_app", None)


class TestList:
    def test_it_names_file_line_prompt_and_variables(self, templates: Templates) -> None:
        path = templates.write("page.html", f'{LOAD}\n{USE}\n{{% scope_prompt "other" label="latest" with label=a %}}')
        assert Ended("list").out.splitlines() == [
            f"{path}:2  prompt 'greeting', with time_of_day, name",
            f"{path}:3  prompt 'other', label 'latest', with label",
        ]

    def test_it_asks_nobody_and_needs_no_settings(
        self, templates: Templates, settings: Any, platform: LocalPlatform
    ) -> None:
        settings.SCOPE = {}
        templates.write("page.html", LOAD + USE)
        assert len(listed()) == 1
        assert not platform.requests

    def test_a_name_from_the_context_is_listed_as_such(self, templates: Templates) -> None:
        path = templates.write("page.html", LOAD + '{% scope_prompt which %}{% scope_prompt "a" label=l %}')
        ended = Ended("list")
        assert ended.out.splitlines() == [f"{path}:1  a prompt named when rendered", f"{path}:1  prompt 'a'"]
        assert ended.error is None

    def test_they_are_in_the_order_of_files_and_lines(self, templates: Templates) -> None:
        paths = [templates.write(name, f"{LOAD}{USE}\n{USE}") for name in ("b.html", "a/z.html", "a.html")]
        assert [(file, line) for file, line, _ in listed()] == sorted((path, line) for path in paths for line in (1, 2))

    @pytest.mark.parametrize(
        "text",
        [
            "{% scope_prompt 'a' %}",
            LOAD + "\n{% if a %}{% scope_prompt 'a' %}",
            LOAD + "\n{% scope_prompt %}",
            LOAD + "\n{% scope_prompt 'a' b %}",
            LOAD + "\n{% load no_such_library %}{% scope_prompt 'a' %}",
            LOAD + "\n{% scope_prompt 'a'|no_such_filter %}",
        ],
    )
    def test_a_template_that_cannot_be_parsed_is_named_and_the_others_are_listed(
        self, text: str, templates: Templates
    ) -> None:
        bad = templates.write("bad.html", text)
        good = templates.write("good.html", LOAD + USE)
        ended = Ended("list")
        assert f"{good}:1  prompt 'greeting'" in ended.out
        assert any(line.startswith(f"{bad}:") and "TemplateSyntaxError" in line for line in ended.out.splitlines())
        assert ended.error == "1 template could not be read"
        (unread,) = Ended("list", "--format", "json").data["unread"]
        assert unread["file"] == bad
        assert unread["line"] == (2 if "\n" in text else 1)

    def test_a_template_that_cannot_be_parsed_and_names_no_prompt_is_not_ours(self, templates: Templates) -> None:
        templates.write("bad.html", "{% if %}")
        ended = Ended("list")
        assert (ended.out, ended.error) == ("no template asks for a prompt\n", None)


class TestCheck:
    def test_where_all_is_well_it_says_so(self, templates: Templates) -> None:
        templates.write("page.html", LOAD + USE)
        ended = Ended("check")
        assert ended.error is None
        assert ended.out == "settings, platform and credentials are good; 1 use of 1 prompt too\n"
        shown = Ended("check", "--format", "json").data
        assert [shown[key] for key in ("findings", "unchecked", "unlisted", "left_out")] == [[]] * 4
        assert (shown["uses"], shown["checked"], shown["prompts"]) == (1, 1, 1)

    def test_a_site_without_prompts_is_checked_against_the_platform_too(self, templates: Templates) -> None:
        ended = Ended("check")
        assert ended.error is None
        assert "platform and credentials are good" in ended.out

    def test_an_unknown_prompt_and_variable_and_a_missing_one_are_found_with_file_and_line(
        self, templates: Templates
    ) -> None:
        path = templates.write(
            "page.html",
            f'{LOAD}\n{{% scope_prompt "greetings" name=a %}}\n'
            '{% if a %}\n{% scope_prompt "greeting" nam=a time_of_day="x" name=b %}\n{% endif %}\n'
            '{% scope_prompt "greeting" name=a %}',
        )
        ended = Ended("check")
        lines = ended.out.splitlines()
        assert ended.error == "3 problems found"
        assert lines[0] == f"{path}:2:17 S101 prompt 'greetings' does not exist; the nearest one is 'greeting'"
        assert lines[1] == f"{path}:4:28 S102 prompt 'greeting' has no variable 'nam'; the nearest one is 'name'"
        assert lines[2] == f"{path}:6:17 S103 prompt 'greeting' is given no value for 'time_of_day'"
        assert len(lines) == 3

    def test_a_variable_that_is_like_no_other_is_told_those_there_are(self, templates: Templates) -> None:
        path = templates.write("page.html", LOAD + '{% scope_prompt "greeting" time_of_day=1 name=2 zzz=3 %}')
        assert Ended("check").out == (
            f"{path}:1:65 S102 prompt 'greeting' has no variable 'zzz'; it knows 'time_of_day', 'name'\n"
        )

    def test_a_prompt_without_a_version_in_production_is_found(
        self, templates: Templates, platform: LocalPlatform
    ) -> None:
        platform.draft("new", "x")
        path = templates.write("page.html", LOAD + '{% scope_prompt "new" label="latest" %}\n{% scope_prompt "new" %}')
        ended = Ended("check")
        assert ended.error == "1 problem found"
        assert ended.out.startswith(f"{path}:2:17 S104 prompt 'new' has no production version")

    def test_what_no_prompt_can_be_called_and_no_label_is_are_found(self, templates: Templates) -> None:
        path = templates.write(
            "page.html", LOAD + '{% scope_prompt ".." %}\n{% scope_prompt "greeting" label="staging" %}'
        )
        ended = Ended("check")
        assert ended.error == "2 problems found"
        assert [line.split(" prompt")[0] for line in ended.out.splitlines()] == [
            f"{path}:1:33 S101",
            f"{path}:2:17 S104",
        ]

    def test_names_that_are_only_known_when_rendered_are_counted_and_fail_nothing(self, templates: Templates) -> None:
        path = templates.write(
            "page.html",
            f'{LOAD}{USE}\n{{% scope_prompt which name=1 %}}\n{{% scope_prompt "greeting" label=which %}}\n'
            "{% scope_prompt 'greeting'|lower %}",
        )
        ended = Ended("check")
        assert ended.error is None
        assert "3 more are known only at run time (-v lists them)" in ended.out
        unchecked = Ended("check", "--format", "json").data["unchecked"]
        assert [(each["file"], each["line"]) for each in unchecked] == [(path, line) for line in (2, 3, 4)]

    def test_a_template_that_cannot_be_parsed_is_a_problem(self, templates: Templates) -> None:
        path = templates.write("bad.html", f"{LOAD}\n{{% scope_prompt %}}")
        ended = Ended("check")
        assert ended.error == "1 problem found"
        assert ended.out.startswith(f"{path}:2:1 S100 cannot be read: TemplateSyntaxError: ")

    def test_wrong_credentials_are_one_problem_without_the_secret(self, templates: Templates, site: Any) -> None:
        site(API_SECRET="very-secret-1234", MAX_RETRIES=0)
        templates.write("page.html", LOAD + USE + '{% scope_prompt "other" %}')
        ended = Ended("check")
        assert ended.error == "1 problem found"
        assert ended.out.startswith("InvalidCredentialsError: ")
        assert "very-secret-1234" not in ended.out + ended.error

    @pytest.mark.parametrize("how", ["gone", "failing"])
    @pytest.mark.parametrize("is_named", [True, False])
    def test_a_platform_that_is_down_is_one_problem_also_where_all_is_cached(
        self, how: str, is_named: bool, templates: Templates, platform: LocalPlatform
    ) -> None:
        get_client().get_prompt_version("greeting")
        if is_named:
            templates.write("page.html", LOAD + USE + '{% scope_prompt "other" %}')
        platform.stop() if how == "gone" else platform.fail(503)
        ended = Ended("check")
        assert ended.error == "1 problem found"
        assert ended.out.startswith("ConnectionError: " if how == "gone" else "ServerError: ")
        assert Ended("check", "--format", "json").data["findings"][0]["file"] is None

    def test_a_fallback_in_the_template_hides_nothing(self, templates: Templates, platform: LocalPlatform) -> None:
        templates.write("page.html", LOAD + '{% scope_prompt "greetings" fallback="Hi" %}')
        assert Ended("check").error == "1 problem found"

    def test_it_asks_past_the_cache(self, templates: Templates, platform: LocalPlatform) -> None:
        templates.write("page.html", LOAD + USE)
        assert Ended("check").error is None
        platform.publish("greeting", "Good {{time_of_day}}!")
        ended = Ended("check")
        assert "has no variable 'name'" in ended.out

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"CACHE_TTLL": 1}, "SCOPE['CACHE_TTLL'] is not a setting (the nearest one is SCOPE['CACHE_TTL'])"),
            ({"CACHE_TTL": "soon"}, "SCOPE['CACHE_TTL']"),
            ({"CACHE_ALIAS": "nowhere"}, "SCOPE['CACHE_ALIAS'] must be one of CACHES ('default') or None"),
            ({"CACHE_ALIAS": []}, "SCOPE['CACHE_ALIAS'] must be one of CACHES"),
            ({"API_KEY": None}, "SCOPE['API_KEY']"),
            ({"BASE_URL": "nowhere"}, "SCOPE['BASE_URL']"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_bad_settings_are_problems_and_templates_are_read_all_the_same(
        self, change: dict, said: str, templates: Templates, site: Any, platform: LocalPlatform
    ) -> None:
        path = templates.write("bad.html", f"{LOAD}\n{{% scope_prompt %}}")
        site(**change)
        ended = Ended("check")
        assert ended.error == "2 problems found"
        assert said in ended.out
        assert f"{path}:2:1 S100 cannot be read" in ended.out
        assert not platform.requests

    @pytest.mark.parametrize("scope", [5, None, [], "text"], ids=repr)
    @pytest.mark.parametrize(
        "action", [["check"], ["get", "greeting"], ["warm", "greeting"]], ids=lambda words: words[0]
    )
    def test_settings_that_are_no_dict_are_a_command_error(self, action: list[str], scope: Any, settings: Any) -> None:
        settings.SCOPE = scope
        ended = Ended(*action)
        assert ended.error is not None
        assert "SCOPE must be a dict" in ended.error

    def test_settings_that_are_missing_are_named(self, settings: Any) -> None:
        del settings.SCOPE
        ended = Ended("check")
        assert ended.error == "1 problem found"
        assert "SCOPE['ORG_ID'], SCOPE['API_KEY'], SCOPE['API_SECRET']" in ended.out
        for action in (["get", "greeting"], ["warm", "greeting"]):
            assert "MissingApiKeyError: " in (Ended(*action).error or "")

    def test_prompts_given_to_a_test_are_checked_instead(self, templates: Templates, platform: LocalPlatform) -> None:
        templates.write("page.html", LOAD + USE)
        with override_prompts({"greeting": "Hi {{name}}"}):
            assert "has no variable 'time_of_day'" in Ended("check").out
        assert not platform.requests

    @pytest.mark.django_db
    def test_a_database_cache_without_its_table_is_told_with_the_command_that_makes_it(self, settings: Any) -> None:
        settings.CACHES = {"default": {"BACKEND": BACKENDS + "db.DatabaseCache", "LOCATION": "no_table_yet"}}
        assert Ended("check").out == (
            "the shared cache does not work: OperationalError: no such table: no_table_yet "
            "(run manage.py createcachetable)\n"
        )

    def test_a_redis_cache_without_its_package_is_told_with_what_to_install(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.CACHES = {"default": {"BACKEND": BACKENDS + "redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}}
        monkeypatch.setitem(sys.modules, "redis", None)
        said = Ended("check").out
        assert said.startswith("the shared cache does not work: ModuleNotFoundError: ")
        assert said.endswith(' (pip install "scope-prompts[redis]")\n')

    @pytest.mark.parametrize(
        "password", ["hunter2hunter2/x", "hunter2hunter2#x", "hunter2hunter2?x", "[hunter2hunter2"]
    )
    def test_no_part_of_the_password_of_a_redis_cache_is_told(
        self, password: str, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        location = f"redis://:{password}@127.0.0.1:1"
        settings.CACHES = {"default": {"BACKEND": BACKENDS + "redis.RedisCache", "LOCATION": location}}
        said = Ended("check").out
        assert said.startswith("the shared cache does not work: ValueError: ")
        assert "%2F" in said
        get_client().get_prompt_version("greeting")
        assert "the shared cache fails" in caplog.text
        assert "hunter" not in said + caplog.text


class TestWarm:
    @pytest.fixture(autouse=True)
    def shared_cache(self, settings: Any, tmp_path: Path) -> None:
        settings.CACHES = {"default": {"BACKEND": BACKENDS + "filebased.FileBasedCache", "LOCATION": tmp_path / "kept"}}

    def test_what_templates_use_and_further_names_are_cached_afterwards(
        self, templates: Templates, platform: LocalPlatform
    ) -> None:
        platform.publish("more", "x")
        templates.write("page.html", f'{LOAD}{USE}{USE}{{% scope_prompt "greeting" label="latest" %}}')
        ended = Ended("warm", "more", "greeting")
        assert ended.error is None
        assert sorted(ended.out.splitlines()) == [
            "greeting latest: version 1",
            "greeting: version 1",
            "more: version 1",
        ]
        before = len(platform.requests)
        for name, label in (("greeting", None), ("greeting", "latest"), ("more", None)):
            assert get_client().get_prompt_version(name, label=label)
        assert len(platform.requests) == before

    def test_another_process_finds_them_in_the_cache(self, templates: Templates, platform: LocalPlatform) -> None:
        templates.write("page.html", LOAD + USE)
        Ended("warm")
        reset_client()
        before = len(platform.requests)
        assert get_client().get_prompt_version("greeting")
        assert len(platform.requests) == before

    def test_what_cannot_be_fetched_is_named_and_the_rest_is_cached(
        self, templates: Templates, platform: LocalPlatform
    ) -> None:
        templates.write("page.html", f'{LOAD}{USE}{{% scope_prompt "unknown" %}}{{% scope_prompt which %}}')
        ended = Ended("warm")
        assert ended.error == "1 of 2 prompts could not be fetched"
        assert "unknown: NotFoundError: " in ended.out
        assert "greeting: version 1" in ended.out
        shown = Ended("warm", "--format", "json").data["prompts"]
        assert {prompt["name"]: prompt["is_warm"] for prompt in shown} == {"greeting": True, "unknown": False}

    def test_a_platform_that_is_down_is_a_command_error(self, templates: Templates, platform: LocalPlatform) -> None:
        templates.write("page.html", LOAD + USE)
        platform.stop()
        ended = Ended("warm")
        assert ended.error == "1 of 1 prompt could not be fetched"
        assert "greeting: " in ended.out

    def test_a_stand_in_of_the_prompt_folder_is_not_warm(
        self, site: Any, platform: LocalPlatform, tmp_path: Any
    ) -> None:
        (tmp_path / "prompts").mkdir()
        (tmp_path / "prompts" / "greeting.md").write_text("Hi")
        site(PROMPT_DIR=str(tmp_path / "prompts"), MAX_RETRIES=0)
        platform.stop()
        ended = Ended("warm", "greeting")
        assert ended.error == "1 of 1 prompt could not be fetched"
        assert "a fallback" in ended.out

    def test_without_any_prompt_there_is_nothing_to_do(self, templates: Templates) -> None:
        ended = Ended("warm")
        assert (ended.out, ended.error) == ("no template names a prompt\n", None)

    @pytest.mark.parametrize("name", ["", ".."])
    def test_a_name_that_cannot_be_is_a_command_error(self, name: str, templates: Templates) -> None:
        ended = Ended("warm", name)
        assert ended.error is not None
        assert "Traceback" not in ended.error


class Manage:
    """`python -m django scope ...` in a process of its own."""

    def __init__(self, ready: Forking, folder: Path, environ: dict[str, str]) -> None:
        shutil.copy(TESTS / "django_app" / "settings.py", folder / "site_settings.py")
        with open(folder / "site_settings.py", "a") as opened:
            opened.write(f"\nTEMPLATES[0]['DIRS'] = [{str(folder / 'templates')!r}]\n")
        (folder / "templates").mkdir()
        self.ready = ready
        self.folder = folder
        self.environ = environ
        self.where = {"DJANGO_SETTINGS_MODULE": "site_settings"}

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SCOPE_", "DJANGO_"))}
        paths = [str(self.folder), str(TESTS), *filter(None, sys.path)]
        env = {**inherited, "PYTHONPATH": os.pathsep.join(paths), **self.environ, **self.where, **environ}
        if "PYTHONIOENCODING" not in environ:
            return as_text(self.ready.run("django", "scope", *arguments, env=env, cwd=Path.cwd(), timeout=60))
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "django", "scope", *arguments],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            env=env,
        )


@pytest.fixture
def manage(ready: Forking, tmp_path: Path, platform: LocalPlatform) -> Manage:
    return Manage(ready, tmp_path, {key: str.__str__(value) for key, value in platform.environ.items()})


class TestAsAProcess:
    def test_success_is_exit_code_0(self, manage: Manage) -> None:
        (manage.folder / "templates" / "page.html").write_text(LOAD + USE)
        for arguments, out in (
            (["get", "greeting"], GREETING),
            (["render", "greeting", "-v", "name=Ada", "-v", "time_of_day=day"], "Good day, Ada!"),
            (["check"], "settings, platform and credentials are good; 1 use of 1 prompt too"),
        ):
            ended = manage(*arguments)
            assert (ended.returncode, ended.stdout, ended.stderr) == (0, out + "\n", "")

    def test_a_failure_is_exit_code_1_with_one_line_and_no_traceback(self, manage: Manage) -> None:
        path = manage.folder / "templates" / "page.html"
        path.write_text(f'{LOAD}\n{{% scope_prompt "greetings" %}}')
        checked = manage("check")
        assert (checked.returncode, checked.stderr) == (1, "CommandError: 1 problem found\n")
        assert checked.stdout.startswith(f"{path}:2:17 S101 prompt 'greetings'")
        as_json = manage("check", "--format", "json")
        assert (as_json.returncode, as_json.stderr) == (1, "CommandError: 1 problem found\n")
        assert json.loads(as_json.stdout)["findings"][0]["line"] == 2
        missing = manage("get", "unknown")
        assert (missing.returncode, missing.stdout) == (1, "")
        assert missing.stderr.startswith("CommandError: NotFoundError: ")
        assert missing.stderr.count("\n") == 1

    def test_bad_settings_are_exit_code_1_and_no_traceback(self, manage: Manage) -> None:
        lacking = manage("get", "greeting", SCOPE_API_KEY="")
        assert lacking.returncode == 1
        assert lacking.stderr.startswith("CommandError: MissingApiKeyError: ")
        checked = manage("check", SCOPE_API_KEY="")
        assert (checked.returncode, checked.stderr) == (1, "CommandError: 1 problem found\n")
        with open(manage.folder / "site_settings.py", "a") as opened:
            opened.write("\nSCOPE = 5\n")
        for arguments in (["check"], ["get", "greeting"]):
            ended = manage(*arguments)
            assert (ended.returncode, ended.stdout) == (1, "")
            assert ended.stderr.startswith("CommandError: ConfigurationError: SCOPE must be a dict")

    def test_a_platform_that_is_down_is_exit_code_1_and_no_traceback(
        self, manage: Manage, platform: LocalPlatform
    ) -> None:
        with open(manage.folder / "site_settings.py", "a") as opened:
            opened.write("\nSCOPE = {'MAX_RETRIES': 0}\n")
        platform.stop()
        for arguments in (["check"], ["get", "greeting"], ["warm", "greeting"]):
            ended = manage(*arguments)
            assert ended.returncode == 1
            assert ended.stderr.startswith("CommandError: ")
            assert "Traceback" not in ended.stderr

    def test_wrong_usage_is_exit_code_2(self, manage: Manage) -> None:
        for arguments in ([], ["gett"], ["get"], ["get", "greeting", "--label", "staging"]):
            ended = manage(*arguments)
            assert ended.returncode == 2
            assert "Traceback" not in ended.stderr

    @pytest.mark.parametrize(
        ("option", "action"),
        [
            ("--settings=site_settings", ["check"]),
            ("--settings=site_settings", ["get", "greeting"]),
            ("--no-color", ["check"]),
            ("--verbosity=0", ["get", "greeting"]),
            ("--traceback", ["check"]),
        ],
        ids=lambda each: each if isinstance(each, str) else each[0],
    )
    def test_options_of_every_command_of_djangos_may_stand_before_the_action_and_after_it(
        self, option: str, action: list[str], manage: Manage
    ) -> None:
        manage.where = {"DJANGO_SETTINGS_MODULE": "" if option.startswith("--settings") else "site_settings"}
        assert manage(option, *action).returncode == 0
        after = manage(*action, option)
        assert (after.returncode, after.stderr) == (0, "")

    def test_help_names_every_action(self, manage: Manage) -> None:
        ended = manage("--help")
        assert ended.returncode == 0
        assert all(action in ended.stdout for action in ("check", "get", "render", "list", "warm"))

    def test_a_terminal_that_cannot_show_a_character_is_no_error(self, manage: Manage, platform: LocalPlatform) -> None:
        platform.publish("foreign", "Grüße 🎈")
        ended = manage("get", "foreign", PYTHONIOENCODING="ascii")
        assert "Traceback" not in ended.stderr
        assert ended.returncode == 0

    def test_no_secret_is_printed(self, manage: Manage) -> None:
        for arguments in (["check"], ["get", "greeting"], ["--traceback", "check"]):
            ended = manage(*arguments, SCOPE_API_SECRET="very-secret-1234")
            assert ended.returncode == 1
            assert "very-secret-1234" not in ended.stdout + ended.stderr


def test_an_error_among_the_prompts_of_a_test_hides_no_other_mistake(templates):
    templates.write("a.html", LOAD + '{% scope_prompt "broken" %}')
    templates.write("b.html", LOAD + '{% scope_prompt "good" typo=1 %}')
    with (
        override_prompts({"good": "x", "broken": ServerError("down")}),
        pytest.raises(CommandError, match="2 problems"),
    ):
        call_command("scope", "check")
