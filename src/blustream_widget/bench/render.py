"""What a picture costs before the encoder, with it, and from the newest state to the access unit.

Beside it, in the same run: the usual detour over an RGB picture with NumPy and PIL.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.bench.numbers import Record
from blustream_widget.bench.scenes import Scene, scenes, sections_by_formula
from blustream_widget.bench.timing import measure
from blustream_widget.config import Config
from blustream_widget.core.protocol import FrameHeader
from blustream_widget.core.types import Axis, Channel, VolumeInfo, VolumeRef
from blustream_widget.core.worker_protocol import FromWorker, Open, Opened, Output, Show
from blustream_widget.data.memory import MemorySource
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.encode.probe import candidates
from blustream_widget.render.colormaps import LEVELS, rgb_table
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.worker.pipeline import Pipeline
from blustream_widget.worker.slot import LatestSlot

_N = 60  # pictures of a round: one second
_DRAW_TARGET_MS = 4.0
_DRAW_ENCODE_TARGET_MS = 12.0
_STATE_TARGET_MS = 10.0
_BIT_RATE_BPS = 20_000_000
_VOLUME = (40, 512, 512)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench render`."""
    parser.add_argument("--width", type=int, default=1280, help="picture in pixels (default 1280)")
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--pictures", type=int, default=_N, help="in a round (default %(default)s)")
    parser.set_defaults(rounds=5)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    bench = RenderBench(
        size_px=(arguments.width, arguments.height), n=arguments.pictures, rounds=arguments.rounds
    )
    return bench.run()


