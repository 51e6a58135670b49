"""The same encoded frame to every viewer of a stream, and a keyframe to each that needs one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol, TypeAlias

from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.keyframe_wait import KeyframeWait

WORK_TIMES = 1.3
"""What a frame costs in all, in times of what it takes to offer it to everybody."""
MAX_SENDING_S = 0.2
"""Of a longer time the process slept for most."""
MAX_DEBT_S = (WORK_TIMES - 1) * MAX_SENDING_S
"""Nothing new waits longer than this after the last frame was sent, however many there were."""

Picture: TypeAlias = Literal["h264", "jpeg"]


class Subscriber(Protocol):
    """Somebody who gets frames over one path (a socket, or WebRTC)."""

    @property
    def video(self) -> Picture | None:
        """Which moving pictures it takes now; None = none (hidden, or shown over another path)."""

    @property
    def stills(self) -> bool:
        """Whether it takes lossless pictures at rest."""

    @property
    def keyframe(self) -> KeyframeWait:
        """Its place in the session's H.264 streams."""

    @property
    def has_credit(self) -> bool:
        """Whether it is worth drawing a new picture for."""

    @property
    def needs_keyframe(self) -> bool:
        """Whether it waits for a keyframe (or its first JPEG) and has room for it."""

    def offer(self, frame: EncodedFrame) -> None:
        """Send the frame, or drop it and all that depends on it. Never waits."""


class Fanout:
    """Subscribers of one session.

    Parameters
    ----------
    request_keyframe : callable
        Ask the worker for an IDR of a stream; may be called often (the caller joins the requests).
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    has_still : bool
        A still was published; False again from when its owner says that no viewer has one that is
        true or on its way.

    Notes
    -----
    A frame goes to one after the other, and the hundredth has it milliseconds after the first.
    Whoever moves the view is served first; among all others another one begins each time.
    """

    def __init__(
        self,
        request_keyframe: Callable[[int], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request_keyframe = request_keyframe
        self._clock = clock
        self._free_s = float("-inf")
        self.has_still = False
        self._subscribers: dict[int, Subscriber] = {}
        self._without_pace: set[int] = set()
        self._first: frozenset[int] = frozenset()
        self._turn = 0

    def add(self, subscriber: Subscriber, *, sets_pace: bool = True) -> None:
        """Send to `subscriber` from now on; it starts at a keyframe.

        `sets_pace` False: it takes what those who look get, and has pictures drawn for itself only
        while there are none of them (`has_pace`).
        """
        self._subscribers[id(subscriber)] = subscriber
        if not sets_pace:
            self._without_pace.add(id(subscriber))

    def remove(self, subscriber: Subscriber) -> None:
        """Send nothing more to `subscriber`."""
        self._subscribers.pop(id(subscriber), None)
        self._without_pace.discard(id(subscriber))
        self._first -= {id(subscriber)}

    def put_first(self, subscribers: Iterable[Subscriber]) -> None:
        """Serve these before all others from now on."""
        self._first = frozenset(map(id, subscribers)) & self._subscribers.keys()

    @property
    def n_subscribers(self) -> int:
        """How many frames may go to."""
        return len(self._subscribers)

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(tuple(self._subscribers.values()))

    @property
    def has_credit(self) -> bool:
        """Whether somebody can take a new picture."""
        return any(s.video is not None and s.has_credit for s in self._subscribers.values())

    @property
    def has_pace(self) -> bool:
        """Whether somebody takes moving pictures whose room for them says when one is drawn."""
        return any(
            s.video is not None
            for key, s in self._subscribers.items()
            if key not in self._without_pace
        )

    def wants(self, picture: Picture) -> bool:
        """Whether somebody takes pictures of this kind."""
        return any(s.video == picture for s in self._subscribers.values())

    @property
    def wants_stills(self) -> bool:
        """Whether somebody takes stills."""
        return any(s.stills for s in self._subscribers.values())

    def publish(self, frame: EncodedFrame) -> None:
        """Offer the frame to all who take its kind."""
        if frame.is_still:
            self.has_still = True
            for subscriber in self._in_turn():
                if subscriber.stills:
                    subscriber.offer(frame)
            return
        begun_s = self._clock()
        somebody_waits = self._publish_video(frame)
        now_s = self._clock()
        took_s = min(now_s - begun_s, MAX_SENDING_S)
        free_s = max(self._free_s, begun_s) + WORK_TIMES * took_s
        self._free_s = min(free_s, now_s + MAX_DEBT_S)
        if somebody_waits:
            self.check_keyframes()

    def _publish_video(self, frame: EncodedFrame) -> bool:
        """Offer a moving picture; returns whether somebody waits for a keyframe."""
        picture: Picture = "jpeg" if frame.is_jpeg else "h264"
        is_jpeg, is_key, rendition = frame.is_jpeg, frame.is_keyframe, frame.rendition
        somebody_waits = False
        for subscriber in self._in_turn():
            if (video := subscriber.video) is None:
                continue
            place = subscriber.keyframe
            if video == picture and (is_jpeg or place.takes(rendition, is_keyframe=is_key)):
                subscriber.offer(frame)
            somebody_waits |= place.waits or place.wanted != place.rendition
        return somebody_waits

    @property
    def busy_s(self) -> float:
        """For how long a new frame would have to wait for those that were published, in seconds.

        Sending is but the largest part of what viewers cost: the rest is to have its time too.
        """
        return max(self._free_s - self._clock(), 0.0)

    def _in_turn(self) -> list[Subscriber]:
        """Put everybody in the order in which the next frame is sent."""
        everybody = list(self._subscribers.values())
        # One place further each time: a viewer's frames come later by little, not by jumps.
        self._turn = (self._turn + 1) % max(len(everybody), 1)
        others = everybody[self._turn :] + everybody[: self._turn]
        return sorted(others, key=lambda s: id(s) not in self._first) if self._first else others

    @property
    def streams(self) -> frozenset[int]:
        """H.264 streams that somebody is in, or goes over to."""
        places = [s.keyframe for s in self._subscribers.values() if s.video == "h264"]
        return frozenset(n for place in places for n in (place.rendition, place.wanted))

    @property
    def needs_keyframes(self) -> frozenset[int]:
        """Streams of which somebody waits for a keyframe and could take it."""
        return frozenset(
            s.keyframe.wanted if s.video == "h264" else 0
            for s in self._subscribers.values()
            if s.video is not None and s.needs_keyframe
        )

    def check_keyframes(self) -> None:
        """Ask for the keyframes that somebody needs."""
        for stream in self.needs_keyframes:
            self._request_keyframe(stream)
