"""Where a view is published, and messages about it (0xB4), part of other modules' unions."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from blustream_widget.core.message_types import MessageType

Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
Address: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Secret: TypeAlias = Annotated[str, msgspec.Meta(max_length=4000)]

PublishPhase: TypeAlias = Literal["off", "starting", "on", "waiting"]


class Janus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="janus"):
    """A Janus, whose streaming plugin gets the view as a mountpoint.

    Parameters
    ----------
    url : str
        Of its HTTP API, for example "https://sfu.example.org:8089/janus".
    mountpoint : int or str
        Id that viewers ask for; 0: a random one. A text only where that Janus has `string_ids`.
    name : str
        What its list of mountpoints says, if it is listed.
    listed : bool
        Whether Janus names it to whoever asks for its list.
    pin : str
        Viewers have to give it; "": anybody who reaches that Janus may look.
    secret : str
        Of the mountpoint: who has it may destroy it; "": a random one.
    api_secret, token, admin_key : str
        What that Janus asks of its clients: `api_secret`, a token of its token authentication, and
        the streaming plugin's `admin_key`.
    media_host : str
        Where it takes RTP; "": the host in `url`.
    replace : bool
        Take the place of a mountpoint that has this id and secret: one that was left behind.
    """

    url: Address
    mountpoint: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)] | Text = 0
    name: Text = "blustream"
    listed: bool = False
    pin: Secret = ""
    secret: Secret = ""
    api_secret: Secret = ""
    token: Secret = ""
    admin_key: Secret = ""
    media_host: Text = ""
    replace: bool = False

    def __repr__(self) -> str:
        return f"Janus(url={self.url!r}, mountpoint={self.mountpoint!r})"


class LiveKit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="livekit"):
    """A room of a LiveKit server, in which the view is a participant's screen.

    Parameters
    ----------
    url : str
        Of the server, for example "wss://livekit.example.org".
    room : str
    name : str
        What the others in the room see it called.
    identity : str
        Of the participant; "": a random one. LiveKit shows out who comes with it before.
    token : str
        An access token for this room that may publish; or:
    api_key, api_secret : str
        Tokens are made of them when they are needed. The secret is good for all rooms of the
        server: workers do not get it, and no message to a page has it.
    """

    url: Address
    room: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    name: Text = "blustream"
    identity: Text = ""
    token: Secret = ""
    api_key: Secret = ""
    api_secret: Secret = ""

    def __repr__(self) -> str:
        return f"LiveKit(url={self.url!r}, room={self.room!r})"


Target: TypeAlias = Janus | LiveKit


class PublishState(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag=int(MessageType.PUBLISHED),
):
    """Whether what is seen goes to an SFU as well: told to everybody who looks.

    `sfu` is its kind; `place` (mountpoint or room) is told to owners alone. In "waiting" the SFU is
    not there, and is tried again. `code`, `message` and `hint` say why that is, or why it is off
    though nobody wished for that.
    """

    phase: PublishPhase = "off"
    sfu: Literal["", "Janus", "LiveKit"] = ""
    place: str = ""
    code: str = ""
    message: str = ""
    hint: str = ""


class _Message(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    pass


class StartPublishing(_Message, tag="publish", frozen=True):
    """Publish what is seen; None: where the server's settings say.

    Answered by `PublishStatus` with the same `n`. `number` and `secret` are of a mountpoint, or a
    participant, that has none in `to`. `secret` is of this wish alone: told again to another
    server it takes the place of what that one left behind. `again`: it was published so before the
    server ended, and is tried until it is again.
    """

    session: str
    n: int
    number: Annotated[int, msgspec.Meta(gt=0, lt=1 << 53)]
    secret: Annotated[str, msgspec.Meta(min_length=8, max_length=200)]
    to: Target | None = None
    again: bool = False


class StopPublishing(_Message, tag="stop-publishing", frozen=True):
    """Publish no more; answered with phase "off" when the SFU has heard of it."""

    session: str
    n: int


class PublishStatus(_Message, tag="published", frozen=True):
    """How publishing is; `n` is the kernel's newest wish that was heard."""

    session: str
    n: int
    status: PublishState
