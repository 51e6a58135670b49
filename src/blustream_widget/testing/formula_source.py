"""A volume of any size without a file: every brick of every level is made by a formula."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Channel, Samples, VolumeInfo
from blustream_widget.data.grid import Shape, brick_bounds, check_key, n_lods_for
from blustream_widget.data.source import BrickDone, BrickKey, BrickRequest, DoneRequest
from blustream_widget.testing.volumes import plain_axes

Table = npt.NDArray[np.float32]


class FormulaSource:
    """A `VolumeSource` whose voxel (i0, i1, i2) is the sum of three waves, one along each axis.

    A level of detail averages 2x2x2 voxels like those of a real volume: the mean of a sum is the
    sum of the means, so that a brick of any level costs the same, 0.1 ms for 64 cubed.

    Parameters
    ----------
    shape : tuple of int
        No memory is taken for it: 4096 x 2048 x 2048 is 69 GB of float32.
    brick_size : int
    n_threads : int
        That make bricks.
    """

    def __init__(self, shape: Shape, *, brick_size: int = 64, n_threads: int = 2) -> None:
        n_lods = n_lods_for(shape, brick_size)
        waves = [
            (2 + np.sin(np.arange(n) / period)).astype(np.float32)
            for n, period in zip(shape, (90, 70, 9), strict=True)
        ]
        self._levels = [waves]
        for _ in range(n_lods - 1):
            waves = [_halved(wave) for wave in waves]
            self._levels.append(waves)
        low, high = (sum(float(f(wave)) for wave in self._levels[0]) for f in (np.min, np.max))
        self._info = VolumeInfo(
            name="formula",
            kind="seismic",
            axes=plain_axes(shape),
            channels=(Channel("value", "", "float32", low, high),),
            n_lods=n_lods,
            brick_size=brick_size,
            world_unit="m",
            source="formula",
        )
        self._pool = ThreadPoolExecutor(n_threads, thread_name_prefix="blustream-formula")

    @property
    def info(self) -> VolumeInfo:
        return self._info

    def array(self) -> Samples:
        """All LOD0 voxels; for small volumes."""
        a, b, c = self._levels[0]
        return np.asarray(a[:, None, None] + (b[:, None] + c))

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        del prefetch
        check_key(self._info, key)
        try:
            future = self._pool.submit(self._make, key)
        except RuntimeError:  # closed
            done(key, None)
            return DoneRequest()
        future.add_done_callback(lambda future: done(key, _result(future)))
        return _Request(future)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, key: BrickKey) -> Samples:
        lower, upper = brick_bounds(self._info, key)
        a, b, c = (
            wave[v:u] for wave, v, u in zip(self._levels[key.lod], lower, upper, strict=True)
        )
        brick: Samples = a[:, None, None] + (b[:, None] + c)
        brick.flags.writeable = False
        return brick


class _Request(msgspec.Struct):
    future: Future[Samples]

    def cancel(self) -> None:
        """Forget the brick if nobody has begun to make it."""
        self.future.cancel()


def _result(future: Future[Samples]) -> Samples | None:
    return None if future.cancelled() else future.result()


def _halved(wave: Table) -> Table:
    padded = np.pad(wave, (0, len(wave) % 2), "edge")
    return np.asarray(padded.reshape(-1, 2).mean(axis=1), np.float32)
