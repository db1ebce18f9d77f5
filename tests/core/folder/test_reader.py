"""A folder of prompts is read to the byte, and what is wrong in it is named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from faults.clock import ends_within
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scope_client._folder.reader import read_prompt_dir
from scope_client.errors import ConfigurationError


def write(folder: Path, **files: str | bytes) -> Path:
    """Files by name, with `__` for a slash and without the ending."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.md"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def content_of(folder: Path, text: str | bytes) -> str:
    return read_prompt_dir(write(folder, p=text))["p"][0].content


def complaint(folder: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_prompt_dir(folder)
    return str(caught.value)


def test_a_lone_file_is_version_1_and_published(tmp_path: Path) -> None:
    (version,) = read_prompt_dir(write(tmp_path, greeting="Hello, {{name}}!\n"))["greeting"]
    assert (version.prompt, version.number, version.content) == ("greeting", 1, "Hello, {{name}}!")
    assert (version.status, version.type, version.metadata, version.tags) == ("published", "text", {}, ())


def test_a_file_a_version_in_a_folder_of_the_prompt_s_name(tmp_path: Path) -> None:
    write(tmp_path, g__v10="ten", g__v2="two", g__v1="---\nstatus: archived\n---\none")
    versions = read_prompt_dir(tmp_path)["g"]
    assert [(v.number, v.content, v.status) for v in versions] == [
        (1, "one", "archived"),
        (2, "two", "draft"),
        (10, "ten", "draft"),
    ]


def test_the_only_version_in_a_folder_is_published_whatever_its_number(tmp_path: Path) -> None:
    (version,) = read_prompt_dir(write(tmp_path, g__v3="three"))["g"]
    assert (version.number, version.status) == (3, "published")


def test_front_matter_gives_status_type_metadata_tags_and_id(tmp_path: Path) -> None:
    front = (
        "status: draft\ntype: text\nmetadata: {model: gpt-4, deep: {list: [1, 2.5, null, true]}}\ntags: [a, b]\nid: v_9"
        "\nvariables: [tone, größe, tone]"
    )
    (version,) = read_prompt_dir(write(tmp_path, g=f"---\n{front}\n---\nHi\n"))["g"]
    assert version.declared == ("tone", "größe")
    assert (version.status, version.type, version.tags, version.id) == ("draft", "text", ("a", "b"), "v_9")
    assert version.metadata["model"] == "gpt-4"
    assert version.metadata["deep"]["list"] == (1, 2.5, None, True)


def test_a_key_without_a_value_is_as_good_as_absent(tmp_path: Path) -> None:
    (version,) = read_prompt_dir(write(tmp_path, g="---\nstatus:\ntags:\nmetadata:\nvariables:\nid:\n---\nHi"))["g"]
    assert (version.status, version.tags, version.metadata) == ("published", (), {})


def test_yaml_dates_in_metadata_become_iso_text(tmp_path: Path) -> None:
    front = "metadata: {day: 2024-01-31, moment: 2024-01-31 10:00:00Z}"
    (version,) = read_prompt_dir(write(tmp_path, g=f"---\n{front}\n---\n"))["g"]
    assert version.metadata == {"day": "2024-01-31", "moment": "2024-01-31T10:00:00+00:00"}


def test_what_is_read_cannot_be_changed(tmp_path: Path) -> None:
    prompts: Any = read_prompt_dir(write(tmp_path, g="---\nmetadata: {a: {b: 1}}\n---\n"))
    for mapping in (prompts, prompts["g"][0].metadata, prompts["g"][0].metadata["a"]):
        with pytest.raises(TypeError, match="assignment"):
            mapping["x"] = 1


def test_a_chat_prompt_is_a_json_array_of_messages(tmp_path: Path) -> None:
    content = json.dumps([{"role": "user", "content": "Hi {{name}}"}])
    (version,) = read_prompt_dir(write(tmp_path, g=f"---\ntype: chat\n---\n{content}\n"))["g"]
    assert (version.type, version.content) == ("chat", content)


def test_times_are_those_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, g="Hi")
    os.utime(tmp_path / "g.md", (0, 86400.5))
    (version,) = read_prompt_dir(tmp_path)["g"]
    assert version.created_at == version.updated_at == "1970-01-02T00:00:00.500Z"


