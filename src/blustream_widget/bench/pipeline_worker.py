"""The worker's pipeline with its slot, without a process around it, for benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from blustream_widget.config import Config
from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.core.label_edit import BrickChange
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Axis, Channel, VolumeInfo, VolumeRef
from blustream_widget.core.worker_protocol import (
    BricksEdited,
    EditFailed,
    FromWorker,
    OfSegmentations,
    Open,
    Opened,
    Output,
    Show,
    ToWorker,
)
from blustream_widget.data import VolumeSource
from blustream_widget.data.grid import n_lods_for
from blustream_widget.data.memory import BRICK_SIZE
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.encode.probe import candidates
from blustream_widget.errors import BenchError
from blustream_widget.worker.pipeline import Pipeline
from blustream_widget.worker.schedule import REST_S
from blustream_widget.worker.slot import LatestSlot

_PATIENCE_S = 120.0


def started_chain() -> EncoderChain:
    """Give the encoder that a worker would take."""
    chain = EncoderChain(candidates())
    chain.start()
    return chain


def plain_info(
    shape: tuple[int, int, int], dtype: str, *, value_max: float, is_label: bool = False
) -> VolumeInfo:
    """Say of an array that it is seismic, with voxels of side 1 and values of -max to max."""
    first, second, third = (Axis("", "", n, first=0, step=1, spacing=1) for n in shape)
    channel = Channel(
        name="",
        unit="",
        dtype=dtype,
        value_min=0.0 if is_label else -value_max,
        value_max=value_max,
        is_label=is_label,
    )
    return VolumeInfo(
        name="",
        kind="seismic",
        axes=(first, second, third),
        channels=(channel,),
        n_lods=n_lods_for(shape, BRICK_SIZE),
        brick_size=BRICK_SIZE,
    )


class _Sink:
    """Keeps what it is told, but counts the pictures."""

    def __init__(self) -> None:
        self.messages: list[FromWorker] = []
        self.times_s: list[float] = []  # of each message
        self.n_frames = 0
        self.frame_s = 0.0  # of the newest picture

    def send(self, message: FromWorker) -> None:
        self.times_s.append(time.perf_counter())
        self.messages.append(message)

    def send_frame(self, header: FrameHeader, picture: memoryview, rendition: int = 0) -> None:
        del header, picture, rendition
        self.frame_s = time.perf_counter()
        self.n_frames += 1


class PipelineWorker:
    """From messages to access units, in the caller's thread. A context manager.

    Parameters
    ----------
    size_px : tuple of int
        Width and height of the picture.
    sources : mapping
        By the address that opens them; "" is the shown volume.
    """

    def __init__(self, size_px: tuple[int, int], sources: Mapping[str, VolumeSource]) -> None:
        self._slot, self._sink = LatestSlot(), _Sink()
        # A clock of our own: the frame rate's limit is not what is measured.
        self._now_s = 0.0
        self._pipeline = Pipeline(
            Config(),
            self._sink,
            self._slot,
            chain=started_chain(),
            clock=lambda: self._now_s,
            open_volume=lambda ref, _: sources[ref.url],
        )
        self._slot.put(Output(h264=True, jpeg=False, still=False, max_fps=60))
        self._slot.put(Open(VolumeRef(url=""), pane=size_px))
        self._step()
        opened = self.told(Opened)
        assert opened is not None
        self._info = sources[""].info
        self._state: ViewState = opened.state

    def __enter__(self) -> PipelineWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipeline.close()

    def told(self, kind: type[Any], where: Callable[[Any], bool] = lambda _: True) -> Any:
        """Give the newest message of a kind that it has sent; None where there is none."""
        found = (m for m in reversed(self._sink.messages) if isinstance(m, kind) and where(m))
        return next(found, None)

    def first_told_s(self, kind: type[Any], where: Callable[[Any], bool]) -> float | None:
        """Say when it sent the first message of a kind, on `time.perf_counter`; None: never."""
        pairs = zip(self._sink.messages, self._sink.times_s, strict=False)
        return next((at for m, at in pairs if isinstance(m, kind) and where(m)), None)

    @property
    def shown_s(self) -> float:
        """When it sent its newest picture, on `time.perf_counter`."""
        return self._sink.frame_s

    def changes_of(self, n: int) -> tuple[BrickChange, ...]:
        """Give what an edit that was answered has changed."""
        answers = (m for m in self._sink.messages if isinstance(m, BricksEdited) and m.n == n)
        return tuple(change for answer in answers for change in answer.changes)

    def look(self, **patch: Any) -> None:
        """Put a state with other fields into the slot and do what the render thread does."""
        self._state = self._state.with_patch(patch, self._info)
        self._tick(Show(self._state))

    def show(self, **patch: Any) -> None:
        """Do the same, to have one picture of it.

        Raises
        ------
        BenchError
            None came of it.
        """
        before = self._sink.n_frames
        self.look(**patch)
        if self._sink.n_frames != before + 1:
            raise BenchError(f"{self._sink.n_frames - before} pictures came of one state.")

    def do(self, message: OfSegmentations, until: Callable[[], bool]) -> None:
        """Send a message about labels, and go on until something is true."""
        self._tick(message)
        end_s = time.monotonic() + _PATIENCE_S
        while not until():
            if time.monotonic() > end_s:
                raise BenchError(f"{type(message).__name__} was not done in {_PATIENCE_S:.0f} s.")
            self._step(0.01)

    def edit(self, message: OfSegmentations) -> None:
        """Send an edit of labels, and go on until a picture has come of it.

        Raises
        ------
        BenchError
            It cannot be.
        """
        before = self._sink.n_frames
        self.do(message, lambda: self._sink.n_frames > before or self._failed() is not None)
        if (failed := self._failed()) is not None:
            raise BenchError(f"An edit cannot be: {failed.message}")

    def _failed(self) -> EditFailed | None:
        newest = self._sink.messages[-1]
        return newest if isinstance(newest, EditFailed) else None

    def answered(self, n: int) -> None:
        """Go on until an edit is counted, packed and answered.

        Raises
        ------
        BenchError
            It was not within two minutes.
        """
        end_s = time.monotonic() + _PATIENCE_S
        while self.told(BricksEdited, lambda m: m.n == n and not m.more) is None:
            if time.monotonic() > end_s:
                raise BenchError(f"The edit {n} was not answered in {_PATIENCE_S:.0f} s.")
            self._step(0.01)

    def rest(self) -> None:
        """Let the picture come to rest, as sharp as can be."""
        self._now_s += 2 * REST_S
        self._step()

    def _tick(self, message: ToWorker) -> None:
        self._now_s += 0.02
        self._slot.put(message)
        self._step()

    def _step(self, timeout_s: float = 0.0) -> None:
        self._pipeline.apply(self._slot.take(timeout_s))
        self._pipeline.run()
