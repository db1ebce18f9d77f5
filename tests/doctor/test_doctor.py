"""`scope doctor` looks at each step, in order: what fails has a remedy, and what rests on it is skipped."""

from __future__ import annotations

import datetime
import json
import socket
import ssl
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from faults.certificate import certificate
from faults.locking import lock_platform
from faults.replies import answer, error, hangs, head, json_answer, prompt

if TYPE_CHECKING:
    from pathlib import Path

    from doctor.conftest import Doctor
    from faults.server import FaultServer

    from scope_client.local import LocalPlatform

KEYS = {"SCOPE_ORG_ID": "org-1", "SCOPE_API_KEY": "key-1", "SCOPE_API_SECRET": "zx81-very-secret"}


def at(server: FaultServer, **more: str) -> dict[str, str]:
    return {**KEYS, "SCOPE_API_URL": server.url, "SCOPE_AUTH_API_URL": server.url, "SCOPE_TIMEOUT": "3", **more}


@pytest.fixture(autouse=True)
def refuses_without_a_token(request: pytest.FixtureRequest) -> None:
    if "server" in request.fixturenames:
        request.getfixturevalue("server").answers(error(401), prompt())


def test_a_set_up_that_works_is_good_from_the_first_check_to_the_last(doctor: Doctor, good: dict[str, str]) -> None:
    found = doctor(good)
    assert (found.code, found.failed, found.err) == (0, [], "")
    names = [check["name"].split(" ")[0] for check in found.checks]
    steps = ("option", "credentials", "variables", "certificates", "proxy", "dns", "tcp", "tls", "api", "clock")
    assert list(dict.fromkeys(names)) == [*steps, "token", "prompt", "environment", "store", "lock"]
    for step in ("credentials", "variables", "dns", "tcp", "api", "clock", "token", "prompt", "environment"):
        assert found.outcome(step) == "ok"
    assert "lives for 3600 s" in found.of("token")["detail"]
    assert "it has no prompt 'scope-doctor'" in found.of("prompt")["detail"]


def test_the_lines_say_the_same_with_times_and_remedies(doctor: Doctor, good: dict[str, str]) -> None:
    done = doctor.run({**good, "SCOPE_CACHE_TLL": "5"})
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "-> set SCOPE_CACHE_TTL in its place, and unset SCOPE_CACHE_TLL" in done.stdout
    assert " ms  token: lives for" in done.stdout
    assert done.stderr == "scope: 1 check has failed: variables\n"


def test_a_prompt_is_read_by_its_name(doctor: Doctor, good: dict[str, str]) -> None:
    assert doctor(good, "greeting").of("prompt greeting")["detail"] == "version 1, text"
    found = doctor(good, "greting")
    assert (found.code, found.failed) == (1, ["prompt greting"])
    assert "check its name" in found.remedies


def test_a_prompt_without_production_says_so(doctor: Doctor, good: dict[str, str], platform: LocalPlatform) -> None:
    platform.draft("drafted", "Hi")
    assert "publish a version of it" in doctor(good, "drafted").remedies