def test_hidden_files_readmes_and_other_endings_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, **{".hidden": "x", "README": "x", "g__README": "x", "g__v1": "x", ".git__v1": "x"})
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "g" / "picture.png").write_bytes(b"\x89")
    (tmp_path / "images").mkdir()
    assert list(read_prompt_dir(tmp_path)) == ["g"]


@pytest.mark.parametrize("readme", ["README.md", "readme.md", "Readme.md", "README.MD", "ReadMe.Md"])
def test_a_readme_is_left_out_in_any_case(readme: str, tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    for folder in (tmp_path, tmp_path / "g"):
        (folder / readme).write_bytes(b"\xff")
    (tmp_path / "g" / "v1.md").write_text("Hi")
    assert list(read_prompt_dir(tmp_path)) == ["g"]


def test_hidden_folders_and_those_of_packages_are_left_out(tmp_path: Path) -> None:
    for place in (".git", ".github/workflows", "node_modules/some/docs", "Node_Modules", "g/.git", "g/node_modules/x"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "page.md").write_bytes(b"\xff")
    (tmp_path / "g" / "v1.md").write_text("Hi")
    assert list(read_prompt_dir(tmp_path)) == ["g"]


def test_endings_and_numbers_are_read_in_any_case_and_names_are_kept(tmp_path: Path) -> None:
    (tmp_path / "More").mkdir()
    for file in ("Greeting.MD", "other.Md", "More/V1.md", "More/v2.MD"):
        (tmp_path / file).write_text(file)
    prompts = read_prompt_dir(tmp_path)
    assert sorted(prompts) == ["Greeting", "More", "other"]
    assert [(each.number, each.content) for each in prompts["More"]] == [(1, "More/V1.md"), (2, "More/v2.MD")]
    assert (prompts["Greeting"][0].content, prompts["other"][0].content) == ("Greeting.MD", "other.Md")


def test_an_empty_folder_holds_no_prompt(tmp_path: Path) -> None:
    assert read_prompt_dir(str(tmp_path)) == {}


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", ""),
        ("\n", ""),
        ("Hi", "Hi"),
        ("Hi\n", "Hi"),
        ("Hi\n\n", "Hi\n"),
        ("  Hi  \n", "  Hi  "),
        ("---\n---\n\n\nHi\n", "\n\nHi"),
        ("---\n---", ""),
        ("---  \nstatus: draft\n---\t\nHi", "Hi"),
        ("---\n---\n---\na: b\n---\nHi\n---\n", "---\na: b\n---\nHi\n---"),
        ("--- a dash\n---\nHi", "--- a dash\n---\nHi"),
        ("----\nHi\n----\n", "----\nHi\n----"),
        ("---\n---\n\n---\nstatus: draft\n---\n", "\n---\nstatus: draft\n---"),
        ("# Greeting\n\n---\n\nHello\n\n---\n", "# Greeting\n\n---\n\nHello\n\n---"),
        ("Greeting\n---\nstatus: draft\n---\n", "Greeting\n---\nstatus: draft\n---"),
        ("\n\nHi\n---\n", "\n\nHi\n---"),
        ("\n----\nHi\n", "\n----\nHi"),
        ("\n---Hi\n---\n", "\n---Hi\n---"),
        ("<!-- a note -->\nHi\n---\n", "<!-- a note -->\nHi\n---"),
        ("<!-- not closed\n---\nHi", "<!-- not closed\n---\nHi"),
        ("- - -\nHi\n***\n", "- - -\nHi\n***"),
        ("---\r\nstatus: draft\r\n---\r\nHi\r\nyou\r\n", "Hi\r\nyou"),
        ("one\r\ntwo\r\n", "one\r\ntwo"),
        ("---\n---\none\r\ntwo\r\n", "one\r\ntwo\r"),
        ("\ufeff---\nstatus: draft\n---\nHi\n", "Hi"),
        ("\ufeffHi\n", "Hi"),
        ("\x0b\x0c\u2028\x85Hi\u2029\n", "\x0b\x0c\u2028\x85Hi\u2029"),
    ],
)
def test_content_is_all_but_the_front_matter_and_one_final_newline(text: str, content: str, tmp_path: Path) -> None:
    assert content_of(tmp_path, text) == content


