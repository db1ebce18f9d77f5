"""What `manage.py scope check` looks at, what it says that it did not look at, and the mistakes that it finds."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import jinja2
import pytest
from django.core.management import CommandError, call_command
from django.template.loaders import filesystem
from django.template.loaders.base import Loader
from faults.greeting import GREETING

from scope_client.local import LocalPlatform
from scope_django.test import override_prompts

if TYPE_CHECKING:
    from collections.abc import Iterator

LOAD = "{% load scope %}"
USE = '{% scope_prompt "greeting" time_of_day="day" name=user %}'
CALL = '{{ scope_prompt("greeting", time_of_day="day", name=user) }}'
DJANGO = "django.template.backends.django.DjangoTemplates"
JINJA = "django.template.backends.jinja2.Jinja2"
LOADERS = "django.template.loaders."
EXTENSION = "scope_django.jinja2.ScopeExtension"


class Ended:
    def __init__(self, *words: str) -> None:
        out = io.StringIO()
        self.error = ""
        try:
            call_command("scope", *words, stdout=out, stderr=out)
        except CommandError as error:
            self.error = str(error)
        self.out = out.getvalue()
        self.lines = self.out.splitlines()


def data(*words: str) -> Any:
    return json.loads(Ended(*words, "--json").out)


def places(*words: str) -> list[str]:
    """Where `check` finds a mistake."""
    return [f"{each['file']}:{each['line']}" for each in data("check", *words)["findings"]]


def used(*words: str) -> list[str]:
    return [f"{each['file']}:{each['line']}" for each in data("list", *words)["uses"]]


def left_out(*words: str) -> dict[str, str]:
    return {each["file"]: each["reason"] for each in data("check", *words)["left_out"]}


def unlisted() -> list[str]:
    return [each["loader"].rsplit(".", 1)[-1] for each in data("check")["unlisted"]]


@pytest.fixture
def project(tmp_path: Path, settings: Any, scope_settings: Callable[..., Any]) -> Path:
    """A folder of templates that Django's engine looks into, in a project of its own."""
    scope_settings(MAX_RETRIES=0)
    settings.BASE_DIR = tmp_path
    settings.TEMPLATES = [engine(tmp_path / "templates")]
    (tmp_path / "templates").mkdir()
    return tmp_path


def engine(*folders: Path, **options: Any) -> dict[str, Any]:
    return {"BACKEND": DJANGO, "DIRS": list(folders), "OPTIONS": options}


def jinja(*folders: Path, **options: Any) -> dict[str, Any]:
    return {"BACKEND": JINJA, "DIRS": list(folders), "OPTIONS": {"extensions": [EXTENSION], **options}}


def write(project: Path, **texts: str) -> None:
    for name, text in texts.items():
        (project / "templates" / f"{name}.html").write_text(text)


def put(project: Path, name: str, text: str) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(text)


class Database(Loader):
    """Loads by name, as loaders over a database do, and cannot say which names there are."""

    def get_template_sources(self, template_name: str) -> Iterator[Any]:
        return iter(())


class Raising(filesystem.Loader):
    def get_dirs(self) -> list[str]:
        raise OSError("the disk is gone")


class Preprocessing(filesystem.Loader):
    """Makes Django's own tags of another language, as loaders for Haml do."""

    def get_contents(self, origin: Any) -> str:
        return Path(origin.name).read_text().replace("<%", "{%").replace("%>", "%}")


class Joining(filesystem.Loader):
    """Makes one line of a tag over several, as a snippet does that many projects have."""

    def get_contents(self, origin: Any) -> str:
        return re.sub(r"{%.*?%}", lambda tag: tag[0].replace("\n", ""), Path(origin.name).read_text(), flags=re.DOTALL)


class JoiningOne(Joining):
    """As the other, of a project's own."""


