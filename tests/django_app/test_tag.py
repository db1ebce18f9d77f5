"""`{% scope_prompt %}`, rendered by Django's own engine."""

from __future__ import annotations

import pytest
from django.template import Context, Template


@pytest.fixture(autouse=True)
def site(scope_settings):
    return scope_settings


def rendered(source, **context):
    return Template("{% load scope %}" + source).render(Context(context))


def test_it_prints_the_prompt_filled_in():
    assert rendered('{% scope_prompt "greeting" time_of_day="morning" name=n %}', n="Ada") == "Good morning, Ada!"