@given(content=st.text(st.characters(exclude_categories=["Cs"])), front=st.sampled_from(["", "status: draft\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_content_written_below_front_matter_is_read_to_the_byte(content: str, front: str, tmp_path: Path) -> None:
    assert content_of(tmp_path, f"---\n{front}---\n{content}\n") == content


DRAFT = "---\nstatus: draft\n---\nNot ready, {{name}}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"\n{DRAFT}", 2),
        (f"\n\n \t\n{DRAFT}", 4),
        (f"\r\n\r\n{DRAFT}", 3),
        (f" {DRAFT}", 1),
        (f"\t{DRAFT}", 1),
        (f"\n  {DRAFT}", 2),
        (f"\xa0{DRAFT}", 1),
        (f"\u200b{DRAFT}", 1),
        (f"\u2060\n{DRAFT}", 2),
        (f"\u2066{DRAFT}", 1),
        (f"\u3164\n{DRAFT}", 2),
        (f"\U000e0020{DRAFT}", 1),
        (f"\x00{DRAFT}", 1),
        (f"\ufeff\ufeff{DRAFT}", 1),
        (f"\ufeff\n{DRAFT}", 2),
        (f"\n\ufeff{DRAFT}", 2),
        (f"\ufeff\ufeff\r\n{DRAFT}", 2),
        (f"\u2028{DRAFT}", 1),
        (f"\x0c{DRAFT}", 1),
        (DRAFT.replace("\n", "\r"), 1),
        ("\r" + DRAFT.replace("\n", "\r"), 2),
        ("\ufeff" + DRAFT.replace("\n", "\r"), 1),
        (DRAFT.replace("\n", "\r", 1), 1),
        (DRAFT.replace("\n", "\u2028"), 1),
        (DRAFT.replace("\n", "\xa0\n", 1), 1),
        (DRAFT.replace("\n", "\u200b\n", 1), 1),
        (f"<!-- Licensed\nto all -->\n{DRAFT}", 3),
        (f"\n<!-- a --> <!-- b -->\n\n{DRAFT}", 4),
        ("\n---\nHello\n", 2),
        ("\n---", 2),
    ],
)
def test_front_matter_that_does_not_begin_the_file_is_an_error_that_names_the_line(
    text: str, line: int, tmp_path: Path
) -> None:
    (tmp_path / "greeting.md").write_bytes(text.encode())
    message = complaint(tmp_path)
    assert f"\n  greeting.md: line {line}: front matter must begin with the first character of the file; " in message
    advice = "end the lines in line feeds" if text.startswith(("---", "\ufeff---")) else "remove what"
    assert advice in message
    assert "begin the file with two more lines ---" in message


def test_the_advice_for_a_rule_at_the_beginning_of_a_text_is_good(tmp_path: Path) -> None:
    rule = "\n---\nHello\n---"
    assert content_of(tmp_path, f"---\n---\n{rule}\n") == rule


@pytest.mark.parametrize("text", ["<!--" * 200_000, "<!---->" * 200_000, "\n" * 1_000_000, " <!-- -->\r" * 200_000])
def test_a_long_beginning_without_front_matter_is_looked_at_once(text: str, tmp_path: Path) -> None:
    with ends_within(5):
        assert content_of(tmp_path, f"{text}Hi\n") == f"{text}Hi"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("---\nstatsu: draft\n---\n", "unknown front matter key 'statsu'; the nearest one is 'status'"),
        ("---\n1: 2\n---\n", "unknown front matter key 1"),
        ("---\nstatus: live\n---\n", "status must be one of draft, published, archived, got 'live'"),
        ("---\nstatus: [draft]\n---\n", "status must be one of"),
        ("---\ntype: image\n---\n", "type must be one of text, chat, got 'image'"),
        ("---\ntags: a\n---\n", "tags must be a list of text, got 'a'"),
        ("---\ntags: [1]\n---\n", "tags must be a list of text, got [1]"),
        ("---\nid: 7\n---\n", "id must be text"),
        ("---\nid: '..'\n---\n", "id must be text"),
        ("---\nmetadata: gpt-4\n---\n", "metadata must be a mapping"),
        ("---\nmetadata: {1: x}\n---\n", "the keys of metadata must be text, got 1; put it in quotes"),
        ("---\nmetadata: {a: [.nan]}\n---\n", "metadata.a[0] must be a value that JSON can hold, got nan"),
        ("---\nmetadata: {a: !!binary aGk=}\n---\n", "metadata.a must be a value that JSON can hold"),
        (f"---\nmetadata: {'[' * 60}{']' * 60}\n---\n", "its front matter is nested too deeply"),
        (f"---\nmetadata:\n{'- ' * 60}x\n---\n", "its front matter is nested too deeply"),
        (f"---\nmetadata: {'{a: ' * 60}1{'}' * 60}\n---\n", "its front matter is nested too deeply"),
        ("---\nmetadata: &m {a: *m}\n---\n", "metadata is nested too deeply"),
        ("---\n- a\n---\n", "front matter must be lines such as 'status: published'"),
        ("---\nstatus: {\n---\n", "front matter is not YAML"),
        ("---\ntype: text\nmetadata: {a: [}\n---\n", "in line 3, column 16"),
        (f"---\ntype: text\n# {'long ' * 20}\nmetadata: {{a: [}}\n---\n", "in line 4, column 16"),
        ("---\nmetadata: {a: &x [1], b: *x}\nmetadata: {a: [}\n---\n", "in line 3, column 16"),
        ("---\ntags: !!int ''\n---\n", "front matter cannot be understood"),
        ("---\nid: !!timestamp 'zz'\n---\n", "front matter cannot be understood"),
        ("---\nmetadata: {day: 2024-13-45}\n---\n", "front matter is not YAML"),
        ("---\nmetadata: !!python/object:os.system {}\n---\n", "front matter is not YAML"),
        ("---\nmetadata: " + "[" * 5_000 + "\n---\n", "front matter"),
        ("---\nstatus: draft\n", "line 1: its front matter never ends; close it with a line ---"),
        ("---\nstatus: draft\n ---\nHi", "line 1: its front matter never ends; close it with a line ---"),
        ("---\nstatus: draft\r---\rHi", "line 1: its front matter never ends; close it with a line ---"),
        ("---\nvariables: tone\n---\n", "variables must be a list of names such as [name, tone], got 'tone'"),
        ("---\nvariables: [a b]\n---\n", "variables must be a list of names such as [name, tone], got ['a b']"),
        ("---\nvariables: [1]\n---\n", "variables must be a list of names such as [name, tone], got [1]"),
        ("---\nvariables: {tone: x}\n---\n", "variables must be a list of names"),
        (
            "---\ntype: chat\n---\nHi",
            'chat prompt\'s content as a JSON array of {"role": text, "content": text}, got text',
        ),
        ('---\ntype: chat\n---\n{"role": "user", "content": ""}', "text}, got a dict"),
        (
            '---\ntype: chat\n---\n[{"role": "user"}]',
            'g/v1.md: expected message 1 of a chat prompt as {"role": text, "content": text}',
        ),
        (b"caf\xe9", "is not UTF-8 (byte 3); save it as UTF-8"),
    ],
)
def test_a_file_that_is_not_right_is_named_with_what_to_do(text: str | bytes, says: str, tmp_path: Path) -> None:
    message = complaint(write(tmp_path, g__v1=text))
    assert "\n  g/v1.md: " in message
    assert says in message
    assert len(message.splitlines()) == 2


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (("g/v0.md",), "g/v0.md: a version's file is named"),
        (("g/v01.md",), "g/v01.md: a version's file is named"),
        (("g/v2-old.md",), "g/v2-old.md: a version's file is named"),
        (("g/v1 (copy).md",), "g/v1 (copy).md: a version's file is named"),
        (("a/g/v01.md",), "a/g/v01.md: a version's file is named v1.md, v2.md and so on; rename it"),
        (("a/g/v1.md", "a/g.md"), "a/g.md: there is a folder a/g/ too; keep one of the two"),
        (("a/g.md", "a/%67.md"), "a/g.md: there is a/%67.md too; keep one of the two"),
        (("g/v1.md", "%67/v1.md"), "g/v1.md: there is %67/v1.md too; keep one of the two"),
        (("a/g.md", "a/G.md"), "a/g.md: differs from a/G.md in upper and lower case alone; rename one of the two"),
        (("a/g.md", "A/h.md"), "a/: differs from A in upper and lower case alone; rename one of the two"),
        (("a/g.md", "A/h.md"), "A/: differs from a in upper and lower case alone; rename one of the two"),
        (("/".join("a" * 41) + "/v1.md",), "/: is too deep; move its files up, or elsewhere"),
        (("g/v1.md", "g.md"), "g.md: there is a folder g/ too; keep one of the two"),
        (("g.md", "g.MD"), "g.md: there is g.MD too; keep one of the two"),
        (("g/v1.md", "g.MD"), "g.MD: there is a folder g/ too; keep one of the two"),
        (("g/V1.md", "g/v1.md"), "g/v1.md: there is g/V1.md too; keep one of the two"),
        (("g.md", "G.md"), "g.md: differs from G.md in upper and lower case alone; rename one of the two"),
        (("g.md", "G.md"), "G.md: differs from g.md in upper and lower case alone; rename one of the two"),
        (("g/v1.md", "G/v1.md"), "g/: differs from G in upper and lower case alone; rename one of the two"),
        (("g/v1.md", "G.md"), "g/: differs from G.md in upper and lower case alone; rename one of the two"),
        (("größe.md", "GRÖSSE.md", "GRÖßE.md"), "größe.md: differs from GRÖßE.md in upper and lower case alone"),
        (("prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A.md",), "looks like a prompt's ID; choose another"),
    ],
)
def test_a_file_in_a_place_that_is_not_right_is_named(files: tuple[str, ...], says: str, tmp_path: Path) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("Hi")
    assert says in complaint(tmp_path)


