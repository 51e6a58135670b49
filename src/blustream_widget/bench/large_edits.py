"""From the moment that a tool has changed labels at large to the access unit that shows it.

Of each tool, of taking that back, and of doing it again; beside it what the tool takes to find what
it changes, and the first word of how far it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest import mock

import psutil

from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.bench.pipeline_worker import PipelineWorker
from blustream_widget.bench.strokes import FRAME_MS, NAME, Labels, labels_worker
from blustream_widget.core.label_edit import (
    BrickChange,
    Cut,
    Fill,
    Grow,
    Interpolate,
    Islands,
    LabelEdit,
    Place,
    Smooth,
    Stroke,
    ValueRange,
)
from blustream_widget.core.worker_protocol import (
    EditBricks,
    EditProgress,
    OfEdits,
    RevertBricks,
)
from blustream_widget.data.edited_labels import EditedLabels

_MB = 1 << 20
_CORNERS = 48  # of an outline by hand
_MOST_ACROSS = 250  # voxels: 2,048 bricks through a volume of 2,048 slices
_ANY = ValueRange(-1e30, 1e30)

CASES = (
    Labels((2048, 2048, 1024)),
    Labels((512, 512, 512), is_array=True),
)


@dataclass(frozen=True)
class Tool:
    """An edit, and what is painted before it."""

    name: str
    before: tuple[LabelEdit, ...]
    edit: LabelEdit


def tools(shape: tuple[int, int, int]) -> Iterator[Tool]:
    """Give the tools that may change much at once, in the middle slice across axis 0.

    A body is a ball with a tenth of the shortest side as radius.
    """
    a, b, c = (n // 2 for n in shape)
    middle: Place = (a, b, c)
    radius = min(shape) / 10
    ball = Stroke(points=(middle,), radius=radius, label=1)
    bump = Stroke(points=((a, b + radius, c),), radius=radius / 5, label=1)
    far = Stroke(points=((a, b + 2 * radius, c),), radius=radius / 5, label=1)
    discs = tuple(
        Stroke(points=((at, b, c),), radius=radius, label=1, axis=0)
        for at in (a - radius, a + radius)
    )
    yield Tool("flood fill", (ball,), Fill(seed=middle, label=2))
    yield Tool("grow a region", (ball,), Grow(seed=middle, within=_ANY, label=2, over=1))
    within = ValueRange(0.0, 1e30)
    yield Tool(
        "paint by value", (), Stroke(points=(middle,), radius=radius, label=1, within=within)
    )
    yield Tool("smooth", (ball, bump), Smooth(label=1, radius=2.0))
    yield Tool("islands", (ball, far), Islands(label=1))
    yield Tool("fill between slices", discs, Interpolate(label=1, axis=0))
    across = min(_MOST_ACROSS, b - 1, c - 1)
    angles = [2 * math.pi * k / _CORNERS for k in range(_CORNERS)]
    outline = tuple((a, b + across * math.cos(w), c + across * math.sin(w)) for w in angles)
    yield Tool("scissors through all slices", (), Cut(points=outline, label=1, axis=0))


def large_edits(size_px: tuple[int, int], *, n: int, rounds: int) -> Iterator[Record]:
    """Use each tool, take that back and do it again, from rest.

    Parameters
    ----------
    size_px : tuple of int
        Width and height of the picture.
    n, rounds : int
        Times in a round, and rounds.
    """
    for labels in CASES:
        for tool in tools(labels.shape):
            with labels_worker(size_px, labels) as worker, _Desk(worker) as desk:
                for before in tool.before:
                    desk.prepare(before)
                size = f"{size_px[0]}x{size_px[1]}"
                words = {"scene": f"{labels}, {tool.name}", "size": size, "target_ms": FRAME_MS}
                found = _repeated(desk, tool, n, rounds)
                for case, times in found.items():
                    yield {"case": f"{case} to access unit", **words} | times.record()


def _repeated(desk: _Desk, tool: Tool, n: int, rounds: int) -> dict[str, _Times]:
    found = {case: _Times() for case in ("edit", "undo", "redo")}
    for k in range(1 + rounds):  # the first does not count
        for times in found.values():
            times.begin()
        for _ in range(n if k else 1):
            done = desk.do(partial(EditBricks, NAME, edit=tool.edit), found["edit"])
            turned = tuple(BrickChange(one.brick, one.new, one.old) for one in done)
            desk.do(partial(RevertBricks, NAME, changes=done), found["undo"])
            desk.do(partial(RevertBricks, NAME, changes=turned), found["redo"])
            desk.do(partial(RevertBricks, NAME, changes=done))
        if not k:
            found = {case: _Times() for case in found}
    return found


@dataclass
class _Times:
    """What is measured of one kind of edit, by round.

    Parameters
    ----------
    shown_ms : list of list of float
        From when it is known what is changed to the access unit.
    found_ms : list of list of float
        From the message to then.
    told_ms : list of float
        From the message to the first word of how far it is; those that are quick have none.
    grown_mb : list of list of float
        Resident memory from the message to the access unit.
    n_bricks : int
        That were changed.
    """

    shown_ms: list[list[float]] = field(default_factory=list)
    found_ms: list[list[float]] = field(default_factory=list)
    told_ms: list[float] = field(default_factory=list)
    grown_mb: list[list[float]] = field(default_factory=list)
    n_bricks: int = 0

    def begin(self) -> None:
        for rounds in (self.shown_ms, self.found_ms, self.grown_mb):
            rounds.append([])

    def record(self) -> Record:
        return (
            summarize([self.told_ms], "ms", "progress")
            | summarize(self.found_ms, "ms", "found")
            | summarize(self.grown_mb, "mb", "grown")
            | summarize(self.shown_ms, "ms", "wall")
            | {"bricks": str(self.n_bricks)}
        )


class _Desk:
    """Has edits done in a worker, and notes when. A context manager."""

    def __init__(self, worker: PipelineWorker) -> None:
        self._worker = worker
        self._n = 0
        self._laid_s = 0.0
        self._process = psutil.Process()
        lay = EditedLabels.lay

        def noted(labels: EditedLabels, bricks: Any) -> int:
            self._laid_s = time.perf_counter()
            return lay(labels, bricks)

        self._patch = mock.patch.object(EditedLabels, "lay", noted)

    def __enter__(self) -> _Desk:
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.stop()

    def prepare(self, edit: LabelEdit) -> None:
        """Edit what may lie in other slices than the shown one."""
        self._n += 1
        self._worker.do(EditBricks(NAME, self._n, edit), lambda: True)
        self._worker.answered(self._n)

    def do(
        self, message: Callable[..., OfEdits], times: _Times | None = None
    ) -> tuple[BrickChange, ...]:
        """Edit from rest, by a message that is made of a number; gives what was changed."""
        self._worker.rest()
        self._n += 1
        asked = message(n=self._n)
        before_mb = self._process.memory_info().rss / _MB
        begin_s = time.perf_counter()
        self._worker.edit(asked)
        shown_s = self._worker.shown_s
        grown_mb = self._process.memory_info().rss / _MB - before_mb
        self._worker.answered(self._n)
        changes = self._worker.changes_of(self._n)
        if times is not None and times.shown_ms:
            times.shown_ms[-1].append(1000 * (shown_s - self._laid_s))
            times.found_ms[-1].append(1000 * (self._laid_s - begin_s))
            times.grown_mb[-1].append(grown_mb)
            times.n_bricks = len(changes)
            told_s = self._worker.first_told_s(EditProgress, lambda m: m.n == self._n)
            if told_s is not None:
                times.told_ms.append(1000 * (told_s - begin_s))
        return changes
