"""What the README says is true: its code runs, as it stands there, against the local platform."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from faults.redisserver import RedisServer

from scope_client.local import LocalPlatform

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
WHOLE = re.DOTALL | re.MULTILINE


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, WHOLE)


FILES = dict(re.findall(r"^```python\n# ([\w/]+\.py)\n(.*?)^```$", README, WHOLE))
PLAIN = [block for block in blocks("python") if not re.match(r"# [\w/]+\.py\n", block)]
PROGRAMS = [block for block in PLAIN if "def test_" not in block]
TESTS = [block for block in PLAIN if "def test_" in block]
SITE = """
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["templates"]}]
SECRET_KEY = "not one"
DEBUG = True
ROOT_URLCONF = "urls"
USE_TZ = True
"""
URLS = """
from django.urls import path
import views
urlpatterns = [path("", views.greet), path("async/", views.agreet)]
"""
VISIT = """
import django
django.setup()
from django.template import engines
from django.test import Client
print(Client().get("/").content.decode())
print(Client().get("/async/").content.decode())
context = {"user": {"first_name": "<ada>"}, "prompt_name": "greeting", "now": "evening"}
print(engines["django"].get_template("page.html").render(context))
"""


def first_line(block):
    return next(line for line in block.splitlines() if line and not line.startswith(("from", "import", " ", ")")))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "prompts").mkdir()
    for file, prompt in re.findall(r"`(prompts/[a-z-]+\.md)`:\n\n```markdown\n(.*?)^```$", README, WHOLE):
        (tmp_path / file).write_text(prompt)
    return tmp_path


@pytest.fixture
def platform(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with LocalPlatform("prompts") as platform:
        yield platform


def run(program, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        timeout=60,
    )


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


def test_the_readme_has_code_to_run():
    assert len(PROGRAMS) >= 10
    assert len(TESTS) == 1


@pytest.mark.parametrize("program", PROGRAMS, ids=first_line)
def test_a_program_of_the_readme_runs(program, platform):
    done = run(program, **platform.environ)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_store_of_the_readme_holds_what_was_read(platform, redis):
    (program,) = (block for block in PROGRAMS if "RedisStore" in block)
    done = run(program, **platform.environ, REDIS_URL=redis.url)
    assert (done.returncode, done.stdout) == (0, "1\n")
    with redis.connected(decode_responses=True) as connection:
        assert [key.split(":")[0] for key in connection.scan_iter()] == ["scope"]


def test_the_blocks_about_an_outage_print_what_the_readme_says(platform):
    (program,) = (block for block in PROGRAMS if "fallback=" in block)
    assert run(program, **platform.environ).stdout == "Good morning, Ada!\nFalse\n"
    (program,) = (block for block in PROGRAMS if ".prefetch(" in block)
    first, second, _ = run(program, **platform.environ).stdout.splitlines()
    assert first.startswith("no-such-prompt: ")
    assert second.startswith("False [('greeting', 'fresh', ")


def test_the_quick_start_prints_what_the_readme_says(platform):
    done = run(PROGRAMS[0], **platform.environ)
    assert done.stdout == "Good morning, Alice!\n"
    assert "It prints `Good morning, Alice!`." in README


def test_the_quick_start_with_a_wrong_secret_prints_one_line(platform):
    done = run(PROGRAMS[0], **{**platform.environ, "SCOPE_API_SECRET": "a-wrong-secret"})
    assert done.returncode == 1
    assert re.fullmatch(r"InvalidCredentialsError: .+\n", done.stderr)
    assert "a-wrong-secret" not in done.stderr


def test_the_comments_of_the_reading_block_show_what_is_printed(platform):
    (program,) = (block for block in PROGRAMS if "label=" in block)
    printed = run(program, **platform.environ).stdout.splitlines()
    assert printed == ["('time_of_day', 'name')", "gpt-4", "Good evening, Bob!"]
    assert "# ('time_of_day', 'name')" in program
    assert "# 'gpt-4'" in program


def test_the_chat_block_keeps_the_quotes_of_a_value(platform):
    (program,) = (block for block in PROGRAMS if 'Is it "dimmable"?' in block)
    assert run(program, **platform.environ).stdout.splitlines()[-1] == 'user: Is it "dimmable"?'


def test_the_test_of_the_readme_passes_where_the_package_is_installed(tmp_path):
    (tmp_path / "test_greeting.py").write_text(TESTS[0])
    (tmp_path / "conftest.py").write_text(FILES["conftest.py"])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "scope_client.testing.plugin", str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def django_site(platform, folder):
    (folder / "templates").mkdir()
    for name, text in {**FILES, "urls.py": URLS, "templates/page.html": blocks("django")[0]}.items():
        if "tests/" not in name:  # which are Flask's
            (folder / name).write_text(text + (SITE if name == "settings.py" else ""))
    return {**platform.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def test_the_django_site_of_the_readme_shows_its_prompts(django_site):
    done = run(VISIT, **django_site)
    assert done.stderr == ""
    shown = [line for line in done.stdout.splitlines() if line]
    assert shown == [
        "Good morning, Ada!",
        "Good evening, Ada!",
        "Good morning, &lt;ada&gt;!",
        "Good evening, &lt;Ada&gt;!",
    ]


def test_the_django_test_of_the_readme_passes(django_site):
    done = run("import django.core.management as m; m.execute_from_command_line(['manage.py', 'test'])", **django_site)
    assert (done.returncode, "Ran 1 test" in done.stderr) == (0, True), done.stderr


@pytest.mark.parametrize("command", re.findall(r"^\$ python manage\.py (.+?)(?: {2,}#.*)?$", README, re.MULTILINE))
def test_a_django_command_of_the_readme_exists(command, django_site, folder):
    (folder / "templates" / "page.html").write_text(
        '{% load scope %}{% scope_prompt "greeting" time_of_day="noon" name="Ada" %}'
    )
    with open(folder / "settings.py", "a") as opened:
        opened.write(
            f"CACHES = {{'default': {{'BACKEND': {FILES_OF_DJANGO!r}, 'LOCATION': {str(folder / 'kept')!r}}}}}\n"
        )
    words = ["manage.py", *shlex.split(command)]
    done = run(f"import django.core.management as m; m.execute_from_command_line({words})", **django_site)
    assert done.returncode == 0, done.stderr


FILES_OF_DJANGO = "django.core.cache.backends.filebased.FileBasedCache"
FLASK_VISIT = """
from app import create_app
client = create_app().test_client()
print(client.get("/").text)
print(client.get("/text").text)
print(client.get("/scope/health").json["ok"])
"""


@pytest.fixture
def flask_site(platform, folder):
    (folder / "templates").mkdir()
    (folder / "templates" / "home.html").write_text(blocks("jinja")[0])
    (folder / "app.py").write_text(FILES["app.py"])
    return {**platform.environ, "FLASK_APP": "app", "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def test_the_flask_app_of_the_readme_shows_its_prompts(flask_site):
    done = run(FLASK_VISIT, **flask_site)
    assert done.stderr == ""
    assert done.stdout.split("\n") == [
        "Good morning, Ada!",
        "Good noon, Ada!",
        "Good evening, Ada!",
        "True",
        "",
    ]


@pytest.mark.parametrize(
    "keys", [{}, dict.fromkeys(("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"), "a-real-one")]
)
def test_the_tests_of_a_flask_app_of_the_readme_pass_without_a_platform(keys, tmp_path):
    for name in ("templates", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "templates" / "home.html").write_text(blocks("jinja")[0])
    for name in ("app.py", "wsgi.py", "tests/conftest.py", "tests/test_app.py", "tests/test_wsgi.py"):
        (tmp_path / name).write_text(FILES[name])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "scope_client.testing.plugin", "tests"],
        capture_output=True,
        text=True,
        env={**os.environ, **keys, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=tmp_path,
        timeout=60,
    )
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize("command", re.findall(r"^\$ flask (.+?)(?: {2,}#.*)?$", README, re.MULTILINE))
def test_a_flask_command_of_the_readme_exists(command, flask_site, folder):
    (folder / "kept.py").write_text(f"import cachelib\ncache = cachelib.FileSystemCache({str(folder / 'kept')!r})\n")
    done = run(
        f"from flask.cli import cli; cli.main({shlex.split(command)})", **flask_site, FLASK_SCOPE_CACHE="kept.cache"
    )
    assert done.returncode == 0, done.stderr


def test_the_block_of_an_event_loop_prints_what_the_readme_says(platform):
    (program,) = (block for block in PROGRAMS if "asyncio.run(main())" in block)
    assert run(program, **platform.environ).stdout == "True\nGood morning, Ada!\n"


FASTAPI_VISIT = """
import threading, time, urllib.request
import uvicorn
from main import app
site = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
thread = threading.Thread(target=site.run)
thread.start()
while not site.started:
    time.sleep(0.01)
