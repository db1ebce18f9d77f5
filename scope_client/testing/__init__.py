"""What users' own tests are given: the pytest plugin, and a client over a mapping."""

from .. import _public_names as _public
from ._prompts_client import Given, PromptsClient

__all__ = ["Given", "PromptsClient"]

_public.publish(__name__, __all__)
