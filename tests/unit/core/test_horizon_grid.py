"""A followed horizon packed for pages: what comes out is what went in, to half of a step."""

from __future__ import annotations

import numpy as np
import pytest

from blustream_widget.core.horizon_grid import MOST_NODES, packed, samples_of
from blustream_widget.errors import ProcessingError


def fold(n0=40, n1=30):
    i, j = np.ogrid[:n0, :n1]
    return 200.3 + 20 * np.sin(i / 9) + 7 * np.cos(j / 5)


def test_samples_come_back_to_half_a_step_and_gaps_stay_gaps():
    samples = fold()
    samples[5:9, :] = np.nan
    grid = packed(samples)
    assert grid.n_picked == 36 * 30
    assert (grid.low, grid.high) == (np.nanmin(samples), np.nanmax(samples))
    assert np.allclose(samples_of(grid), samples, atol=grid.step / 2, equal_nan=True)
    assert grid.step == 1 / 64
    assert len(grid.codes) < samples.size * 2


def test_a_horizon_through_a_very_deep_volume_keeps_its_ends():
    samples = np.linspace(0, 200_000, 600).reshape(20, 30)
    grid = packed(samples)
    assert np.allclose(samples_of(grid), samples, atol=grid.step / 2)


def test_of_millions_of_traces_some_are_kept():
    samples = fold(1500, 1300)
    grid = packed(samples)
    assert grid.stride == 2
    assert samples[:: grid.stride, :: grid.stride].size <= MOST_NODES
    found = samples_of(grid)
    assert np.allclose(found[::2, ::2], samples[::2, ::2], atol=1 / 128)
    assert np.isnan(found[1::2]).all()
    assert grid.n_picked == samples.size


def test_a_horizon_that_lies_nowhere_is_none():
    with pytest.raises(ProcessingError, match="lies on no trace"):
        packed(np.full((3, 3), np.nan))
