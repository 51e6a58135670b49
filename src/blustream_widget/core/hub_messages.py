"""What users' servers and `blustream hub-service` tell each other, all of it begun by the server.

A kernel exchanges its token of the Hub for a *ticket* (`Registered`). With it the user's server
opens a *desk* at the service, one WebSocket on which it hears of guests (`GuestWaits`), and fetches
each of them by a WebSocket of its own, which then carries what a guest's browser would have said
and heard itself. The service can reach nothing of the user's: it has no token and no address.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

DESK_KEY = r"[0-9a-f]{24}"
"""Names a user's server at the service; no secret."""
GUEST_TICKET = r"[A-Za-z0-9_-]{32}"
"""Fetches one guest, once; a secret."""
ACCOUNT_CHARS = 255

Place: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]


class Register(msgspec.Struct, frozen=True):
    """Ask for a ticket; `place` tells servers of one user apart, and stays when one is replaced."""

    place: Place


class Registered(msgspec.Struct, frozen=True):
    """`page` is where guests go: an address, or a path on the Hub's own address."""

    desk: Annotated[str, msgspec.Meta(pattern=f"^{DESK_KEY}$")]
    ticket: Annotated[str, msgspec.Meta(max_length=4096)]
    page: Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^(https?:/)?/[^\s#?]+$")]


class GuestWaits(msgspec.Struct, frozen=True):
    """Somebody whom the Hub knows as `account` waits to be fetched with `ticket`."""

    ticket: Annotated[str, msgspec.Meta(pattern=f"^{GUEST_TICKET}$")]
    account: Annotated[str, msgspec.Meta(min_length=1, max_length=ACCOUNT_CHARS)]


encoder = msgspec.json.Encoder()
register_decoder = msgspec.json.Decoder(Register)
registered_decoder = msgspec.json.Decoder(Registered)
guest_waits_decoder = msgspec.json.Decoder(GuestWaits)
