"""Slabs of cached bricks: to the exact picture at rest, and a step in motion.

512 x 512 x 512 float32 voxels, shown whole on 1280 x 720 pixels. Reading is timed, not drawing.
"""

from __future__ import annotations

import argparse
import threading
import time
from itertools import product

from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.core.slab import SLAB_MODES
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import SliceData
from blustream_widget.data.slices import SliceReader
from blustream_widget.data.source import Region
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.formula_source import FormulaSource

_SHAPE = (512, 512, 512)
_BUDGET_BYTES = 3 << 29
_N = 12
_SLABS = (1, 9, 31)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench slab`: the common ones."""
    del parser


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    source = FormulaSource(_SHAPE)
    try:
        bench = _Bench(source)
        return [
            bench.measure(slab, mode, axis, rounds=arguments.rounds)
            for slab, mode, axis in product(_SLABS, SLAB_MODES, range(3))
            if slab > 1 or mode == "max"  # which means nothing to a slice alone
        ]
    finally:
        source.close()


class _Bench:
    """A reader of a volume, and the views that it reads."""

    def __init__(self, source: FormulaSource) -> None:
        self._info = source.info
        self._news = threading.Event()
        self._reader = SliceReader(source, budget_bytes=_BUDGET_BYTES, on_data=self._news.set)

    def measure(self, slab: int, mode: str, axis: int, *, rounds: int) -> Record:
        """Step through the volume, each step to its end, and in motion."""
        states = [_state(slab, mode, axis, i) for i in range(_N)]
        for state in states:  # brings the bricks, turned to this axis
            self._finish(state)
        rest_ms, longest_ms, motion_ms = [], [], []
        for _ in range(rounds):
            reads = [self._finish(state) for state in states]
            rest_ms.append([sum(times) for times in reads])
            longest_ms.append([max(times) for times in reads])
            motion_ms.append([self._read(state, in_motion=True)[1] for state in states])
        return {
            "case": "slab",
            "slices": str(slab),
            "mode": mode,
            "axis": str(axis),
            **summarize(rest_ms, "ms", "rest"),
            **summarize(longest_ms, "ms", "longest"),
            **summarize(motion_ms, "ms", "motion"),
        }

    def _finish(self, state: ViewState) -> list[float]:
        """Read until the slab is exact; what each read took, ms."""
        times = []
        while True:
            self._news.clear()
            data, took_ms = self._read(state, in_motion=False)
            times.append(took_ms)
            if data.progress >= 1:
                return times
            self._news.wait(10)

    def _read(self, state: ViewState, *, in_motion: bool) -> tuple[SliceData, float]:
        view = plan_slice(state, self._info, in_motion=in_motion)
        begin_s = time.perf_counter()
        data = self._reader.read(
            view.axis,
            view.slice_idx,
            view.channel,
            view.lod,
            Region(*view.region),
            slab=view.slab,
            slab_lod=view.slab_lod,
        )
        return data, 1000 * (time.perf_counter() - begin_s)


def _state(slab: int, mode: str, axis: int, i: int) -> ViewState:
    at = 200 + 7 * i
    return ViewState(
        axis=axis, slice_idx=(at, at, at), slab=slab, slab_mode=mode, width_px=1280, height_px=720
    )
