"""What an edit takes of memory: some bricks, however large the volume is that they lie in."""

from __future__ import annotations

import contextlib
import threading
import tracemalloc

import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse.csgraph  # noqa: F401  not to be counted: both are imported when first needed

from blustream_widget.core.alignment import Alignment
from blustream_widget.core.label_edit import (
    Cut,
    Fill,
    Grow,
    Interpolate,
    Islands,
    Smooth,
    Stroke,
    ValueRange,
)
from blustream_widget.core.worker_protocol import EditBricks, RevertBricks
from blustream_widget.data import Region, SliceReader
from blustream_widget.data.edited_labels import edited, touched_keys
from blustream_widget.data.memory import BRICK_SIZE, MemorySource
from blustream_widget.data.new_labels import NewLabels
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker.label_editing import Edited, LabelEditor, Laid
from blustream_widget.worker.label_tools import Editable

SIDE = 6 * BRICK_SIZE
SHAPE = (SIDE, SIDE, SIDE)
N_VOLUME = SIDE**3  # bytes of labels
MOST_BYTES = N_VOLUME // 6
AT = SIDE / 2 - BRICK_SIZE / 2  # the middle of a brick
MIDDLE = (AT, AT, AT)
WHOLE = tuple((AT, AT + b, AT + c) for b, c in ((-25, -25), (-25, 25), (25, 25), (25, -25)))
BALL = Stroke(points=(MIDDLE,), radius=20.0, label=1)
FAR = Stroke(points=((AT, AT + 27, AT),), radius=3.0, label=1)
DISCS = tuple(
    Stroke(points=((at, AT, AT),), radius=20.0, label=1, axis=0) for at in (AT - 9, AT + 9)
)
EDITS = {
    "stroke": ((), Stroke(points=(MIDDLE, (AT, AT + 20, AT)), radius=8.0, label=2, axis=0)),
    "by value": ((), Stroke(points=(MIDDLE,), radius=20.0, label=2, within=ValueRange(0, 1))),
    "fill": ((BALL,), Fill(seed=MIDDLE, label=2)),
    "grow": ((BALL,), Grow(seed=MIDDLE, within=ValueRange(-1, 1), label=2, over=1)),
    "smooth": ((BALL, FAR), Smooth(label=1, radius=2.0)),
    "islands": ((BALL, FAR), Islands(label=1)),
    "between": (DISCS, Interpolate(label=1, axis=0)),
    "cut": ((BALL,), Cut(points=WHOLE, label=2, axis=0, slices=(int(AT) - 20, int(AT) + 20))),
}


class Desk:
    """Labels in a volume that is many times larger than a brick, and slices of them."""

    def __init__(self, *, is_array: bool) -> None:
        shown = MemorySource(volume_info(SHAPE), (np.broadcast_to(np.float32(0.5), (*SHAPE,)),))
        info = volume_info(SHAPE, dtype="uint8", is_label=True)
        source = NewLabels(shown.info, "mine", "uint8", {})
        if is_array:
            source = MemorySource(info, (np.zeros(SHAPE, np.uint8),))
        self.labels = edited(source, 0)
        self.target = Editable("mine", self.labels, 0, Alignment(), shown, 0, is_new=not is_array)
        self.reader = SliceReader(self.labels, budget_bytes=1 << 20, on_data=lambda: None)
        self.woken = threading.Semaphore(0)
        self.editor = LabelEditor(self.woken.release)

    def do(self, message) -> Edited:
        """Edit, and read the slice that shows it; gives what came of it."""
        self.editor.take(self.target, message)
        while True:
            assert self.woken.acquire(timeout=30)
            for done in self.editor.finished():
                if isinstance(done, Edited):
                    return done
                self._show(done)

    def _show(self, laid: Laid) -> None:
        self.reader.change(touched_keys(0, laid.bricks, n_lods=1))
        self.reader.read(0, int(AT), 0, 0, Region(0, SIDE, 0, SIDE))
        self.editor.draw()

    def close(self) -> None:
        self.reader.close()
        self.editor.close()
        wait_until(lambda: not self.editor.is_busy, timeout_s=30, what="the editor's end")


@contextlib.contextmanager
def most_bytes(limit):
    """Watch how much memory is taken meanwhile, at any moment, beyond what was."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < limit, f"{(peak - before) / 2**20:.1f} MB of {N_VOLUME / 2**20:.0f}"


@pytest.mark.parametrize("is_array", [False, True], ids=["new", "array"])
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_and_its_undo_take_some_bricks_of_memory_and_no_copy(name, is_array) -> None:
    before, edit = EDITS[name]
    desk = Desk(is_array=is_array)
    try:
        for n, one in enumerate(before):
            desk.do(EditBricks("mine", n, one))
        held = desk.labels.n_bytes
        with most_bytes(MOST_BYTES):
            (answer,) = desk.do(EditBricks("mine", 8, edit)).answers
            assert answer.n_voxels > 0
            (undone,) = desk.do(RevertBricks("mine", 9, answer.changes)).answers
        assert undone.n_voxels == answer.n_voxels
        assert desk.labels.n_bytes <= held + len(answer.changes) * BRICK_SIZE**3
    finally:
        desk.close()


def test_a_copy_of_the_volume_would_be_seen() -> None:
    with pytest.raises(AssertionError, match="MB of"), most_bytes(MOST_BYTES):
        np.zeros(SHAPE, np.uint8).copy()
