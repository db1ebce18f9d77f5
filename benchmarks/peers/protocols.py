"""What each platform answers to a read of a prompt: the same text of 2 kB, in its own notation of variables."""

from __future__ import annotations

import re

VALUES = {name: name * 10 for name in "abcde"}
LITERAL = "x" * 325
TOKEN = {"access_token": "token", "expires_in": 3600}


def content(name: str, opening: str, closing: str) -> str:
    """The template, which begins with the prompt's name, so that no two are the same."""
    return name + LITERAL + "".join(f"{opening}{variable}{closing}{LITERAL}" for variable in VALUES)


def filled(name: str) -> str:
    return name + LITERAL + "".join(value + LITERAL for value in VALUES.values())


def scope(name: str) -> object:
    version = {"id": f"v_{name}", "prompt_id": f"prompt_{name}", "name": name, "version_number": 1}
    return {**version, "content": content(name, "{{", "}}")}


def langfuse(name: str) -> object:
    version = {"name": name, "version": 1, "type": "text", "config": {}, "labels": ["production"], "tags": []}
    return {**version, "prompt": content(name, "{{", "}}")}


def langsmith(name: str) -> object:
    arguments = {
        "input_variables": list(VALUES),
        "template": content(name, "{", "}"),
        "template_format": "f-string",
    }
    prompt = ["langchain", "prompts", "prompt", "PromptTemplate"]
    manifest = {"lc": 1, "type": "constructor", "id": prompt, "kwargs": arguments}
    return {"commit_hash": f"commit-{name}", "manifest": manifest, "examples": []}


def promptlayer(name: str) -> object:
    template = {
        "type": "completion",
        "template_format": "f-string",
        "content": [{"type": "text", "text": content(name, "{", "}")}],
        "input_variables": list(VALUES),
    }
    version = {"id": 1, "prompt_name": name, "version": 1, "tags": [], "metadata": None, "llm_kwargs": None}
    return {**version, "prompt_template": template}


READS = (
    (re.compile(r"GET /api/v1/prompts/([^/? ]+)/"), scope),
    (re.compile(r"GET /api/public/v2/prompts/([^/? ]+)"), langfuse),
    (re.compile(r"GET /commits/-/([^/? ]+)/"), langsmith),
    (re.compile(r"POST /prompt-templates/([^/? ]+)"), promptlayer),
)
