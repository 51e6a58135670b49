"""A call as a room of Janus' videoroom plugin (from Janus 1.0 on).

Each page has one publisher and one subscriber there, of which this server has the handles: pages
know neither Janus' address nor the room's PIN, and what they tell Janus they tell this server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Collection
from typing import Any

import msgspec

from blustream_widget.core.call_messages import Candidate
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.errors import SfuError, SfuRefusedError, SfuUnreachableError
from blustream_widget.sfu.janus_api import (
    NO_SUCH_HANDLE,
    NO_SUCH_SESSION,
    JanusError,
    host_and_port,
)
from blustream_widget.sfu.janus_session import MISSED, Description, JanusHandle, JanusSession
from blustream_widget.sfu.media_room import Kind, LineEvents, Offer, OnTalk, Stream, StreamGoneError

logger = logging.getLogger(__name__)

_PLUGIN = "janus.plugin.videoroom"
_NO_SUCH_ROOM, _NO_SUCH_FEED = 426, 428
_CLOSE_TIMEOUT_S = 3.0
_SDP_CHARS = 256 * 1024  # Janus says of each line where it is reached
# Somebody whose page begins anew is there twice for a moment.
_SPARE_PUBLISHERS = 2
# What is louder than -40 dBov for a quarter of a second is talk.
_TALK = {"audiolevel_event": True, "audio_active_packets": 12, "audio_level_average": 40}


class RoomName(msgspec.Struct, frozen=True):
    """Of a room at Janus; who has the secret may end it."""

    number: int
    secret: str


def new_name() -> RoomName:
    """Name a room that is nobody else's."""
    return RoomName(secrets.randbelow((1 << 53) - 1) + 1, secrets.token_urlsafe(24))


