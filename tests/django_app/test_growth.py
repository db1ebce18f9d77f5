"""What the tag and the survey of templates cost is bounded by the size of the templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest
from django.template import Context, Template
from django.test import override_settings
from faults import growth

from scope_django.test import override_prompts

if TYPE_CHECKING:
    from pathlib import Path

Call = Callable[[], object]
LOAD = "{% load scope %}"


def names(size: int) -> list[str]:
    return [f"v{number}" for number in range(size)]


def tag(size: int, value: str = "x") -> str:
    return LOAD + '{% scope_prompt "p" ' + " ".join(f"{name}={value}" for name in names(size)) + " %}"


def rendered(size: int, template: str, **context: object) -> Call:
    served = override_prompts({"p": "".join(f"{{{{{name}}}}}" for name in names(size))})

    def call() -> object:
        with served:
            return Template(template).render(Context(context))

    return call


CALLS: dict[str, tuple[Callable[[int], Call], int]] = {
    "a tag with many variables": (lambda n: rendered(n, tag(n), x=1), 100),
    "a tag whose variables do not resolve": (lambda n: rendered(n, tag(n)), 100),
    "a tag with one variable that does not resolve": (lambda n: rendered(1, tag(1, "y" * n)), 2_000),
    "many tags": (lambda n: rendered(1, tag(1) * n, x=1), 25),
    "a tag with an odd part": (lambda n: rendered(1, LOAD + '{% scope_prompt "p" ' + "o" * n + " %}"), 5_000),
    "a tag with a long name": (lambda n: rendered(1, LOAD + f'{{% scope_prompt "{"n" * n}" %}}'), 5_000),
    "a tag with one variable twice": (lambda n: rendered(1, tag(1).replace("v0=x", f"{'v' * n}=1 " * 2)), 2_000),
}  # fmt: skip


@pytest.mark.parametrize("what", CALLS)
def test_a_tag(what: str) -> None:
    growth.check(*CALLS[what])


@pytest.mark.parametrize("template", [tag(1), "no prompt", "{% broken"], ids=["a tag", "none", "a broken one"])
def test_a_survey_of_many_templates(template: str, tmp_path: Path) -> None:
    from scope_django._uses import survey

    def prepared(size: int) -> Call:
        folder = tmp_path / str(size)
        folder.mkdir()
        for name in names(size):
            (folder / f"{name}.html").write_text(template)

        def call() -> object:
            backend = "django.template.backends.django.DjangoTemplates"
            with override_settings(TEMPLATES=[{"BACKEND": backend, "DIRS": [folder], "OPTIONS": {}}]):
                return survey()

        return call

    growth.check(prepared, 25)
