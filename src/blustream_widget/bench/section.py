"""Oblique planes and fences of cached bricks, beside the slice: read at rest and in motion, drawn.

512 x 512 x 512 float32 voxels on 1280 x 720 pixels. Each step is a plane or line not shown before.
"""

from __future__ import annotations

import argparse
import threading
import time

from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.core.sections import Fence, Section, plane_across, turned
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import SliceData, VolumeInfo
from blustream_widget.data.slices import SliceReader
from blustream_widget.data.source import Region
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.view import SliceView, plan_slice
from blustream_widget.testing.formula_source import FormulaSource

_SHAPE = (512, 512, 512)
_BUDGET_BYTES = 3 << 29
_N = 8
_LOOKS = ("slice", "not turned", "upright, 30 degrees", "tilted about all axes", "fence")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench section`: the common ones."""
    del parser


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    source = FormulaSource(_SHAPE)
    try:
        bench = _Bench(source)
        return [bench.measure(look, rounds=arguments.rounds) for look in _LOOKS]
    finally:
        source.close()


def _section(look: str, info: VolumeInfo, at: float) -> Section | None:
    plane = plane_across(info, 0, (at, 256.0, 256.0))
    if look == "fence":
        return Fence(((at, 3.3), (at - 100, 200.2), (300.0, 300.0), (400.0, 500.0)))
    if look.startswith("upright"):
        return turned(plane, (0, 0, 1), 30)
    if look.startswith("tilted"):
        return turned(turned(turned(plane, (0, 0, 1), 30), (0, 1, 0), 20), (1, 0, 0), 15)
    return None if look == "slice" else plane


class _Bench:
    """A reader of a volume, and what draws what it reads."""

    def __init__(self, source: FormulaSource) -> None:
        self._info = source.info
        self._news = threading.Event()
        self._renderer = SliceRenderer()
        self._reader = SliceReader(source, budget_bytes=_BUDGET_BYTES, on_data=self._news.set)

    def measure(self, look: str, *, rounds: int) -> Record:
        """Step through the volume, each step to its end, and in motion."""
        states = [self._state(look, 200 + 7 * i) for i in range(_N)]
        for state in states:  # brings the bricks
            self._finish(state)
        rest_ms, motion_ms, draw_ms = [], [], []
        points = 0
        for _ in range(rounds):
            rest_ms.append([self._read(state, in_motion=False)[1] for state in states])
            motion, draws = [], []
            for state in states:
                (data, view), took_ms = self._read(state, in_motion=True)
                motion.append(took_ms)
                begin_s = time.perf_counter()
                self._renderer.draw(data, view, state, self._info)
                draws.append(1000 * (time.perf_counter() - begin_s))
                points = data.values.size
            motion_ms.append(motion)
            draw_ms.append(draws)
        return {
            "case": "section",
            "look": look,
            "points_in_motion": points,
            **summarize(rest_ms, "ms", "rest"),
            **summarize(motion_ms, "ms", "motion"),
            **summarize(draw_ms, "ms", "draw"),
        }

    def _state(self, look: str, at: int) -> ViewState:
        state = ViewState(axis=0, slice_idx=(at, 256, 256), width_px=1280, height_px=720)
        return state.with_patch({"section": _section(look, self._info, at)}, self._info)

    def _finish(self, state: ViewState) -> None:
        while True:
            self._news.clear()
            (data, _), _ = self._read(state, in_motion=False)
            if data.progress >= 1:
                break
            self._news.wait(10)
        self._read(state, in_motion=True)

    def _read(
        self, state: ViewState, *, in_motion: bool
    ) -> tuple[tuple[SliceData, SliceView], float]:
        view = plan_slice(state, self._info, in_motion=in_motion)
        begin_s = time.perf_counter()
        data = self._reader.read(
            view.axis,
            view.slice_idx,
            view.channel,
            view.lod,
            Region(*view.region),
            slab_lod=view.slab_lod,
            section=view.section,
        )
        return (data, view), 1000 * (time.perf_counter() - begin_s)
