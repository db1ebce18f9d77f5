"""What the packages for frameworks share: settings, template tags, and the commands that look after templates."""

from __future__ import annotations

from .._cache.redis_store import warn_of_patience
from . import _commands as commands
from ._foreign_store import ForeignStore
from ._rendering import TemplateFunction, render_in_template
from ._report import Finding, Report
from ._settings import SettingProblem, Settings
from ._uses import PromptUse, Survey, jinja_survey, jinja_uses

__all__ = [
    "Finding",
    "ForeignStore",
    "PromptUse",
    "Report",
    "SettingProblem",
    "Settings",
    "Survey",
    "TemplateFunction",
    "commands",
    "jinja_survey",
    "jinja_uses",
    "render_in_template",
    "warn_of_patience",
]
