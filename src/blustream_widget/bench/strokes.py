"""From the message of a brush's stroke to the access unit that shows it, in labels of any size.

Beside it, in the same worker: the plain step to the next slice, and the time of one frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psutil

from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.bench.pipeline_worker import PipelineWorker, plain_info
from blustream_widget.bench.timing import measure
from blustream_widget.core.label_edit import Place, Stroke
from blustream_widget.core.segmentation import SegmentationLook, SegmentationSource
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import (
    AddSegmentation,
    EditBricks,
    SegmentationOpened,
)
from blustream_widget.data.memory import MemorySource

FRAME_MS = 1000 / 60
NAME = "labels"
_POINTS = 16  # what the page leaves of such a curve
_MB = 1 << 20


@dataclass(frozen=True)
class Labels:
    """A label volume that is painted on.

    Parameters
    ----------
    shape : tuple of int
    is_array : bool
        Labels that lie in memory; else new ones, which take none.
    ball : float
        Radius, in voxels, of what was painted in the middle before; 0: nothing.
    """

    shape: tuple[int, int, int]
    is_array: bool = False
    ball: float = 0.0

    def __str__(self) -> str:
        kind = "an array of labels" if self.is_array else "new labels"
        sides = " x ".join(map(str, self.shape))
        return f"{kind}, {sides}" + (f", a ball of {self.ball:g} painted" if self.ball else "")


CASES = (
    Labels((128, 128, 128)),
    Labels((2048, 2048, 1024)),
    Labels((2048, 2048, 1024), ball=300),
    Labels((128, 128, 128), is_array=True),
    Labels((512, 512, 512), is_array=True),
)


def strokes(size_px: tuple[int, int], *, n: int, rounds: int) -> Iterator[Record]:
    """Paint in label volumes from small to large.

    Parameters
    ----------
    size_px : tuple of int
        Width and height of the picture.
    n, rounds : int
        Strokes of a round, and rounds.
    """
    size = f"{size_px[0]}x{size_px[1]}"
    for labels in CASES:
        with labels_worker(size_px, labels) as worker:
            hand = _Hand(worker, labels)
            often = {"n": n, "rounds": rounds, "warm_up": n // 4 + 1}
            steps = measure(hand.step, **often)
            case = {"scene": str(labels), "size": size, "target_ms": FRAME_MS}
            yield {"case": "slice step beside labels (reference)", **case} | steps.record()
            for words, before in (
                ("", hand.settle),
                (", from rest", hand.come_to_rest),
                (", after a step", hand.leave),
            ):
                hand.grown_mb.clear()
                timings = measure(hand.paint, before, **often)
                yield (
                    {"case": f"stroke to access unit{words}", **case}
                    | timings.record()
                    | summarize([hand.grown_mb], "mb", "grown")
                    | {"n": n * rounds}
                )


def labels_worker(size_px: tuple[int, int], labels: Labels) -> PipelineWorker:
    """Show a volume of one section over and over, which takes no memory, under the labels."""
    rng = np.random.default_rng(0)
    section = rng.normal(size=labels.shape[1:]).astype(np.float32)
    info = plain_info(labels.shape, "float32", value_max=4.0)
    sources = {"": MemorySource(info, (np.broadcast_to(section, labels.shape),))}
    if labels.is_array:
        info = plain_info(labels.shape, "uint8", value_max=4.0, is_label=True)
        sources[NAME] = MemorySource(info, (np.zeros(labels.shape, np.uint8),))
    worker = PipelineWorker(size_px, sources)
    source = SegmentationSource(NAME, new="uint8")
    if labels.is_array:
        source = SegmentationSource(NAME, VolumeRef(url=NAME))
    worker.do(
        AddSegmentation(source),
        lambda: worker.told(SegmentationOpened, lambda m: m.info.is_counted) is not None,
    )
    worker.look(segmentations=[SegmentationLook(name=NAME)], slice_idx=labels.shape[0] // 2)
    return worker


class _Hand:
    """Draws curves as long as a fifth of the section, with the brush that a viewer begins with."""

    def __init__(self, worker: PipelineWorker, labels: Labels) -> None:
        self._worker = worker
        self._shape = labels.shape
        self._slice_idx = labels.shape[0] // 2
        self._n = 0
        self._process = psutil.Process()
        self.grown_mb: list[float] = []
        if labels.ball:
            middle = (self._slice_idx, labels.shape[1] // 2, labels.shape[2] // 2)
            self._edit(Stroke(points=(middle,), radius=labels.ball, label=3))

    def step(self, _: int) -> None:
        """Go to another slice."""
        self._slice_idx = self._slice_idx % (self._shape[0] - 1) + 1
        self._worker.show(slice_idx=self._slice_idx)

    def settle(self) -> None:
        """Wait until the last stroke is answered, as a hand that begins another one does."""
        if self._n:
            self._worker.answered(self._n)

    def come_to_rest(self) -> None:
        """Go to the next slice and back, and wait until the picture of that has come to rest."""
        self.leave()
        self._worker.rest()

    def leave(self) -> None:
        """Go to the next slice and back: what comes next is drawn as in motion."""
        self.settle()
        for slice_idx in (self._slice_idx - 1, self._slice_idx):
            self._worker.show(slice_idx=slice_idx)

    def paint(self, _: int) -> None:
        """Draw in the shown slice, and note how much memory came of it."""
        before = self._process.memory_info().rss
        radius = min(self._shape[1:]) / 30
        stroke = Stroke(points=self._line(), radius=radius, label=1 + self._n % 2, axis=0)
        self._edit(stroke)
        self.grown_mb.append((self._process.memory_info().rss - before) / _MB)

    def _edit(self, stroke: Stroke) -> None:
        self._n += 1
        self._worker.edit(EditBricks(NAME, self._n, stroke))

    def _line(self) -> tuple[Place, ...]:
        """Arcs about the middle, each in another direction: none is where one was."""
        sides = np.array(self._shape[1:])
        angles = 2.4 * self._n + np.linspace(0, 1, _POINTS)
        places = sides / 2 + sides / 5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return tuple((float(self._slice_idx), float(a), float(b)) for a, b in places)
