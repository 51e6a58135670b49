"""Stand-ins for tests of the worker: volumes that deliver on command, a list as sink, a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from blustream_widget.core.frame_header import FrameFlags, FrameHeader
from blustream_widget.core.types import Axis, Channel, Samples, SliceData, VolumeInfo
from blustream_widget.core.worker_protocol import FromWorker
from blustream_widget.data.source import BrickDone, BrickKey, BrickRequest, DoneRequest
from blustream_widget.errors import BlustreamError


def volume_info(
    shape: tuple[int, int, int],
    *,
    kind: Literal["seismic", "medical", "generic"] = "generic",
    dtype: str = "float32",
    value_range: tuple[float, float] = (0.0, 1.0),
    is_label: bool = False,
    n_lods: int = 1,
    brick_size: int = 64,
    affine: tuple[float, ...] | None = None,
) -> VolumeInfo:
    """Describe a volume of one channel with unit spacing."""
    names = ("inline", "crossline", "sample") if kind == "seismic" else ("i", "j", "k")
    axes = tuple(
        Axis(name=name, unit="", n=n, first=0, step=1, spacing=1)
        for name, n in zip(names, shape, strict=True)
    )
    channel = Channel(
        name="value",
        unit="",
        dtype=dtype,
        value_min=value_range[0],
        value_max=value_range[1],
        is_label=is_label,
    )
    return VolumeInfo(
        name="fake",
        kind=kind,
        axes=(axes[0], axes[1], axes[2]),
        channels=(channel,),
        n_lods=n_lods,
        brick_size=brick_size,
        affine=affine,
    )


def slice_data(
    values: Samples,
    *,
    axis: int = 0,
    slice_idx: int = 0,
    lod: int = 0,
    origin: tuple[int, int] = (0, 0),
    coarsest_lod: int | None = None,
    progress: float = 1.0,
) -> SliceData:
    """Wrap values as a reader would give them, complete unless said otherwise."""
    return SliceData(
        values=values,
        axis=axis,
        slice_idx=slice_idx,
        channel=0,
        lod=lod,
        origin=origin,
        coarsest_lod=lod if coarsest_lod is None else coarsest_lod,
        progress=progress,
    )


class HeldSource:
    """A volume whose bricks arrive when the test says so; the value of a voxel is its LOD.

    Implements `VolumeSource`.
    """

    def __init__(self, info: VolumeInfo) -> None:
        self._info = info
        self._held: list[tuple[BrickKey, BrickDone]] = []

    @property
    def info(self) -> VolumeInfo:
        return self._info

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        del prefetch
        self._held.append((key, done))
        return DoneRequest()

    def close(self) -> None:
        held, self._held = self._held, []
        for key, done in held:
            done(key, None)

    def deliver(self, lod: int, error: BlustreamError | None = None) -> int:
        """Deliver what was asked of one LOD, or an error instead; returns how many bricks."""
        n = 0
        while due := [entry for entry in self._held if entry[0].lod == lod]:
            self._held = [entry for entry in self._held if entry[0].lod != lod]
            for key, done in due:
                n += 1
                done(key, self._brick(key) if error is None else error)
        return n

    def _brick(self, key: BrickKey) -> Samples:
        size = self._info.brick_size
        at_lod = [-(-n // (1 << key.lod)) for n in self._info.shape]
        shape = tuple(
            min(size, n - i * size) for n, i in zip(at_lod, (key.i0, key.i1, key.i2), strict=True)
        )
        return np.full(shape, key.lod, self._info.channels[key.channel].dtype)


@dataclass
class ListSink:
    """Keeps what a pipeline sends. Implements the worker's `Sink`."""

    messages: list[FromWorker] = field(default_factory=list)
    frames: list[tuple[FrameHeader, bytes]] = field(default_factory=list)
    smaller: list[tuple[int, FrameHeader]] = field(default_factory=list)

    def send(self, message: FromWorker) -> None:
        self.messages.append(message)

    def send_frame(self, header: FrameHeader, picture: memoryview, rendition: int = 0) -> None:
        if rendition:
            self.smaller.append((rendition, header))
        else:
            self.frames.append((header, bytes(picture)))

    @property
    def stills(self) -> list[tuple[FrameHeader, bytes]]:
        """Lossless pictures among the frames."""
        return [frame for frame in self.frames if frame[0].flags & FrameFlags.STILL]

    @property
    def video(self) -> list[tuple[FrameHeader, bytes]]:
        """H.264 frames among the frames."""
        other = FrameFlags.STILL | FrameFlags.JPEG
        return [frame for frame in self.frames if not frame[0].flags & other]


@dataclass
class FakeClock:
    """A monotonic clock that the test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
