"""The local platform answers as the HTTP contract says, to whatever it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAT = [{"role": "system", "content": "You are {{role}}."}, {"role": "user", "content": "Hi {{name}}"}]
PROMPT = "/api/v1/prompts/{prompt}"
VERSIONS = {
    "production": f"{PROMPT}/production",
    "latest": f"{PROMPT}/latest",
    "versions/v_1": f"{PROMPT}/versions/{{version}}",
}

contract = schemathesis.openapi.from_path(Path(__file__).with_name("contract.yaml"))


@pytest.fixture(scope="module", params=["newer", "older"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPlatform]:
    folder = tmp_path_factory.mktemp("prompts")
    (folder / "greeting.md").write_text("---\nid: v_1\ntags: [a]\nmetadata: {since: 2024-01-31}\n---\nHi {{name}}\n")
    with LocalPlatform(folder, generation=request.param) as platform:
        platform.publish("chat", CHAT)
        platform.draft("only a draft", "")
        yield platform


@pytest.fixture(scope="module")
def session(served: LocalPlatform) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def token(served: LocalPlatform, session: requests.Session) -> str:
    keys = served.credentials
    answer = session.post(served.url + keys.token_path, json=keys.token_body(), timeout=10)
    return str(answer.json()["access_token"])


def conforms(path: str, answer: requests.Response) -> None:
    method = str(answer.request.method)
    contract[path][method].validate_response(answer)


@contract.parametrize()
@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_contract_describes(
    case: Any, served: LocalPlatform, session: requests.Session, token: str
) -> None:
    case.call_and_validate(
        base_url=served.url,
        session=session,
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest.mark.parametrize("which", VERSIONS)
def test_a_version_is_described_by_the_contract(
    which: str, served: LocalPlatform, session: requests.Session, token: str
) -> None:
    url = f"{served.url}/api/v1/prompts/greeting/{which}"
    answer = session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200
    conforms(VERSIONS[which], answer)


@pytest.mark.parametrize("name", ["nobody", "only a draft", "..", "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A"])
def test_a_404_is_described_by_the_contract(
    name: str, served: LocalPlatform, session: requests.Session, token: str
) -> None:
    url = f"{served.url}/api/v1/prompts/{quote(name, safe='').replace('.', '%2E')}/production"
    request = requests.Request("GET", url, headers={"Authorization": f"Bearer {token}"}).prepare()
    request.url = url
    answer = session.send(request, timeout=10)
    assert answer.status_code == 404
    conforms(VERSIONS["production"], answer)


@pytest.mark.parametrize("scheme", ["credentials", "client_credentials"])
def test_a_token_is_described_by_the_contract(scheme: str, served: LocalPlatform, session: requests.Session) -> None:
    keys = getattr(served, scheme)
    answer = session.post(served.url + keys.token_path, json=keys.token_body(), timeout=10)
    assert answer.status_code == 200
    conforms(keys.token_path, answer)


@pytest.mark.parametrize("status", [403, 409, 429, 500, 503])
def test_a_failure_on_demand_is_described_by_the_contract(
    status: int, served: LocalPlatform, session: requests.Session, token: str
) -> None:
    served.fail(status, times=1, retry_after=2)
    answer = session.get(f"{served.url}/api/v1/prompts/greeting/latest", timeout=10)
    assert answer.status_code == status
    conforms(VERSIONS["latest"], answer)
