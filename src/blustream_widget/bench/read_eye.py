"""Somebody who looks at a volume: reads slices and waits until they are whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from blustream_widget.core.state import first_state
from blustream_widget.core.types import VolumeInfo
from blustream_widget.data import BrickKey, Region, SliceReader, VolumeSource
from blustream_widget.data.source import (
    AnyKey,
    BrickDone,
    BrickRequest,
    TileDone,
    TiledSource,
    TileKey,
)
from blustream_widget.render.view import plan_slice

LIMIT_S = 60.0
PANE_PX = (1280, 720)


class Look(NamedTuple):
    """What is looked at of a stack of slices: axis, level of detail, part (None: all of it)."""

    axis: int
    lod: int = 0
    region: Region | None = None

    @classmethod
    def through_pane(cls, info: VolumeInfo, axis: int, *, in_motion: bool) -> Look:
        """Look as through a pane of 1280 x 720 pixels with all of the volume in view."""
        size = {"axis": axis, "width_px": PANE_PX[0], "height_px": PANE_PX[1]}
        state = first_state(info).with_patch(size, info)
        view = plan_slice(state, info, in_motion=in_motion)
        return cls(axis, view.lod, Region(*view.region))


class Eye:
    """A reader, and somebody who waits for what it shows.

    Parameters
    ----------
    source : VolumeSource
    budget_bytes : int
        Of the reader's cache.
    """

    def __init__(self, source: VolumeSource, *, budget_bytes: int = 1 << 30) -> None:
        self._news = threading.Event()
        self.reader = SliceReader(source, budget_bytes=budget_bytes, on_data=self._news.set)

    def see(self, look: Look, slice_idx: int, *, coarse: bool = False) -> float:
        """Read until the slice is whole, or until some level fills it; returns milliseconds."""
        start_s = time.perf_counter()
        while time.perf_counter() < start_s + LIMIT_S:
            data = self.reader.read(look.axis, slice_idx, 0, look.lod, look.region)
            if data.progress >= 1 or (coarse and np.isfinite(data.values).all()):
                return 1000 * (time.perf_counter() - start_s)
            self._news.wait(1.0)
            self._news.clear()
        raise TimeoutError(f"Slice {slice_idx} of axis {look.axis} took over {LIMIT_S:.0f} s.")

    def glance(self, look: Look, slice_idx: int) -> None:
        """Read what is there and wait for the next thing that arrives."""
        self._news.clear()
        if self.reader.read(look.axis, slice_idx, 0, look.lod, look.region).progress < 1:
            self._news.wait(LIMIT_S)

    def close(self) -> None:
        """Close the reader; the source stays open."""
        self.reader.close()


class Watched:
    """A source that counts what is asked of it at one level, and knows when all is answered.

    Implements `TiledSource`; with 0 tiles if its own source has none.
    """

    def __init__(self, source: VolumeSource, lod: int = 0) -> None:
        self._source, self._lod = source, lod
        self.info = source.info
        self.tile_size = source.tile_size if isinstance(source, TiledSource) else 0
        self.n_asked = 0
        self._open: set[AnyKey] = set()
        self._answered = threading.Condition()

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        self._note(key, is_counted=key.lod == self._lod)
        return self._source.request_brick(key, self._through(done), prefetch=prefetch)

    def request_tile(self, key: TileKey, done: TileDone, *, prefetch: bool = False) -> BrickRequest:
        assert isinstance(self._source, TiledSource)
        self._note(key, is_counted=self._lod == 0)
        return self._source.request_tile(key, self._through(done), prefetch=prefetch)

    def close(self) -> None:
        """Leave the source open: it belongs to somebody else."""

    def open_keys(self) -> set[AnyKey]:
        """Tell what was asked and not answered."""
        with self._answered:
            return set(self._open)

    def wait_for(self, keys: set[AnyKey]) -> None:
        """Wait until all of them are answered."""
        with self._answered:
            if not self._answered.wait_for(lambda: not keys & self._open, LIMIT_S):
                raise TimeoutError(f"{len(keys & self._open)} requests were never answered.")

    def settle(self) -> None:
        """Wait until nothing is asked any more, also not ahead."""
        with self._answered:
            if not self._answered.wait_for(lambda: not self._open, LIMIT_S):
                raise TimeoutError(f"{len(self._open)} requests were never answered.")

    def _note(self, key: AnyKey, *, is_counted: bool) -> None:
        with self._answered:
            self.n_asked += is_counted
            self._open.add(key)

    def _through(self, done: Callable[..., None]) -> Callable[..., None]:
        def answered(key: AnyKey, result: object) -> None:
            done(key, result)  # asks for the next one, so that none is open only at the end
            with self._answered:
                self._open.discard(key)
                self._answered.notify_all()

        return answered
