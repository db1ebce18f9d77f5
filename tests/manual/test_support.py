"""What docs/support.md says of versions is what the package says of itself, and what it says of a fleet is so."""

from __future__ import annotations

import json
import re

import pytest
from manual.pages import ROOT, text_of
from manual.test_logs import records

from scope_client import MemoryStore
from scope_client.local import LocalPlatform

PAGE = text_of("support.md")
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
SUPPORTED = dict(re.findall(r"^\| (?:redis \()?([\w-]+)\)? \| ([\d.]+) and later \|$", PAGE, re.MULTILINE))


class Listening(MemoryStore):
    """Keeps the keys and the texts that were put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}

    def set(self, key, value, ttl):
        self.kept[key] = value
        super().set(key, value, ttl)


def test_the_oldest_versions_are_those_of_the_package():
    needed = dict(re.findall(r'"([A-Za-z-]+)>=([\d.]+)"', PROJECT))
    (python,) = re.findall(r'^requires-python = ">=([\d.]+)"$', PROJECT, re.MULTILINE)
    of_the_page = {name.replace("redis-py", "redis"): version for name, version in SUPPORTED.items()}
    assert of_the_page == {
        "Python": python,
        **{name: needed[name] for name in ("requests", "cachetools", "Django", "Flask", "langchain-core", "redis")},
    }


def test_each_deprecation_is_named():
    named = re.findall(r"^\| `([^`]+)` \| `", PAGE.partition("Deprecated now:")[2], re.MULTILINE)
    warned = [record.message for record in records() if record.level == "DeprecationWarning"]
    assert len(named) == len(warned)
    assert all(message.startswith(name) for name, message in zip(named, warned))


def test_keys_and_entries_of_a_store_have_the_schema_number():
    store = Listening()
    with LocalPlatform({"greeting": "Hello!"}) as platform, platform.client(cache_store=store) as client:
        client.get_prompt_version("greeting")
    assert store.kept
    assert all(key.startswith("scope:1:") for key in store.kept)
    assert {json.loads(text)["schema"] for text in store.kept.values() if text.startswith("{")} == {1}


@pytest.mark.parametrize("change", [{"schema": 2}, {"schema": None}])
def test_an_entry_of_another_number_is_a_miss(change):
    store = Listening()
    with LocalPlatform({"greeting": "Hello!"}) as platform:
        with platform.client(cache_store=store) as client:
            client.get_prompt_version("greeting")
        for key, text in list(store.kept.items()):
            if text.startswith("{"):
                store.set(key, json.dumps({**json.loads(text), **change}), 60)
        with platform.client(cache_store=store) as client:
            assert client.read_prompt("greeting").source == "platform"


def test_a_field_that_a_process_does_not_know_is_kept():
    store = Listening()
    with LocalPlatform({"greeting": "Hello!"}) as platform:
        with platform.client(cache_store=store) as client:
            client.get_prompt_version("greeting")
        for key, text in list(store.kept.items()):
            if text.startswith("{"):
                entry = json.loads(text)
                store.set(key, json.dumps({**entry, "version": {**entry["version"], "colour": "blue"}}), 60)
        with platform.client(cache_store=store) as client:
            read = client.read_prompt("greeting")
    assert (read.source, read.version.to_dict()["colour"]) == ("store", "blue")
