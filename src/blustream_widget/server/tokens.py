"""Signed, expiring tokens that let a browser join one session in one role."""

from __future__ import annotations

import secrets
import time
import uuid
from typing import NamedTuple, cast

import jwt

from blustream_widget.core.sharing import ROLES, Role
from blustream_widget.errors import TokenError

AUDIENCE = "blustream-viewer"
LIFETIME_S = 3600
_ALGORITHM = "HS256"
_KEY_BYTES = 32


def new_key() -> bytes:
    """Make a secret to sign tokens with."""
    return secrets.token_bytes(_KEY_BYTES)


class Grant(NamedTuple):
    """What a token allows: to join `session` as `role`.

    A guest's token names the `person`, and the session knows whether they may still come, and as
    what.
    """

    session: str
    role: Role
    person: str = ""


class TokenIssuer:
    """Makes and checks tokens.

    Parameters
    ----------
    key : bytes, optional
        Secret that signs them; None: one that nobody else has.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._secret = key or new_key()

    def issue(
        self, session: str, role: Role, *, lifetime_s: float = LIFETIME_S, person: str = ""
    ) -> str:
        """Sign a token; about 100 µs."""
        claims = {
            "aud": AUDIENCE,
            "exp": int(time.time() + lifetime_s),
            "jti": uuid.uuid4().hex,
            "sid": session,
            "role": role,
            "per": person,
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def check(self, token: str) -> Grant:
        """Read a token.

        Raises
        ------
        TokenError
            If it is expired, was made by another server, or is for something else. The message does
            not repeat it.
        """
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "aud", "jti", "sid", "role"]},
            )
        except jwt.ExpiredSignatureError as exc:
            raise TokenError("The token has expired.", hint="Run the cell again.") from exc
        except jwt.InvalidTokenError as exc:
            raise TokenError("The token is not valid here.", hint="Run the cell again.") from exc
        session, role, person = claims["sid"], claims["role"], claims.get("per", "")
        are_words = isinstance(session, str) and isinstance(person, str)
        # Only the notebook's own browser comes without a person: a guest cannot lose theirs.
        if not are_words or role not in ROLES or (role != "owner") != bool(person):
            raise TokenError("The token names no session and role.", hint="Run the cell again.")
        return Grant(session, cast(Role, role), person)
