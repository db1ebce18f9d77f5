"""`scope serve` runs a platform over a folder until Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
import requests

from scope_client import ApiKeyCredentials, Configuration
from scope_client._folder.reader import read_prompt_dir

EXAMPLES = Path(__file__).resolve().parents[2] / "example_projects" / "prompts"
READY = "The requests:"
KEYS = ApiKeyCredentials("org", "key", "secret")
F_SETPIPE_SZ = 1031


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "greeting.md").write_text("Hello, {{name}}!\n")
    return folder


def exports(lines):
    """The variables of the lines to paste."""
    words = [shlex.split(line) for line in lines]
    return dict(each[1].split("=", 1) for each in words if each[:1] == ["export"])


def client_variables(lines):
    """The variables that may take the place of the key: they are not to paste, so that nobody pastes both."""
    words = [shlex.split(line) for line in lines]
    return dict(each[0].split("=", 1) for each in words if each and each[0].startswith("SCOPE_CLIENT_"))


PAIRS = [("SCOPE_API_KEY", "SCOPE_API_SECRET"), ("SCOPE_CLIENT_ID", "SCOPE_CLIENT_SECRET")]
NO_KEY = {"SCOPE_API_KEY": "", "SCOPE_API_SECRET": ""}
WHERE = ("SCOPE_API_URL", "SCOPE_AUTH_API_URL", "SCOPE_ORG_ID")


@pytest.mark.parametrize("options", [(), ("--host", "127.0.0.1"), ("--client-id", "mine")], ids=" ".join)
def test_the_lines_it_prints_are_all_that_a_program_needs_with_either_pair(options, serve, scope, folder):
    lines = serve(folder, *options).read_until(READY)
    assert sorted(exports(lines)) == sorted({*WHERE, *PAIRS[0]})
    variables = {**exports(lines), **client_variables(lines)}
    assert sorted(variables) == sorted({*WHERE, *PAIRS[0], *PAIRS[1]})
    for pair in PAIRS:
        given = {**NO_KEY, **{name: variables[name] for name in (*WHERE, *pair)}}
        assert scope("render", "greeting", "-v", "name=Alice", **given).out == "Hello, Alice!\n"


def test_each_request_is_one_line_of_the_log(serve, scope, folder):
    serving = serve(folder)
    variables = exports(serving.read_until(READY))
    scope("get", "greeting", **variables)
    scope("get", "nothing", **variables)
    log = [line for line in serving.read_until("nothing production") if line]
    assert [re.sub(r" +", " ", line).split(" ", 1)[1].split(" ms")[0].rsplit(" ", 1)[0] for line in log] == [
        "POST /v1/auth/sdk-token 200",
        "GET greeting production 200",
        "POST /v1/auth/sdk-token 200",
        "GET nothing production 404",
    ]


def test_an_edited_file_is_served_at_once(serve, scope, folder):
    variables = exports(serve(folder).read_until(READY))
    assert scope("render", "greeting", "-v", "name=Alice", **variables).out == "Hello, Alice!\n"
    (folder / "greeting.md").write_text("Hi, {{name}}!\n")
    assert scope("render", "greeting", "-v", "name=Alice", **variables).out == "Hi, Alice!\n"


def test_it_says_when_a_running_program_asks_for_an_edited_file(serve, folder):
    said = " ".join(serve(folder).read_until(READY))
    minutes = Configuration(credentials=KEYS).cache_ttl / 60
    assert minutes == 5
    assert "A running program asks for it when its cache_ttl is over: after five minutes, unless it is set." in said


def test_ctrl_c_ends_it_cleanly(serve, folder):
    serving = serve(folder)
    serving.read_until(READY)
    done = serving.interrupt()
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\nStopped.\n")


# A process number of its own, if this machine allows for that; the first process of a container has such a one.
CONTAINER = ("unshare", "--map-root-user", "--pid", "--fork", "--kill-child")
HAS_CONTAINERS = (
    shutil.which("unshare") is not None and subprocess.run([*CONTAINER, "true"], capture_output=True).returncode == 0
)


@pytest.mark.parametrize("within", [(), CONTAINER if HAS_CONTAINERS else ()], ids=["alone", "first of a container"])
def test_sigterm_ends_it_as_ctrl_c_does(within, serve, folder):
    serving = serve(folder, within=within)
    serving.read_until(READY)
    done = serving.terminate()
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\nStopped.\n")


def test_sigterm_has_a_handler_without_which_linux_drops_it_in_a_container(serve, folder):
    serving = serve(folder)
    serving.read_until(READY)
    status = Path(f"/proc/{serving.process.pid}/status").read_text()
    caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)
    assert caught >> (signal.SIGTERM - 1) & 1


@contextlib.contextmanager
def connected(variables):
    port = int(variables["SCOPE_API_URL"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def asked(connection, path="/nothing", times=1):
    host, port = connection.getpeername()
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode() * times)


def test_sigterm_does_not_wait_for_a_connection_that_is_kept(serve, folder):
    serving = serve(folder)
    with connected(exports(serving.read_until(READY))) as kept, kept.makefile("rb") as answer:
        asked(kept)
        assert answer.readline().startswith(b"HTTP/1.1 ")
        kept.sendall(b"GET / HT")
        done = serving.terminate()
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\nStopped.\n")


def test_sigterm_does_not_wait_for_an_answer_that_is_delayed(serve, folder):
    serving = serve(folder, "--latency", "1000")
    with connected(exports(serving.read_until(READY))) as connection:
        asked(connection)
        done = serving.terminate()
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\nStopped.\n")


def test_sigterm_does_not_wait_for_somebody_to_read_the_log(serve, folder):
    serving = serve(folder)
    variables = exports(serving.read_until(READY))
    fcntl.fcntl(serving.process.stdout, F_SETPIPE_SZ, 4096)
    with connected(variables) as connection:
        asked(connection, times=200)
        is_full = False
        while not is_full:
            waiting = fcntl.ioctl(serving.process.stdout, termios.FIONREAD, struct.pack("i", 0))
            is_full = struct.unpack("i", waiting)[0] > 4096 - 80
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(10) == 0


# Python code after which a process is told to end as it comes to import a module, or to listen.
AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Finder())
"""
AT_LISTENING = """
import os, signal, socket
socket.create_server = lambda *args, **options: os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        (AT_IMPORT.format(name="click"), (143, "", "")),
        (AT_IMPORT.format(name="flask"), (0, "\nStopped.\n", "")),
        (AT_LISTENING, (0, "\nStopped.\n", "")),
    ],
    ids=["click", "flask", "listen"],
)
def test_sigterm_ends_it_while_it_starts(first, outcome, serve, folder):
    assert serve(folder, first=first).rest() == outcome


def test_it_lists_every_version_with_its_status_type_and_id(serve):
    lines = [line.split() for line in serve(EXAMPLES).read_until(READY)]
    for name, versions in read_prompt_dir(EXAMPLES).items():
        assert [name, versions[0].prompt_id] in lines
        for each in versions:
            assert [f"v{each.number}", each.status, each.type, each.id] in lines


def test_an_empty_folder_is_served_with_a_word_on_what_to_do(serve, tmp_path):
    assert any("no prompt yet" in line for line in serve(tmp_path).read_until(READY))


def test_the_options_reach_the_platform(serve, folder):
    variables = exports(serve(folder, "--token-ttl", "5", "--latency", "0.01").read_until(READY))
    answer = requests.post(
        f"{variables['SCOPE_AUTH_API_URL']}/v1/auth/sdk-token",
        json={"account_id": "local-org", "key_id": "local-key", "key_secret": variables["SCOPE_API_SECRET"]},
        timeout=10,
    )
    assert answer.json()["expires_in"] == 5
    assert answer.elapsed.total_seconds() >= 0.01


def test_a_port_in_use_is_one_line(scope, platform, folder):
    done = scope("serve", str(folder), "--port", str(platform.port))
    assert done.code == 1
    assert f"port {platform.port} of 127.0.0.1 cannot be used" in done.complaint
    assert done.complaint.endswith("; choose another with --port, or 0 for any free one")


def test_a_folder_with_mistakes_is_one_line_that_names_each(scope, folder):
    (folder / "one.md").write_text("---\nstatus: live\n---\nx\n")
    (folder / "two.md").write_bytes(b"\xff")
    done = scope("serve", str(folder), "--port", "0")
    assert done.code == 1
    assert "one.md: status must be" in done.complaint
    assert "two.md: is not UTF-8" in done.complaint


def token_for(variables, *, key, secret, host=None):
    return requests.post(
        f"{variables['SCOPE_AUTH_API_URL']}/v1/auth/sdk-token",
        json={"account_id": variables["SCOPE_ORG_ID"], "key_id": key, "key_secret": secret},
        headers={} if host is None else {"Host": host},
        timeout=10,
    )


class TestKeys:
    def test_are_made_up_if_a_host_is_given_and_said_to_be(self, serve, scope, folder):
        serving = [serve(folder, "--host", "127.0.0.1") for _ in range(2)]
        lines = [each.read_until(READY) for each in serving]
        variables = [exports(each) for each in lines]
        assert "Made up for this run: SCOPE_API_KEY, SCOPE_API_SECRET." in lines[0]
        assert len({each["SCOPE_API_SECRET"] for each in variables} | {"local-secret"}) == 3
        assert scope("render", "greeting", "-v", "name=Alice", **variables[0]).out == "Hello, Alice!\n"
        assert token_for(variables[0], key="local-key", secret="local-secret").status_code == 401

    def test_of_either_kind_can_be_given(self, serve, scope, folder):
        lines = serve(folder, "--org-id", "mine", SCOPE_CLIENT_ID="app", SCOPE_CLIENT_SECRET="my-secret").read_until(
            READY
        )
        variables = {**exports(lines), **client_variables(lines)}
        assert "As you gave: SCOPE_ORG_ID, SCOPE_CLIENT_ID, SCOPE_CLIENT_SECRET. " in "".join(lines)
        assert "# SCOPE_CLIENT_SECRET: the secret that you gave" in lines
        assert (variables["SCOPE_CLIENT_ID"], variables["SCOPE_API_SECRET"] != "local-secret") == ("app", True)
        ours = {**NO_KEY, **{name: variables[name] for name in (*WHERE, "SCOPE_CLIENT_ID")}}
        assert scope("get", "greeting", **ours, SCOPE_CLIENT_SECRET="my-secret").code == 0

    def test_that_are_made_up_for_a_client_are_said_to_be(self, serve, folder):
        said = "The newer client credentials work too, in place of the API key"
        made_up = f"{said} (SCOPE_CLIENT_ID and SCOPE_CLIENT_SECRET made up for this run):"
        assert made_up in serve(folder, "--host", "127.0.0.1").read_until(READY)
        assert made_up in serve(folder, "--api-key", "mine").read_until(READY)
        assert f"{said}:" in serve(folder).read_until(READY)

    def test_can_be_given_as_options_and_the_secret_is_not_said_back(self, serve, folder):
        lines = serve(folder, "--org-id", "mine", "--api-key", "my-key", "--api-secret", "my-secret").read_until(READY)
        variables = exports(lines)
        assert (variables["SCOPE_ORG_ID"], variables["SCOPE_API_KEY"]) == ("mine", "my-key")
        assert "As you gave: SCOPE_ORG_ID, SCOPE_API_KEY, SCOPE_API_SECRET." in lines
        assert not [line for line in lines if "my-secret" in line]
        assert token_for(variables, key="my-key", secret="my-secret").status_code == 200
        assert token_for(variables, key="local-key", secret="local-secret").status_code == 401

    def test_one_that_is_empty_is_refused_and_not_made_up(self, scope, folder):
        done = scope("serve", str(folder), "--port", "0", "--api-secret", "")
        assert done.code == 1
        assert "api_secret: it must be text that is not empty" in done.complaint

    def test_can_be_given_in_the_environment_as_a_client_reads_them(self, serve, folder):
        serving = serve(folder, "--host", "127.0.0.1", SCOPE_API_KEY="my-key", SCOPE_API_SECRET="my-secret")
        lines = serving.read_until(READY)
        assert not [line for line in lines if "my-secret" in line]
        assert token_for(exports(lines), key="my-key", secret="my-secret").status_code == 200

    def test_of_which_a_part_was_given_are_filled_up_with_what_nobody_can_guess(self, serve, folder):
        lines = serve(folder, "--api-key", "my-key").read_until(READY)
        variables = exports(lines)
        assert "As you gave: SCOPE_API_KEY. Made up for this run: SCOPE_API_SECRET." in lines
        assert token_for(variables, key="my-key", secret=variables["SCOPE_API_SECRET"]).status_code == 200
        assert token_for(variables, key="my-key", secret="local-secret").status_code == 401


def test_a_host_that_is_allowed_is_answered_and_another_is_not(serve, folder):
    variables = exports(serve(folder, "--allow-host", "scope", "--allow-host", "other:7").read_until(READY))
    asked = {
        host: token_for(variables, key="local-key", secret="local-secret", host=host).status_code
        for host in ("scope:1", "scope", "other:7", "other:8", "evil.example")
    }
    assert asked == {"scope:1": 200, "scope": 200, "other:7": 200, "other:8": 421, "evil.example": 421}


@pytest.mark.parametrize(
    ("host", "warns"), [("0.0.0.0", True), ("127.0.0.1", False), ("localhost", False), ("::1", False)]
)
def test_a_host_that_others_reach_is_warned_of_and_names_stay_checked(host, warns, serve, folder):
    lines = serve(folder, "--host", host).read_until(READY)
    assert any(line.startswith("WARNING: other machines can reach this platform") for line in lines) == warns
    variables = exports(lines)
    keys = {"key": variables["SCOPE_API_KEY"], "secret": variables["SCOPE_API_SECRET"]}
    port = variables["SCOPE_API_URL"].rpartition(":")[2]
    assert token_for(variables, **keys, host=f"localhost:{port}").status_code == 200
    for rebound in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}"):
        assert token_for(variables, **keys, host=rebound).status_code == 421


def test_a_host_for_all_addresses_is_said_and_answers_at_each(serve, folder):
    lines = serve(folder, "--host", "0.0.0.0").read_until(READY)
    variables = exports(lines)
    assert any(line.startswith("It listens on 0.0.0.0: ") for line in lines)
    variables["SCOPE_AUTH_API_URL"] = variables["SCOPE_AUTH_API_URL"].replace("127.0.0.1", "127.0.0.9")
    keys = {"key": variables["SCOPE_API_KEY"], "secret": variables["SCOPE_API_SECRET"]}
    assert token_for(variables, **keys).status_code == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "nowhere.invalid"], "host nowhere.invalid cannot be listened on"),
        (["--host", "localhost:80"], "host must be a name or an address without a port"),
        (["--allow-host", "http://scope"], "an allowed host must be a name or an address"),
        (["--api-key", "a\nb"], "api_key must not contain line breaks"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(options, said, scope, folder):
    done = scope("serve", str(folder), "--port", "0", *options)
    assert done.code == 1
    assert said in done.complaint


HOSTILE = [
    b"nonsense\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /\x00\x1b[31m HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    b"\x1b[31m\x9b2J /\x85forged HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100,
]


def test_whatever_is_sent_there_is_no_traceback_and_the_next_program_is_served(serve, scope, folder):
    serving = serve(folder)
    variables = exports(serving.read_until(READY))
    port = int(variables["SCOPE_API_URL"].rpartition(":")[2])
    for sent in HOSTILE:
        for resets in (False, True):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                if resets:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(sent)
    assert scope("get", "greeting", **variables).code == 0
    done = serving.interrupt()
    assert (done.code, done.err) == (0, "")
    assert "Traceback" not in done.out
    assert done.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("descriptors", [64, 32])
def test_with_few_descriptors_and_many_connections_it_rests_and_goes_on_serving(descriptors, serve, scope, folder):
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors}))"
    serving = serve(folder, first=limit)
    variables = exports(serving.read_until(READY))
    assert scope("get", "greeting", **variables).code == 0
    port = int(variables["SCOPE_API_URL"].rpartition(":")[2])
    with contextlib.ExitStack() as opened:
        for _ in range(100):
            opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)).sendall(b"GET / HT")
        before, began = serving.cpu_seconds(), time.monotonic()
        assert scope("get", "greeting", **variables).code == 0
        assert serving.open_descriptors() <= descriptors - 4
        (folder / "greeting.md").write_text("Hi!\n")
        assert scope("render", "greeting", **variables).out == "Hi!\n"
        assert serving.cpu_seconds() - before < 0.5 * (time.monotonic() - began)
    done = serving.interrupt()
    assert (done.code, done.err) == (0, "")


def test_without_a_port_it_takes_one_that_is_always_the_same(scope):
    assert "default: 8750" in scope("serve", "--help").out


class TestThePage:
    @staticmethod
    def address(lines):
        return next(line.partition(": ")[2] for line in lines if line.startswith("In a browser: "))

    def test_is_where_the_first_lines_say(self, serve, folder):
        answer = requests.get(self.address(serve(folder).read_until(READY)), timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "greeting" in answer.text

    def test_can_be_left_out(self, serve, folder):
        lines = serve(folder, "--no-ui").read_until(READY)
        assert "browser" not in "".join(lines)
        assert requests.get(exports(lines)["SCOPE_API_URL"], timeout=10).status_code == 404

    @pytest.mark.parametrize("options", [(), ("--read-only",)], ids=["as it is", "read-only"])
    def test_changes_prompts_unless_it_is_told_not_to(self, options, serve, folder):
        page = requests.get(self.address(serve(folder, *options).read_until(READY)), timeout=10).text
        assert ("read-only" in page) == bool(options)
