"""`scope demo` needs no folder, no account and no network."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def demo(scope):
    scope.variables = {}
    # A proxy that does not answer, as a company's does not for this machine.
    return scope("demo", http_proxy="http://127.0.0.1:9", SCOPE_ORG_ID="somebody", SCOPE_API_URL="https://api.example")


def test_it_shows_the_quick_start_and_ends_with_the_rendered_texts(demo):
    assert (demo.code, demo.err) == (0, "")
    lines = demo.out.splitlines()
    assert len(lines) <= 60
    assert '>>> text = version.render(time_of_day="morning", name="Alice")' in lines
    assert "Good morning, Alice! What shall we write today?" in lines
    assert "  Good morning, Alice! What shall we write today?" in lines[-7:]
    assert "scope serve FOLDER" in lines[-1]


def test_it_shows_both_versions_metadata_and_messages(demo):
    lines = demo.out.splitlines()
    assert "(1, 'published', ('time_of_day', 'name'))" in lines
    assert "(2, 'draft')" in lines
    assert "0.7" in lines
    assert """{'role': 'user', 'content': 'I am Alice. My "export" is empty.'}""" in lines


def test_the_second_read_comes_from_the_cache_and_tells_its_time(demo):
    assert re.search(r'>>> again = client.get_prompt_version\("greeting"\)  # took [\d.]+ m\w+seconds\n', demo.out)
    assert ">>> again is version\nTrue\n" in demo.out
    assert "The platform received 5 requests in all:" in demo.out
    assert demo.out.count("GET  greeting production") == 1


def test_a_draft_shows_the_error_that_it_is(demo):
    assert '>>> client.get_prompt_version("newsletter")\nNoProductionVersionError: prompt ' in demo.out


def test_it_shows_an_outage_that_no_reader_notices(demo):
    assert ">>> platform.stop()\n>>> client.read_prompt(\"greeting\", cache_ttl=0.001).source\n'stale'\n" in demo.out
