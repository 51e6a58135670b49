"""One picture: draw, encode, send."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from blustream_widget.core.frame_header import FrameFlags, FrameHeader, PaneHeader
from blustream_widget.core.layouts import Rect
from blustream_widget.core.sections import Oblique
from blustream_widget.core.state import ViewState
from blustream_widget.core.wiggle import has_wiggles
from blustream_widget.core.worker_protocol import EncoderChanged, Failed, Output
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.encode.probe import no_encoder
from blustream_widget.encode.stills import JpegEncoder
from blustream_widget.errors import NoEncoderError
from blustream_widget.render.palettes import colormap_idx
from blustream_widget.worker.composition import Composition, Compositor, Scene
from blustream_widget.worker.meter import Meter
from blustream_widget.worker.motion import MotionSize
from blustream_widget.worker.sink import Sink
from blustream_widget.worker.smaller import SmallerStreams

_CLOCK_HZ = 90_000


class FrameWriter:
    """Draws a composition, encodes it for everybody who looks, and sends it.

    Parameters
    ----------
    sink : Sink
    chain : EncoderChain
        Started; without any encoder only JPEG is made.
    clock : callable
        Monotonic seconds.

    Attributes
    ----------
    motion : MotionSize
        How large a picture may be that this machine draws and encodes in time.
    smaller : SmallerStreams
        What is encoded beside the full stream.

    Notes
    -----
    One thread: it owns the encoder.
    """

    def __init__(self, sink: Sink, chain: EncoderChain, clock: Callable[[], float]) -> None:
        self._sink = sink
        self._chain = chain
        self._clock = clock
        self._capabilities = chain.capabilities
        self._compositor = Compositor()
        self._jpeg = JpegEncoder()
        self._meter = Meter()
        self.motion = MotionSize()
        self.smaller = SmallerStreams(sink, chain)
        self._frame_no = 0
        self._timestamp_90k = 0
        self._has_said_no_encoder = False

    def write(self, scene: Composition, output: Output, *, is_keyframe: bool) -> bool:
        """Send a picture as video, as JPEG, or both; returns whether a keyframe went out."""
        flags = FrameFlags.EXACT if scene.is_exact else FrameFlags(0)
        is_key = False
        if output.h264 and self._chain.capabilities.encoder:
            is_key = self._write_h264(scene, output, flags, is_keyframe)
        elif output.h264:
            self._say_no_encoder()
        if output.jpeg:
            picture = self._compositor.draw(scene, "jpeg")
            flags |= FrameFlags.KEY | FrameFlags.JPEG
            self._sink.send_frame(self._header(scene, flags), self._jpeg.encode(picture))
        if stats := self._meter.take(self._clock()):
            self._sink.send(stats)
        return is_key

    def write_smaller(self, scene: Composition, now: float) -> bool:
        """Send a picture in the smaller streams; returns whether one of them is to follow."""
        self._take_time()
        return self.smaller.write(scene, now, self._header, self._timestamp_90k)

    def write_still(self, scene: Composition, png: memoryview) -> None:
        """Send a lossless picture of a composition."""
        flags = FrameFlags.STILL | FrameFlags.KEY | FrameFlags.EXACT
        self._sink.send_frame(self._header(scene, flags), png)

    def close(self) -> None:
        """Close the encoders."""
        self.smaller.close()
        self._chain.close()

    def _write_h264(
        self, scene: Composition, output: Output, flags: FrameFlags, is_keyframe: bool
    ) -> bool:
        begin_s = time.perf_counter()
        picture = self._compositor.draw(scene, "bt709")
        drawn_s = time.perf_counter()
        self._take_time()
        try:
            frame = self._chain.encode(
                picture,
                timestamp_90k=self._timestamp_90k,
                is_keyframe=is_keyframe,
                bit_rate_bps=output.bit_rate_bps,
                max_fps=output.max_fps,
            )
        except NoEncoderError:
            self._report_encoder()
            self._say_no_encoder()
            return False
        if frame.is_keyframe:
            flags |= FrameFlags.KEY
        self._sink.send_frame(self._header(scene, flags), frame.data)
        done_s = time.perf_counter()
        self._meter.add(
            draw_s=drawn_s - begin_s, encode_s=done_s - drawn_s, n_bytes=len(frame.data)
        )
        if not frame.is_keyframe:  # which may have opened the encoder
            self.motion.add(done_s - begin_s, picture.width_px * picture.height_px)
        self._report_encoder()
        return frame.is_keyframe

    def _take_time(self) -> None:
        # Encoders want timestamps that grow, also where the clock's steps are coarse.
        self._timestamp_90k = max(int(self._clock() * _CLOCK_HZ), self._timestamp_90k + 1)

    def _header(self, composition: Composition, flags: FrameFlags) -> FrameHeader:
        self._frame_no += 1
        scene, packing = composition.active, composition.packing
        panes = tuple(
            _pane_header(scene, rect, content)
            for scene, rect, content in zip(
                composition.scenes, packing.rects, composition.contents, strict=True
            )
        )
        return FrameHeader(
            flags=int(flags),
            lod=composition.coarsest_lod,
            channel=scene.view.channel,
            width_px=packing.width,
            height_px=packing.height,
            frame_no=self._frame_no,
            revision=composition.state.revision,
            timestamp_90k=self._timestamp_90k,
            **_placed_by(scene),
            n_panes=len(panes) if composition.is_of_several else 0,
            panes=panes if composition.is_of_several else (),
        )

    def _report_encoder(self) -> None:
        before, now = self._capabilities, self._chain.capabilities
        if now == before:
            return
        self._capabilities = now
        reasons = [t.reason for t in now.encoders if t.name == before.encoder]
        reason = reasons[0] if now.encoder != before.encoder and reasons else ""
        self._sink.send(EncoderChanged(now, reason))

    def _say_no_encoder(self) -> None:
        if self._has_said_no_encoder:
            return
        self._has_said_no_encoder = True
        error = no_encoder(self._chain.capabilities.encoders)
        self._sink.send(Failed(error.code, error.message, error.hint))


def _placed_by(scene: Scene) -> dict[str, Any]:
    """Header fields that tell a page where the slice lies and how it is coloured."""
    state = scene.state
    return {
        "axis": scene.view.axis,
        "slice_idx": scene.view.slice_idx,
        "zoom": state.zoom,
        "pan_x": state.pan[0],
        "pan_y": state.pan[1],
        "stretch": state.stretch,
        "window": state.window,
        "level": state.level,
        "colormap_idx": colormap_idx(state.colormap),
        "is_reversed": int(state.reverse),
        "is_north_up": int(state.north_up),
        "turn": _turn_of(state) + 16 * has_wiggles(state, scene.info),
    }


def _pane_header(scene: Scene, rect: Rect, content: int) -> PaneHeader:
    return PaneHeader(
        pane=scene.index,
        is_exact=int(scene.is_exact),
        content=content & 0xFFFF,
        x_px=rect.x,
        y_px=rect.y,
        width_px=rect.width,
        height_px=rect.height,
        lod=scene.data.coarsest_lod,
        channel=scene.view.channel & 0xFF,
        **_placed_by(scene),
    )


def _turn_of(state: ViewState) -> int:
    """Orientation as the header has it, and whether the picture is of a section."""
    section = 0
    if state.section is not None:
        section = 32 if isinstance(state.section, Oblique) else 64
    return state.rotation // 90 + 4 * state.flip_x + 8 * state.flip_y + section
