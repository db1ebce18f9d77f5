"""A Scope Platform on this machine: real HTTP over loopback, for development and tests."""

from .. import _public_names as _public
from .._extras import missing_extra
from .._folder.record import VersionRecord

try:
    from ._faults import ActiveFault
    from ._journal import RecordedRequest
    from ._platform import LocalPlatform
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        missing_extra("the local platform", ("flask", "jwt"), "local", _error), name=_error.name
    ) from _error

__all__ = ["ActiveFault", "LocalPlatform", "RecordedRequest", "VersionRecord"]

_public.publish(__name__, __all__)
