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
from urllib.parse import urlsplit

import aiohttp
import msgspec

from blustream_widget.core.publishing import Janus
from blustream_widget.errors import SfuError, SfuRefusedError, SfuUnreachableError
from blustream_widget.sfu.publisher import OnKeyframe
from blustream_widget.sfu.srtp_feed import KEY_BYTES, PAYLOAD_TYPE, SrtpFeed
from blustream_widget.transport.frame import EncodedFrame

REQUEST_TIMEOUT_S = 5.0
LOOK_S = 1.0
"""So often the mountpoint is looked after."""
LOST_S = 5.0
"""So long Janus may be silent; a network that comes back meanwhile changes nothing."""
_CLOSE_TIMEOUT_S = 3.0
_MAX_ANSWER_BYTES = 1 << 20
_TOO_MANY = 429
_UNAUTHORIZED, _NO_SUCH_SESSION, _NO_SUCH_HANDLE = 403, 458, 459
_NO_SUCH_MOUNTPOINT, _CANNOT_CREATE, _PLUGIN_UNAUTHORIZED = 455, 456, 457
# What the browsers that watch are offered. The stream says of itself which profile and level it
# has, and browsers go by that.
_FMTP = "profile-level-id=42e01f;packetization-mode=1"


class _JanusError(SfuRefusedError):
    """An error that Janus or its plugin answered with."""

    def __init__(self, number: int, reason: str) -> None:
        hint = ""
        if number == _UNAUTHORIZED:
            hint = "Give the api_secret or the token that this Janus asks for."
        elif number == _PLUGIN_UNAUTHORIZED or "admin_key" in reason:
            hint = "Give the admin_key of its streaming plugin, and the mountpoint's own secret."
        super().__init__(f"Janus refuses: {reason} ({number}).", hint=hint)
        self.number = number


