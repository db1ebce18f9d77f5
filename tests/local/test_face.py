"""The pages of the local platform, over HTTP: what they show, what they change, and whom they refuse."""

from __future__ import annotations

import html
import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

import pytest
import requests
from faults.clock import ManualClock

from scope_client import ApiKeyCredentials, Configuration, MissingVariableError, NoProductionVersionError, ScopeError
from scope_client._folder.reader import PromptFolder, read_prompt_dir
from scope_client._prompt.prompt_read import ReadFrom
from scope_client.local import LocalPlatform
from scope_client.local._face._fault_page import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = re.compile(r'name="token" value="([^"]+)"')
SEEN = re.compile(r'name="seen" value="([^"]*)"')
MARKUP = "<b>&\"'</b><script>alert(1)</script>{{x}}"
CHAT = [
    {"role": "system", "content": "You know {{product}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]
READING = ["/", "/prompts/greeting", "/prompts/greeting/1", "/prompts/greeting/diff?old=1&new=2"]
PATIENCE = 60.0  # seconds, on a machine that is busy
ACCEPT = {"Accept": "text/html"}
PAGES = [*READING, "/requests", "/faults", "/connect", "/new", "/prompts/greeting/draft?from=1", "/no-such-page"]


class Visitor:
    """A browser's requests, without a browser."""

    def __init__(self, platform: LocalPlatform) -> None:
        self.url = platform.url
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **headers: str) -> requests.Response:
        headers = {"Accept": "text/html", **headers}
        return self.session.get(self.url + path, headers=headers, timeout=PATIENCE)

    def text(self, path: str) -> str:
        """What the page at a path says, without its tags."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return text_of(answer)

    def token(self) -> str:
        found = TOKEN.search(self.get("/new").text)
        assert found is not None
        return found[1]

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> requests.Response:
        """Sends a form of ours."""
        return self.send(path, {"token": self.token(), **fields}, headers)

    def send(self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> requests.Response:
        sent = {"Origin": self.url, **(headers or {})}
        return self.session.post(self.url + path, fields, headers=sent, timeout=PATIENCE, allow_redirects=False)

    def seen(self, path: str) -> str:
        found = SEEN.search(self.get(path).text)
        assert found is not None
        return found[1]


def text_of(answer: requests.Response) -> str:
    body = answer.text.partition("<main")[2] or answer.text
    return html.unescape(re.sub(r"<[^>]*>", "", body))


def words_of(answer: requests.Response) -> str:
    """The same with a space between any two of them."""
    body = answer.text.partition("<main")[2].partition(">")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    greeting = tmp_path / "prompts" / "greeting"
    greeting.mkdir(parents=True)
    (greeting / "v1.md").write_text("---\nstatus: published\nmetadata: {model: gpt-4}\n---\nHello, {{name}}!\n")
    (greeting / "v2.md").write_text("---\nmetadata: {model: gpt-5}\ntags: [warm]\n---\nHi, dear {{name}}!\nBye!\n")
    (tmp_path / "prompts" / "support.md").write_text(f"---\ntype: chat\n---\n{json.dumps(CHAT)}\n")
    return tmp_path / "prompts"


@pytest.fixture
def platform(folder: Path) -> Iterator[LocalPlatform]:
    with LocalPlatform(folder, ui=True) as started:
        yield started


@pytest.fixture
def visit(platform: LocalPlatform) -> Iterator[Visitor]:
    visitor = Visitor(platform)
    with visitor.session:
        yield visitor


@pytest.fixture
def odd() -> Iterator[Visitor]:
    """Of a platform whose prompts have names and texts that a page could stumble over."""
    with LocalPlatform(ui=True) as platform:
        for name in (MARKUP, "a/b", "50%", "..x", "ünï", "a?b#c&d=e", "new", "\x1b[31m"):
            platform.publish(name, f"{MARKUP} {name}", metadata={MARKUP: MARKUP}, tags=[MARKUP])
            platform.draft(name, [{"role": MARKUP, "content": MARKUP, "name": MARKUP, "x": {MARKUP: MARKUP}}])
        visitor = Visitor(platform)
        with visitor.session:
            yield visitor


def names_of(links: list[str]) -> list[str]:
    return [html.unescape(link) for link in links]


class TestReading:
    def test_all_prompts_are_listed_with_their_production_and_their_latest_version(self, visit: Visitor) -> None:
        said = words_of(visit.get("/"))
        assert "2 prompts in this folder" in said
        assert re.search(r"greeting text production version 1 draft version 2 is the latest {{name}}", said)
        assert re.search(r"support chat production version 1 {{product}} {{history}} {{question}}", said)

    @pytest.mark.parametrize(
        ("query", "found"),
        [("greet", ["greeting"]), ("HISTORY", ["support"]), ("hello name", ["greeting"]), ("zz", [])],
    )
    def test_a_search_finds_words_in_names_variables_and_texts(
        self, query: str, found: list[str], visit: Visitor
    ) -> None:
        page = visit.get(f"/?q={query}").text
        assert re.findall(r'<h2><a href="/prompts/([^"]+)">', page) == found
        assert f"{len(found)} of 2 prompts with “{query}”" in page

    def test_an_empty_folder_says_what_to_do(self, tmp_path: Path) -> None:
        with LocalPlatform(tmp_path, ui=True) as platform:
            said = Visitor(platform).text("/")
        assert "greeting.md" in said
        assert str(tmp_path) in said

    def test_a_broken_file_is_named_with_what_is_wrong(self, visit: Visitor, folder: Path) -> None:
        (folder / "new.md").write_text("---\nstatus: publishd\n---\nText\n")
        (folder / "greeting" / "v2.md").write_text("---\nstatus: [\n---\n")
        for path in ("/", "/prompts/greeting"):
            assert "greeting/v2.md: " in visit.text(path)
        assert "new.md: status must be one of draft, published, archived, got 'publishd'" in visit.text("/")
        assert "new.md: " in text_of(visit.get("/prompts/new"))
        assert "Hi, dear" in visit.text("/prompts/greeting/2")

    def test_a_prompt_has_its_versions_with_all_that_is_known_of_them(self, visit: Visitor) -> None:
        said = words_of(visit.get("/prompts/greeting"))
        assert said.index("Version 2 draft") < said.index("Version 1 production")
        for fact in ("gpt-4", "gpt-5", "warm", "prompt_", "v_"):
            assert fact in said

    def test_a_prompt_is_also_found_by_its_id(self, visit: Visitor, platform: LocalPlatform) -> None:
        identity = platform.client().get_prompt_version("greeting").prompt_id
        assert "greeting" in visit.text(f"/prompts/{identity}")

    def test_an_edited_file_is_shown_at_once(self, visit: Visitor, folder: Path) -> None:
        (folder / "support.md").write_text("Plain {{text}}\n")
        assert "Plain {{text}}" in visit.text("/prompts/support/1")

    @pytest.mark.parametrize(
        "path", ["/prompts/nobody", "/prompts/greeting/9", "/prompts/greeting/diff?old=1&new=9", "/nowhere/at/all"]
    )
    def test_what_is_not_there_is_a_page_that_says_so(self, path: str, visit: Visitor) -> None:
        answer = visit.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert "There is no such" in answer.text

    def test_an_address_that_is_not_utf_8_is_a_page_that_says_so(self, visit: Visitor) -> None:
        answer = visit.get("/prompts/%FF")
        assert (answer.status_code, "not readable" in answer.text) == (400, True)

    @pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "/v1", "/v1/auth/nothing", "/api/v1/prompts/x"])
    def test_the_paths_of_the_api_stay_json(self, path: str, visit: Visitor) -> None:
        answer = visit.get(path, Accept="text/html")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")

    def test_a_program_that_asks_under_a_wrong_path_gets_json_and_is_on_record(
        self, visit: Visitor, platform: LocalPlatform
    ) -> None:
        answer = visit.get("/platform/api/v1/prompts/x/latest", Accept="*/*")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
        assert [request.path for request in platform.requests] == ["/platform/api/v1/prompts/x/latest"]

    def test_a_page_that_is_not_there_is_shown_to_nobody_under_a_foreign_name(self, visit: Visitor) -> None:
        answer = visit.get("/no-such-page", Host="evil.example")
        assert answer.headers["Content-Type"] == "application/json"

    def test_the_icon_is_where_browsers_look_for_it(self, visit: Visitor) -> None:
        assert visit.get("/favicon.ico").text.startswith("<svg")


class TestFilling:
    def test_a_version_is_filled_in(self, visit: Visitor) -> None:
        answer = visit.send("/prompts/greeting/2", {"v-name": "Ada <3"})
        assert '<pre class="well">\nHi, dear Ada &lt;3!\nBye!</pre>' in answer.text
        assert "24 characters" not in answer.text
        assert f"{len('Hi, dear Ada <3!') + 1 + len('Bye!')} characters" in answer.text

    def test_a_missing_value_is_the_very_error_of_the_client(self, visit: Visitor, platform: LocalPlatform) -> None:
        with pytest.raises(MissingVariableError) as caught:
            platform.client().render_prompt("greeting", {})
        said = text_of(visit.send("/prompts/greeting/1", {}))
        assert caught.value.message in said
        assert said.count("Hello, {{name}}!") == 2

    def test_an_empty_field_can_be_an_empty_text(self, visit: Visitor) -> None:
        assert "no value was given" in visit.send("/prompts/greeting/1", {"v-name": ""}).text
        assert ">\nHello, !</pre>" in visit.send("/prompts/greeting/1", {"v-name": "", "empty": "1"}).text

    def test_a_value_is_not_searched_for_variables_and_keeps_its_lines(self, visit: Visitor) -> None:
        answer = visit.send("/prompts/greeting/1", {"v-name": "{{name}}\r\n second"})
        assert ">\nHello, {{name}}\n second!</pre>" in answer.text

    def test_what_a_value_brings_along_is_not_marked_as_a_variable(self, visit: Visitor, folder: Path) -> None:
        (folder / "support.md").write_text("{{a}} and {{b}}\n")
        page = visit.send("/prompts/support/1", {"v-a": "{{b}} {{c}}"}).text.partition('<div id="filled">')[2]
        assert '>\n{{b}} {{c}} and <span class="slot">{{b}}</span></pre>' in page
        (folder / "support.md").write_text(f"---\ntype: chat\n---\n{json.dumps(CHAT)}\n")
        sent = {"v-product": "{{history}}", "v-history": "user: {{x}}"}
        page = visit.send("/prompts/support/1", sent).text.partition('<div id="filled">')[2]
        assert re.findall(r"<pre>\n(.*?)</pre>", page) == [
            *("You know {{history}}.", "{{x}}", '<span class="slot">{{question}}</span>')
        ]

    def test_a_text_that_changed_since_the_page_was_opened_is_said(self, visit: Visitor, folder: Path) -> None:
        of = re.search(r'name="of" value="(\w+)"', visit.get("/prompts/support/1").text)
        assert of is not None
        part = {"X-Scope-Part": "filled"}
        assert "changed on disk" not in visit.send("/prompts/support/1", {"of": of[1]}, part).text
        (folder / "support.md").write_text("Plain {{text}}\n")
        assert 'href="/prompts/support/1">Reload' in visit.send("/prompts/support/1", {"of": of[1]}, part).text

    def test_only_the_result_is_sent_to_a_page_that_asks_for_it(self, visit: Visitor) -> None:
        answer = visit.send("/prompts/greeting/1", {"v-name": "Ada"}, {"X-Scope-Part": "filled"})
        assert "<html" not in answer.text
        assert ">\nHello, Ada!</pre>" in answer.text

    @pytest.mark.parametrize(
        "history",
        [
            'user: Hi: you\nAssistant:Hello "x"!\n\n- one\nNote: two\n\nuser: just so',
            'Hi: you\nassistant: Hello "x"!\n\n- one\nNote: two\nUSER: just so\n',
            json.dumps(
                [
                    {"role": "user", "content": "Hi: you"},
                    {"role": "assistant", "content": 'Hello "x"!\n\n- one\nNote: two'},
                    {"role": "user", "content": "just so"},
                ]
            ),
        ],
    )
    def test_a_placeholder_takes_lines_or_a_json_list(self, history: str, visit: Visitor) -> None:
        fields = {"v-product": "Lamp", "v-history": history, "v-question": 'A "quote"?'}
        answer = visit.send("/prompts/support/1", fields)
        result = html.unescape(answer.text.partition('<div id="filled">')[2].partition("</section>")[0])
        shown = re.findall(r'<article class="message (\w*)"><h3>(\w+)</h3>\s*<pre>\n([^<]*)</pre>', result)
        assert shown == [
            ("system", "system", "You know Lamp."),
            ("user", "user", "Hi: you"),
            ("assistant", "assistant", 'Hello "x"!\n\n- one\nNote: two'),
            ("user", "user", "just so"),
            ("user", "user", 'A "quote"?'),
        ]

    @pytest.mark.parametrize("wrong", ["[", '["text"]', "[1]", "[1e999]"])
    def test_what_is_no_list_of_messages_is_an_error_and_stays_in_its_field(self, wrong: str, visit: Visitor) -> None:
        answer = visit.send("/prompts/support/1", {"v-product": "Lamp", "v-history": wrong, "v-question": "?"})
        assert answer.status_code == 200
        assert "the value of 'history'" in html.unescape(answer.text)
        assert f">\n{html.escape(wrong, quote=True).replace('&quot;', '&#34;')}</textarea>" in answer.text

    def test_a_prompt_that_no_value_fits_says_why(self) -> None:
        twice = [{"role": "placeholder", "content": "{{x}}"}, {"role": "user", "content": "{{x}}"}]
        with LocalPlatform({"twice": twice}, ui=True) as platform:
            said = Visitor(platform).text("/prompts/twice/1")
        assert "'x' is a placeholder for messages and is in a text" in said

    def test_parts_and_tool_calls_of_a_message_are_shown(self) -> None:
        call = {"role": "assistant", "content": None, "tool_calls": [{"id": "7", "function": {"arguments": "{{q}}"}}]}
        image = {"type": "image_url", "image_url": {"url": "https://example.org/{{q}}.png"}}
        parts = {"role": "user", "content": [{"type": "text", "text": "See {{q}}"}, image, "and"]}
        with LocalPlatform({"chat": [parts, call]}, ui=True) as platform:
            said = Visitor(platform).text("/prompts/chat/1")
        for text in ("See {{q}}", "image_url:", '"url": "https://example.org/{{q}}.png"', "tool_calls:", '"id": "7"'):
            assert text in said


class TestDifference:
    def test_what_went_and_what_came_is_marked_by_lines_and_by_words(self, visit: Visitor) -> None:
        page = visit.get("/prompts/greeting/diff?old=1&new=2").text
        assert "1 line taken out, 2 put in." in page
        gone = re.search(r'<del class="whole">(.*?)</del></li>', page)
        assert gone is not None
        assert (
            'taken out: </span><span class="part"><del>Hello</del></span>, <span class="slot">{{name}}</span>!'
            in gone[1]
        )
        assert (
            '<ins>Hi</ins></span>,<span class="part"><ins> dear</ins></span> <span class="slot">{{name}}</span>!'
            in page
        )
        assert '<del class="part">gpt-4</del>' in page
        assert '<ins class="part">gpt-5</ins>' in page
        assert '<ins class="part">warm</ins>' in page

    def test_the_same_version_twice_has_no_difference(self, visit: Visitor) -> None:
        said = visit.text("/prompts/greeting/diff?old=2&new=2")
        assert "The text is the same in both." in said
        assert "the metadata and the tags are the same in both" in said

    def test_lines_far_from_a_difference_are_counted(self) -> None:
        lines = [f"line {number}" for number in range(40)]
        with LocalPlatform({"long": "\n".join(lines)}, ui=True) as platform:
            platform.draft("long", "\n".join([*lines[:20], "between", *lines[20:]]))
            said = Visitor(platform).text("/prompts/long/diff?old=1&new=2")
        assert said.count("17 lines that are the same") == 2
        assert [f"line {number}\n" in said for number in (16, 17, 22, 23)] == [False, True, True, False]

    def test_a_chat_prompt_differs_in_what_its_messages_say(self) -> None:
        with LocalPlatform({"chat": [{"role": "user", "content": "One\nTwo"}]}, ui=True) as platform:
            platform.draft("chat", [{"role": "assistant", "content": "One\nThree"}])
            page = Visitor(platform).get("/prompts/chat/diff?old=1&new=2").text
        assert "2 lines taken out, 2 put in." in page
        assert "<del>Two</del>" in page or "taken out: </span>Two" in page
        assert "</span><span>One</span>" in page

    def test_of_the_variables_and_the_tags_those_are_marked_that_went_or_came(self) -> None:
        with LocalPlatform(ui=True) as platform:
            platform.publish("p", "{{a}} {{b}}", tags=["x", "y"])
            platform.draft("p", "{{b}} {{c}}", tags=["x", "y", "z"])
            page = Visitor(platform).get("/prompts/p/diff?old=1&new=2").text
        cells = re.findall(r'<td class="wraps">(.*?)</td>', page)
        assert cells == [
            *('<del class="part">a</del>, b', 'b, <ins class="part">c</ins>'),
            *("x, y", 'x, y, <ins class="part">z</ins>'),
        ]

    def test_line_ends_that_changed_are_said_and_are_no_lines_that_differ(self) -> None:
        with LocalPlatform({"p": "One\r\nTwo\r\nThree"}, ui=True) as platform:
            platform.draft("p", "One\nTwo\nThree")
            platform.draft("p", "One\nTwo\nFour")
            visit = Visitor(platform)
            said = words_of(visit.get("/prompts/p/diff?old=1&new=2"))
            assert "The text is the same in both, apart from its line ends." in said
            assert "line ends CR LF LF" in said
            assert "1 line taken out, 1 put in." in visit.get("/prompts/p/diff?old=1&new=3").text
            assert "line ends" not in visit.text("/prompts/p/diff?old=2&new=3")

    def test_a_few_changes_far_apart_in_a_long_text_are_few(self) -> None:
        lines = [f"line {number}" if number % 3 else "" for number in range(9000)]
        new = [*lines]
        new[10], new[8000] = "changed", "changed, too"
        new.insert(4000, "line 4000 and a half")
        with LocalPlatform({"long": "\n".join(lines)}, ui=True) as platform:
            platform.draft("long", "\n".join(new))
            assert "2 lines taken out, 3 put in." in Visitor(platform).get("/prompts/long/diff?old=1&new=2").text

    def test_texts_that_would_take_long_to_compare_are_compared_all_the_same(self) -> None:
        with LocalPlatform({"huge": "\n".join(f"a {n % 7} {n}" for n in range(9000))}, ui=True) as platform:
            platform.draft("huge", "\n".join(f"b {n % 5} {n}" for n in range(9000)))
            assert "9,000 lines taken out, 9,000 put in." in Visitor(platform).text("/prompts/huge/diff?old=1&new=2")


class TestTextIsText:
    def test_no_name_and_no_text_becomes_markup(self, odd: Visitor) -> None:
        page = odd.get("/").text
        links = names_of(re.findall(r'<h2><a href="([^"]+)">', page))
        assert len(links) == 8
        for link in links:
            for path in ("", "/1", "/2", "/diff?old=1&new=2", "/diff?old=2&new=1", "/draft?from=1", "/draft?from=2"):
                answer = odd.get(link + path)
                assert answer.status_code == 200, link + path
                assert "<script>" not in answer.text
                assert "<b>" not in answer.text
            filled = odd.send(f"{link}/1", {"v-x": MARKUP})
            assert filled.status_code == 200
            assert "<script>" not in filled.text
            assert html.escape(MARKUP, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in filled.text

    def test_a_query_becomes_no_markup(self, odd: Visitor) -> None:
        assert "<script>" not in odd.get("/").text
        answer = odd.session.get(odd.url, params={"q": MARKUP}, timeout=PATIENCE)
        assert "<script>" not in answer.text
        assert odd.get("/prompts/<script>alert(1)</script>").text.count("<script>") == 0

    def test_a_request_with_markup_in_its_path_and_client_becomes_none(self, odd: Visitor) -> None:
        odd.get("/api/v1/prompts/%3Cscript%3E/latest", **{"User-Agent": "<script>agent"})
        page = odd.get("/requests").text
        assert "&lt;script&gt;agent" in page
        assert "<script>" not in page

    def test_a_text_keeps_every_line_end_of_its_own(self, visit: Visitor, folder: Path) -> None:
        (folder / "support.md").write_text("---\n---\n\n\nTwo empty lines before, and after\n\n\n")
        assert "<pre>\n\n\nTwo empty lines before, and after\n\n</pre>" in visit.get("/prompts/support/1").text
        assert ">\n\n\nTwo empty lines before, and after\n\n</textarea>" in visit.get("/prompts/support/draft").text


class TestSecurity:
    @pytest.mark.parametrize("path", [*PAGES, "/static/face.css", "/static/face.js", "/static/icon.svg", "/events"])
    def test_each_answer_tells_the_browser_what_it_may_not_do(self, path: str, visit: Visitor) -> None:
        with visit.session.get(visit.url + path, headers=ACCEPT, timeout=30, stream=True) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"

    @pytest.mark.parametrize("path", PAGES)
    def test_no_page_has_a_script_or_a_style_within_it_or_names_another_host(self, path: str, visit: Visitor) -> None:
        page = visit.get(path).text
        assert re.findall(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", page) == []
        assert re.findall(r'(?:src|href|action)="(?!/|#)', page) == []

    @pytest.mark.parametrize("path", ["/prompts/greeting/2/publish", "/prompts/greeting/1/archive", "/faults/hang"])
    @pytest.mark.parametrize("fields", [{}, {"token": ""}, {"token": "wrong"}, {"token": "ünï"}])
    def test_without_the_token_nothing_is_changed(
        self, path: str, fields: dict[str, str], visit: Visitor, platform: LocalPlatform
    ) -> None:
        seen = visit.seen("/prompts/greeting")
        sent = {
            "seen": seen,
            "on": "both",
            **{name: value.encode("utf-8", "replace") for name, value in fields.items()},
        }
        assert visit.send(path, sent).status_code == 403
        assert visit.seen("/prompts/greeting") == seen
        assert platform.faults == ()

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Sec-Fetch-Site": "cross-site"},
            {"X-Forwarded-For": "10.0.0.1"},
            {"Host": "evil.example"},
        ],
        ids=str,
    )
    def test_a_form_from_elsewhere_changes_nothing(
        self, headers: dict[str, str], visit: Visitor, platform: LocalPlatform
    ) -> None:
        answer = visit.post("/faults/hang", headers, on="both")
        assert answer.status_code in (401, 403, 421)
        assert platform.faults == ()

    def test_a_form_without_an_origin_changes_nothing(self, visit: Visitor, platform: LocalPlatform) -> None:
        fields = {"token": visit.token(), "on": "both"}
        assert visit.session.post(f"{visit.url}/faults/hang", fields, timeout=PATIENCE).status_code == 403
        assert platform.faults == ()

    @pytest.mark.parametrize("path", ["/new", "/prompts/greeting/draft"])
    def test_a_request_for_the_head_alone_changes_nothing(
        self, path: str, visit: Visitor, platform: LocalPlatform
    ) -> None:
        fields = {"token": visit.token(), "name": "x", "content": "x", "seen": visit.seen("/prompts/greeting/draft")}
        assert visit.session.head(platform.url + path, data=fields, timeout=PATIENCE).status_code == 200
        assert [len(each.versions) for each in platform._library.listing()] == [2, 1]

    @pytest.mark.parametrize(
        "path", ["/faults/none", "/faults/slow/off", "/prompts/greeting/1/archive", "/prompts/greeting/2/publish"]
    )
    def test_a_link_changes_nothing(self, path: str, visit: Visitor, platform: LocalPlatform) -> None:
        seen = visit.seen("/prompts/greeting")
        platform.fail(503)
        visit.get(path)
        assert visit.seen("/prompts/greeting") == seen
        assert len(platform.faults) == 1

    @pytest.mark.parametrize("path", ["/static/../__init__.py", "/static/%2e%2e%2f__init__.py", "/static/"])
    def test_no_file_but_the_pages_own_is_served(self, path: str, visit: Visitor) -> None:
        answer = visit.session.send(
            requests.Request("GET", visit.url + path).prepare(), timeout=PATIENCE, allow_redirects=False
        )
        assert answer.status_code == 404

    def test_a_secret_that_was_given_is_not_shown(self, folder: Path) -> None:
        keys = ApiKeyCredentials("org", "my-key", "my-secret")
        with LocalPlatform(folder, ui=True, credentials=keys) as platform:
            page = Visitor(platform).get("/connect").text
        assert "my-key" in page
        assert "my-secret" not in page
        assert platform.client_credentials.client_secret not in page


class TestWriting:
    def test_a_draft_becomes_a_file_and_the_latest_version(
        self, visit: Visitor, platform: LocalPlatform, folder: Path
    ) -> None:
        answer = visit.post(
            "/prompts/greeting/draft",
            seen=visit.seen("/prompts/greeting"),
            content="Good day,\r\n{{name}}!",
            type="text",
            metadata='{"model": "gpt-6", "deep": {"a": [1]}}',
            tags="one, two",
        )
        assert (answer.status_code, answer.headers["Location"]) == (303, "/prompts/greeting?said=draft&number=3")
        assert "Version 3 is saved as a draft." in visit.get(answer.headers["Location"]).text
        latest = platform.client().get_prompt_version("greeting", label="latest")
        assert (latest.version_number, latest.content, latest.status) == (3, "Good day,\n{{name}}!", "draft")
        assert (dict(latest.metadata), latest.tags) == ({"model": "gpt-6", "deep": {"a": [1]}}, ("one", "two"))
        assert (folder / "greeting" / "v3.md").read_text().endswith("---\nGood day,\n{{name}}!\n")

    def test_metadata_is_taken_as_front_matter_has_it(self, visit: Visitor, platform: LocalPlatform) -> None:
        metadata = "model: gpt-6\r\ndeep:\r\n  a: [1, yes]\r\n# a note"
        visit.post("/new", name="yaml", content="Hi", type="text", metadata=metadata, **{"as": "published"})
        found = platform.client().get_prompt_version("yaml").metadata
        assert dict(found) == {"model": "gpt-6", "deep": {"a": [1, True]}}

    @pytest.mark.parametrize(("was", "then"), [("One\r\nTwo", "One\r\nTwo\r\n3"), ("One\nTwo", "One\nTwo\n3")])
    def test_a_new_version_has_the_line_ends_of_the_one_before(
        self, was: str, then: str, visit: Visitor, platform: LocalPlatform, folder: Path
    ) -> None:
        (folder / "support.md").write_bytes(f"---\n---\n{was}\n".encode())
        ends = re.search(r'name="line_ends" value="([^"]*)"', visit.get("/prompts/support/draft").text)
        assert ends is not None
        sent = {"seen": visit.seen("/prompts/support"), "content": "One\r\nTwo\r\n3", "line_ends": ends[1]}
        visit.post("/prompts/support/draft", **sent)
        assert platform.client().get_prompt_version("support", label="latest").content == then

    def test_publish_and_archive_change_the_files(self, visit: Visitor, platform: LocalPlatform, folder: Path) -> None:
        answer = visit.post("/prompts/greeting/2/publish", seen=visit.seen("/prompts/greeting"))
        assert "Version 2 is in production." in visit.get(answer.headers["Location"]).text
        client = platform.client(cache_enabled=False)
        assert client.get_prompt_version("greeting").version_number == 2
        assert "status: archived" in (folder / "greeting" / "v1.md").read_text()
        answer = visit.post("/prompts/greeting/2/archive", seen=visit.seen("/prompts/greeting"))
        assert "Version 2 is archived." in visit.get(answer.headers["Location"]).text
        assert "No version is in production" in visit.text("/prompts/greeting")

    def test_a_notice_says_when_programs_have_it_and_whose_values_do_not_fit(
        self, visit: Visitor, platform: LocalPlatform, folder: Path
    ) -> None:
        (folder / "greeting" / "v2.md").write_text("Hi, {{first}} {{last}}!\n")
        answer = visit.post("/prompts/greeting/2/publish", seen=visit.seen("/prompts/greeting"))
        page = visit.get(answer.headers["Location"])
        said = words_of(page)
        assert "Running programs have it when their cache_ttl is over: within five minutes, unless they set" in said
        assert Configuration(credentials=platform.credentials).cache_ttl == 5 * 60
        assert "not those of version 1. New: {{first}} , {{last}} . Gone: {{name}} . A program whose" in said
        assert 'href="/prompts/greeting/diff?old=1&amp;new=2">Show the difference</a></p>' in page.text
        with pytest.raises(ScopeError):
            platform.client().render_prompt("greeting", {"name": "Ada"})

    def test_a_notice_does_not_speak_of_variables_that_are_the_same(self, visit: Visitor) -> None:
        seen = visit.seen("/prompts/greeting")
        answer = visit.post("/prompts/greeting/draft", seen=seen, content="Ho, {{name}}", **{"as": "published"})
        assert answer.headers["Location"].endswith("?said=publish&number=3&before=1")
        said = words_of(visit.get(answer.headers["Location"]))
        assert "Version 3 is in production. Running programs" in said
        assert "Its variables" not in said

    @pytest.mark.parametrize(
        "query",
        [
            *("publish&number=2", "publish&number=77", "publish&number=x", "draft&number=1", "archive&number=1"),
            "nothing&number=1",
        ],
    )
    def test_a_notice_that_is_not_so_is_not_given(self, query: str, visit: Visitor) -> None:
        assert "data-notice" not in visit.get(f"/prompts/greeting?said={query}").text
        assert "data-notice" in visit.get("/prompts/greeting?said=publish&number=1&before=9").text

    def test_to_archive_what_is_in_production_asks_back_and_says_what_programs_get(
        self, visit: Visitor, platform: LocalPlatform
    ) -> None:
        for path in ("/prompts/greeting", "/prompts/greeting/1"):
            (asked,) = re.findall(r"<details.*?</details>", visit.get(path).text, re.DOTALL)
            assert 'action="/prompts/greeting/1/archive"' in asked
            assert "programs that ask for it get an error" in asked
        answer = visit.post("/prompts/greeting/1/archive", seen=visit.seen("/prompts/greeting"))
        said = words_of(visit.get(answer.headers["Location"]))
        assert "programs that ask for it get an error, NoProductionVersionError." in said
        with pytest.raises(NoProductionVersionError):
            platform.client().get_prompt_version("greeting")

    def test_a_new_prompt_can_be_published_at_once(self, visit: Visitor, platform: LocalPlatform, folder: Path) -> None:
        fields = {"name": "grüße", "type": "text", "content": "Hallo {{name}}", "metadata": "", "tags": ""}
        answer = visit.post("/new", **fields, **{"as": "published"})
        assert answer.status_code == 303
        assert "is in production" in visit.get(answer.headers["Location"]).text
        assert platform.client().render_prompt("grüße", {"name": "Ada"}) == "Hallo Ada"
        assert (folder / "grüße" / "v1.md").exists()

    def test_a_long_text_in_any_script_is_saved_as_the_form_sends_it(self, visit: Visitor, folder: Path) -> None:
        text = "\u4f60\u597d, {{name}}!\r\n" * 40_000
        fields = {"token": visit.token(), "name": "long", "type": "text", "content": text}
        is_in_parts = 'enctype="multipart/form-data"' in visit.get("/new").text
        more = {"files": {"content": (None, fields.pop("content"))}} if is_in_parts else {}
        sent = visit.session.post(f"{visit.url}/new", fields, headers={"Origin": visit.url}, timeout=PATIENCE, **more)
        assert sent.status_code == 200, sent.text
        assert (folder / "long" / "v1.md").read_text().count("\u4f60\u597d, {{name}}!\n") == 40_000

    def test_a_long_text_is_saved(self, visit: Visitor, folder: Path) -> None:
        text = "word " * 140_000
        seen = visit.seen("/prompts/greeting")
        assert visit.post("/prompts/greeting/draft", seen=seen, content=text).status_code == 303
        assert text in (folder / "greeting" / "v3.md").read_text()

    def test_what_a_version_declares_is_declared_by_the_next_one(self, visit: Visitor, folder: Path) -> None:
        (folder / "support.md").write_text("---\nvariables: [tone]\n---\nText\n")
        page = visit.get("/prompts/support/draft").text
        found = re.search(r'name="variables" value="([^"]*)"', page)
        assert found is not None
        visit.post("/prompts/support/draft", seen=visit.seen("/prompts/support"), content="New", variables=found[1])
        assert "{{tone}}" in visit.text("/prompts/support/2")

    def test_the_description_of_a_version_is_that_of_the_next_one(self, visit: Visitor, folder: Path) -> None:
        (folder / "support.md").write_text('---\ndescription: "For \\"new\\" users,\\nof <b>"\n---\nText\n')
        found = re.search(r'name="description" value="([^"]*)"', visit.get("/prompts/support/draft").text)
        assert found is not None
        written = html.unescape(found[1]).replace("\n", "\r\n")  # as a browser sends it
        for place, more in enumerate(({"as": "published"}, {}), 2):
            seen = visit.seen("/prompts/support")
            visit.post("/prompts/support/draft", seen=seen, content="New", description=written, **more)
            (saved,) = (each for each in read_prompt_dir(folder)["support"] if each.number == place)
            assert saved.description == 'For "new" users,\nof <b>'

    def test_tags_with_commas_quotes_and_spaces_are_kept_by_the_next_version(
        self, visit: Visitor, platform: LocalPlatform
    ) -> None:
        tags = ("a", "b, c", "  d ", 'e "f"', '"g"', "h,", '"i', "j, ")
        platform.draft("tagged", "One", tags=tags)
        found = re.search(r'name="tags" value="([^"]*)"', visit.get("/prompts/tagged/draft").text)
        assert found is not None
        written = html.unescape(found[1])
        visit.post("/prompts/tagged/draft", seen=visit.seen("/prompts/tagged"), content="Two", tags=written)
        assert [each.tags for each in platform._library.find("tagged")] == [tags, tags]

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            (
                {"metadata": "{"},
                "the metadata is not lines such as model: gpt-4, and not JSON either (line 1, character 2: it",
            ),
            ({"metadata": "a: [\n---\nb"}, "the metadata is not lines such as model: gpt-4"),
            ({"metadata": "[1]"}, "the metadata must be lines such as model: gpt-4, or JSON"),
            ({"metadata": "gpt-4"}, "the metadata must be lines such as model: gpt-4, or JSON"),
            ({"type": "chat", "content": "Hello <b>"}, "the messages are not JSON. Line 1, character 1: this must be"),
            ({"type": "chat", "content": "{}"}, "expected a chat prompt's content as a JSON array"),
            ({"content": " \r\n"}, "Nothing was saved: it is empty"),
            ({"type": "chat", "content": ""}, "Nothing was saved: it is empty"),
            ({"type": "song"}, "type must be one of text, chat"),
        ],
    )
    def test_what_cannot_be_a_version_is_refused_and_the_text_stays(
        self, fields: dict[str, str], why: str, visit: Visitor, folder: Path
    ) -> None:
        sent = {"content": "My <b>text</b>", "tags": "a, b", "metadata": "", "type": "text", **fields}
        answer = visit.post("/prompts/greeting/draft", seen=visit.seen("/prompts/greeting"), **sent)
        assert answer.status_code == 422
        assert why in html.unescape(answer.text)
        assert f">\n{html.escape(sent['content'])}</textarea>".replace("\r\n", "\n") in answer.text
        assert 'value="a, b"' in answer.text
        assert len(list((folder / "greeting").iterdir())) == 2

    @pytest.mark.parametrize("name", ["", "..", ".", "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A"])
    def test_a_name_that_nobody_could_ask_for_is_refused(self, name: str, visit: Visitor, folder: Path) -> None:
        before = sorted(folder.rglob("*"))
        answer = visit.post("/new", name=name, content="My text", type="text")
        assert answer.status_code == 422
        assert "My text" in answer.text
        assert sorted(folder.rglob("*")) == before

    @pytest.mark.parametrize(
        "name",
        [
            *("a/b", "greeting/formal", "a//b/", "50%", "%41", "what?#", ".hidden", "README", "node_modules"),
            *("GREETING", "a\x00b", "<b>", "con", "v1", "a/v1", "ünï/e\u0301", "x" * 300, "new", "a\\b"),
        ],
    )
    def test_a_prompt_of_any_name_is_written_shown_changed_and_served(
        self, name: str, visit: Visitor, folder: Path, platform: LocalPlatform
    ) -> None:
        url = f"/prompts/{quote(name, safe='')}"
        answer = visit.post("/new", name=name, content="My {{text}}", type="text", **{"as": "published"})
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, url)
        assert visit.post(f"{url}/draft", seen=visit.seen(url), content="Other", type="text").status_code == 303
        assert visit.post(f"{url}/2/publish", seen=visit.seen(url)).status_code == 303
        for page in ("", "/1", "/2", "/draft", "/diff?old=1&new=2"):
            assert visit.get(f"{url}{page}").status_code == 200
        assert f'href="{html.escape(url)}"' in visit.get("/").text
        assert [each.status for each in PromptFolder(folder).versions(name)] == ["archived", "published"]
        with platform.client() as client:
            assert client.get_prompt_version(name).content == "Other"
            assert client.get_prompt_version(name).name == name

    def test_a_name_that_is_taken_is_refused_and_the_text_stays(self, visit: Visitor) -> None:
        answer = visit.post("/new", name="greeting", content="My text", type="text")
        assert answer.status_code == 409
        assert "There is a prompt 'greeting' already" in html.unescape(answer.text)
        assert "My text" in answer.text

    def test_what_changed_on_disk_meanwhile_is_not_written_over_and_the_text_stays(
        self, visit: Visitor, folder: Path
    ) -> None:
        seen = visit.seen("/prompts/greeting/draft?from=2")
        (folder / "greeting" / "v3.md").write_text("A colleague's\n")
        answer = visit.post("/prompts/greeting/draft", seen=seen, content="My long <text>", metadata="", tags="mine")
        assert answer.status_code == 409
        assert "was changed since you looked at it" in answer.text
        assert "My long &lt;text&gt;" in answer.text
        assert 'value="mine"' in answer.text
        assert (folder / "greeting" / "v3.md").read_text() == "A colleague's\n"
        now = SEEN.search(answer.text)
        assert now is not None
        assert visit.post("/prompts/greeting/draft", seen=now[1], content="My long <text>").status_code == 303
        assert (folder / "greeting" / "v4.md").read_text().endswith("My long <text>\n")

    @pytest.mark.parametrize("what", ["publish", "archive"])
    def test_a_status_that_changed_meanwhile_is_not_changed_again(
        self, what: str, visit: Visitor, folder: Path
    ) -> None:
        seen = visit.seen("/prompts/greeting")
        (folder / "greeting" / "v2.md").write_text("Other\n")
        answer = visit.post(f"/prompts/greeting/2/{what}", seen=seen)
        assert answer.status_code == 409
        assert "was changed since you looked at it" in answer.text
        assert (folder / "greeting" / "v2.md").read_text() == "Other\n"

    @pytest.mark.parametrize("way", ["draft", "published"])
    def test_what_was_written_for_a_prompt_that_is_gone_stays_and_can_be_saved(
        self, way: str, visit: Visitor, folder: Path
    ) -> None:
        seen = visit.seen("/prompts/support/draft")
        (folder / "support.md").rename(folder / "other.md")
        sent = {"type": "text", "content": "My long\r\n<text>", "metadata": "{}", "tags": "mine", "variables": "tone"}
        answer = visit.post("/prompts/support/draft", seen=seen, **sent, **{"as": way})
        assert answer.status_code == 409
        said = html.unescape(answer.text)
        assert "There is no prompt 'support' any more" in said
        for kept in ("My long\n<text></textarea>", 'name="name" value="support"', 'value="mine"', 'value="tone"'):
            assert kept in said
        action = re.search(r'<form method="post" action="(/new)" class="sheet" data-careful="unsaved" ', answer.text)
        assert action is not None
        assert visit.post(action[1], name="support", **sent).status_code == 303
        assert (folder / "support" / "v1.md").read_text().endswith("My long\n<text>\n")

    def test_a_prompt_that_is_gone_keeps_its_name_in_the_form_whatever_is_in_it(self, visit: Visitor) -> None:
        answer = visit.post("/prompts/a%2Fb%20%C3%BC%3F/draft", seen="", content="Hi", type="text")
        assert answer.status_code == 409
        assert 'name="name" value="a/b ü?"' in html.unescape(answer.text)

    def test_what_a_version_says_of_itself_is_on_its_page_and_in_the_difference(
        self, visit: Visitor, folder: Path
    ) -> None:
        place = folder / "support" / "reply"
        place.mkdir(parents=True)
        said = "description: For <b>Ada</b>\npromoted_at: 2026-01-31T10:00:00Z\npromoted_by: ada"
        (place / "v1.md").write_text(f"---\nstatus: published\nvariables: [tone, name]\n{said}\n---\nHi {{{{name}}}}\n")
        (place / "v2.md").write_text("---\ndescription: Other\n---\nHi\n")
        text = visit.text("/prompts/support%2Freply/1")
        assert "For <b>Ada</b>" in text
        assert re.search("Promoted.*, by ada", text, re.DOTALL)
        assert "description" in visit.text("/prompts/support%2Freply/diff?old=1&new=2")
        form = visit.get("/prompts/support%2Freply/draft?from=1").text
        assert 'name="variables" value="tone"' in form

    @pytest.mark.parametrize("what", ["publish", "archive"])
    def test_after_a_no_the_address_leads_to_the_prompt_and_so_does_a_link(self, what: str, visit: Visitor) -> None:
        answer = visit.post(f"/prompts/greeting/2/{what}", seen="old")
        assert 'changed since you looked at it; look again <a href="/prompts/greeting">' in answer.text
        again = visit.get(f"/prompts/greeting/2/{what}")
        assert (again.status_code, again.url) == (200, f"{visit.url}/prompts/greeting")

    def test_when_a_version_was_made_is_said_only_if_it_is_known(self, visit: Visitor) -> None:
        assert "Made" not in visit.text("/prompts/greeting/1")
        assert "Changed" in visit.text("/prompts/greeting/1")

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            ([], "it has no message"),
            ([{"role": "placeholder", "content": "so far: {{history}}"}], "a placeholder must hold one variable"),
            ([{"role": "placeholder", "content": "{{x}}"}, {"role": "user", "content": "{{x}}"}], "give one of them"),
        ],
    )
    def test_what_no_program_can_use_is_saved_as_a_draft_and_never_published(
        self, content: list[Any], why: str, visit: Visitor, folder: Path
    ) -> None:
        sent = {"type": "chat", "content": json.dumps(content)}
        answer = visit.post(
            "/prompts/support/draft", seen=visit.seen("/prompts/support"), **sent, **{"as": "published"}
        )
        assert answer.status_code == 422
        assert re.search(f"Nothing was saved: .*{why}", answer.text)
        assert html.escape(sent["content"]).replace("&quot;", "&#34;") in answer.text
        assert (folder / "support.md").exists()
        saved = visit.post("/prompts/support/draft", seen=visit.seen("/prompts/support"), **sent)
        assert "Programs cannot use this: " in visit.text(saved.headers["Location"])
        said = visit.text("/prompts/support/2")
        assert why in said
        assert "what you see is what a model gets" not in said
        assert "version 2 cannot be used" in visit.text("/")
        refused = visit.post("/prompts/support/2/publish", seen=visit.seen("/prompts/support"))
        assert (refused.status_code, "Version 2 cannot be published: " in refused.text) == (422, True)
        assert "status: published" in (folder / "support" / "v1.md").read_text()

    def test_what_only_looks_like_a_variable_is_named_wherever_it_is_seen(self, visit: Visitor) -> None:
        text = "Hi {{first name}}, {{ tone }} {{ton-fall}} {{}} {{name}} {{ünï}} {not} }}{{"
        answer = visit.post("/new", name="slips", type="text", content=text, **{"as": "published"})
        slips = ["{{first name}}", "{{ tone }}", "{{ton-fall}}", "{{}}"]
        for path in (answer.headers["Location"], "/prompts/slips/1", "/prompts/slips/draft"):
            page = visit.get(path).text
            assert re.findall(r"<li>(\S.*?) is not a variable", page) == slips, path
        page = visit.get("/prompts/slips/1").text
        assert re.findall(r'<span class="slip"[^>]*>(.*?)</span>', page) == slips
        assert re.findall(r'<pre>\nHi .*?<span class="slot">(.*?)</span> <span class="slot">(.*?)</span>', page) == [
            ("{{name}}", "{{ünï}}")
        ]
        assert "version 1 may have a slip" in visit.text("/")

    def test_of_messages_a_strange_role_an_empty_content_and_a_slip_are_named(self, visit: Visitor) -> None:
        messages = [{"role": "usr", "content": "{{a b}}"}, {"role": "user", "content": ""}, {"type": "x", "name": "y"}]
        visit.post("/new", name="odd", type="chat", content=json.dumps(messages))
        said = visit.text("/prompts/odd/1")
        assert "message 1 has the role 'usr'" in said
        assert "message 2 has an empty content" in said
        assert "{{a b}} is not a variable" in said
        assert "message 3" not in said

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ('[{"role": "user", "content": "a\nb"}]', r"character 32: a line break within quotes must be written \n"),
            ('[{"role": "user", "content": "a"},]', "there is a comma before ] or }"),
            ('[{"role": "user", "content": "a",}]', "there is a comma before ] or }"),
            ("[{'role': 'user'}]", "straight double quotes"),
            ('[{"role": "user" "content": "a"}]', "character 18: a comma is missing"),
            ('[{"role": "user", "content": "a}]', "no closing quote"),
            ('[{"role": "user", "content": "a"}', "it ends too soon"),
            ('[{"role" "user"}]', "a colon is missing"),
            ('[{"role": "user", "content": "a"}] b', "something after its end"),
        ],
    )
    def test_what_is_not_json_is_told_in_plain_words(self, wrong: str, words: str, visit: Visitor) -> None:
        answer = visit.post("/new", name="chat", type="chat", content=wrong)
        assert words in html.unescape(answer.text)

    def test_a_prompt_with_a_broken_file_is_not_written_to(self, visit: Visitor, folder: Path) -> None:
        seen = visit.seen("/prompts/greeting")
        (folder / "greeting" / "v2.md").write_text("---\nstatus: [\n---\n")
        answer = visit.post("/prompts/greeting/draft", seen=seen, content="My text")
        assert (answer.status_code, "greeting/v2.md" in answer.text, "My text" in answer.text) == (422, True, True)

    def test_without_a_folder_it_is_kept_in_memory(self) -> None:
        with LocalPlatform({"greeting": "Hi"}, ui=True) as platform:
            visit = Visitor(platform)
            seen = visit.seen("/prompts/greeting/draft")
            visit.post("/prompts/greeting/draft", seen=seen, content="Ho", **{"as": "published"})
            assert platform.client().render_prompt("greeting", {}) == "Ho"
            assert "in memory" in visit.get("/").text


class TestReadOnly:
    @pytest.fixture
    def platform(self, folder: Path) -> Iterator[LocalPlatform]:
        with LocalPlatform(folder, ui=True, read_only=True) as started:
            yield started

    @pytest.mark.parametrize("path", [*READING, "/faults", "/requests", "/connect"])
    def test_no_page_has_a_form_that_changes_anything(self, path: str, visit: Visitor) -> None:
        page = visit.get(path).text
        assert 'name="token"' not in page
        assert re.findall(r'<form method="post" action="([^"]*)"', page) == (
            ["/prompts/greeting/1"] if path == "/prompts/greeting/1" else []
        )
        assert "/new" not in page
        assert "read-only" in page

    @pytest.mark.parametrize("path", ["/new", "/prompts/greeting/draft"])
    def test_the_form_of_a_new_version_says_why_it_is_not_there(self, path: str, visit: Visitor) -> None:
        answer = visit.get(path)
        assert (answer.status_code, "--read-only" in answer.text) == (403, True)

    @pytest.mark.parametrize(
        "path",
        [
            *("/new", "/prompts/greeting/draft", "/prompts/greeting/2/publish", "/prompts/greeting/1/archive"),
            *("/faults/hang", "/faults/hang/off", "/faults/none"),
        ],
    )
    def test_nothing_is_changed_and_a_page_says_why(
        self, path: str, visit: Visitor, platform: LocalPlatform, folder: Path
    ) -> None:
        before = {file: file.read_bytes() for file in folder.rglob("*.md")}
        answer = visit.send(path, {"token": "x", "name": "n", "content": "c", "on": "both"})
        assert answer.status_code == 403
        assert "--read-only" in answer.text
        assert {file: file.read_bytes() for file in folder.rglob("*.md")} == before
        assert platform.faults == ()

    def test_a_version_is_filled_in_all_the_same(self, visit: Visitor) -> None:
        assert ">\nHello, Ada!</pre>" in visit.send("/prompts/greeting/1", {"v-name": "Ada"}).text


def test_without_pages_there_are_none(folder: Path) -> None:
    with LocalPlatform(folder) as platform:
        for path in ("/", "/requests", "/static/face.css", "/events"):
            answer = Visitor(platform).get(path, Accept="text/html")
            assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")


class TestFaults:
    @pytest.mark.parametrize(
        ("switch", "fields", "said", "on"),
        [
            ("unavailable", {"status": "503", "on": "both"}, "Down: 503 to requests for prompts", {"api", "auth"}),
            ("unavailable", {"status": "500", "on": "auth"}, "Down: 500 to requests for tokens", {"auth"}),
            ("limited", {"retry_after": "30"}, "Rate limit: 429 to requests for prompts, Retry-After 30", {"api"}),
            ("limited", {"retry_after": ""}, "Rate limit: 429 to requests for prompts", {"api"}),
            ("slow", {"seconds": "0.5"}, "Slow: each answer waits 0.5 s", {"both"}),
            ("hang", {"on": "api"}, "Hangs: no answer to requests for prompts", {"api"}),
            ("tokens", {}, "Tokens refused: 401 to requests for prompts", {"api"}),
            ("credentials", {}, "Keys refused: 401 to requests for tokens", {"auth"}),
        ],
    )
    def test_a_switch_turns_its_fault_on_and_each_page_says_so(
        self, switch: str, fields: dict[str, str], said: str, on: set[str], visit: Visitor, platform: LocalPlatform
    ) -> None:
        answer = visit.post(f"/faults/{switch}", for_seconds="90", **fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/faults")
        assert {fault.on for fault in platform.faults} == on
        assert {round(fault.seconds_left or 0) for fault in platform.faults} == {90}
        for path in ("/", "/faults", "/prompts/nobody"):
            assert f"<strong>{said}</strong>" in visit.get(path).text
        page = visit.get("/faults").text
        marked = re.findall(r'class="sheet on" data-switch="(\w+)"', page)
        assert marked == [switch]
        assert visit.post("/faults/none").status_code == 303
        assert platform.faults == ()
        assert "All is well" in visit.get("/").text

    @pytest.mark.parametrize(
        ("switch", "fields"),
        [
            ("slow", {"seconds": "soon"}),
            ("slow", {"seconds": ""}),
            ("slow", {"seconds": "-1"}),
            ("slow", {"seconds": "nan"}),
            ("hang", {"on": "moon"}),
            ("hang", {"on": "api", "for_seconds": "0"}),
            ("limited", {"retry_after": "<b>"}),
            ("unavailable", {"status": "200", "on": "api"}),
            ("tokens", {"for_seconds": "inf"}),
        ],
    )
    def test_a_setting_that_cannot_be_is_refused_and_stays_in_its_field(
        self, switch: str, fields: dict[str, str], visit: Visitor, platform: LocalPlatform
    ) -> None:
        answer = visit.post(f"/faults/{switch}", **fields)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert platform.faults == ()
        for name, value in fields.items():
            assert name in ("on", "status") or f'value="{html.escape(value)}"' in answer.text

    @pytest.mark.parametrize("path", ["/faults/earthquake", "/faults/earthquake/off"])
    def test_a_fault_that_does_not_exist_is_a_page_that_says_so(self, path: str, visit: Visitor) -> None:
        assert visit.post(path).status_code == 404

    @pytest.mark.parametrize(
        ("switch", "left"),
        [
            ("unavailable", ["refused tokens", "slow"]),
            ("tokens", ["error", "slow"]),
            ("slow", ["refused tokens", "error"]),
            ("hang", ["refused tokens", "error", "slow"]),
        ],
    )
    def test_one_fault_is_switched_off_and_the_others_stay_on(
        self, switch: str, left: list[str], visit: Visitor, platform: LocalPlatform
    ) -> None:
        for path, fields in (
            ("unavailable", {"status": "503", "on": "both"}),
            ("tokens", {}),
            ("slow", {"seconds": "1"}),
        ):
            visit.post(f"/faults/{path}", **fields)
        on = re.findall(r'<li class="sheet on" data-switch="(\w+)"', visit.get("/faults").text)
        assert on == ["unavailable", "slow", "tokens"]
        answer = visit.post(f"/faults/{switch}/off")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/faults")
        assert [fault.kind for fault in platform.faults] == left

    def test_only_what_is_on_can_be_switched_off(self, visit: Visitor, platform: LocalPlatform) -> None:
        platform.fail(429, retry_after=5)
        buttons = re.findall(r'formaction="/faults/(\w+)/off"( hidden)?>', visit.get("/faults").text)
        assert [name for name, hidden in buttons if not hidden] == ["limited"]
        assert [name for name, _ in buttons] == list(SWITCHES)

    def test_a_fault_that_no_switch_plays_is_called_an_error(self, visit: Visitor, platform: LocalPlatform) -> None:
        platform.fail(404)
        page = visit.get("/faults").text
        assert "<strong>Error: 404 to requests for prompts</strong>" in page
        assert 'class="sheet on"' not in page

    def test_the_page_tells_every_source_in_the_words_of_read_prompt(self, visit: Visitor) -> None:
        page = visit.get("/faults").text
        assert set(re.findall(r"<dt><code>(\w+)</code></dt>", page)) == set(get_args(ReadFrom))

    def test_a_clock_shows_how_long_it_is_on_and_how_many_requests_met_it(self, folder: Path) -> None:
        clock = ManualClock()
        with LocalPlatform(folder, ui=True, clock=clock.clock) as platform:
            visit = Visitor(platform)
            visit.post("/faults/credentials", for_seconds="7200")
            visit.session.post(f"{platform.url}/v1/auth/sdk-token", json={}, timeout=PATIENCE)
            clock.passes(3723)
            said = " ".join(re.sub(r"<[^>]*>", "", visit.get("/").text).split())
            assert "Keys refused: 401 to requests for tokens for 1:02:03, met by 1 request, ends in 57:57" in said
            clock.passes(3600)
            assert "All is well" in visit.get("/").text

    def test_pages_meet_no_fault_and_are_not_on_record(self, visit: Visitor, platform: LocalPlatform) -> None:
        platform.fail(503)
        platform.fail(503, on="auth")
        platform.hang()
        for path in [*PAGES[:-1], "/prompts/nobody"]:
            assert visit.get(path).status_code in (200, 404)
        assert platform.requests == ()
        assert [fault.hits for fault in platform.faults] == [0] * len(platform.faults)


class TestRequests:
    def test_what_was_asked_is_in_a_table_the_newest_first(self, visit: Visitor, platform: LocalPlatform) -> None:
        with platform.client(cache_enabled=False) as client:
            version = client.get_prompt_version("greeting")
            client.get_prompt_version("greeting", version=version.id)
        visit.get("/api/v1/prompts/a%2Fb/latest")
        rows = re.findall(r"<tr id=.*?</tr>", visit.get("/requests").text, re.DOTALL)
        cells = [
            [html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall("<td.*?</td>", row)] for row in rows
        ]
        assert [cell[1:5] for cell in cells[:3]] == [
            ["401", "a/b", "latest", "missing_token"],
            ["200", "greeting", version.id, "v1"],
            ["200", "greeting", "production", "v1"],
        ]
        assert cells[3][1:3] == ["200", "a token"]
        assert cells[1][-1].startswith("scope-prompts")
        assert 'href="/prompts/a%2Fb"' in rows[0]

    def test_only_the_last_two_hundred_are_shown(self, visit: Visitor) -> None:
        for _ in range(201):
            visit.get("/api/x")
        assert visit.get("/requests").text.count("<tr id=") == 200

    def test_events_tell_what_happens_when_it_happens(self, visit: Visitor, platform: LocalPlatform) -> None:
        with visit.session.get(f"{visit.url}/events?requests=1", timeout=30, stream=True) as stream:
            assert stream.headers["Content-Type"].startswith("text/event-stream")
            events = read_events(stream)
            assert next(events)["event"] == "hello"
            assert "All is well" in next(events)["data"]
            platform.fail(503, retry_after=7)
            assert "503 to requests for prompts, Retry-After 7" in next(events)["data"]
            visit.get("/api/v1/prompts/x/latest")
            seen = []
            while not (seen and 'class="status">503</td>' in seen[-1]["data"]):
                seen.append(next(events))
        rows = [event for event in seen if event["event"] == "request"]
        assert {re.findall(r'id="(r-\d+)"', row["data"])[0] for row in rows} == {"r-0"}
        assert int(rows[-1]["id"]) > 0

    def test_a_page_without_a_table_hears_of_the_state_alone(self, visit: Visitor, platform: LocalPlatform) -> None:
        with visit.session.get(f"{visit.url}/events", timeout=30, stream=True) as stream:
            events = read_events(stream)
            assert [next(events)["event"] for _ in range(2)] == ["hello", "state"]
            visit.get("/api/x")
            platform.slow(3)
            assert "Slow: each answer waits 3 s" in next(events)["data"]

    def test_it_goes_on_where_it_was(self, visit: Visitor) -> None:
        for _ in range(3):
            visit.get("/api/x")
        found = re.search(r'data-after="(\d+)"', visit.get("/requests").text)
        assert found is not None
        visit.get("/api/y")
        with visit.session.get(f"{visit.url}/events?requests=1&after={found[1]}", timeout=30, stream=True) as stream:
            events = read_events(stream)
            rows = []
            while not (rows and "404" in rows[-1]["data"]):
                rows += [event for event in [next(events)] if event["event"] == "request"]
        assert {re.findall(r'id="(r-\d+)"', row["data"])[0] for row in rows} == {"r-3"}


def read_events(stream: requests.Response) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in stream.iter_lines(chunk_size=1, decode_unicode=True):
        if not line:
            if "event" in event:
                yield event
            event = {}
            continue
        name, _, value = line.partition(": ")
        event[name] = f"{event[name]}\n{value}" if name in event else value


class TestConnecting:
    def snippet(self, visit: Visitor, name: str) -> str:
        found = re.search(rf'<pre class="well" id="{name}"[^>]*>\n(.*?)</pre>', visit.get("/connect").text, re.DOTALL)
        assert found is not None
        return html.unescape(found[1])

    def test_the_lines_for_a_shell_set_what_a_program_needs(self, visit: Visitor, platform: LocalPlatform) -> None:
        words = [shlex.split(line) for line in self.snippet(visit, "sh").splitlines()]
        assert {word[0] for word in words} == {"export"}
        assert dict(word[1].split("=", 1) for word in words) == platform.environ

    def test_the_lines_for_powershell_and_for_a_file_say_the_same(
        self, visit: Visitor, platform: LocalPlatform
    ) -> None:
        lines = self.snippet(visit, "powershell").splitlines()
        assert lines == [f"$env:{name} = '{value}'" for name, value in platform.environ.items()]
        lines = self.snippet(visit, "dotenv").splitlines()
        assert dict(line.split("=", 1) for line in lines) == platform.environ

    def test_the_lines_for_python_and_the_program_run_as_they_are(self, visit: Visitor) -> None:
        code = f"{self.snippet(visit, 'python')}\n{self.snippet(visit, 'program')}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert (done.stdout, done.stderr) == ("Hello, Ada!\n", "")

    def test_the_program_to_watch_with_goes_on_through_an_outage_and_a_refusal(
        self, visit: Visitor, platform: LocalPlatform
    ) -> None:
        program = self.snippet(visit, "watching")
        quick = program.replace("cache_ttl=2", "cache_ttl=0.02").replace("time.sleep(1)", "time.sleep(0.01)")
        assert quick.count("0.0") == 2
        code = f"{self.snippet(visit, 'python')}\n{quick}"
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            lines = iter(running.stdout.readline, "")

            def until(begins: str) -> None:
                assert any(line.startswith(begins) for line in lines), begins

            try:
                until("platform  0.0 s  Hello, {{name}}!")
                platform.fail(503)
                until("stale ")
                platform.recover()
                platform.refuse_tokens()
                until("AuthenticationError: ")
                platform.recover()
                until("memory ")
            finally:
                running.kill()

    def test_an_id_with_quotes_stays_one_word(self, folder: Path) -> None:
        keys = ApiKeyCredentials("it's $HOME `x`", "key", "secret")
        with LocalPlatform(folder, ui=True, credentials=keys) as platform:
            visit = Visitor(platform)
            line = self.snippet(visit, "sh").splitlines()[0]
            assert shlex.split(line) == ["export", "SCOPE_ORG_ID=it's $HOME `x`"]
            assert self.snippet(visit, "powershell").splitlines()[0] == "$env:SCOPE_ORG_ID = 'it''s $HOME `x`'"


def test_of_a_browser_on_another_machine_only_the_reading_is_left(folder: Path) -> None:
    """What a proxy passed on counts as from elsewhere: it has to log in, and sees no form."""
    with LocalPlatform(folder, ui=True) as platform:
        visit = Visitor(platform)
        keys: Any = platform.credentials
        elsewhere = {"X-Forwarded-For": "10.0.0.1"}
        assert visit.get("/", **elsewhere).status_code == 401
        visit.session.auth = (keys.api_key, str(keys.api_secret))
        page = visit.get("/prompts/greeting", **elsewhere).text
        assert "Hello" in visit.get("/prompts/greeting/1", **elsewhere).text
        assert 'name="token"' not in page
        assert visit.get("/new", **elsewhere).status_code == 403