class JanusRoom:
    """One room; see `MediaRoom`.

    Parameters
    ----------
    settings : CallSfu
    name : RoomName
    left : collection of RoomName
        Those that may have been left behind, and are to end.
    on_talk : callable
    """

    def __init__(
        self, settings: CallSfu, name: RoomName, left: Collection[RoomName], on_talk: OnTalk
    ) -> None:
        self._settings, self._name, self._left = settings, name, left
        self._pin = secrets.token_urlsafe(24)
        self._on_talk = on_talk
        self._session: JanusSession | None = None
        self._handle: JanusHandle | None = None

    async def open(self) -> None:
        host_and_port(self._settings.url)
        session = self._session = JanusSession(self._settings)
        await session.open()
        handle = await session.attach(_PLUGIN, self._heard)
        await _destroy_all(handle, self._left)
        self._handle = handle  # from now on the room may be there
        made = await handle.ask(self._wish())
        if made.data.get("videoroom") != "created":
            raise SfuRefusedError("Janus does not say that it made a room.")

    async def publish(self, offer: str, events: LineEvents) -> _Up:
        up = _Up(self._opened, events, self._heard)
        try:
            await up.open(self._entry(), offer)
        except BaseException as exc:
            if isinstance(exc, JanusError) and exc.number == _NO_SUCH_ROOM:
                self._opened.lose(_ended_by_somebody())
            await asyncio.shield(up.close())
            raise
        return up

    def receive(self, events: LineEvents) -> _Down:
        return _Down(self._opened, events, self._entry())

    async def lost(self) -> SfuError:
        return await self._opened.lost()

    async def close(self) -> bool:
        session, self._session = self._session, None
        handle, self._handle = self._handle, None
        if session is None:
            return handle is None
        try:
            return handle is None or await self._ended(handle)
        finally:
            await session.close()

    async def _ended(self, handle: JanusHandle) -> bool:
        with contextlib.suppress(SfuError, TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await _destroy(handle, self._name)
                return True
        return False

    @property
    def _opened(self) -> JanusSession:
        if self._session is None:
            raise SfuUnreachableError("The call's room at Janus has ended.")
        return self._session

    def _entry(self) -> dict[str, Any]:
        return {"room": self._name.number, "pin": self._pin}

    def _wish(self) -> dict[str, Any]:
        settings = self._settings
        wish = self._entry() | {
            "request": "create",
            "secret": self._name.secret,
            "description": "blustream",
            "is_private": True,
            "permanent": False,
            "publishers": settings.people * _SPARE_PUBLISHERS,
            "bitrate": settings.video_bps,
            "bitrate_cap": True,
            "audiocodec": "opus",
            "videocodec": "vp8,h264",  # every browser has the one or the other
            "opus_fec": True,
            "audiolevel_ext": True,
            "notify_joining": False,
        }
        wish |= _TALK
        return wish | ({"admin_key": settings.admin_key} if settings.admin_key else {})

    def _heard(self, event: dict[str, Any]) -> None:
        """Take what is said to all: who talks, and that somebody else ended the room."""
        data = event.get("plugindata", {}).get("data", {})
        said = data.get("videoroom")
        if said == "talking":
            self._on_talk(int(data.get("id", 0)))
        elif said == "destroyed" and self._session is not None:
            self._session.lose(_ended_by_somebody())


def _ended_by_somebody() -> SfuUnreachableError:
    return SfuUnreachableError("Somebody ended the call's room at Janus.")


async def end_rooms(settings: CallSfu, names: Collection[RoomName]) -> None:
    """End rooms that were left behind, those of them that are still there.

    Raises
    ------
    SfuError
        The SFU is not there, or does not let us.
    """
    session = JanusSession(settings)
    try:
        await session.open()
        await _destroy_all(await session.attach(_PLUGIN, lambda _: None), names)
    finally:
        await session.close()


async def _destroy_all(handle: JanusHandle, names: Collection[RoomName]) -> None:
    for name in names:
        await _destroy(handle, name)


async def _destroy(handle: JanusHandle, name: RoomName) -> None:
    """End a room. One that Janus does not let us end is given up: no call waits for that."""
    try:
        await handle.ask({"request": "destroy", "room": name.number, "secret": name.secret})
    except JanusError as exc:
        if exc.number in (NO_SUCH_SESSION, NO_SUCH_HANDLE):
            raise SfuUnreachableError("Janus ended our session.") from exc
        if exc.number != _NO_SUCH_ROOM:
            logger.warning("Room %d of a call stays at Janus: %s", name.number, exc.message)


class _Line:
    """What both kinds of lines have: a handle, and what is heard of it."""

    def __init__(self, session: JanusSession, events: LineEvents) -> None:
        self._session, self._events = session, events
        self._handle: JanusHandle | None = None
        self._is_up = self._is_closed = False

    async def trickle(self, candidate: Candidate) -> None:
        if self._handle is None:
            return
        said = {
            "candidate": candidate.candidate,
            "sdpMid": candidate.sdp_mid,
            "sdpMLineIndex": candidate.sdp_m_line_index,
        }
        words = {name: value for name, value in said.items() if value is not None}
        await self._handle.trickle(words if candidate.candidate else None)

    async def close(self) -> None:
        self._is_closed = True
        handle, self._handle = self._handle, None
        if handle is not None:
            await handle.detach()

    async def _attach(self) -> JanusHandle:
        self._handle = await self._session.attach(_PLUGIN, self._heard)
        return self._handle

    def _heard(self, event: dict[str, Any]) -> None:
        if self._is_closed:
            return
        match event.get("janus"):
            case "webrtcup":
                self._is_up = True
                self._events.up()
            case kind if kind == MISSED and not self._is_up:
                self._events.gone()  # that it came up may be what was missed
            case "hangup" | "detached":
                self._events.gone()
            case "trickle":
                self._candidate(event.get("candidate"))

    def _candidate(self, said: object) -> None:
        with contextlib.suppress(msgspec.ValidationError):
            candidate = msgspec.convert(said, _Told)
            self._events.candidate(
                Candidate(candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex)
            )


class _Told(msgspec.Struct):
    """A candidate in Janus' words, within our bounds."""

    candidate: str
    sdpMid: str | None = None  # noqa: N815 - a name of the protocol
    sdpMLineIndex: int | None = None  # noqa: N815 - a name of the protocol


class _Up(_Line):
    """A publisher; see `UpLine`."""

    def __init__(self, session: JanusSession, events: LineEvents, on_other: Any) -> None:
        super().__init__(session, events)
        self._on_other = on_other
        self.answer = ""
        self.streams: tuple[Stream, ...] = ()

    async def open(self, entry: dict[str, Any], offer: str) -> None:
        feed = secrets.randbelow((1 << 53) - 1) + 1
        handle = await self._attach()
        wish = entry | {"request": "joinandconfigure", "ptype": "publisher", "id": feed}
        said = await handle.ask(wish, Description("offer", offer))
        self.answer = _sdp_of(said.description, "answer")
        self.streams = _streams_of(said.data, feed)

    def _heard(self, event: dict[str, Any]) -> None:
        super()._heard(event)
        if event.get("janus") == "event" and not self._is_closed:
            self._on_other(event)


class _Down(_Line):
    """A subscriber; see `DownLine`."""

    def __init__(self, session: JanusSession, events: LineEvents, entry: dict[str, Any]) -> None:
        super().__init__(session, events)
        self._entry = entry
        self._shown: frozenset[Stream] = frozenset()
        self._is_in = False

    async def show(self, streams: Collection[Stream]) -> Offer | None:
        wanted = frozenset(streams)
        more, gone = wanted - self._shown, self._shown - wanted
        if not more and not gone:
            return None
        handle = self._handle
        if handle is None:
            handle = await self._attach()
            wish = self._entry | {"request": "join", "ptype": "subscriber", "autoupdate": False}
            wish["streams"] = [_named(stream) for stream in more]
        else:
            wish = {"request": "update"}
            wish |= {"subscribe": [_named(s) for s in more]} if more else {}
            wish |= {"unsubscribe": [_named(s) for s in gone]} if gone else {}
        try:
            said = await handle.ask(wish)
        except JanusError as exc:
            if exc.number != _NO_SUCH_FEED:
                raise
            if not self._is_in:  # the next try begins with joining
                self._handle = None
                await handle.detach()
            raise StreamGoneError(exc.message) from exc
        self._is_in = True
        self._shown = wanted
        if said.description is None:
            return None
        sdp = _sdp_of(said.description, "offer")
        return Offer(sdp, _lines_of(said.data, wanted))

    async def answer(self, sdp: str) -> None:
        if self._handle is not None:
            await self._handle.ask({"request": "start"}, Description("answer", sdp))


def _named(stream: Stream) -> dict[str, Any]:
    return {"feed": stream.feed, "mid": stream.mid}


def _sdp_of(description: Description | None, kind: str) -> str:
    if description is None or description.type != kind or len(description.sdp) > _SDP_CHARS:
        raise SfuRefusedError(f"Janus gives no {kind} that a browser could take.")
    return description.sdp


class _Said(msgspec.Struct):
    """A line of a publisher, or of a subscriber (then `feed_id` and `feed_mid` say whose)."""

    mid: str
    type: str = ""
    disabled: bool = False
    active: bool = True
    feed_id: int | None = None
    feed_mid: str = ""


def _said_in(data: dict[str, Any]) -> list[_Said]:
    try:
        return msgspec.convert(data.get("streams", []), list[_Said])
    except msgspec.ValidationError as exc:
        raise SfuRefusedError("Janus says of no line what it carries.") from exc


def _streams_of(data: dict[str, Any], feed: int) -> tuple[Stream, ...]:
    """Give the first voice and the first picture that somebody sends."""
    found: dict[Kind, Stream] = {}
    kinds: tuple[Kind, ...] = ("audio", "video")
    for said in _said_in(data):
        kind = next((kind for kind in kinds if kind == said.type), None)
        if kind is not None and not said.disabled:
            found.setdefault(kind, Stream(feed, said.mid, kind))
    return tuple(found.values())


def _lines_of(data: dict[str, Any], wanted: Collection[Stream]) -> dict[str, Stream]:
    streams = {(stream.feed, stream.mid): stream for stream in wanted}
    lines = {
        said.mid: streams.get((said.feed_id or 0, said.feed_mid))
        for said in _said_in(data)
        if said.active
    }
    return {mid: stream for mid, stream in lines.items() if stream is not None}
