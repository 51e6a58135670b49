"""A worker without volumes: speaks the worker's protocol, draws a formula, encodes it for real.

`python -m blustream_widget.testing.fake_worker --fd N`. The address of the volume says what to do:

- `fake:16x24x32` opens a volume of that shape whose picture shows the slice number as a barcode;
- `fake:missing` cannot be opened; `fake:crash` ends the process when it is opened;
- `fake:free` draws all the time, as a worker does while finer data arrives.

The picture is 16 columns of black or white: bit 15 - i of the slice number in column i.
"""

from __future__ import annotations

import argparse
import contextlib
import fractions
import os
import select
import socket
import time
from typing import Literal

import av
import av.video.frame
import numpy as np
import numpy.typing as npt

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation_messages import Measurement, Statistics
from blustream_widget.core.frame_header import FrameFlags, FrameHeader
from blustream_widget.core.motion import motion_size
from blustream_widget.core.state import ViewState, first_state
from blustream_widget.core.types import (
    Axis,
    Capabilities,
    Channel,
    EncoderTrial,
    LoadedSlices,
    VolumeInfo,
)

STILL_AFTER_S = 0.1
FREE_INTERVAL_S = 1 / 60
DEFAULT_SHAPE = (16, 24, 32)


def barcode(number: int, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    """Grey picture of a number, shape (height, width): black and white columns, high bit left."""
    bits = np.array([(number >> (15 - i)) & 1 for i in range(16)], np.uint8) * 255
    columns = np.arange(width_px) * 16 // width_px
    return np.repeat(bits[columns][np.newaxis, :], height_px, axis=0)


def read_barcode(picture: npt.NDArray[np.uint8]) -> int:
    """Read the number off a decoded grey picture, shape (height, width)."""
    height, width = picture.shape
    row = picture[height // 2]
    return sum(int(row[(2 * i + 1) * width // 32] > 127) << (15 - i) for i in range(16))


def fake_info(url: str) -> VolumeInfo:
    """Describe the volume that a `fake:` address names."""
    text = url.removeprefix("fake:")
    n = tuple(int(v) for v in text.split("x")) if "x" in text else DEFAULT_SHAPE
    axes = tuple(
        Axis(name=f"axis {a}", unit="", n=n[a], first=0, step=1, spacing=1) for a in range(3)
    )
    channel = Channel(name="Value", unit="", dtype="float32", value_min=0, value_max=1000)
    return VolumeInfo(
        name="fake", kind="generic", axes=(axes[0], axes[1], axes[2]), channels=(channel,)
    )


class FakeWorker:
    """One process, one thread: reads all that is there, then draws the newest state once."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()
        self._url = ""
        self._info = fake_info("")
        self._state = ViewState()
        self._is_open = False
        self._is_dirty = False
        self._wants_key = False
        self._wants_smaller: set[int] = set()  # streams whose next frame is a keyframe
        self._output = wp.NO_OUTPUT
        self._frame_no = 0
        self._drawn_s: float | None = None
        self._codecs: dict[int, av.VideoCodecContext] = {}  # by stream

    def run(self) -> None:
        """Work until the server closes the socket."""
        trial = EncoderTrial(name="libx264", reason="")
        capabilities = Capabilities(encoder="libx264", codec="h264", encoders=(trial,))
        self._say(wp.Ready(pid=os.getpid(), capabilities=capabilities))
        while True:
            ready, _, _ = select.select([self._connection], [], [], self._wait_s())
            if ready:
                data = self._connection.recv(1 << 20)
                if not data:
                    return
                self._received += data
                self._read()
            self._draw()

    def _wait_s(self) -> float | None:
        if self._url == "fake:free" and (self._output.h264 or self._output.jpeg):
            return FREE_INTERVAL_S
        return STILL_AFTER_S if self._drawn_s is not None else None

    def _read(self) -> None:
        while len(self._received) >= wp.PREFIX.size:
            length, _ = wp.PREFIX.unpack_from(self._received)
            end = wp.PREFIX.size + length
            if len(self._received) < end:
                return
            payload = bytes(self._received[wp.PREFIX.size : end])
            del self._received[:end]
            self._handle(wp.to_worker_decoder.decode(payload))

    def _handle(self, message: wp.ToWorker) -> None:
        match message:
            case wp.Open():
                self._open(message)
            case wp.Show(state=state):
                self._is_dirty |= state != self._state
                self._state = state
            case wp.Output():
                self._output = message
            case wp.WantKeyframe(rendition=0):
                self._wants_key = True
            case wp.WantKeyframe(rendition=rendition):
                self._wants_smaller.add(rendition)
            case wp.Refresh():
                self._is_dirty = True
            case wp.ProbeVoxel(peer=peer, n=n, voxel=voxel):
                value = float(voxel[0] * 10_000 + voxel[1] * 100 + voxel[2])
                self._say(wp.ProbedValue(peer=peer, n=n, voxel=voxel, value=value))
            case wp.MeasureVoxels():
                self._measure(message)

    def _measure(self, question: wp.MeasureVoxels) -> None:
        """Answer that every region has one voxel of value 1, unless it was called off."""
        if not question.cancel:
            found = Measurement(
                n=question.n,
                id=question.item.id,
                progress=1.0,
                done=True,
                statistics=Statistics(question.channel, "", 1, mean=1.0),
            )
            self._say(wp.MeasuredVoxels(question.owner, found))

    def _open(self, message: wp.Open) -> None:
        self._url = message.ref.url
        if self._url == "fake:crash":
            os._exit(3)
        if self._url == "fake:missing":
            text = "There is nothing at fake:missing."
            self._say(wp.Failed("volume-not-found", text, "Check the address.", fatal=True))
            return
        self._info = fake_info(self._url)
        state = message.state or first_state(self._info)
        if message.pane is not None and message.state is None:
            size = {"width_px": message.pane[0], "height_px": message.pane[1]}
            state = state.with_patch(size, self._info)
        self._state = state
        self._is_open = self._is_dirty = True
        self._say(wp.Opened(info=self._info, state=state))

    def _draw(self) -> None:
        if not self._is_open or not (self._output.h264 or self._output.jpeg):
            return
        wants_key = self._wants_key or self._wants_smaller
        if self._is_dirty or wants_key or self._url == "fake:free":
            self._is_dirty = False
            state = self._state
            luma = barcode(state.slice_idx[state.axis], state.width_px, state.height_px)
            if self._output.h264:
                self._send_h264(luma)
                for smaller in self._output.smaller:
                    size = motion_size(state.width_px, state.height_px, smaller.scale)
                    number = state.slice_idx[state.axis]
                    self._send_h264(barcode(number, *size), smaller.rendition)
            if self._output.jpeg:
                self._send_picture(luma, "mjpeg", FrameFlags.JPEG | FrameFlags.KEY)
                self._wants_key = False  # as every one of these is
            self._drawn_s = time.monotonic()
            self._say(wp.Progress(lod=0, progress=1.0, exact=True))
            last = self._info.shape[state.axis] - 1
            self._say(wp.Loaded(LoadedSlices(state.axis, state.channel, ((0, last),))))
        elif self._drawn_s is not None and time.monotonic() - self._drawn_s >= STILL_AFTER_S:
            self._drawn_s = None
            if self._output.still:
                luma = barcode(
                    self._state.slice_idx[self._state.axis],
                    self._state.width_px,
                    self._state.height_px,
                )
                flags = FrameFlags.STILL | FrameFlags.KEY | FrameFlags.EXACT
                self._send_picture(luma, "png", flags)

    def _send_h264(self, luma: npt.NDArray[np.uint8], rendition: int = 0) -> None:
        height, width = luma.shape
        codec = self._codecs.get(rendition)
        wants_key = rendition in self._wants_smaller if rendition else self._wants_key
        if codec is None or (codec.width, codec.height) != (width, height):
            codec = self._codecs[rendition] = _open_x264(width, height)
            wants_key = True
        frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p")
        frame.pts = self._timestamp_90k()
        if wants_key:
            frame.pict_type = av.video.frame.PictureType.I
        if rendition:
            self._wants_smaller.discard(rendition)
        else:
            self._wants_key = False
        for packet in codec.encode(frame):
            flags = FrameFlags.KEY if packet.is_keyframe else FrameFlags(0)
            self._send_frame(flags, bytes(packet), (width, height), rendition)

    def _send_picture(
        self, luma: npt.NDArray[np.uint8], codec: Literal["mjpeg", "png"], flags: FrameFlags
    ) -> None:
        context = av.CodecContext.create(codec, "w")
        context.height, context.width = luma.shape
        context.pix_fmt = "yuvj420p" if codec == "mjpeg" else "gray"
        context.time_base = fractions.Fraction(1, 90_000)
        frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format=context.pix_fmt)
        frame.pts = 0
        for packet in [*context.encode(frame), *context.encode(None)]:
            self._send_frame(flags, bytes(packet))

    def _send_frame(
        self,
        flags: FrameFlags,
        picture: bytes,
        size: tuple[int, int] | None = None,
        rendition: int = 0,
    ) -> None:
        state = self._state
        width_px, height_px = size or (state.width_px, state.height_px)
        header = FrameHeader(
            flags=int(flags),
            axis=state.axis,
            lod=0,
            channel=state.channel,
            width_px=width_px,
            height_px=height_px,
            frame_no=self._frame_no,
            revision=state.revision,
            timestamp_90k=self._timestamp_90k(),
            slice_idx=state.slice_idx[state.axis],
            zoom=state.zoom,
            pan_x=state.pan[0],
            pan_y=state.pan[1],
            stretch=state.stretch,
            window=state.window,
            level=state.level,
        )
        self._frame_no += 1
        for part in wp.frame_message(header.pack(), picture, rendition):
            self._connection.sendall(part)

    def _say(self, message: wp.FromWorker) -> None:
        self._connection.sendall(wp.json_message(message))

    @staticmethod
    def _timestamp_90k() -> int:
        return time.monotonic_ns() * 9 // 100_000 & 0xFFFFFFFF


def _open_x264(width_px: int, height_px: int) -> av.VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width_px, height_px, "yuv420p"
    context.time_base = fractions.Fraction(1, 90_000)
    context.framerate = fractions.Fraction(60)
    context.gop_size, context.max_b_frames = 1_000_000, 0
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"}
    return context


def main() -> None:
    """Run on the socket that the server handed over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    descriptor = parser.parse_args().fd
    with socket.socket(fileno=descriptor) as connection, contextlib.suppress(ConnectionError):
        FakeWorker(connection).run()


if __name__ == "__main__":
    main()
