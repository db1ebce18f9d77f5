"""What the page on LangChain says of an agent is true."""

from __future__ import annotations

import sys

from manual import pages

PAGE = "integrations/langchain.md"
ASK = """
from langchain_core.language_models import FakeListChatModel
from scope_client import ApiKeyCredentials, ScopeClient
from agent import made

class Model(FakeListChatModel):
    def _call(self, messages, *given, **more):
        print(messages[0].content)
        return super()._call(messages, *given, **more)

client = ScopeClient(credentials=ApiKeyCredentials.from_env())
made(Model(responses=["x"]), client).invoke({"messages": "Hi"})
"""


def test_its_agent_reads_its_system_prompt(folder, platform):
    pages.write_files(PAGE, folder)
    done = pages.python(["-c", ASK], folder, **platform.environ)
    if sys.version_info < (3, 10):  # of LangChain 1.0, whose agents have middleware
        assert "cannot import name 'create_agent'" in done.stderr
        return
    assert done.stdout == "Good morning, Ada!\n", done.stderr
