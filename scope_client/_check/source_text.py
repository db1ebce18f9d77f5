"""The text of a file of Python, in the encoding that it names."""

from __future__ import annotations

import io
import tokenize


def source_text(octets: bytes) -> str:
    """The text of a file: by its byte order mark, its coding cookie, or as UTF-8.

    Args:
        octets: The file.

    Raises:
        SyntaxError: The encoding is not known.
        ValueError: The octets are not of this encoding.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(octets).readline)
    try:
        return octets.decode(encoding)
    except LookupError:
        raise SyntaxError(f"the encoding {encoding!r} is not one of text") from None
