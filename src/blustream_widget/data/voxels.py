"""Full-resolution voxels of any block, brick by brick, beside what is being looked at."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples
from blustream_widget.data.source import BrickKey, BrickRequest, VolumeSource
from blustream_widget.errors import BlustreamError, VolumeError

Shape = tuple[int, int, int]

_IN_FLIGHT = 4
_LOOK_S = 0.1  # how often a wait looks whether it is still wanted


class ReadCancelledError(VolumeError):
    """What was being read is not wanted any more."""

    code = "read-cancelled"


@dataclass(frozen=True, slots=True)
class Part:
    """Voxels [lower, upper) of a block, and how much of the block is there by now."""

    lower: Shape
    upper: Shape
    values: Samples
    progress: float


_Answers: TypeAlias = "queue.SimpleQueue[tuple[BrickKey, Samples | BlustreamError | None]]"


class VoxelReader:
    """Reads a source's voxels with `prefetch`: what is looked at comes first.

    Parameters
    ----------
    source : VolumeSource
    is_cancelled : callable
        Looked at while waiting.

    Notes
    -----
    Any one thread; blocks until the bricks are there.
    """

    def __init__(self, source: VolumeSource, is_cancelled: Callable[[], bool]) -> None:
        self._source = source
        self._is_cancelled = is_cancelled

    def parts(self, channel: int, lower: Shape, upper: Shape, *, lod: int = 0) -> Iterator[Part]:
        """Voxels of a block, one brick after the other, in no order; all in voxels of `lod`.

        Raises
        ------
        ReadCancelledError
        BrickReadError
        """
        size = self._source.info.brick_size
        ranges = [range(v // size, -(-u // size)) for v, u in zip(lower, upper, strict=True)]
        n_bricks = len(ranges[0]) * len(ranges[1]) * len(ranges[2])
        keys = (BrickKey(channel, lod, *place) for place in itertools.product(*ranges))
        for n, (key, brick) in enumerate(self._bricks(keys), 1):
            origin = (key.i0 * size, key.i1 * size, key.i2 * size)
            first = tuple(max(v, o) for v, o in zip(lower, origin, strict=True))
            last = tuple(min(u, o + n) for u, o, n in zip(upper, origin, brick.shape, strict=True))
            inner = tuple(slice(v - o, u - o) for v, u, o in zip(first, last, origin, strict=True))
            yield Part(
                (first[0], first[1], first[2]),
                (last[0], last[1], last[2]),
                brick[inner],
                n / n_bricks,
            )

    def at(self, channel: int, voxels: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Values of some voxels, shape (n, 3), as float64 (n,); each brick is read once."""
        size = self._source.info.brick_size
        bricks, of = np.unique(voxels // size, axis=0, return_inverse=True)
        of = of.reshape(-1)
        values = np.empty(len(voxels))
        keys = [BrickKey(channel, 0, *(int(v) for v in brick)) for brick in bricks]
        number = {key: n for n, key in enumerate(keys)}
        for key, brick in self._bricks(iter(keys)):
            chosen = of == number[key]
            i, j, k = (voxels[chosen] % size).T
            values[chosen] = brick[i, j, k]
        return values

    def bricks(
        self, channel: int, places: Iterable[tuple[int, int, int]]
    ) -> Iterator[tuple[tuple[int, int, int], Samples]]:
        """Give whole bricks of full resolution by place, in no order."""
        for key, brick in self._bricks(BrickKey(channel, 0, *place) for place in places):
            yield (key.i0, key.i1, key.i2), brick

    def check(self) -> None:
        """Look whether it is still wanted.

        Raises
        ------
        ReadCancelledError
        """
        if self._is_cancelled():
            raise ReadCancelledError("The measurement is not wanted any more.")

    def block(self, channel: int, lower: Shape, upper: Shape) -> Samples:
        """Voxels of a whole block as one array."""
        info = self._source.info
        shape = [u - v for v, u in zip(lower, upper, strict=True)]
        block: Samples = np.empty(shape, info.channel_of(channel).dtype)
        for part in self.parts(channel, lower, upper):
            block[_within(part.lower, part.upper, lower)] = part.values
        return block

    def _bricks(self, keys: Iterator[BrickKey]) -> Iterator[tuple[BrickKey, Samples]]:
        answers: _Answers = queue.SimpleQueue()
        under_way: dict[BrickKey, BrickRequest] = {}
        try:
            for key in itertools.islice(keys, _IN_FLIGHT):
                under_way[key] = self._ask(key, answers)
            while under_way:
                done, result = self._wait(answers)
                del under_way[done]
                if isinstance(result, BlustreamError):
                    raise result
                if result is None:
                    raise ReadCancelledError("The volume was closed while it was read.")
                for key in itertools.islice(keys, 1):
                    under_way[key] = self._ask(key, answers)
                yield done, result
        finally:
            for request in under_way.values():
                request.cancel()

    def _ask(self, key: BrickKey, answers: _Answers) -> BrickRequest:
        return self._source.request_brick(
            key, lambda done, result: answers.put((done, result)), prefetch=True
        )

    def _wait(self, answers: _Answers) -> tuple[BrickKey, Samples | BlustreamError | None]:
        while True:
            self.check()
            try:
                return answers.get(timeout=_LOOK_S)
            except queue.Empty:
                continue


def _within(lower: Sequence[int], upper: Sequence[int], origin: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(v - o, u - o) for v, u, o in zip(lower, upper, origin, strict=True))
