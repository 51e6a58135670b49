"""What every way of frames to a viewer must promise. Run each check with a fresh harness."""

from __future__ import annotations

import fractions
import functools
from typing import Protocol

import av

from blustream_widget.core.frame_header import FrameFlags, FrameHeader
from blustream_widget.transport.fanout import Subscriber
from blustream_widget.transport.frame import EncodedFrame


class TransportHarness(Protocol):
    """A subscriber that is connected to something that receives."""

    @property
    def subscriber(self) -> Subscriber:
        """Under test; takes H.264."""

    async def received(self, frame_no: int) -> list[int]:
        """Wait until frame `frame_no` was received; numbers of all video frames so far, in order.

        Frames are acknowledged where the transport has acknowledgements.
        """

    async def drain(self) -> None:
        """Let what is on the way arrive, and acknowledge it."""


@functools.cache
def _access_unit(*, is_key: bool) -> bytes:
    """Return a 64 x 64 picture: an IDR, or a P frame that decodes after it and after itself."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width = codec.height = 64
    codec.pix_fmt, codec.time_base = "yuv420p", fractions.Fraction(1, 90_000)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency"}
    units = []
    for pts in range(2):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts = pts
        units += [bytes(packet) for packet in codec.encode(frame)]
    return units[0] if is_key else units[1]


def make_frame(frame_no: int, *, is_key: bool = False, is_still: bool = False) -> EncodedFrame:
    """Make a frame that says its number in its header."""
    flags = FrameFlags.KEY if is_key or is_still else FrameFlags(0)
    if is_still:
        flags |= FrameFlags.STILL
    header = FrameHeader(
        flags=int(flags),
        axis=0,
        lod=0,
        channel=0,
        width_px=64,
        height_px=64,
        frame_no=frame_no,
        revision=frame_no,
        timestamp_90k=(frame_no * 1500 + 7) & 0xFFFFFFFF,
        slice_idx=frame_no,
        zoom=1.0,
        pan_x=0.5,
        pan_y=0.5,
        stretch=1.0,
        window=1.0,
        level=0.5,
    )
    return EncodedFrame(header, header.pack() + _access_unit(is_key=is_key))


async def check_starts_at_a_keyframe(harness: TransportHarness) -> None:
    """Frames before the first keyframe are not sent, and one is asked for."""
    assert harness.subscriber.video == "h264"
    harness.subscriber.offer(make_frame(1))
    needed_before = harness.subscriber.needs_keyframe
    harness.subscriber.offer(make_frame(2, is_key=True))
    assert (needed_before, harness.subscriber.needs_keyframe) == (True, False)
    assert await harness.received(2) == [2]


async def check_keeps_order(harness: TransportHarness) -> None:
    """All frames arrive in order while the viewer keeps up."""
    for n in range(30):
        harness.subscriber.offer(make_frame(n, is_key=n == 0))
        assert (await harness.received(n))[-1] == n
    assert await harness.received(29) == list(range(30))


async def check_overload_never_breaks_the_chain(harness: TransportHarness) -> None:
    """Of far too many frames at once some are dropped, but none whose predecessor is missing."""
    for n in range(200):
        harness.subscriber.offer(make_frame(n, is_key=n == 0))
    while not harness.subscriber.needs_keyframe:
        await harness.drain()
        harness.subscriber.offer(make_frame(200))
    harness.subscriber.offer(make_frame(201, is_key=True))
    arrived = await harness.received(201)
    before = arrived[:-1]
    assert arrived[-1] == 201
    assert before == list(range(len(before))), "a frame arrived whose predecessor did not"
    assert len(before) < 200


async def check_offer_returns_at_once(harness: TransportHarness) -> None:
    """Offering is a plain call: it neither waits nor fails when nobody reads."""
    for n in range(5000):
        harness.subscriber.offer(make_frame(n, is_key=n % 100 == 0))
