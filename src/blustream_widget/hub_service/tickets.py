"""Tickets: what a user's server opens its desk with. Signed, so that none has to be kept."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from typing import NamedTuple

import jwt

from blustream_widget.core.hub_messages import DESK_KEY
from blustream_widget.errors import SignInError

LIFETIME_S = 12 * 3600
"""Servers ask their kernels for another one when theirs is refused."""
_ALGORITHM = "HS256"
_AUDIENCE = "blustream-desk"


class Ticket(NamedTuple):
    """Whose server it is for, and its desk."""

    owner: str
    desk: str


def desk_of(owner: str, place: str) -> str:
    """Name the desk of a server: always the same, and nobody else's."""
    return hashlib.sha256(f"{place}{owner}".encode()).hexdigest()[:24]


class Tickets:
    """Makes and checks tickets; another process does not take them."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, owner: str, place: str, *, lifetime_s: float = LIFETIME_S) -> tuple[str, str]:
        """Return the desk of one of a user's servers, and a ticket for it."""
        desk = desk_of(owner, place)
        claims = {
            "aud": _AUDIENCE,
            "exp": int(time.time() + lifetime_s),
            "sub": owner,
            "desk": desk,
        }
        return desk, jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def check(self, ticket: str) -> Ticket:
        """Read a ticket.

        Raises
        ------
        SignInError
            It is over its time, or was not made here.
        """
        try:
            claims = jwt.decode(
                ticket,
                self._key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["exp", "aud", "sub", "desk"]},
            )
        except jwt.InvalidTokenError as exc:
            raise SignInError("The ticket is not good (any more).") from exc
        assert re.fullmatch(DESK_KEY, claims["desk"])  # signed by us
        return Ticket(claims["sub"], claims["desk"])