@pytest.mark.parametrize(
    "arguments", [["--format", "yaml"], ["--nonsense"], ["a", "b"], ["--json", "--format", "text"]]
)
def test_wrong_usage_ends_with_two(doctor: Doctor, arguments: list[str]) -> None:
    done = doctor.run({}, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("scope: ")


def test_each_value_says_where_it_came_from(doctor: Doctor, good: dict[str, str], tmp_path: Path) -> None:
    found = doctor({**good, "SCOPE_TIMEOUT": "7"}, "--lock", "some.lock")
    assert found.of("option timeout")["detail"] == "7.0 (SCOPE_TIMEOUT)"
    assert found.of("option cache_ttl")["detail"] == "300.0 (default)"
    assert found.of("option lock")["detail"] == "some.lock (argument)"
    assert found.outcome("lock") == "failed"


def test_a_value_that_cannot_be_is_named_and_the_rest_is_looked_at(doctor: Doctor, good: dict[str, str]) -> None:
    found = doctor({**good, "SCOPE_TIMEOUT": "soon"})
    assert found.failed == ["option timeout"]
    assert "SCOPE_TIMEOUT" in found.of("option timeout")["remedy"]
    assert found.outcome("prompt") == "ok"


def test_options_that_do_not_go_together_stop_the_rest(doctor: Doctor, good: dict[str, str]) -> None:
    found = doctor({**good, "SCOPE_API_URL": "http://scope.example.com"})
    assert found.failed == ["options"]
    assert found.outcome("token") == found.outcome("lock") == "skipped"


def test_one_url_alone_sends_the_secret_elsewhere(doctor: Doctor, good: dict[str, str], closed_port: int) -> None:
    variables = {**good, "SCOPE_API_URL": f"http://127.0.0.1:{closed_port}"}
    del variables["SCOPE_AUTH_API_URL"]
    variables["HTTPS_PROXY"] = f"http://127.0.0.1:{closed_port}"  # nothing leaves this machine
    found = doctor(variables)
    assert "options" in found.failed
    assert "set SCOPE_AUTH_API_URL too" in found.remedies


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


CREDENTIALS: dict[str, tuple[dict[str, str | None], str, str]] = {
    "none": (dict.fromkeys(KEYS), "there are no credentials", "set SCOPE_ORG_ID, SCOPE_API_KEY, SCOPE_API_SECRET"),
    "no secret": ({"SCOPE_API_SECRET": None}, "SCOPE_API_SECRET is not set", "set SCOPE_API_SECRET"),
    "the other secret": (
        {"SCOPE_API_SECRET": None, "SCOPE_CLIENT_SECRET": "local-secret"},
        "SCOPE_CLIENT_SECRET is",
        "put the secret of SCOPE_API_KEY into SCOPE_API_SECRET, and unset SCOPE_CLIENT_SECRET",
    ),
    "both pairs": (
        {"SCOPE_CLIENT_ID": "app", "SCOPE_CLIENT_SECRET": "zx82-secret"},
        "SCOPE_CLIENT_ID and SCOPE_CLIENT_SECRET are set beside SCOPE_API_KEY, and not used",
        "unset SCOPE_CLIENT_ID and SCOPE_CLIENT_SECRET",
    ),
    "the other ID": (
        {"SCOPE_CLIENT_ID": "app"},
        "SCOPE_CLIENT_ID is set beside SCOPE_API_KEY",
        "unset SCOPE_CLIENT_ID",
    ),
    "quotes": ({"SCOPE_API_SECRET": '"local-secret"'}, "quotation marks", "set SCOPE_API_SECRET without"),
    "a space": ({"SCOPE_API_KEY": "local-key "}, "begins or ends with a space", "without the white space"),
    "a line break": ({"SCOPE_API_SECRET": "local-secret\n"}, "a line break", "without the white space"),
    "a space inside": ({"SCOPE_API_KEY": "local key"}, "a space or a control character", "copy SCOPE_API_KEY again"),
    "a placeholder": ({"SCOPE_API_KEY": "<your key>"}, "placeholder", "set SCOPE_API_KEY as the platform shows it"),
    "an unexpanded variable": ({"SCOPE_API_SECRET": "${SECRET}"}, "placeholder", "set SCOPE_API_SECRET"),
    "the same twice": ({"SCOPE_ORG_ID": "local-key"}, "are the same", "set SCOPE_ORG_ID to the ID of the organisation"),
    "swapped": (
        {"SCOPE_ORG_ID": "key_1", "SCOPE_API_KEY": "org_1"},
        "look swapped",
        "swap the values of SCOPE_ORG_ID and SCOPE_API_KEY",
    ),
    "the secret as the ID": ({"SCOPE_API_KEY": "local-secret"}, "are the same", "set SCOPE_API_KEY to the ID"),
    "ID and secret swapped": (
        {"SCOPE_API_KEY": "s" * 64, "SCOPE_API_SECRET": "key-1"},
        "looks like the secret",
        "swap SCOPE_API_KEY and SCOPE_API_SECRET",
    ),
}


@pytest.mark.parametrize("case", CREDENTIALS)
def test_mistakes_with_credentials_are_named(doctor: Doctor, good: dict[str, str], case: str) -> None:
    changes, said, remedy = CREDENTIALS[case]
    merged = {**good, **changes}
    found = doctor({name: value for name, value in merged.items() if value is not None})
    check = found.of("credentials")
    assert check["outcome"] in ("failed", "warning")
    assert said in check["detail"]
    assert remedy in check["remedy"]
    assert "zx82-secret" not in found.out


@pytest.mark.parametrize(
    "variable", ["SCOPE_ENVIRONMENT", "SCOPE_LOCK", "SCOPE_PROMPT_DIR", "SCOPE_TIMEOUT", "SCOPE_X"]
)
def test_the_secret_is_shown_nowhere_wherever_it_was_put(doctor: Doctor, good: dict[str, str], variable: str) -> None:
    done = doctor.run({**good, variable: good["SCOPE_API_SECRET"]})
    assert "token" in done.stdout
    assert good["SCOPE_API_SECRET"] not in done.stdout + done.stderr


def test_a_secret_in_the_place_of_the_id_is_not_shown(doctor: Doctor, good: dict[str, str]) -> None:
    secret = "S" + "7f3a9c" * 6
    done = doctor.run({**good, "SCOPE_API_KEY": secret, "SCOPE_API_SECRET": "key_1"})
    assert "swap SCOPE_API_KEY and SCOPE_API_SECRET" in done.stdout
    assert secret not in done.stdout + done.stderr


def test_an_id_that_may_be_a_secret_is_not_shown(doctor: Doctor, good: dict[str, str]) -> None:
    assert "local-secret" not in doctor({**good, "SCOPE_ORG_ID": "local-secret"}).out
    assert "k" * 50 not in doctor({**good, "SCOPE_API_KEY": "k" * 50}).out
    both_long = doctor({**good, "SCOPE_API_KEY": "k" * 50, "SCOPE_API_SECRET": "s" * 60})
    assert "k" * 50 not in both_long.of("credentials")["detail"]


VARIABLES = {
    "SCOPE_API_URI": ("warning", "unset SCOPE_API_URI"),
    "SCOPE_CACHE_TLL": ("failed", "set SCOPE_CACHE_TTL"),
    "SCOPE_PROMPTS_DIR": ("failed", "set SCOPE_PROMPT_DIR"),
    "SCOPE_LOCKFILE": ("failed", "set SCOPE_LOCK in its place"),
    "SCOPE_MAX_AGE": ("failed", "set SCOPE_CACHE_TTL"),
    "scope_timeout": ("failed", "set SCOPE_TIMEOUT"),
    "SCOPE_MAX_RETRIES": ("warning", "give the option max_retries in the code"),
    "SCOPE_SOMETHING_OF_OURS": ("warning", "leave it if another program reads it"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_nobody_reads_is_named_with_the_nearest(
    doctor: Doctor, good: dict[str, str], name: str
) -> None:
    outcome, remedy = VARIABLES[name]
    check = doctor({**good, name: "5"}).of("variables")
    assert (check["outcome"], name in check["detail"]) == (outcome, True)
    assert remedy in check["remedy"]


def test_a_name_without_an_address_stops_what_rests_on_it(doctor: Doctor) -> None:
    url = "https://scope.invalid"
    found = doctor({**KEYS, "SCOPE_API_URL": url, "SCOPE_AUTH_API_URL": url})
    assert found.failed == ["dns scope.invalid"]
    assert "correct the host in SCOPE_API_URL or SCOPE_AUTH_API_URL" in found.remedies
    for skipped in ("tcp", "tls", "api", "clock", "token", "prompt"):
        check = found.of(skipped)
        assert (check["outcome"], bool(check["detail"])) == ("skipped", True)


def test_each_address_is_tried_and_one_that_answers_is_enough(doctor: Doctor, platform: LocalPlatform) -> None:
    url = f"http://localhost:{platform.port}"
    found = doctor({**platform.environ, "SCOPE_API_URL": url, "SCOPE_AUTH_API_URL": url})
    outcomes = {check["name"]: check["outcome"] for check in found.checks if check["name"].startswith("tcp")}
    assert outcomes[f"tcp 127.0.0.1:{platform.port}"] == "ok"
    assert found.code == 0


def test_a_port_where_nobody_listens(doctor: Doctor, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}"
    found = doctor({**KEYS, "SCOPE_API_URL": url, "SCOPE_AUTH_API_URL": url})
    assert found.failed == [f"tcp 127.0.0.1:{closed_port}"]
    assert "correct the port in SCOPE_API_URL" in found.remedies


def mapped(server: FaultServer) -> str:
    """An address of this machine that does not count as one, so that a proxy is used."""
    return f"http://[::ffff:127.0.0.1]:{server.port}"


def test_a_proxy_that_is_not_there_is_named_with_its_variable(
    doctor: Doctor, server: FaultServer, closed_port: int
) -> None:
    variables = {**at(server), "SCOPE_ALLOW_INSECURE": "1", "HTTP_PROXY": f"http://user:hush@127.0.0.1:{closed_port}"}
    variables |= {"SCOPE_API_URL": mapped(server), "SCOPE_AUTH_API_URL": mapped(server)}
    found = doctor(variables)
    assert found.failed == [f"tcp 127.0.0.1:{closed_port}"]
    assert "correct HTTP_PROXY, unset it, or add ::ffff:127.0.0.1 to NO_PROXY" in found.remedies
    assert "hush" not in found.out
    for fix in ({"HTTP_PROXY": ""}, {"NO_PROXY": "::ffff:127.0.0.1"}):
        server.answers(error(401), prompt())
        assert doctor({**variables, **fix}).failed == []


@pytest.mark.parametrize(
    ("status", "remedy"), [(407, "the name and the password of the proxy"), (403, "have the proxy allow")]
)
def test_a_proxy_that_makes_no_tunnel(doctor: Doctor, server: FaultServer, status: int, remedy: str) -> None:
    server.answers(answer("no", status))
    url = "https://scope.example.com"
    found = doctor({**KEYS, "SCOPE_API_URL": url, "SCOPE_AUTH_API_URL": url, "HTTPS_PROXY": server.url})
    assert found.failed == ["tunnel scope.example.com"]
    assert remedy in found.remedies


def test_an_unknown_authority(doctor: Doctor, tls_server: FaultServer) -> None:
    tls_server.answers(error(401), prompt())
    found = doctor(at(tls_server))
    assert found.failed == ["tls 127.0.0.1"]
    assert "set REQUESTS_CA_BUNDLE to a PEM file with the authority" in found.remedies
    trusted = doctor(at(tls_server, REQUESTS_CA_BUNDLE=str(certificate().authority)))
    assert trusted.failed == []
    assert "TLSv1" in trusted.of("tls")["detail"]
    assert "trustme" in trusted.of("tls")["detail"]


def test_a_bundle_that_is_not_there(doctor: Doctor, tls_server: FaultServer, tmp_path: Path) -> None:
    found = doctor(at(tls_server, SSL_CERT_FILE=str(tmp_path / "nowhere.pem")))
    assert "certificates SSL_CERT_FILE" in found.failed
    assert "correct SSL_CERT_FILE, or unset it" in found.remedies
    (tmp_path / "empty.pem").write_text("nothing")
    assert "form PEM" in doctor(at(tls_server, SSL_CERT_FILE=str(tmp_path / "empty.pem"))).of("certificates")["detail"]


def test_https_to_a_port_that_speaks_http(doctor: Doctor, platform: LocalPlatform) -> None:
    url = platform.url.replace("http://", "https://")
    found = doctor({**KEYS, "SCOPE_API_URL": url, "SCOPE_AUTH_API_URL": url})
    assert found.failed == ["tls 127.0.0.1"]
    assert "does not speak TLS" in found.of("tls")["detail"]


@pytest.mark.parametrize("hours", [-2, 3])
def test_a_clock_that_is_wrong(doctor: Doctor, server: FaultServer, hours: int) -> None:
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    server.answers(error(401, Date=format_datetime(then, usegmt=True)), prompt())
    found = doctor(at(server))
    assert found.failed == ["clock"]
    assert ("ahead of" if hours < 0 else "behind") in found.of("clock")["detail"]
    assert "set this machine's clock" in found.remedies


@pytest.mark.parametrize(("date", "outcome"), [("soon", "warning"), (None, "skipped")])
def test_a_date_that_says_nothing(doctor: Doctor, server: FaultServer, date: str | None, outcome: str) -> None:
    server.answers(error(401, **({} if date is None else {"Date": date})), prompt())
    assert doctor(at(server)).outcome("clock") == outcome


ANSWERS: dict[str, tuple[bytes, str]] = {
    "a login page": (answer("<!DOCTYPE html><title>Sign in</title>", 200, Content_Type="text/html"), "web page"),
    "a redirect": (
        head(302, Location="https://login.example.com/", Content_Length=0),
        "a redirect, which is not followed",
    ),
    "a platform that fails": (json_answer({}, 503), "the platform is there, and fails"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_something_else_answers_in_place_of_the_api(doctor: Doctor, server: FaultServer, case: str) -> None:
    reply, said = ANSWERS[case]
    server.answers(reply)
    found = doctor(at(server))
    assert found.failed == ["api"]
    assert said in found.of("api")["detail"]
    assert found.outcome("prompt") == "skipped"


@pytest.mark.parametrize("reply", [json_answer({}, 404), json_answer({}, 400), prompt()])
def test_an_answer_that_no_platform_gives_without_a_token(doctor: Doctor, server: FaultServer, reply: bytes) -> None:
    server.answers(reply)
    check = doctor(at(server)).of("api")
    assert (check["outcome"], check["remedy"]) == ("warning", "check the path in SCOPE_API_URL")


def test_a_platform_that_does_not_answer_in_time(doctor: Doctor, server: FaultServer) -> None:
    server.answers(hangs())
    found = doctor(at(server, SCOPE_TIMEOUT="0.5"))
    assert "api" in found.failed
    assert "raise the option timeout" in found.remedies


def test_refused_credentials(doctor: Doctor, good: dict[str, str]) -> None:
    found = doctor({**good, "SCOPE_API_SECRET": "wrong-secret"})
    assert found.failed == ["token"]
    assert "copy SCOPE_ORG_ID, the ID and the secret again" in found.remedies
    assert found.outcome("prompt") == "skipped"


def test_a_token_endpoint_that_fails(doctor: Doctor, server: FaultServer) -> None:
    server.gives_tokens(json_answer({}, 404))
    found = doctor(at(server))
    assert found.failed == ["token"]
    assert "SCOPE_AUTH_API_URL" in found.of("token")["remedy"]


def test_a_key_without_the_right(doctor: Doctor, server: FaultServer) -> None:
    server.answers(error(401), error(403))
    found = doctor(at(server))
    assert found.failed == ["prompt"]
    assert "give the key the right" in found.remedies


def test_an_environment_that_is_almost_a_usual_one(doctor: Doctor, good: dict[str, str]) -> None:
    check = doctor({**good, "SCOPE_ENVIRONMENT": "prodution"}).of("environment")
    assert (check["outcome"], "SCOPE_ENVIRONMENT to production" in check["remedy"]) == ("warning", True)
    assert doctor({**good, "SCOPE_ENVIRONMENT": "blue"}).of("environment")["detail"] == "X-Scope-Environment: blue"


def test_a_prompt_folder(doctor: Doctor, good: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    variables = {**good, "SCOPE_PROMPT_DIR": "prompts"}
    assert doctor(variables).outcome("prompt folder") == "warning"
    (folder / "greeting.md").write_text("---\nstatus: [\n---\nHi")
    assert doctor(variables).failed == ["prompt folder"]
    (folder / "greeting.md").write_text("Hi")
    assert "1 prompts" in doctor(variables).of("prompt folder")["detail"]
    assert "option prompt_dir" in doctor({**good, "SCOPE_PROMPT_DIR": "nowhere"}).failed


def test_a_lock(doctor: Doctor, good: dict[str, str], platform: LocalPlatform, tmp_path: Path) -> None:
    lock = lock_platform(tmp_path, platform, "greeting")
    assert "name it by --lock or SCOPE_LOCK" in doctor(good).of("lock")["detail"]
    assert doctor(good, "--lock", "scope.lock").outcome("lock") == "ok"
    variables = {**good, "SCOPE_LOCK": str(lock)}
    assert doctor(variables).code == 0
    file = tmp_path / "prompts" / "greeting" / "v1.md"
    file.write_bytes(file.read_bytes() + b"edited\n")
    found = doctor(variables)
    assert found.failed == ["lock"]
    assert "scope pull --locked --force" in found.remedies
    lock.write_text("[[")
    assert "is not TOML" in doctor(variables).of("lock")["detail"]


def test_a_prompt_is_read_as_the_lock_has_it(
    doctor: Doctor, good: dict[str, str], platform: LocalPlatform, tmp_path: Path
) -> None:
    platform.publish("locked", "one")
    good = {**good, "SCOPE_LOCK": str(lock_platform(tmp_path, platform, "locked"))}
    platform.publish("locked", "two")
    platform.publish("other", "three")
    assert doctor(good, "locked").of("prompt locked")["detail"] == "version 1, text, locked"
    other = doctor(good, "other").of("prompt other")
    assert (other["outcome"], "scope pull other" in other["remedy"]) == ("failed", True)
    assert doctor(good).outcome("prompt") == "ok"


def test_the_report_is_json_and_nothing_else(doctor: Doctor, good: dict[str, str]) -> None:
    done = doctor.run(good, "--format", "json")
    data: Any = json.loads(done.stdout)
    assert (data["failed"], data["warnings"], done.stderr) == (0, 0, "")
    assert all(isinstance(check["seconds"], float) for check in data["checks"])


def with_certificate(server: FaultServer, folder: Path, *names: str, **how: Any) -> str:
    """Has the server show a certificate for these names, and returns the path of the authority's."""
    authority = trustme.CA()
    made = authority.issue_cert(*names, **how)
    made.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server._context = context
    server.answers(error(401), prompt())
    return str(folder / "authority.pem")


def test_a_certificate_of_another_host(doctor: Doctor, tls_server: FaultServer, tmp_path: Path) -> None:
    authority = with_certificate(tls_server, tmp_path, "elsewhere.example.com")
    found = doctor(at(tls_server, REQUESTS_CA_BUNDLE=authority))
    assert found.failed == ["tls 127.0.0.1"]
    assert "correct the host in SCOPE_API_URL and SCOPE_AUTH_API_URL" in found.remedies


@pytest.mark.parametrize(
    ("days", "outcome", "remedy"),
    [
        (-1, "failed", "renew the certificate of 127.0.0.1, and check the clock"),
        (3, "warning", "renew the certificate"),
    ],
)
def test_a_certificate_that_ends(
    doctor: Doctor, tls_server: FaultServer, tmp_path: Path, days: int, outcome: str, remedy: str
) -> None:
    ends_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    begins_at = ends_at - datetime.timedelta(days=90)
    authority = with_certificate(tls_server, tmp_path, "127.0.0.1", not_before=begins_at, not_after=ends_at)
    check = doctor(at(tls_server, REQUESTS_CA_BUNDLE=authority)).of("tls")
    assert (check["outcome"], remedy in check["remedy"]) == (outcome, True)
