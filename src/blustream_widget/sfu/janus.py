"""A view as a mountpoint of Janus' streaming plugin.

The plugin takes RTP of a sender that it trusts and gives it to any number of viewers, and that
alone: no peer connection to it, no room, no publisher among its viewers (`janus.plugin.videoroom`
needs all three). What its viewers miss it asks for by RTCP.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

from blustream_widget.core.publishing import Janus
from blustream_widget.errors import SfuError, SfuRefusedError, SfuUnreachableError
from blustream_widget.sfu.janus_api import (
    NO_SUCH_HANDLE,
    NO_SUCH_SESSION,
    JanusError,
    JanusHttp,
    SilentError,
    host_and_port,
    id_of,
)
from blustream_widget.sfu.publisher import OnKeyframe
from blustream_widget.sfu.srtp_feed import KEY_BYTES, PAYLOAD_TYPE, SrtpFeed
from blustream_widget.transport.frame import EncodedFrame

LOOK_S = 1.0
"""So often the mountpoint is looked after."""
LOST_S = 5.0
"""So long Janus may be silent; a network that comes back meanwhile changes nothing."""
_CLOSE_TIMEOUT_S = 3.0
_NO_SUCH_MOUNTPOINT, _CANNOT_CREATE = 455, 456
# What the browsers that watch are offered. The stream says of itself which profile and level it
# has, and browsers go by that.
_FMTP = "profile-level-id=42e01f;packetization-mode=1"


class JanusPublisher:
    """One mountpoint; see `Publisher`.

    Parameters
    ----------
    target : Janus
        With a mountpoint and a secret.
    on_keyframe : callable
    mark : str
        Of one wish to publish, in the mountpoint's metadata, which whoever watches may read. One
        that is there and bears it was left by an earlier try, and is replaced; "": none is ours.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        target: Janus,
        on_keyframe: OnKeyframe,
        mark: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._target, self._on_keyframe, self._clock = target, on_keyframe, clock
        self._mark = mark
        self._key = secrets.token_bytes(KEY_BYTES)
        self._api: _Api | None = None
        self._feed: SrtpFeed | None = None
        self._is_made = False

    @property
    def place(self) -> str:
        return f"mountpoint {self._target.mountpoint}"

    @property
    def is_behind(self) -> bool:
        return self._feed is not None and self._feed.is_behind

    def send(self, frame: EncodedFrame) -> bool:
        if self._feed is None:
            return False
        self._feed.send(frame)
        return True

    async def open(self) -> None:
        host, port = host_and_port(self._target.url)
        api = self._api = _Api(self._target)
        address = await _address_of(self._target.media_host or host, port)
        await api.enter()
        made = await self._make(api, self._wish(address))
        rtp_port, rtcp_port = _ports_of(made)
        try:
            self._feed = SrtpFeed(address, rtp_port, rtcp_port, self._key, self._on_keyframe)
        except OSError as exc:
            raise SfuUnreachableError(f"There is no way to {address}: {exc.strerror}.") from exc

    async def lost(self) -> SfuError:
        heard_s = self._clock()
        while True:
            await asyncio.sleep(LOOK_S)
            error = await self._looked_after()
            if error is None:
                heard_s = self._clock()
            elif not isinstance(error, SilentError) or self._clock() - heard_s > LOST_S:
                return error

    async def close(self) -> bool:
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()
        api, self._api = self._api, None
        if api is None and not self._is_made:
            return True
        is_new = api is None  # Janus ends a session that has been silent for a minute
        api = api or _Api(self._target)
        try:
            with contextlib.suppress(SfuError, TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    if is_new:
                        await api.enter()
                    if self._is_made:
                        await self._take_away(api)
                    await api.leave()
        finally:  # also where nobody waits for it any longer
            await api.close()
        return not self._is_made

    async def _take_away(self, api: _Api) -> None:
        try:
            await api.ask(self._named("destroy"))
        except JanusError as exc:
            if exc.number in (NO_SUCH_SESSION, NO_SUCH_HANDLE):
                raise
            # It is gone, or is not ours to end.
        self._is_made = False

    async def _make(self, api: _Api, wish: dict[str, Any]) -> dict[str, Any]:
        """Have the mountpoint made; where the answer does not come, it is taken to be there."""
        made = await self._try_to_make(api, wish)
        if isinstance(made, dict):
            return made
        if not (self._target.replace or await self._is_ours(api)):
            raise _taken(made) from made
        try:
            await api.ask(self._named("destroy"))
        except JanusError as exc:
            if exc.number != _NO_SUCH_MOUNTPOINT:
                raise
        made = await self._try_to_make(api, wish)
        if isinstance(made, dict):
            return made
        # Not for its number, then: Janus may have no port left.
        raise SfuUnreachableError(made.message) from made

    async def _is_ours(self, api: _Api) -> bool:
        """Whether the one of this number was left by an earlier try, or there is none."""
        try:
            there = (await api.ask(self._named("info"))).get("info")
        except JanusError as exc:
            if exc.number != _NO_SUCH_MOUNTPOINT:
                raise
            return True
        return bool(self._mark) and isinstance(there, dict) and there.get("metadata") == self._mark

    async def _try_to_make(self, api: _Api, wish: dict[str, Any]) -> dict[str, Any] | JanusError:
        """Return what Janus answers, or why it cannot make it though it may be asked."""
        self._is_made = True
        try:
            return await api.ask(wish)
        except JanusError as exc:
            self._is_made = False
            if exc.number != _CANNOT_CREATE:
                raise
            return exc

    async def _looked_after(self) -> SfuError | None:
        """Look after the mountpoint, which keeps our session at Janus; returns what is wrong."""
        assert self._api is not None
        try:
            await self._api.ask(self._named("info"))
        except JanusError as exc:
            if exc.number in (NO_SUCH_SESSION, NO_SUCH_HANDLE):
                self._is_made = False
                return SfuUnreachableError("Janus was started anew.")
            if exc.number == _NO_SUCH_MOUNTPOINT:
                self._is_made = False
                return SfuRefusedError(
                    f"Somebody ended {self.place} at Janus.",
                    hint="viewer.publish(...) publishes the view again.",
                )
            return exc
        except SfuError as exc:
            return exc
        return None

    def _named(self, request: str) -> dict[str, Any]:
        target = self._target
        return {"request": request, "id": target.mountpoint, "secret": target.secret}

    def _wish(self, address: str) -> dict[str, Any]:
        target = self._target
        video: dict[str, Any] = {
            "type": "video",
            "mid": "v",
            "label": target.name,
            "codec": "h264",
            "pt": PAYLOAD_TYPE,
            "fmtp": _FMTP,
            "port": 0,
            "rtcpport": 0,
        }
        if ipaddress.ip_address(address).is_loopback:
            video["iface"] = address  # else it listens everywhere
        wish = self._named("create") | {
            "type": "rtp",
            "name": f"{target.name} {target.mountpoint}",  # two of one name cannot be
            "description": target.name,
            "is_private": not target.listed,
            "srtpsuite": 80,
            "srtpcrypto": base64.b64encode(self._key).decode(),
            "media": [video],
        }
        wish |= {"pin": target.pin} if target.pin else {}
        wish |= {"metadata": self._mark} if self._mark else {}
        return wish | ({"admin_key": target.admin_key} if target.admin_key else {})


class _Api:
    """One session and one handle of the streaming plugin.

    All that is asked here is answered at once; there are no events to be waited for.
    """

    def __init__(self, target: Janus) -> None:
        self._http = JanusHttp(target)
        self._session = self._handle = ""

    async def enter(self) -> None:
        """Make the session and the handle."""
        self._session = id_of(await self._http.post("", {"janus": "create"}))
        attach = {"janus": "attach", "plugin": "janus.plugin.streaming"}
        self._handle = id_of(await self._http.post(f"/{self._session}", attach))

    async def ask(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask the plugin; returns its answer.

        Raises
        ------
        SfuError
        """
        message = {"janus": "message", "body": body}
        answer = await self._http.post(f"/{self._session}/{self._handle}", message)
        return self._http.data_of(answer)

    async def leave(self) -> None:
        """End the session."""
        if self._session:
            await self._http.post(f"/{self._session}", {"janus": "destroy"})

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()


async def _address_of(host: str, port: int) -> str:
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise SfuUnreachableError(f"There is no machine called {host}.") from exc
    return str(found[0][4][0])


def _ports_of(made: dict[str, Any]) -> tuple[int, int]:
    try:
        ports = made["stream"]["ports"][0]
        return int(ports["port"]), int(ports["rtcp_port"])
    except (KeyError, IndexError, TypeError, ValueError) as exc:
        raise SfuRefusedError("Janus' answer names no ports for RTP and RTCP.") from exc


def _taken(error: JanusError) -> SfuRefusedError:
    return SfuRefusedError(
        error.message,
        hint="Another mountpoint number; or replace=True and its secret, if it was left behind.",
    )
