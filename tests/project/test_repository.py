"""What stands around the packages: addresses, classifiers, the citation, the forms and the workflows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scope_client._version import __version__

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text()
CI = (ROOT / ".ci" / "run").read_text()
SOURCE = re.search(r'^Source = "(.+)"$', PYPROJECT, re.MULTILINE).group(1)
LINK_TO_US = re.compile(r"https?://[^\s\"'`<>()\[\]]*scope-(?:prompts|client)[^\s\"'`<>()\[\]]*")
GITHUB = ROOT / ".github"
MADE = ("build", "dist", "node_modules")
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


def files() -> list[Path]:
    """Those of the project. What tools make lies in folders that begin with a dot or an underscore, or in MADE."""
    named = (ROOT / name for name in (".github", ".ci"))
    plain = (path for path in ROOT.iterdir() if path.name[0] not in "._" and path.name not in MADE)
    tops = [path for path in (*named, *plain) if path.exists()]
    found = [file for top in tops for file in ([top] if top.is_file() else sorted(top.rglob("*")))]
    return [file for file in found if file.is_file() and not {"__pycache__", "_build"} & set(file.parts)]


def links_to_us() -> set[str]:
    return {
        found.group().rstrip(".,;:")
        for file in files()
        for found in LINK_TO_US.finditer(file.read_text(errors="replace"))
        if file != Path(__file__)
    }


def versions_in_classifiers(begin: str) -> list[str]:
    return re.findall(rf'^    "{re.escape(begin)}([0-9]+\.[0-9]+)",$', PYPROJECT, re.MULTILINE)


def test_each_absolute_link_to_the_project_begins_with_the_address_of_its_source():
    links = links_to_us()
    assert SOURCE in links
    assert [link for link in links if link != SOURCE and not link.startswith(f"{SOURCE}/")] == []


def test_each_link_to_a_file_of_the_project_finds_it():
    of_a_file = re.compile(rf"{SOURCE}/(?:blob|raw|tree)/main/([^#?]+)")
    paths = {found.group(1) for link in links_to_us() if (found := of_a_file.match(link))}
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_pythons_of_the_classifiers_are_those_that_ci_runs_on_every_machine():
    suites = re.search(r"^SUITES=\((.+)\)$", CI, re.MULTILINE).group(1).split()
    first = re.search(r"^FIRST=(.+)$", CI, re.MULTILINE).group(1)
    run = {suite.partition("-")[2] or first for suite in suites}
    assert sorted(versions_in_classifiers("Programming Language :: Python :: ")) == sorted(run)


def test_the_newest_django_of_this_python_is_among_the_classifiers():
    import django

    assert "{}.{}".format(*django.VERSION) in versions_in_classifiers("Framework :: Django :: ")


def test_the_workflow_runs_what_ci_knows():
    workflow = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())
    minors = workflow["jobs"]["suite"]["strategy"]["matrix"]["python"]
    usage = re.search(r'usage: \.ci/run \[(.+)\]"', CI).group(1)
    assert minors == re.sub(r"\$FIRST", re.search(r"^FIRST=(.+)$", CI, re.MULTILINE).group(1), usage).split(" | ")


def test_ci_refuses_a_python_that_it_does_not_know(tmp_path):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text(CI)
    done = subprocess.run(["bash", tmp_path / ".ci" / "run", "2.7"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "usage: .ci/run [3.9 | 3.10 | 3.11 | 3.12 | 3.13 | 3.14]\n"


def test_the_citation_is_of_the_newest_release():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    released = re.search(r"^## \[([0-9.]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert (citation["version"], citation["date-released"]) == released.groups()
    assert citation["version"] == __version__
    assert citation["repository-code"] == SOURCE


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_has_a_name_and_asks_for_something_that_must_be_there(form):
    text = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= text.keys()
    assert any(field.get("validations", {}).get("required") for field in text["body"])
    ids = [field["id"] for field in text["body"] if field["type"] != "markdown"]
    assert len(set(ids)) == len(ids)
    assert all(field["attributes"]["label"] for field in text["body"] if field["type"] != "markdown")


def test_the_forms_are_a_bug_a_feature_and_a_question():
    assert [form.stem for form in FORMS] == ["bug", "feature", "question"]


def test_zizmor_finds_nothing_in_the_workflows():
    zizmor = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--quiet", "--persona", "pedantic"]
    done = subprocess.run([*zizmor, str(GITHUB)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_job_that_publishes_may_ask_for_a_token_of_the_index():
    may = {}
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {}
        may |= {name: job for name, job in workflow["jobs"].items() if "id-token" in job["permissions"]}
    assert list(may) == ["publish"]
    assert may["publish"]["environment"] == "pypi"
    assert all("run" not in step for step in may["publish"]["steps"])
