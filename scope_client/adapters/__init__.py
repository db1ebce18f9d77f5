"""What the packages for frameworks share: settings, template tags, and the commands that look after templates."""

from __future__ import annotations

from ..redisstore import warn_of_patience
from . import commands
from .rendering import TemplateFunction, render_in_template
from .report import Finding, Report
from .settings import SettingProblem, Settings
from .stores import ForeignStore
from .uses import PromptUse, Survey, jinja_survey, jinja_uses

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
