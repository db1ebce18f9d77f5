"""The token issuer of the local platform: short-lived JWTs that are signed, and verified."""

from __future__ import annotations

import secrets
import time
import uuid
from typing import Any, Callable

import jwt


class TokenIssuer:
    """Issues tokens that are valid for `ttl` seconds, and says why one is not valid."""

    def __init__(self, ttl: int, *, clock: Callable[[], float] = time.time) -> None:
        self.ttl = ttl
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._series = 0  # goes up if all tokens of before shall be invalid

    def issue(self, subject: str, org: str) -> str:
        now = self._clock()
        claims = {"sub": subject, "org": org, "iat": now, "exp": now + self.ttl, "jti": uuid.uuid4().hex}
        claims["series"] = self._series
        return jwt.encode(claims, self._key, algorithm="HS256")

    def objection(self, authorization: str) -> str | None:
        """The error code for an Authorization header, or None if its token is valid."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return "missing_token"
        try:
            claims = self._claims(token.strip())
        except jwt.PyJWTError:
            return "invalid_token"
        is_valid = claims["series"] == self._series and self._clock() < claims["exp"]
        return None if is_valid else "token_expired"

    def expire_all(self) -> None:
        """Makes every token that was issued so far invalid."""
        self._series += 1

    def _claims(self, token: str) -> dict[str, Any]:
        # PyJWT would cut `exp` to whole seconds, and so end a token up to a second early: `objection` checks it.
        return jwt.decode(token, self._key, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
