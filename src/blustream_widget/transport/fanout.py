"""The same encoded frame to every viewer of a stream, and a keyframe to each that needs one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, Protocol, TypeAlias

from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.keyframe_wait import KeyframeWait

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
    """

    def __init__(self, request_keyframe: Callable[[int], None]) -> None:
        self._request_keyframe = request_keyframe
        self._subscribers: dict[int, Subscriber] = {}
        self._without_pace: set[int] = set()

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
        picture: Picture = "jpeg" if frame.is_jpeg else "h264"
        for subscriber in self:
            if frame.is_still:
                is_taken = subscriber.stills
            else:
                is_taken = subscriber.video == picture and (
                    frame.is_jpeg
                    or subscriber.keyframe.takes(frame.rendition, is_keyframe=frame.is_keyframe)
                )
            if is_taken:
                subscriber.offer(frame)
        if not frame.is_still:
            self.check_keyframes()

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