class RenderBench:
    """Draws scenes, in one process and without any volume file.

    Parameters
    ----------
    size_px : tuple of int
        Width and height, even.
    n, rounds : int
        Pictures of a round, and rounds.
    """

    def __init__(self, *, size_px: tuple[int, int], n: int, rounds: int) -> None:
        self._size_px = size_px
        self._often: dict[str, int] = {"n": n, "rounds": rounds, "warm_up": n // 4 + 1}

    def run(self) -> list[Record]:
        """Measure all cases."""
        drawn = list(scenes(*self._size_px))
        records = [self._draw(scene) for scene in drawn]
        records += [self._still(scene) for scene in drawn if "zoom" not in scene.name]
        records.append(self._detour(drawn[1]))
        records += [self._draw_and_encode(scene) for scene in drawn]
        records += self._state_to_access_unit()
        return records

    def _record(self, case: str, scene: str, target_ms: float | None = None) -> Record:
        size = f"{self._size_px[0]}x{self._size_px[1]}"
        return {"case": case, "scene": scene, "size": size, "target_ms": target_ms}

    def _draw(self, scene: Scene) -> Record:
        renderer = SliceRenderer()
        timings = measure(lambda i: scene.draw(renderer, i), **self._often)
        return self._record("draw", scene.name, _DRAW_TARGET_MS) | timings.record()

    def _still(self, scene: Scene) -> Record:
        renderer = SliceRenderer()
        timings = measure(lambda i: scene.draw(renderer, i, space="rgb"), **self._often)
        return self._record("draw a still", scene.name) | timings.record()

    def _detour(self, scene: Scene) -> Record:
        timings = measure(lambda i: rgb_detour(scene, i), **self._often)
        return self._record("draw, RGB detour (reference)", scene.name) | timings.record()

    def _draw_and_encode(self, scene: Scene) -> Record:
        renderer, chain = SliceRenderer(), _chain()
        timestamps = iter(range(1500, 10**9, 1500))

        def body(i: int) -> None:
            chain.encode(
                scene.draw(renderer, i),
                timestamp_90k=next(timestamps),
                is_keyframe=False,
                bit_rate_bps=_BIT_RATE_BPS,
                max_fps=60,
            )

        timings = measure(body, **self._often)
        chain.close()
        return self._record("draw and encode", scene.name, _DRAW_ENCODE_TARGET_MS) | (
            timings.record()
        )

    def _state_to_access_unit(self) -> Iterator[Record]:
        for colormap in ("grey", "seismic"):
            with _Worker(self._size_px, colormap) as worker:
                timings = measure(worker.show, **self._often)
            name = f"section 512 x 512 of an array, {colormap}"
            yield self._record("newest state to access unit", name, _STATE_TARGET_MS) | (
                timings.record()
            )
        # The same pixels in three panes: all of them change, or one while two stay.
        for linked, words in ((True, "all change"), (False, "one changes")):
            with _Worker(self._size_px, "seismic", panes=3, linked=linked) as worker:
                timings = measure(worker.show, **self._often)
            name = f"three panes of a third each, seismic, {words}"
            yield self._record("newest state to access unit", name, _STATE_TARGET_MS) | (
                timings.record()
            )


def rgb_detour(scene: Scene, i: int) -> npt.NDArray[Any]:
    """Draw as most viewers do: an RGB picture, scaled, then converted to 4:2:0 planes."""
    import av
    from PIL import Image

    state = scene.state
    values: npt.NDArray[Any] = scene.slices[i % len(scene.slices)].values
    low = state.level - state.window / 2
    index = np.clip((values.T - low) / state.window * LEVELS, 0, LEVELS - 1).astype(np.uint16)
    picture = Image.fromarray(rgb_table(state.colormap)[index])
    scaled = picture.resize((state.width_px, state.height_px), Image.Resampling.BILINEAR)
    frame = av.VideoFrame.from_ndarray(np.asarray(scaled), format="rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace="ITU709").to_ndarray()


def _chain() -> EncoderChain:
    chain = EncoderChain(candidates())
    chain.start()
    return chain


class _Sink:
    """Forgets what it is sent, but counts the pictures."""

    def __init__(self) -> None:
        self.opened: Opened | None = None
        self.n_frames = 0

    def send(self, message: FromWorker) -> None:
        if isinstance(message, Opened):
            self.opened = message

    def send_frame(self, header: FrameHeader, picture: memoryview) -> None:
        del header, picture
        self.n_frames += 1


class _Worker:
    """The worker's pipeline with its slot, without a process around it."""

    def __init__(
        self, size_px: tuple[int, int], colormap: str, *, panes: int = 1, linked: bool = True
    ) -> None:
        n, rows, columns = _VOLUME
        values = np.stack(sections_by_formula(n, rows, columns))
        axes = [Axis(name="", unit="", n=m, first=0, step=1, spacing=1) for m in _VOLUME]
        channel = Channel(name="", unit="", dtype="float32", value_min=-2, value_max=2)
        info = VolumeInfo(
            name="", kind="seismic", axes=(axes[0], axes[1], axes[2]), channels=(channel,)
        )
        self._source = MemorySource(info, (values,))
        self._slot, self._sink = LatestSlot(), _Sink()
        # A clock of our own: the frame rate's limit is not what is measured.
        self._now_s = 0.0
        self._pipeline = Pipeline(
            Config(),
            self._sink,
            self._slot,
            chain=_chain(),
            clock=lambda: self._now_s,
            open_volume=lambda *_: self._source,
        )
        self._slot.put(Output(h264=True, jpeg=False, still=False, max_fps=60))
        self._slot.put(Open(VolumeRef(url="array"), pane=size_px))
        self._step()
        assert self._sink.opened is not None
        self._info = info
        state = msgspec.structs.replace(
            self._sink.opened.state, colormap=colormap, window=4.0, level=0.0
        )
        if panes > 1:
            width, height = size_px
            sizes = [(width // panes // 2 * 2, height)] * panes
            layout = {"layout": f"1x{panes}", "pane_sizes": sizes, "linked": linked}
            state = state.with_patch(layout, info)
        self._state = state

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipeline.close()

    def show(self, _: int) -> None:
        """Put the next slice into the slot and do what the render thread does."""
        before = self._sink.n_frames
        revision = self._state.revision + 1
        self._state = self._state.with_patch({"slice_idx": revision % _VOLUME[0]}, self._info)
        self._now_s += 0.02
        self._slot.put(Show(self._state))
        self._step()
        assert self._sink.n_frames == before + 1

    def _step(self) -> None:
        self._pipeline.apply(self._slot.take(0))
        self._pipeline.run()