port = site.servers[0].sockets[0].getsockname()[1]
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/?name=Bob").read().decode())
site.should_exit = True
thread.join()
"""


def test_the_fastapi_app_of_the_readme_shows_its_prompt(platform, folder):
    (folder / "main.py").write_text(FILES["main.py"])
    done = run(
        FASTAPI_VISIT, **platform.environ, PYTHONPATH=f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', ROOT)}"
    )
    assert (done.stdout, done.stderr) == ("Good noon, Bob!\n", "")


def test_the_langchain_block_prints_what_the_readme_says(platform):
    (program,) = (block for block in PROGRAMS if "ScopeChatPromptTemplate" in block)
    assert run(program, **platform.environ).stdout.splitlines() == ["Good morning, {Ada}!", "Is it dimmable?", "Hello!"]


def test_the_agent_of_the_readme_reads_its_system_prompt(platform, folder):
    (folder / "agent.py").write_text(FILES["agent.py"])
    program = (
        "from langchain_core.language_models import FakeListChatModel\n"
        "from scope_client import ApiKeyCredentials, ScopeClient\n"
        "from agent import made\n"
        "class Model(FakeListChatModel):\n"
        "    def _call(self, messages, *given, **more):\n"
        "        print(messages[0].content)\n"
        "        return super()._call(messages, *given, **more)\n"
        "client = ScopeClient(credentials=ApiKeyCredentials.from_env())\n"
        "made(Model(responses=['x']), client).invoke({'messages': 'Hi'})\n"
    )
    done = run(program, **platform.environ, PYTHONPATH=f"{folder}{os.pathsep}{ROOT}")
    if sys.version_info < (3, 10):  # of LangChain 1.0, whose agents have middleware
        assert "cannot import name 'create_agent'" in done.stderr
        return
    assert done.stdout == "Good morning, Ada!\n", done.stderr


def test_every_option_is_in_the_readme():
    from scope_client import Configuration

    for option in Configuration.__slots__:
        assert f"`{option}`" in README


def test_bare_make_lists_every_target_with_a_line():
    (targets,) = re.findall(r"^\.PHONY: help (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    done = subprocess.run(["make", "--no-print-directory"], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["make", name] for name in targets.split()]
    assert all(len(line.split()) > 2 for line in done.stdout.splitlines())


def test_every_make_command_of_the_documents_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = README + (ROOT / "CONTRIBUTING.md").read_text()
    assert set(re.findall(r"(?:^\$ |`)make ([a-z-]+)", documents, re.MULTILINE)) <= targets