def test_a_prompt_has_one_published_version_at_most(tmp_path: Path) -> None:
    text = "---\nstatus: published\n---\n"
    message = complaint(write(tmp_path, g__v1=text, g__v2="", g__v3=text))
    assert "g/v3.md: g/v1.md is published too; make one of them archived or draft" in message


def test_an_id_belongs_to_one_version(tmp_path: Path) -> None:
    message = complaint(write(tmp_path, g__v1="---\nid: v_1\n---\n", g__v2="---\nid: v_1\n---\n"))
    assert "g/v2.md: its id 'v_1' is also that of g/v1.md; change one" in message


def test_every_broken_file_is_reported_at_once(tmp_path: Path) -> None:
    write(tmp_path, a=b"\xff", b__v1="---\ntype: x\n---\n", b__v01="", b__c=b"\xff", fine="Hi")
    message = complaint(tmp_path)
    assert [line.split(":")[0] for line in message.splitlines()[1:]] == [
        "  b/v01.md",
        "  a.md",
        "  b/c.md",
        "  b/v1.md",
    ]


def test_a_link_to_nowhere_is_a_broken_file(tmp_path: Path) -> None:
    (tmp_path / "g.md").symlink_to(tmp_path / "gone")
    assert "g.md: is not a file" in complaint(tmp_path)


def test_a_folder_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    assert "does not exist; name one" in complaint(tmp_path / "gone")
    assert "is not a folder; name one" in complaint(write(tmp_path, file="") / "file.md")
