"""What a picture costs before the encoder, with it, and from the newest state to the access unit.

And from a stroke on labels to the access unit that shows it.

Beside it, in the same run: the usual detour over an RGB picture with NumPy and PIL.
"""

from __future__ import annotations

import argparse
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from blustream_widget.bench.large_edits import large_edits
from blustream_widget.bench.numbers import Record
from blustream_widget.bench.pipeline_worker import PipelineWorker, plain_info, started_chain
from blustream_widget.bench.scenes import (
    Scene,
    labels_by_formula,
    scenes,
    sections_by_formula,
)
from blustream_widget.bench.strokes import strokes
from blustream_widget.bench.timing import measure
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.segmentation import SegmentationLook, SegmentationSource
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import AddSegmentation, SegmentationOpened
from blustream_widget.data.memory import MemorySource
from blustream_widget.render.colormaps import LEVELS, rgb_table
from blustream_widget.render.slice import SliceRenderer

_N = 60  # pictures of a round: one second
_DRAW_TARGET_MS = 4.0
_DRAW_ENCODE_TARGET_MS = 12.0
_STATE_TARGET_MS = 10.0
_BIT_RATE_BPS = 20_000_000
_VOLUME = (40, 512, 512)
_OVER = "over"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench render`."""
    parser.add_argument("--width", type=int, default=1280, help="picture in pixels (default 1280)")
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--pictures", type=int, default=_N, help="in a round (default %(default)s)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--strokes", action="store_true", help="only strokes on labels")
    only.add_argument(
        "--large-edits", action="store_true", help="only tools that change labels at large"
    )
    parser.set_defaults(rounds=5)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    size_px, n = (arguments.width, arguments.height), arguments.pictures
    if arguments.strokes:
        return list(strokes(size_px, n=n, rounds=arguments.rounds))
    if arguments.large_edits:
        return list(large_edits(size_px, n=n, rounds=arguments.rounds))
    return RenderBench(size_px=size_px, n=n, rounds=arguments.rounds).run()


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
        records += strokes(self._size_px, n=self._often["n"], rounds=self._often["rounds"])
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
        renderer, chain = SliceRenderer(), started_chain()
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
            with _worker(self._size_px, colormap=colormap) as worker:
                timings = measure(_stepping(worker), **self._often)
            name = f"section 512 x 512 of an array, {colormap}"
            yield self._record("newest state to access unit", name, _STATE_TARGET_MS) | (
                timings.record()
            )
        yield from self._covered()
        # The same pixels in three panes: all of them change, or one while two stay.
        for linked, words in ((True, "all change"), (False, "one changes")):
            width, height = self._size_px
            sizes = [(width // 3 // 2 * 2, height)] * 3
            layout: dict[str, Any] = {"layout": "1x3", "pane_sizes": sizes, "linked": linked}
            with _worker(self._size_px, colormap="seismic", **layout) as worker:
                timings = measure(_stepping(worker), **self._often)
            name = f"three panes of a third each, seismic, {words}"
            yield self._record("newest state to access unit", name, _STATE_TARGET_MS) | (
                timings.record()
            )

    def _covered(self) -> Iterator[Record]:
        """Measure the same with labels, and with values on the same grid, over the section."""
        labels = MemorySource(
            plain_info(_VOLUME, "uint8", value_max=255.0, is_label=True),
            (np.broadcast_to(labels_by_formula(1, _VOLUME[1])[0], _VOLUME),),
        )
        values = MemorySource(
            plain_info(_VOLUME, "float32", value_max=2.0),
            (np.stack(sections_by_formula(*_VOLUME)),),
        )
        amount = OverlayLook(name=_OVER, window=4.0, level=0.0, threshold=0.3)
        looks: tuple[tuple[str, MemorySource, dict[str, Any]], ...] = (
            ("labels", labels, {"segmentations": [SegmentationLook(name=_OVER)]}),
            ("values", values, {"overlays": [amount]}),
        )
        for words, over, fields in looks:
            with _worker(self._size_px, over=over, colormap="seismic", **fields) as worker:
                timings = measure(_stepping(worker), **self._often)
            name = f"section 512 x 512 of an array, seismic, {words} over it"
            yield self._record("newest state to access unit", name, _STATE_TARGET_MS) | (
                timings.record()
            )


@functools.cache
def _section_values() -> npt.NDArray[np.float32]:
    return np.stack(sections_by_formula(*_VOLUME))


def _sections() -> MemorySource:
    return MemorySource(plain_info(_VOLUME, "float32", value_max=2.0), (_section_values(),))


def _worker(
    size_px: tuple[int, int], over: MemorySource | None = None, **fields: Any
) -> PipelineWorker:
    """Show sections in a worker, with these fields of the state, and maybe something over them."""
    sources = {"": _sections()} | ({} if over is None else {_OVER: over})
    worker = PipelineWorker(size_px, sources)
    if over is not None:
        is_label = over.info.channels[0].is_label
        kind: Literal["labels", "values"] = "labels" if is_label else "values"
        worker.do(
            AddSegmentation(SegmentationSource(_OVER, VolumeRef(url=_OVER), kind=kind)),
            # Labels are counted in a thread, which must have ended; values are not counted.
            lambda: (
                worker.told(SegmentationOpened, lambda m: m.info.is_counted >= is_label) is not None
            ),
        )
    worker.look(window=4.0, level=0.0, **fields)
    return worker


def _stepping(worker: PipelineWorker) -> Callable[[int], None]:
    """Give what shows the next section each time."""
    sections = itertools.count(1)
    return lambda _: worker.show(slice_idx=next(sections) % _VOLUME[0])


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
