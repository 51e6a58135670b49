"""Smaller streams of the same pictures, for viewers whose links carry less than the others'.

Each has its own encoder and is drawn anew in its own size: a picture of half the sides takes a
quarter of the work. One that nobody needs is not there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from blustream_widget.core.frame_header import FrameFlags, FrameHeader
from blustream_widget.core.worker_protocol import SmallerOutput
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.errors import NoEncoderError
from blustream_widget.worker.composition import Composition, Compositor
from blustream_widget.worker.motion import sized
from blustream_widget.worker.sink import Sink

logger = logging.getLogger(__name__)

MakeHeader = Callable[[Composition, FrameFlags], FrameHeader]


class SmallerStreams:
    """The streams beside the full one. One thread: it owns their encoders.

    Parameters
    ----------
    sink : Sink
    chain : EncoderChain
        Of the full stream; the others begin with its encoder.
    """

    def __init__(self, sink: Sink, chain: EncoderChain) -> None:
        self._sink = sink
        self._chain = chain
        self._streams: dict[int, _Stream] = {}

    def want(self, outputs: tuple[SmallerOutput, ...]) -> bool:
        """Make these from now on, and no others; returns whether one of them is new."""
        wanted = {output.rendition: output for output in outputs}
        for rendition in self._streams.keys() - wanted.keys():
            self._streams.pop(rendition).close()
        new = wanted.keys() - self._streams.keys()
        for rendition in new:
            self._streams[rendition] = _Stream(self._chain.twin())
        for rendition, output in wanted.items():
            self._streams[rendition].output = output
        return bool(new)

    def want_keyframe(self, rendition: int) -> None:
        """Begin a stream anew with its next picture."""
        if (stream := self._streams.get(rendition)) is not None:
            stream.wants_keyframe = True

    def write(
        self, picture: Composition, now: float, make_header: MakeHeader, timestamp_90k: int
    ) -> bool:
        """Send a picture in each stream that has another one; returns whether one is to follow.

        A stream of fewer pictures a second leaves some out, but never the last one.
        """
        is_late = False
        for rendition, stream in self._streams.items():
            is_late |= stream.has_to_wait(picture, now)
            if (made := stream.encode(picture, now, timestamp_90k)) is not None:
                smaller, data, is_key = made
                flags = FrameFlags.KEY if is_key else FrameFlags(0)
                if smaller.is_exact:
                    flags |= FrameFlags.EXACT
                self._sink.send_frame(make_header(smaller, flags), data, rendition)
        return is_late

    def close(self) -> None:
        """Close all encoders."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()


class _Stream:
    output: SmallerOutput

    def __init__(self, chain: EncoderChain) -> None:
        self._chain = chain
        self._compositor = Compositor()
        self._shown: Composition | None = None  # as the full stream has it
        self._next_s = float("-inf")
        self._has_failed = False
        self.wants_keyframe = True

    def has_to_wait(self, picture: Composition, now: float) -> bool:
        """Whether a picture is another one, and comes too early."""
        return now < self._next_s and self._is_due(picture)

    def encode(
        self, picture: Composition, now: float, timestamp_90k: int
    ) -> tuple[Composition, memoryview, bool] | None:
        """Draw and encode a picture if it is another one, and time for it."""
        if now < self._next_s or not self._is_due(picture):
            return None
        output = self.output
        scenes = tuple(s.resized(sized(s.state, output.scale)) for s in picture.scenes)
        smaller = Composition(picture.state, scenes, picture.contents)
        try:
            frame = self._chain.encode(
                self._compositor.draw(smaller, "bt709"),
                timestamp_90k=timestamp_90k,
                is_keyframe=self.wants_keyframe,
                bit_rate_bps=output.bit_rate_bps,
                max_fps=output.max_fps,
            )
        except NoEncoderError as exc:
            logger.warning("A smaller stream ends: %s", exc.message)
            self._has_failed = True
            return None
        self._shown, self.wants_keyframe = picture, False
        # A picture that comes a little early is taken, as long as the average is kept.
        interval_s = 1 / output.max_fps
        self._next_s = max(self._next_s, now - interval_s) + 0.9 * interval_s
        return smaller, frame.data, frame.is_keyframe

    def close(self) -> None:
        """Close the encoder."""
        self._chain.close()

    def _is_due(self, picture: Composition) -> bool:
        return not self._has_failed and (self.wants_keyframe or not picture.shows(self._shown))