class OfTheUser(jinja2.BaseLoader):
    """Loads by name, and asks another loader for what it does not have."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Failing(jinja2.BaseLoader):
    def list_templates(self) -> list[str]:
        raise RuntimeError("no such table")


class TestLoadersThatCannotBeListed:
    @pytest.mark.parametrize("is_cached", [False, True])
    @pytest.mark.parametrize(("loader", "why"), [("Database", ""), ("Raising", "OSError: the disk is gone")])
    def test_one_of_django_is_named_and_its_neighbour_is_read(
        self, loader: str, why: str, is_cached: bool, project: Path, settings: Any
    ) -> None:
        write(project, page=f"{LOAD}\n{{% scope_prompt 'greetings' %}}")
        loaders: list[Any] = [f"{__name__}.{loader}", LOADERS + "filesystem.Loader"]
        if is_cached:
            loaders = [(LOADERS + "cached.Loader", loaders)]
        settings.TEMPLATES = [engine(project / "templates", loaders=loaders)]
        ended = Ended("check")
        assert places() == ["templates/page.html:2"]
        assert ended.lines[-1].startswith("1 loader cannot be listed, its templates were not looked at: ")
        assert ended.lines[-1].endswith(f"{loader} ({why})" if why else loader)
        assert unlisted() == [loader]

    @pytest.mark.parametrize("around", ["alone", "choice", "prefix", "nested", "user"])
    def test_one_of_jinja_is_named_and_its_neighbour_is_read(self, around: str, project: Path, settings: Any) -> None:
        good = jinja2.DictLoader({"good.html": "\n{{ scope_prompt('greetings') }}"})
        mute = jinja2.FunctionLoader(lambda name: None)
        loaders: dict[str, Any] = {
            "alone": mute,
            "choice": jinja2.ChoiceLoader([mute, good]),
            "prefix": jinja2.PrefixLoader({"a": mute, "b": good}),
            "nested": jinja2.ChoiceLoader([jinja2.PrefixLoader({"b": jinja2.ChoiceLoader([mute, good])})]),
            "user": OfTheUser(jinja2.ChoiceLoader([good, mute])),
        }
        settings.TEMPLATES = [jinja(loader=loaders[around])]
        prefix = "b/" if around in ("prefix", "nested") else ""
        assert places() == ([] if around == "alone" else [f"{prefix}good.html:2"])
        assert unlisted() == (["OfTheUser"] if around == "user" else []) + ["FunctionLoader"]

    def test_what_one_raises_is_told(self, project: Path, settings: Any) -> None:
        settings.TEMPLATES = [jinja(loader=jinja2.ChoiceLoader([Failing(), jinja2.DictLoader({"a.html": CALL})]))]
        ended = Ended("check")
        assert ended.error == ""
        assert ended.lines[0] == "settings, platform and credentials are good; 1 use of 1 prompt too"
        assert ended.lines[1].endswith("Failing (RuntimeError: no such table)")

    def test_an_engine_of_another_kind_is_named(self, project: Path, settings: Any) -> None:
        settings.TEMPLATES.append({"BACKEND": "django.template.backends.dummy.TemplateStrings", "NAME": "strings"})
        assert unlisted() == ["TemplateStrings"]

    def test_an_engine_that_cannot_be_made_hides_no_other(self, project: Path, settings: Any) -> None:
        write(project, page=f"{LOAD}\n{{% scope_prompt 'greetings' %}}")
        settings.TEMPLATES.insert(0, {"BACKEND": JINJA, "OPTIONS": {"extensions": ["no.such.Extension"]}})
        findings = data("check")["findings"]
        assert [each["file"] for each in findings] == ["TEMPLATES 'jinja2'", "templates/page.html"]
        assert findings[0]["message"].startswith("cannot be read: ")

    @pytest.mark.parametrize("command", ["list", "check"])
    def test_it_is_a_note_and_no_failure(self, command: str, project: Path, settings: Any) -> None:
        settings.TEMPLATES = [jinja(loader=jinja2.FunctionLoader(lambda name: None))]
        ended = Ended(command)
        assert ended.error == ""
        assert "1 loader cannot be listed" in ended.out

    @pytest.mark.parametrize("loader", ["Joining", "JoiningOne"])
    def test_a_loader_may_teach_django_tags_over_two_lines(self, loader: str, project: Path, settings: Any) -> None:
        write(project, page=f"{LOAD}\n" + USE.replace(" name", "\n name") + "\n{% scope_prompt 'greetings' %}")
        settings.TEMPLATES = [engine(project / "templates", loaders=[f"{__name__}.{loader}"])]
        found = data("check")
        assert [each["message"][:24] for each in found["findings"]] == ["prompt 'greetings' does "]
        assert found["uses"] == 2

    def test_what_a_loader_makes_of_a_file_is_read_if_the_file_itself_names_no_prompt(
        self, project: Path, settings: Any
    ) -> None:
        write(project, page="<% load scope %>\n<% scope_prompt 'greetings' %>", plain=LOAD + USE)
        settings.TEMPLATES = [engine(project / "templates", loaders=[f"{__name__}.Preprocessing"])]
        assert used() == ["templates/page.html:2", "templates/plain.html:1"]
        assert places() == ["templates/page.html:2"]


class TestTemplatesOfTwoEngines:
    @pytest.mark.parametrize("first", [DJANGO, JINJA])
    def test_one_is_read_by_the_engine_that_can(self, first: str, project: Path, settings: Any) -> None:
        folder = project / "templates"
        settings.TEMPLATES = sorted([engine(folder), jinja(folder)], key=lambda each: each["BACKEND"] != first)
        write(project, tag=f"{LOAD}\n{USE}", call=f"\n\n{CALL}", lines=CALL.replace(", ", ",\n"), plain="scope_prompt")
        assert data("list")["unread"] == []
        assert used() == ["templates/call.html:3", "templates/lines.html:1", "templates/tag.html:2"]
        assert Ended("check").error == ""

    @pytest.mark.parametrize("first", [DJANGO, JINJA])
    def test_one_that_none_can_parse_is_named_once_with_the_error_of_the_engine_that_it_is_for(
        self, first: str, project: Path, settings: Any
    ) -> None:
        folder = project / "templates"
        settings.TEMPLATES = sorted([engine(folder), jinja(folder)], key=lambda each: each["BACKEND"] != first)
        write(project, tag=f"{LOAD}\n{{% scope_prompt %}}", call='\n\n{{ scope_prompt("greeting" }}')
        found = {f"{each['file']}:{each['line']}": each["message"] for each in data("check")["findings"]}
        assert set(found) == {"templates/tag.html:2", "templates/call.html:3"}
        assert "got no name" in found["templates/tag.html:2"]
        assert "unexpected '}'" in found["templates/call.html:3"]


BROKEN = [
    f'{LOAD}<p>\n{{% scope_prompt "greeting"\n   name=user %}}',
    f'{LOAD}<p>\n{{%\n scope_prompt "greeting" name=user %}}',
    f'{LOAD}{{% if a %}}\n{{% scope_prompt "greeting" name=user }}\n{{% endif %}}',
    f'{LOAD}\n{{{{ scope_prompt("greeting",\n name=user) }}}}',
]
NOT_BROKEN = [
    f'{LOAD}{{# {{% scope_prompt "greeting" #}}',
    f'{LOAD}{{% comment %}}\n{{% scope_prompt "greeting"\n name=user %}}{{% endcomment %}}',
    f'{LOAD}{{% comment "a note" %}}{{% scope_prompt "x"\n %}}{{% if %}}{{% endcomment %}}',
    f'{LOAD}{{% verbatim %}}\n{{% scope_prompt "greeting"\n name=user %}}{{% endverbatim %}}',
    f'{LOAD}{{% verbatim here %}}{{% endverbatim %}}\n{{% scope_prompt "x"\n %}}{{% endverbatim here %}}',
    "scope_prompt\nis only mentioned",
    "{% templatetag openblock %} scope_prompt 'x' {% templatetag closeblock %}",
]


class TestTagsThatDjangoPrints:
    @pytest.mark.parametrize("text", BROKEN)
    def test_one_over_two_lines_is_found(self, text: str, project: Path) -> None:
        write(project, page=text, good=LOAD + USE)
        ended = Ended("check")
        assert places() == ["templates/page.html:2"]
        assert "so Django prints it as text" in ended.lines[0]
        assert ended.error == "1 problem found"

    @pytest.mark.parametrize("text", NOT_BROKEN)
    def test_comments_and_mentions_are_none(self, text: str, project: Path) -> None:
        write(project, page=text)
        assert places() == []

    def test_each_of_a_template_is_found_and_warm_and_list_name_them_too(self, project: Path) -> None:
        tag = '{% scope_prompt "greeting"\n name=user %}\n'
        write(project, page=LOAD + "\n" + tag + USE + "\n" + tag)
        assert places() == ["templates/page.html:2", "templates/page.html:5"]
        ended = Ended("list")
        assert ended.error == "1 template could not be read"
        assert ended.lines[0].startswith("templates/page.html:4  prompt 'greeting'")
        assert "1 template could not be read" in Ended("warm").error

    def test_jinja_takes_as_many_lines_as_it_likes(self, project: Path, settings: Any) -> None:
        settings.TEMPLATES = [jinja(project / "templates")]
        write(project, page=CALL.replace(" ", "\n"))
        assert places() == []


TAGS_WITH_BRACES = [
    "name='{{ user }}'",
    'name="Dear {{user.name}}!"',
    "with name='{{ user }}'",
    "name='{{ user }}'|upper",
    "name=user|default:'{{ other }}'",
    "name=user|default_if_none:'{{ other }}'|title",
    "name=_('{{ user }}')",
    "name='{{ user' ",
]
TAGS_WITHOUT = [
    "name=user fallback='Hi {{name}}'",
    "name=user rollout_key=user.pk",
    "name=user fallback=none|default:'Hi {{name}}'",
    "name=user|cut:'{{'",
    "name='{user}'",
    "name=user as text",
]
CALLS_WITH_BRACES = [
    "name='{{ user }}'",
    "name='Dear ' ~ '{{ user }}'",
    "name='Dear ' + '{{ user }}'",
    "name=user|default('{{ other }}')",
    "name='{{ user }}'|upper",
    "name='{{ user }}' if a else b",
    "name=user or '{{ other }}'",
    "name=['{{ user }}', b]|join(', ')",
    "variables={'name': '{{ user }}'}",
]
CALLS_WITHOUT = [
    "name=user, fallback='Hi {{name}}'",
    "name=user, rollout_key=user.pk",
    "name=user|replace('{{', '')",
    "name=user.split('{{')[0]",
    "name=a if '{{' in b else c",
    "name=scope_prompt('greeting', name=a, time_of_day=b, fallback='Hi {{name}}')",
]


class TestBracesInValues:
    @pytest.mark.parametrize("values", TAGS_WITH_BRACES)
    def test_those_of_a_tag_are_found(self, values: str, project: Path) -> None:
        write(project, page=f'{LOAD}\n{{% scope_prompt "greeting" time_of_day="day" {values} %}}')
        ended = Ended("check")
        assert places() == ["templates/page.html:2"]
        assert "the variable 'name' is given the text" in ended.lines[0]
        assert "write it without quotes and braces" in ended.lines[0]

    @pytest.mark.parametrize("values", TAGS_WITHOUT)
    def test_a_fallback_and_a_text_that_is_looked_for_may_have_them(self, values: str, project: Path) -> None:
        write(project, page=f'{LOAD}{{% scope_prompt "greeting" time_of_day="day" {values} %}}')
        assert places() == []

    @pytest.mark.parametrize("values", CALLS_WITH_BRACES)
    def test_those_of_a_call_are_found(self, values: str, project: Path, settings: Any) -> None:
        settings.TEMPLATES = [jinja(project / "templates")]
        write(project, page=f"\n{{{{ scope_prompt('greeting', time_of_day='day', {values}) }}}}")
        assert places() == ["templates/page.html:2"]
        assert "the variable 'name' is given the text" in Ended("check").lines[0]

    @pytest.mark.parametrize("values", CALLS_WITHOUT)
    def test_so_may_those_of_a_call(self, values: str, project: Path, settings: Any) -> None:
        settings.TEMPLATES = [jinja(project / "templates")]
        write(project, page=f"{{{{ scope_prompt('greeting', time_of_day='day', {values}) }}}}")
        assert places() == []

    def test_they_are_those_of_the_environment(self, project: Path, settings: Any) -> None:
        options = {"variable_start_string": "[[", "variable_end_string": "]]"}
        settings.TEMPLATES = [jinja(project / "templates", **options)]
        call = "[[ scope_prompt('greeting', time_of_day='{{ of_another_language }}', name='[[ user ]]') ]]"
        write(project, page=call)
        (line,) = Ended("check").lines
        assert "the variable 'name' is given the text '[[ user ]]'" in line

    def test_in_a_prompts_name_they_are_explained(self, project: Path) -> None:
        write(project, page=f'{LOAD}{{% scope_prompt "{{{{ which }}}}" %}}')
        (line,) = Ended("check").lines
        assert "braces are text there" in line


class TestWhatIsLeftOut:
    @pytest.mark.parametrize(
        ("pattern", "out"),
        [
            ("drafts", {"drafts/a.html", "drafts/b.txt", "deep/drafts/c.html"}),
            ("templates/drafts", {"drafts/a.html", "drafts/b.txt"}),
            ("./templates/drafts/", {"drafts/a.html", "drafts/b.txt"}),
            ("drafts/*.html", {"drafts/a.html", "deep/drafts/c.html"}),
            ("*.txt", {"drafts/b.txt"}),
            ("a.html", {"drafts/a.html"}),
            ("d?ep", {"deep/drafts/c.html"}),
            ("html", set()),
            ("raft", set()),
        ],
    )
    def test_a_pattern_names_a_path_or_parts_of_it(self, pattern: str, out: set[str], project: Path) -> None:
        every = {"drafts/a.html", "drafts/b.txt", "deep/drafts/c.html", "page.html"}
        for name in every:
            put(project, f"templates/{name}", f"{LOAD}{{% scope_prompt 'unknown' %}}")
        assert {place.split(":")[0] for place in places("--exclude", pattern)} == {
            f"templates/{n}" for n in every - out
        }
        assert left_out("--exclude", pattern) == {f"templates/{name}": "--exclude" for name in out}
        assert {use.split(":")[0] for use in used("--exclude", pattern)} == {
            f"templates/{name}" for name in every - out
        }

    def test_patterns_add_up_and_the_count_is_told(self, project: Path) -> None:
        for name in ("a.html", "b.html", "c.html"):
            put(project, f"templates/{name}", LOAD + USE)
        ended = Ended("check", "--exclude", "a.html", "--exclude", f"{project}/templates/b*")
        assert ended.lines == [
            "settings, platform and credentials are good; 1 use of 1 prompt too",
            "2 files left out: templates/a.html (--exclude), templates/b.html (--exclude)",
        ]
        assert Ended("warm", "--exclude", "*.html").lines[0] == "no template names a prompt"

    def test_files_that_are_not_templates_are_no_findings(self, project: Path) -> None:
        broken = "```\n{% scope_prompt %}\n```"
        expected = {
            "README.md": "documentation",
            "notes/how-to.md": "documentation",
            "CHANGELOG": "documentation",
            "card/card.py": "code",
            "photo.png": "not text",
            "page.html.bak": "a copy of an editor's",
            "page.html~": "a copy of an editor's",
        }
        for name in expected:
            put(project, f"templates/{name}", f'"""{broken}"""' if name.endswith(".py") else broken)
        put(project, "templates/node_modules/kit/page.html", broken)
        put(project, "templates/.git/page.html", broken)
        put(project, "templates/page.html", LOAD + USE)
        ended = Ended("check")
        assert ended.error == ""
        assert "8 files left out: " in ended.out
        found = left_out()
        assert found.pop("templates/node_modules/") == "a folder of packages"
        assert found == {f"templates/{name}": why for name, why in expected.items()}

    def test_a_text_about_templates_is_one_if_it_can_be_parsed_and_names_a_prompt(self, project: Path) -> None:
        put(project, "templates/mail.md", f"{LOAD}\n{{% scope_prompt 'unknown' %}}")
        put(project, "templates/welcome.txt", f"{LOAD}\n{{% scope_prompt %}}")
        assert sorted(places()) == ["templates/mail.md:2", "templates/welcome.txt:2"]

    def test_pages_of_such_names_are_templates(self, project: Path) -> None:
        for name in ("changelog.html", "license.html", "readme.txt.html"):
            put(project, f"templates/{name}", f"{LOAD}{{% scope_prompt %}}")
        assert len(places()) == 3
        assert left_out() == {}

    def test_what_cannot_be_opened_and_what_is_too_long_is_said(self, project: Path, settings: Any) -> None:
        put(project, "not-a-folder", LOAD)
        put(project, "templates/long.html", LOAD + USE)
        put(project, "templates/film.mp4", LOAD + USE)
        for name in ("long.html", "film.mp4"):
            os.truncate(project / "templates" / name, 10_000_001)
        os.symlink("/proc/self/mem", project / "templates" / "page.html")
        os.symlink("nowhere", project / "templates" / "gone.html")
        settings.TEMPLATES = [engine(project / "templates", project / "not-a-folder", project / "no-such-folder")]
        assert left_out() == {
            "templates/long.html": "over 10 MB",
            "templates/page.html": "cannot be opened: Input/output error",
            "not-a-folder": "cannot be opened: Not a directory",
        }

    def test_files_that_name_no_prompt_are_not_counted(self, project: Path) -> None:
        put(project, "templates/README.md", "Nothing.")
        put(project, "templates/old/page.html", "Nothing.")
        assert left_out("--exclude", "old") == {}

    @pytest.mark.parametrize("backend", [DJANGO, JINJA])
    def test_a_template_that_another_of_its_name_hides(self, backend: str, project: Path, settings: Any) -> None:
        make = engine if backend == DJANGO else jinja
        settings.TEMPLATES = [make(project / "first", project / "second")]
        good, bad = (LOAD + USE, f"{LOAD}{{% scope_prompt 'x' %}}") if backend == DJANGO else (CALL, CALL[:-4])
        put(project, "first/a/page.html", good)
        put(project, "second/a/page.html", bad)
        put(project, "second/a/other.html", good)
        assert left_out() == {"second/a/page.html": "hidden by first/a/page.html"}
        assert used() == ["first/a/page.html:1", "second/a/other.html:1"]
        assert Ended("check").error == ""

    @pytest.mark.parametrize("name", ["'admin/base.html'", '"admin/base.html"', "which"])
    def test_it_is_not_hidden_from_the_one_that_extends_it(self, name: str, project: Path, settings: Any) -> None:
        settings.TEMPLATES = [engine(project / "first", project / "second", project / "third")]
        put(project, "first/admin/base.html", f"{{% extends {name} %}}")
        put(project, "second/admin/base.html", f"{LOAD}\n{USE}")
        put(project, "third/admin/base.html", f"{LOAD}\n{USE}")
        assert used() == ["second/admin/base.html:2"]
        assert left_out() == {"third/admin/base.html": "hidden by second/admin/base.html"}

    def test_nor_from_an_engine_that_finds_it_first(self, project: Path, settings: Any) -> None:
        first, second = project / "first", project / "second"
        settings.TEMPLATES = [engine(first, second), {**engine(second), "NAME": "mail"}]
        put(project, "first/page.html", "")
        put(project, "second/page.html", f"{LOAD}{USE}")
        assert used() == ["second/page.html:1"]
        assert left_out() == {}


class TestNamesThatAreNearOthers:
    def test_the_nearest_of_those_that_are_there_is_offered(self, project: Path, platform: LocalPlatform) -> None:
        platform.publish("farewell", "x")
        write(
            project, page=f"{LOAD}\n{{% scope_prompt 'greting' %}}", good=LOAD + USE + "{% scope_prompt 'farewell' %}"
        )
        (line,) = Ended("check").lines
        assert line.startswith("templates/page.html:2:17 S101 prompt 'greting' does not exist")
        assert line.endswith("; the nearest one is 'greeting'")

    def test_one_that_may_be_there_without_a_version_in_production_is_offered_it_as_a_guess(
        self, project: Path, platform: LocalPlatform
    ) -> None:
        platform.draft("greetings", "x")
        write(project, page=f"{LOAD}\n{{% scope_prompt 'greetings' %}}", good=LOAD + USE)
        assert Ended("check").lines[0].endswith("; if its name is misspelt: the nearest one is 'greeting'")

    def test_one_that_is_like_no_other_is_offered_none(self, project: Path) -> None:
        write(project, page=f"{LOAD}\n{{% scope_prompt 'zzz' %}}", good=LOAD + USE)
        assert "nearest" not in Ended("check").out

    def test_those_of_the_prompt_folder_are_offered(self, project: Path, scope_settings: Callable[..., Any]) -> None:
        put(project, "prompts/invoice-reminder.md", "Pay!")
        scope_settings(MAX_RETRIES=0, PROMPT_DIR=str(project / "prompts"))
        write(project, page=f"{LOAD}\n{{% scope_prompt 'invoice_reminder' %}}")
        assert Ended("check").lines[0].endswith("; the nearest one is 'invoice-reminder'")

    def test_those_of_a_test_are_offered(self, project: Path) -> None:
        write(project, page=f"{LOAD}\n{{% scope_prompt 'greting' name=a time_of_day=b %}}")
        with override_prompts({"greeting": GREETING}):
            assert Ended("check").lines[0].endswith("; the nearest one is 'greeting'")


class TestPaths:
    def test_they_are_absolute_outside_of_the_project(self, project: Path, settings: Any, tmp_path: Path) -> None:
        settings.BASE_DIR = tmp_path / "elsewhere"
        write(project, page=LOAD + USE)
        assert used() == [f"{tmp_path}/templates/page.html:1"]

    @pytest.mark.parametrize("base", [str, Path, None])
    def test_they_are_relative_to_base_dir_or_the_current_folder(
        self, base: Any, project: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(project, page=LOAD + USE)
        if base is None:
            del settings.BASE_DIR
            monkeypatch.chdir(project)
        else:
            settings.BASE_DIR = base(project)
        assert used() == ["templates/page.html:1"]
        assert Ended("list").lines[0].startswith("templates/page.html:1  prompt")

    def test_a_project_behind_a_link_is_the_same(self, project: Path, settings: Any, tmp_path: Path) -> None:
        write(project, page=LOAD + USE)
        (tmp_path / "link").symlink_to(project, target_is_directory=True)
        settings.TEMPLATES = [engine(tmp_path / "link" / "templates")]
        settings.BASE_DIR = project.resolve()
        assert used() == ["link/templates/page.html:1"]


class TestUnderOverridePrompts:
    def test_templates_are_compared_with_its_prompts_and_no_secret_is_asked_for(
        self, project: Path, settings: Any, platform: LocalPlatform
    ) -> None:
        settings.SCOPE = {}
        write(project, page=LOAD + USE, other=f"{LOAD}\n{{% scope_prompt 'greeting' nam=1 time_of_day=2 %}}")
        with override_prompts({"greeting": GREETING}):
            findings = data("check")["findings"]
            assert {f"{each['file']}:{each['line']}" for each in findings} == {"templates/other.html:2"}
            assert [each["code"] for each in findings] == ["S103", "S102"]
            assert "the nearest one is 'name'" in findings[1]["message"]
            write(project, other="")
            assert Ended("check").lines == ["the prompts of the test are good; 1 use of 1 prompt too"]
        assert not platform.requests
        assert "credentials lack" in Ended("check").out

    def test_other_faults_of_the_settings_are_still_told(self, project: Path, settings: Any) -> None:
        settings.SCOPE = {"CACHE_TTLL": 5}
        write(project, page=f"{LOAD}\n{{% scope_prompt 'x' %}}")
        with override_prompts({"greeting": GREETING}):
            ended = Ended("check")
        assert ended.error == "2 problems found"
        assert "SCOPE['CACHE_TTLL'] is not a setting" in ended.lines[0]
        assert ended.lines[1].startswith("templates/page.html:2:17 S101 ")

    def test_the_platform_of_a_test_is_asked_without_a_word_of_credentials(
        self, project: Path, settings: Any, scope_prompts: Callable[..., Any]
    ) -> None:
        settings.SCOPE = {}
        scope_prompts("greeting", GREETING)
        write(project, page=LOAD + USE)
        assert Ended("check").error == ""

    def test_warm_has_nothing_to_complain_of(self, project: Path, settings: Any) -> None:
        settings.SCOPE = {}
        write(project, page=LOAD + USE)
        with override_prompts({"greeting": GREETING}):
            assert Ended("warm").error == ""


class TestSeveralOrganisations:
    @pytest.fixture
    def several(self, project: Path, settings: Any) -> Iterator[LocalPlatform]:
        with LocalPlatform({"salutation": "Dear {{name}}", "greeting": "Hallo {{name}}"}) as other:
            keys = other.credentials
            theirs = {"ORG_ID": keys.org_id, "API_KEY": keys.api_key, "API_SECRET": str.__str__(keys.api_secret)}
            eu = {**theirs, "BASE_URL": other.url, "AUTH_API_URL": other.url, "MAX_RETRIES": 0}
            settings.SCOPE = {"default": settings.SCOPE, "eu": eu}
            yield other

    def test_each_use_is_compared_with_the_prompt_of_its_organisation(
        self, project: Path, several: LocalPlatform
    ) -> None:
        tags = [
            '"greeting" using="eu" name=a',
            '"salutaton" using="eu" name=a',
            '"salutation" name=a',
            '"x" using=which',
        ]
        write(project, page="\n".join([LOAD + USE, *(f"{{% scope_prompt {tag} %}}" for tag in tags)]))
        found = {each["line"]: each["message"] for each in data("check")["findings"]}
        assert set(found) == {3, 4}
        assert found[3].startswith("prompt 'salutaton', using 'eu', does not exist")
        assert found[4].startswith("prompt 'salutation' does not exist")
        assert [each["line"] for each in data("check")["unchecked"]] == [5]

    def test_an_organisation_that_is_not_there_is_found(self, project: Path, several: LocalPlatform) -> None:
        write(project, page=f'{LOAD}\n{{% scope_prompt "greeting" using="us" name=a %}}')
        (line,) = Ended("check").lines
        assert line.startswith("templates/page.html:2:17 S101 ConfigurationError: SCOPE has no organisation 'us'")

    def test_a_mapping_may_give_more_variables(self, project: Path) -> None:
        write(project, page=f'{LOAD}\n{{% scope_prompt "greeting" variables=them nam=a %}}')
        (line,) = Ended("check").lines
        assert "has no variable 'nam'" in line

    def test_each_is_warmed(self, project: Path, several: LocalPlatform, platform: LocalPlatform) -> None:
        write(project, page=LOAD + USE + '{% scope_prompt "salutation" using="eu" name=a %}')
        assert Ended("warm").lines == ["greeting: version 1", "salutation: version 1, using eu"]
        shown = data("warm", "greeting", "--using", "eu")["prompts"]
        found = [(each["name"], each["using"]) for each in shown]
        assert found == [("greeting", None), ("salutation", "eu"), ("greeting", "eu")]

    def test_a_call_of_jinja_names_one_too(self, project: Path, settings: Any, several: LocalPlatform) -> None:
        settings.TEMPLATES = [jinja(project / "templates")]
        calls = ["'greeting', using='eu', nam=a, name=b", "'greeting', using=which, name=b", "'salutation', name=b"]
        write(project, page="\n".join(f"{{{{ scope_prompt({call}) }}}}" for call in calls))
        found = {each["line"]: each["message"] for each in data("check")["findings"]}
        assert found.keys() == {1, 3}
        assert found[1] == "prompt 'greeting', using 'eu', has no variable 'nam'; the nearest one is 'name'"
        assert [each["line"] for each in data("check")["unchecked"]] == [2]
