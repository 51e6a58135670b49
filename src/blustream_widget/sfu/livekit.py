"""A view as a participant's screen in a LiveKit room.

LiveKit's own SDK does what its servers want of a client. Since version 1.2.1 it has a source of
frames that are encoded already (`EncodedVideoSource`): it packs and sends them as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt

from blustream_widget.core.publishing import LiveKit
from blustream_widget.errors import (
    MissingDependencyError,
    SfuError,
    SfuRefusedError,
    SfuUnreachableError,
)
from blustream_widget.sfu.publisher import OnKeyframe
from blustream_widget.transport.frame import EncodedFrame

if TYPE_CHECKING:
    from types import ModuleType

logger = logging.getLogger(__name__)

FEEDBACK_S = 0.1
"""So often it is asked for wishes for a keyframe: it does not call."""
REST_S = 4.0
"""It hears of such a wish with the next frame only: while a view rests and somebody else is in the
room there is one at least so often."""
LOST_S = 5.0
"""So long the SDK may try to be connected again by itself."""
TOKEN_S = 600.0
"""For coming in; LiveKit gives who is in a room new ones."""
_CONNECT_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 3.0
_FIRST_SIZE_PX = (1280, 720)  # each frame says its own
_US_OF_90K = 100 / 9


class LiveKitPublisher:
    """One participant; see `Publisher`.

    Parameters
    ----------
    target : LiveKit
        With an identity, where it has no token.
    on_keyframe : callable
    sdk : module, optional
        In place of `livekit.rtc`.
    """

    def __init__(
        self, target: LiveKit, on_keyframe: OnKeyframe, sdk: ModuleType | None = None
    ) -> None:
        self._target, self._on_keyframe = target, on_keyframe
        # Any: the SDK is an optional package, and may not be there when types are checked.
        self._sdk: Any = sdk
        self._room: Any = None
        self._connecting: asyncio.Task[None] | None = None
        self._source: Any = None
        self._clock = _Clock()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[SfuError] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._lost_timer: asyncio.TimerHandle | None = None
        self._sent_s = self._loop.time()

    @property
    def place(self) -> str:
        return f"room {self._target.room}"

    @property
    def is_behind(self) -> bool:
        return False  # the SDK refuses what is too much for it

    async def open(self) -> None:
        url = _checked_url(self._target.url)
        token = token_for(self._target)
        # A native library of 28 MB is loaded: not on the loop that all sessions' pictures go by.
        sdk = self._sdk = self._sdk or await asyncio.to_thread(_load_sdk)
        room = self._room = sdk.Room()
        room.on("disconnected", self._disconnected)
        room.on("reconnecting", self._reconnecting)
        room.on("reconnected", self._reconnected)
        room.on("participant_connected", self._somebody_came)
        options = sdk.RoomOptions(
            auto_subscribe=False, dynacast=False, connect_timeout=_CONNECT_TIMEOUT_S
        )
        try:
            async with asyncio.timeout(2 * _CONNECT_TIMEOUT_S):
                # Shielded: the SDK's own side goes on when it is cancelled, and would be in the
                # room where nobody can take it out.
                self._connecting = asyncio.ensure_future(room.connect(url, token, options))
                await asyncio.shield(self._connecting)
                self._source = sdk.EncodedVideoSource(*_FIRST_SIZE_PX)
                await self._publish_track()
        except sdk.ConnectError as exc:
            raise _refusal(str(exc), self._target) from exc
        except sdk.participant.PublishTrackError as exc:
            reason = str(exc)[:200]
            raise SfuRefusedError(
                f"LiveKit does not take the track: {reason}",
                hint="May this token publish (canPublish)?",
            ) from exc
        except TimeoutError as exc:
            raise SfuUnreachableError("LiveKit did not answer in time.") from exc
        self._look_for_wishes()

    def send(self, frame: EncodedFrame) -> bool:
        if self._source is None:
            return False
        sdk, header = self._sdk, frame.header
        kinds = sdk.EncodedFrameType
        unit = sdk.EncodedVideoFrame(
            data=bytes(frame.picture),
            width=header.width_px,
            height=header.height_px,
            codec=sdk.VideoCodec.H264,
            frame_type=(
                kinds.ENCODED_FRAME_KEY if frame.is_keyframe else kinds.ENCODED_FRAME_DELTA
            ),
            timestamp_us=self._clock.us_of(header.timestamp_90k),
        )
        self._sent_s = self._loop.time()
        try:
            return bool(self._source.capture_frame(unit))
        except Exception as exc:  # noqa: BLE001  # whatever the SDK's inside: others get the frame
            self._fail(exc)
            return False

    async def lost(self) -> SfuError:
        return await asyncio.shield(self._ended)

    async def close(self) -> bool:
        for timer in (self._timer, self._lost_timer):
            if timer is not None:
                timer.cancel()
        room, self._room = self._room, None
        source, self._source = self._source, None
        # Whatever the SDK says of a connection that is to end anyway.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                if self._connecting is not None:
                    await self._connecting
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                if room is not None:
                    await room.disconnect()
        if source is not None:
            await source.aclose()
        self._ended.cancel()
        return True  # LiveKit lets a participant go who is silent

    async def _publish_track(self) -> None:
        sdk = self._sdk
        track = sdk.LocalVideoTrack.create_video_track(self._target.name, self._source)
        options = sdk.TrackPublishOptions(
            source=sdk.TrackSource.SOURCE_SCREENSHARE,
            video_codec=sdk.VideoCodec.H264,
            video_encoder=sdk.VideoEncoderBackend.ENCODER_BACKEND_PRE_ENCODED,
            simulcast=False,
        )
        await self._room.local_participant.publish_track(track, options)

    def _look_for_wishes(self) -> None:
        if self._source is None:
            return
        self._timer = self._loop.call_later(FEEDBACK_S, self._look_for_wishes)
        now_s = self._loop.time()
        rests = bool(self._room.remote_participants) and now_s - self._sent_s > REST_S
        try:
            is_wished = self._source.take_feedback().keyframe_requested
        except Exception as exc:  # noqa: BLE001  # as in `send`
            self._timer.cancel()
            self._fail(exc)
            return
        if rests or is_wished:
            self._sent_s = now_s
            self._on_keyframe()

    def _somebody_came(self, _participant: object) -> None:
        self._on_keyframe()

    def _reconnecting(self) -> None:
        error = SfuUnreachableError("The connection to LiveKit is lost.")
        self._lost_timer = self._loop.call_later(LOST_S, self._end, error)

    def _reconnected(self) -> None:
        if self._lost_timer is not None:
            self._lost_timer.cancel()
        self._on_keyframe()

    def _fail(self, exc: Exception) -> None:
        logger.warning("LiveKit's SDK failed", exc_info=exc)
        self._end(SfuUnreachableError(f"LiveKit's SDK failed: {type(exc).__name__}."))

    def _end(self, error: SfuError) -> None:
        if not self._ended.done() and self._room is not None:
            self._ended.set_result(error)

    def _disconnected(self, reason: int) -> None:
        reasons = self._sdk.DisconnectReason
        final = {
            reasons.DUPLICATE_IDENTITY: "Somebody else came with this identity.",
            reasons.PARTICIPANT_REMOVED: "Somebody removed the view from the room.",
            reasons.ROOM_DELETED: "The room was deleted.",
        }
        if reason in final:
            self._end(SfuRefusedError(final[reason]))
        else:
            self._end(SfuUnreachableError("The connection to LiveKit is lost."))


class _Clock:
    """Microseconds that go on where a time stamp of 32 bits begins anew."""

    def __init__(self) -> None:
        self._last_90k: int | None = None
        self._at_90k = 0

    def us_of(self, timestamp_90k: int) -> int:
        """Give the time of a frame, after that of every frame before it."""
        if self._last_90k is not None:
            step = (timestamp_90k - self._last_90k) & 0xFFFFFFFF
            # A worker that took the place of another may have another clock.
            self._at_90k += step if 0 < step < 1 << 31 else 1
        self._last_90k = timestamp_90k
        return int(self._at_90k * _US_OF_90K)


def token_for(target: LiveKit, now_s: Callable[[], float] = time.time) -> str:
    """Give an access token: the target's own, or one that may publish to its room, and only that.

    Raises
    ------
    SfuRefusedError
        There is neither a token nor what one is made of.

    References
    ----------
    https://docs.livekit.io/home/get-started/authentication/
    """
    if target.token:
        return target.token
    if not (target.api_key and target.api_secret):
        raise SfuRefusedError(
            "LiveKit lets nobody in without a token.", hint="Give token, or api_key and api_secret."
        )
    grant = {
        "room": target.room,
        "roomJoin": True,
        "canPublish": True,
        "canSubscribe": False,
        "canPublishData": False,
    }
    now = int(now_s())
    claims = {
        "iss": target.api_key,
        "sub": target.identity or f"blustream-{secrets.token_hex(8)}",
        "name": target.name,
        "nbf": now - 10,  # clocks of two machines
        "exp": now + int(TOKEN_S),
        "video": grant,
    }
    return jwt.encode(claims, target.api_secret, algorithm="HS256")


def _load_sdk() -> ModuleType:
    try:
        from livekit import rtc

        # Loads its library now, and not with the first room.
        _ = getattr(rtc, "_ffi_client", None) and rtc._ffi_client.FfiClient.instance
    except ImportError as exc:
        raise MissingDependencyError(
            "LiveKit's SDK is not installed.", hint='pip install "blustream-widget[sfu]"'
        ) from exc
    if not hasattr(rtc, "EncodedVideoSource"):
        raise MissingDependencyError(
            "This LiveKit SDK takes no encoded frames.", hint='pip install "livekit>=1.2.1"'
        )
    return rtc


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname:
        raise SfuRefusedError(
            "The address of LiveKit is not one.", hint='For example "wss://livekit.example.org".'
        )
    return url


def _refusal(said: str, target: LiveKit) -> SfuError:
    host = urlsplit(target.url).netloc.rpartition("@")[2]
    if _REFUSED.search(_without_addresses(said)):
        return SfuRefusedError(
            f"LiveKit at {host} does not let the view into the room {target.room}.",
            hint="Is the token, or the key and its secret, of this server and this room?",
        )
    return SfuUnreachableError(f"LiveKit at {host} is not reached: {_without_token(said)[:200]}")


_REFUSED = re.compile(r"\b40[13]\b")


def _without_addresses(said: str) -> str:
    """Cut what may hold numbers of its own: addresses with their ports."""
    return re.sub(r"\S*(://|:\d)\S*", "", said)


def _without_token(said: str) -> str:
    """Cut what comes after a question mark: the SDK's errors may hold addresses with tokens."""
    return said.partition("?")[0]
