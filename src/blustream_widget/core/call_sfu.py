"""The SFU that large calls go through, as an operator's setting says it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from blustream_widget.core.call_messages import MAX_IN_CALL
from blustream_widget.core.publishing import Address, Secret

MOST_PEOPLE, MOST_PICTURES = 50, 12
"""A description of so many lines fits into a message of a page."""


class CallSfu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="janus"):
    """A Janus whose videoroom plugin passes on voices and pictures of calls.

    Parameters
    ----------
    url : str
        Of its HTTP API, as this server reaches it; browsers do not need to.
    api_secret, token, admin_key : str
        What that Janus asks of its clients: `api_secret`, a token of its token authentication, and
        the videoroom plugin's `admin_key`.
    people : int
        Who may be in one call, 2 to 50.
    mesh : int
        So many go from browser to browser, 1 to 6; with one more, all go through the SFU.
    pictures : int
        Cameras that are seen at a time, 0 to 12: of those who spoke last.
    video_bps : int
        Of one picture, at most.
    """

    url: Address
    api_secret: Secret = ""
    token: Secret = ""
    admin_key: Secret = ""
    people: Annotated[int, msgspec.Meta(ge=2, le=MOST_PEOPLE)] = 25
    mesh: Annotated[int, msgspec.Meta(ge=1, le=MAX_IN_CALL)] = MAX_IN_CALL
    pictures: Annotated[int, msgspec.Meta(ge=0, le=MOST_PICTURES)] = 6
    video_bps: Annotated[int, msgspec.Meta(ge=50_000, le=2_000_000)] = 200_000

    def __repr__(self) -> str:
        return f"CallSfu(url={self.url!r}, people={self.people})"
