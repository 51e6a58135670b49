"""What every `VolumeSource` must do: derive a test class and give it the fixture `opened`."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from blustream_widget.core.types import Samples
from blustream_widget.data.grid import brick_bounds, brick_counts, lod_shape
from blustream_widget.data.reduce import half_times
from blustream_widget.data.source import BrickKey, VolumeSource
from blustream_widget.errors import BlustreamError

TIMEOUT_S = 10.0


@dataclass
class OpenedVolume:
    """A source, and for each channel the array that it shows; of a series, its steps first."""

    source: VolumeSource
    arrays: list[Samples]


class Receiver:
    """Takes bricks; `take` waits for the next one."""

    def __init__(self) -> None:
        self.answers: list[tuple[BrickKey, Samples | BlustreamError | None]] = []
        self._arrived = threading.Semaphore(0)

    def __call__(self, key: BrickKey, result: Samples | BlustreamError | None) -> None:
        self.answers.append((key, result))
        self._arrived.release()

    def take(self, n: int = 1) -> list[tuple[BrickKey, Samples | BlustreamError | None]]:
        """Wait for `n` more answers; return all there are."""
        for _ in range(n):
            assert self._arrived.acquire(timeout=TIMEOUT_S), "a request was never answered"
        return self.answers


def read_brick(source: VolumeSource, key: BrickKey, *, prefetch: bool = False) -> Samples:
    """Read one brick and wait for it."""
    receiver = Receiver()
    source.request_brick(key, receiver, prefetch=prefetch)
    ((_, brick),) = receiver.take()
    assert isinstance(brick, np.ndarray)
    return brick


def all_keys(source: VolumeSource, channel: int, lod: int) -> list[BrickKey]:
    """Every brick of a channel at a level."""
    n0, n1, n2 = brick_counts(source.info, lod)
    return [
        BrickKey(channel, lod, i0, i1, i2)
        for i0 in range(n0)
        for i1 in range(n1)
        for i2 in range(n2)
    ]


class VolumeSourceContract:
    """Derive, and define a fixture `opened` that gives an `OpenedVolume` of at least 2 bricks."""

    def test_info_describes_the_arrays(self, opened: OpenedVolume) -> None:
        info = opened.source.info
        assert len(info.channels) == len(opened.arrays)
        for channel, array in zip(info.channels, opened.arrays, strict=True):
            steps = () if info.time is None else (info.time.n,)
            assert (*steps, *info.shape) == array.shape
            assert channel.value_min == pytest.approx(float(np.nanmin(array)))
            assert channel.value_max == pytest.approx(float(np.nanmax(array)))

    def test_every_brick_of_every_level_is_exact(self, opened: OpenedVolume) -> None:
        info = opened.source.info
        arrays = [
            array if info.time is None else array[step]
            for step in range(info.n_steps)
            for array in opened.arrays
        ]
        assert len(arrays) == info.n_source_channels
        for number, array in enumerate(arrays):
            channel = info.channel_of(number)
            for lod in range(info.n_lods):
                expected = half_times(array, lod, is_label=channel.is_label)
                assert expected.shape == lod_shape(info.shape, lod)
                for key in all_keys(opened.source, number, lod):
                    lower, upper = brick_bounds(info, key)
                    part = expected[tuple(slice(v, u) for v, u in zip(lower, upper, strict=True))]
                    brick = read_brick(opened.source, key)
                    assert brick.dtype == channel.dtype
                    assert np.allclose(brick, part, rtol=1e-6, equal_nan=True)

    def test_prefetched_bricks_are_the_same_bricks(self, opened: OpenedVolume) -> None:
        key = BrickKey(0, 0, 0, 0, 0)
        now = read_brick(opened.source, key)
        np.testing.assert_array_equal(read_brick(opened.source, key, prefetch=True), now)

    def test_delivered_bricks_cannot_be_written_to(self, opened: OpenedVolume) -> None:
        assert not read_brick(opened.source, BrickKey(0, 0, 0, 0, 0)).flags.writeable

    @pytest.mark.parametrize(
        "key",
        [
            BrickKey(99, 0, 0, 0, 0),
            BrickKey(-1, 0, 0, 0, 0),
            BrickKey(0, 99, 0, 0, 0),
            BrickKey(0, -1, 0, 0, 0),
            BrickKey(0, 0, 10_000, 0, 0),
            BrickKey(0, 0, 0, -1, 0),
        ],
    )
    def test_bricks_that_do_not_exist_are_refused(
        self, opened: OpenedVolume, key: BrickKey
    ) -> None:
        with pytest.raises(ValueError, match="BrickKey"):
            opened.source.request_brick(key, Receiver())

    def test_every_request_is_answered_once_even_if_cancelled(self, opened: OpenedVolume) -> None:
        receiver = Receiver()
        keys = all_keys(opened.source, 0, 0)
        requests = [opened.source.request_brick(key, receiver) for key in keys]
        for request in requests:
            request.cancel()
        answers = receiver.take(len(keys))
        assert sorted(key for key, _ in answers) == sorted(keys)
        assert not any(isinstance(result, BlustreamError) for _, result in answers)
        for request in requests:
            request.cancel()  # after the answer it does nothing

    def test_close_answers_what_is_pending_and_may_be_repeated(self, opened: OpenedVolume) -> None:
        receiver = Receiver()
        keys = all_keys(opened.source, 0, 0)
        for key in keys:
            opened.source.request_brick(key, receiver)
        opened.source.close()
        opened.source.close()
        receiver.take(len(keys))
        late = Receiver()
        opened.source.request_brick(keys[0], late)
        assert late.take() == [(keys[0], None)]