class JanusPublisher:
    """One mountpoint; see `Publisher`.

    Parameters
    ----------
    target : Janus
        With a mountpoint and a secret.
    on_keyframe : callable
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        target: Janus,
        on_keyframe: OnKeyframe,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._target, self._on_keyframe, self._clock = target, on_keyframe, clock
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
        host, port = _host_and_port(self._target.url)
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
            elif not isinstance(error, _SilentError) or self._clock() - heard_s > LOST_S:
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
        except _JanusError as exc:
            if exc.number in (_NO_SUCH_SESSION, _NO_SUCH_HANDLE):
                raise
            # It is gone, or is not ours to end.
        self._is_made = False

    async def _make(self, api: _Api, wish: dict[str, Any]) -> dict[str, Any]:
        """Have the mountpoint made; where the answer does not come, it is taken to be there."""
        made = await self._try_to_make(api, wish)
        if isinstance(made, dict):
            return made
        if not self._target.replace:
            raise _taken(made) from made
        try:
            await api.ask(self._named("destroy"))
        except _JanusError as exc:
            if exc.number != _NO_SUCH_MOUNTPOINT:
                raise
        made = await self._try_to_make(api, wish)
        if isinstance(made, dict):
            return made
        # Not for its number, then: Janus may have no port left.
        raise SfuUnreachableError(made.message) from made

    async def _try_to_make(self, api: _Api, wish: dict[str, Any]) -> dict[str, Any] | _JanusError:
        """Return what Janus answers, or why it cannot make it though it may be asked."""
        self._is_made = True
        try:
            return await api.ask(wish)
        except _JanusError as exc:
            self._is_made = False
            if exc.number != _CANNOT_CREATE:
                raise
            return exc

    async def _looked_after(self) -> SfuError | None:
        """Look after the mountpoint, which keeps our session at Janus; returns what is wrong."""
        assert self._api is not None
        try:
            await self._api.ask(self._named("info"))
        except _JanusError as exc:
            if exc.number in (_NO_SUCH_SESSION, _NO_SUCH_HANDLE):
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
        return wish | ({"admin_key": target.admin_key} if target.admin_key else {})


class _SilentError(SfuUnreachableError):
    """Janus did not answer this time."""


class _Api:
    """Janus' JSON over HTTP, one session and one handle of the streaming plugin.

    All that is asked here is answered at once; there are no events to be waited for.
    """

    def __init__(self, target: Janus) -> None:
        self._url = target.url.rstrip("/")
        self._host = urlsplit(target.url).netloc.rpartition("@")[2]
        self._identity = {"apisecret": target.api_secret} if target.api_secret else {}
        self._identity |= {"token": target.token} if target.token else {}
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        self._http = aiohttp.ClientSession(timeout=timeout)
        self._session = self._handle = ""

    async def enter(self) -> None:
        """Make the session and the handle."""
        self._session = _id_of(await self._post("", {"janus": "create"}))
        attach = {"janus": "attach", "plugin": "janus.plugin.streaming"}
        self._handle = _id_of(await self._post(f"/{self._session}", attach))

    async def ask(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask the plugin; returns its answer.

        Raises
        ------
        SfuError
        """
        message = {"janus": "message", "body": body}
        answer = await self._post(f"/{self._session}/{self._handle}", message)
        try:
            data = answer["plugindata"]["data"]
            if "error_code" in data:
                raise _JanusError(int(data["error_code"]), str(data.get("error", ""))[:200])
        except (KeyError, TypeError, ValueError) as exc:
            raise self._is_no_janus() from exc
        return dict(data)

    async def leave(self) -> None:
        """End the session."""
        if self._session:
            await self._post(f"/{self._session}", {"janus": "destroy"})

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _post(self, path: str, message: dict[str, Any]) -> dict[str, Any]:
        message = message | self._identity | {"transaction": secrets.token_hex(8)}
        try:
            async with self._http.post(self._url + path, json=message) as response:
                text = await response.content.read(_MAX_ANSWER_BYTES)
                while not response.content.at_eof() and len(text) < _MAX_ANSWER_BYTES:
                    text += await response.content.read(_MAX_ANSWER_BYTES - len(text))
                status = response.status
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise _SilentError(
                f"Janus at {self._host} does not answer: {_reason_of(exc)[:200]}.",
                hint="Is it running, and its HTTP API switched on at this address?",
            ) from exc
        if status >= 500 or status == _TOO_MANY:  # a proxy in front of it: Janus says 200
            raise _SilentError(
                f"Janus at {self._host} does not answer: HTTP {status}.",
                hint="Is it running behind that proxy?",
            )
        try:
            answer = msgspec.json.decode(text, type=dict[str, Any])
            error = answer.get("error", {}) if answer["janus"] == "error" else {}
        except (msgspec.MsgspecError, KeyError) as exc:
            raise self._is_no_janus() from exc
        if error:
            raise _JanusError(int(error.get("code", 0)), str(error.get("reason", ""))[:200])
        return answer

    def _is_no_janus(self) -> SfuRefusedError:
        return SfuRefusedError(
            f"What answers at {self._host} does not speak as Janus does.",
            hint='Its address ends with its base path: "http://host:8088/janus".',
        )


def _reason_of(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing came within {REQUEST_TIMEOUT_S:.0f} s"
    said = error.strerror if isinstance(error, aiohttp.ClientConnectorError) else None
    return said or str(error) or type(error).__name__


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise SfuRefusedError(
            "The address of Janus is not that of an HTTP API.",
            hint='For example "https://sfu.example.org:8089/janus".',
        )
    return parts.hostname, port or (443 if parts.scheme == "https" else 80)


async def _address_of(host: str, port: int) -> str:
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise SfuUnreachableError(f"There is no machine called {host}.") from exc
    return str(found[0][4][0])


def _id_of(answer: dict[str, Any]) -> str:
    try:
        return str(int(answer["data"]["id"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise SfuRefusedError("Janus' answer names no session.") from exc


def _ports_of(made: dict[str, Any]) -> tuple[int, int]:
    try:
        ports = made["stream"]["ports"][0]
        return int(ports["port"]), int(ports["rtcp_port"])
    except (KeyError, IndexError, TypeError, ValueError) as exc:
        raise SfuRefusedError("Janus' answer names no ports for RTP and RTCP.") from exc


def _taken(error: _JanusError) -> SfuRefusedError:
    return SfuRefusedError(
        error.message,
        hint="Another mountpoint number; or replace=True and its secret, if it was left behind.",
    )
