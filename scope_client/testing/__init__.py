"""What users' own tests are given: the pytest plugin, and a client over a mapping."""

from .. import _public_names as _public
from ._override import Overrides, PromptsOverride
from ._prompts_client import Given, PromptsClient
from ._scope_prompts import ScopePrompts

__all__ = ["Given", "Overrides", "PromptsClient", "PromptsOverride", "ScopePrompts"]

_public.publish(__name__, __all__)
