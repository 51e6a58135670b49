"""Who shares a view with whom: links, people, roles and their bounds; no I/O."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal, TypeAlias

import msgspec

from blustream_widget.errors import ShareError

Role: TypeAlias = Literal["owner", "editor", "annotator", "viewer"]
GuestRole: TypeAlias = Literal["editor", "annotator", "viewer"]

ROLES: tuple[Role, ...] = ("owner", "editor", "annotator", "viewer")
GUEST_ROLES: tuple[GuestRole, ...] = ("editor", "annotator", "viewer")
OWNER_ID = "owner"
OWNER_NAME = "Owner"
"""Of whom nobody knows what they are called."""

MAX_LINKS = 16
"""Open links of one session."""
MAX_GUESTS_OF_LINK = 399
"""One less than the viewers that a session takes: the owner has a place."""
EXPIRES_MIN_S = 60.0
EXPIRES_MAX_S = 30 * 86400.0
NAME_CHARS = 40
CODE_BYTES = 24
"""Random bytes of a join code: 192 bits."""
COLORS = (
    "#2a75c6",
    "#0b7d71",
    "#b0488a",
    "#b25f16",
    "#6a5acd",
    "#4f7d22",
    "#c2453f",
    "#64748b",
)
"""Of people, so that white letters on them have a contrast of at least 4.5."""

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
"""Of letters and marks, those that show nothing: fillers, an empty Braille cell, joiners."""

_NO_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d\ufe0f"))

Export: TypeAlias = Literal[
    "exported CSV", "exported a table", "exported GeoJSON", "exported labels", "saved a picture"
]
"""What Python writes of a view."""

Key: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]
"""Names a link or a person; no secret."""
PersonKey: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{16}|owner)$")]
Code: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{32,64}$")]
"""The secret of a link."""
GuestName: TypeAlias = Annotated[str, msgspec.Meta(max_length=NAME_CHARS)]
Expiry: TypeAlias = Annotated[float, msgspec.Meta(ge=EXPIRES_MIN_S, le=EXPIRES_MAX_S)]
Seats: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MAX_GUESTS_OF_LINK)]

_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|d)\s*")


class SharedPerson(msgspec.Struct, frozen=True):
    """Somebody who looks now.

    Parameters
    ----------
    id, name : str
        The name is the person's own word, made different from all others of the session.
    role : str
    color : str
        "#rrggbb", of their pointer and initials.
    since_ms : float
        Since when, in milliseconds since 1970.
    transport : str
        How their pictures come: "websocket", "webrtc" or "comm".
    latency_ms : float
        From an input to its picture, as their page measured it; 0: not measured.
    drives : bool
        They were the last to move the view; all others follow.
    asks : bool
        They ask to drive.
    is_lent : bool
        They drive because the owner lent it to them.
    looks_around : bool
        They have a view of their own now, and do not follow.
    in_call, muted, recorded : bool
        They take part in the call; nobody hears them there; their voice goes into the recording
        that runs.
    """

    id: str
    name: str
    role: Role
    color: str
    since_ms: float
    transport: str = ""
    latency_ms: float = 0.0
    drives: bool = False
    asks: bool = False
    is_lent: bool = False
    looks_around: bool = False
    in_call: bool = False
    muted: bool = False
    recorded: bool = False


class ShareLinkInfo(msgspec.Struct, frozen=True):
    """A link without its secret; `expires_ms` since 1970. `is_open`: it lets more people in."""

    id: str
    role: GuestRole
    expires_ms: float
    max_viewers: int
    n_joined: int = 0
    is_open: bool = True


class AuditRecord(msgspec.Struct, frozen=True):
    """Something that somebody did; `at_ms` since 1970, `detail` never holds a secret."""

    at_ms: float
    what: str
    who: str
    name: str
    role: str
    detail: str = ""


def seconds_of(expires: str | float) -> float:
    """Read a duration: "90m", "2h", "1d", or seconds.

    Raises
    ------
    ShareError
        It is none, or not between a minute and thirty days.
    """
    hint = 'Give it as "30m", "2h" or "1d", between a minute and 30 days.'
    if isinstance(expires, str):
        match = _DURATION.fullmatch(expires)
        if match is None:
            raise ShareError(f"{expires!r} is no duration.", hint=hint)
        duration_s = float(match[1]) * _UNITS_S[match[2]]
    elif isinstance(expires, bool) or not isinstance(expires, int | float):
        raise ShareError(f"{expires!r} is no duration.", hint=hint)
    else:
        duration_s = float(expires)
    if not EXPIRES_MIN_S <= duration_s <= EXPIRES_MAX_S:
        raise ShareError(f"A link cannot last {expires!r}.", hint=hint)
    return duration_s


def checked_role(role: str) -> GuestRole:
    """Return the role if a guest can have it.

    Raises
    ------
    ShareError
    """
    for known in GUEST_ROLES:
        if role == known:
            return known
    raise ShareError(
        f"A guest cannot have the role {role!r}.", hint=f"One of {', '.join(GUEST_ROLES)}."
    )


def checked_seats(max_viewers: object) -> int:
    """Return how many people a link lets in, if that is a number that can be.

    Raises
    ------
    ShareError
    """
    is_bool = isinstance(max_viewers, bool)
    if isinstance(max_viewers, int) and not is_bool and 1 <= max_viewers <= MAX_GUESTS_OF_LINK:
        return max_viewers
    raise ShareError(
        f"A link cannot let {max_viewers!r} people in.",
        hint=f"Between 1 and {MAX_GUESTS_OF_LINK}.",
    )


def shown_text(text: str, max_chars: int) -> str:
    """Return what is left of a guest's words when nothing in them can deceive the eye.

    Control characters, and those that turn the direction of text or are not seen at all, become
    spaces; runs of spaces become one. What makes one picture of several emoji, or parts letters of
    Arabic script as Persian does, stays. Letters are composed with their marks (NFC).
    """
    composed = unicodedata.normalize("NFC", text)
    around = zip(" " + composed, composed, composed[1:] + " ", strict=False)
    plain = "".join(
        char if not _is_unseen(char) or _joins(before, char, after) else " "
        for before, char, after in around
    )
    return " ".join(plain.split())[:max_chars].strip(" \u200c\u200d")


def name_key(name: str) -> str:
    """Give what two names have in common that people would take for one."""
    return unicodedata.normalize("NFKC", name).casefold().translate(_NO_JOINERS)


def _joins(before: str, char: str, after: str) -> bool:
    """Tell whether it is a joiner where writing needs one, seen by what it does."""
    if char == "\u200c":
        return _is_arabic(before) and _is_arabic(after)
    is_emoji = unicodedata.category(before) in {"So", "Sk"} or before == "\ufe0f"
    if char == "\u200d":
        return is_emoji and unicodedata.category(after) == "So"
    return char == "\ufe0f" and unicodedata.category(before) == "So"


def _is_arabic(char: str) -> bool:
    return "\u0620" <= char <= "\u06ff" and unicodedata.category(char) == "Lo"


def _is_unseen(char: str) -> bool:
    is_control = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    return is_control or char in _UNSEEN or "\ufe00" <= char <= "\ufe0f"
