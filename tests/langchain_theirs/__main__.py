"""LangChain's own tests of prompts, runnables and loading, with Scope's templates: `python -m tests.langchain_theirs`.

The tests are those of the source distribution of langchain-core; those before 0.3.34 have none. They run in an
environment of their own, with what that distribution tests with. A test that passes as it is, fails with Scope's
templates and is not among `EXCEPTIONS` ends the run with 1.

What it said on 29 November 2026, on Python 3.11:

| langchain-core | as they are           | with Scope's templates | skipped |
|----------------|-----------------------|------------------------|---------|
| 1.8.3          | 626 passed            | 624 passed, 2 failed   | 23      |
| 0.3.86         | 522 passed, 2 failed  | 520 passed, 4 failed   | 25      |
| 0.3.81         | 479 passed, 2 failed  | 477 passed, 4 failed   | 25      |

The two that are worse are the same in each: those of `EXCEPTIONS`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path

from .comparison import compare

ROOT = Path(__file__).resolve().parents[2]
TESTED = ("prompts", "runnables", "load")
_TEST_GROUP = re.compile(r"^test = \[\n(.*?)^\]", re.MULTILINE | re.DOTALL)
_REQUIREMENT = re.compile(r"""^\s*(["'])(.+)\1,?$""", re.MULTILINE)


def unpacked(wanted: str, folder: Path) -> Path:
    """The folder of the source distribution of that version of langchain-core; raises SystemExit if it has no tests."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(folder), f"langchain-core=={wanted}"], check=True)
    (archive,) = folder.glob("langchain_core-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    source = folder / archive.name[: -len(".tar.gz")]
    if not (source / "tests" / "unit_tests").is_dir():
        raise SystemExit(
            f"the source distribution of langchain-core {wanted} has no tests: give --tests 0.3.34 or later"
        )
    return source


def tested_with(source: Path) -> list[str]:
    """What the distribution tests with, without packages of the same repository."""
    group = _TEST_GROUP.search((source / "pyproject.toml").read_text())
    needed = [each[1].replace('\\"', '"') for each in _REQUIREMENT.findall(group[1] if group else "")]
    return [each for each in needed if not each.startswith("langchain")]


def environment(folder: Path, core: str, needed: list[str]) -> Path:
    """The Python of a new environment with this project, that version of langchain-core, and what is needed."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-compile",
        "--quiet",
        "--prefer-binary",
    ]
    subprocess.run([*pip, f"{ROOT}[langchain]", f"langchain-core=={core}", *needed], check=True)
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", metavar="VERSION", help="of langchain-core (default: the one installed here)")
    parser.add_argument("--tests", metavar="VERSION", help="whose tests to run (default: those of that langchain-core)")
    chosen = parser.parse_args()
    core = chosen.core or version("langchain-core")
    with tempfile.TemporaryDirectory(prefix="langchain-theirs-") as folder:
        source = unpacked(chosen.tests or core, Path(folder))
        python = environment(Path(folder, "environment"), core, tested_with(source))
        compared = compare(python, source, *(f"tests/unit_tests/{name}" for name in TESTED))
    print(f"langchain-core {core}, tests of {chosen.tests or core}\n{compared.report()}")
    unexplained = compared.unexplained()
    print(f"not explained: {len(unexplained)}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
