"""Labels that follow from labels, against SciPy and NumPy on the whole volume."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from blustream_widget.errors import ProcessingError
from blustream_widget.processing import labels
from blustream_widget.processing.labels import (
    interpolated,
    joined_to_seed,
    smoothed,
    without_islands,
)

SIZE = 8


def by_bricks(mask, seed, most=10**9):
    """Grow in bricks; gives the whole mask, and the bricks that were looked at."""
    looked_at: list[tuple[int, int, int]] = []

    def mask_of(brick):
        looked_at.append(brick)
        return mask[tuple(slice(b * SIZE, (b + 1) * SIZE) for b in brick)]

    n_bricks = tuple(-(-n // SIZE) for n in mask.shape)
    found = joined_to_seed(seed, SIZE, n_bricks, mask_of, most=most)
    result = np.zeros(mask.shape, bool)
    for brick, part in found.items():
        result[tuple(slice(b * SIZE, (b + 1) * SIZE) for b in brick)] = part
    return result, looked_at


@pytest.mark.parametrize("share", [0.25, 0.35, 0.6])
def test_what_is_joined_to_a_seed_is_its_component_in_the_whole_volume(share) -> None:
    rng = np.random.default_rng(int(share * 100))
    mask = rng.random((19, 26, 30)) < share
    pieces, _ = ndimage.label(mask)
    for seed in rng.choice(np.argwhere(mask), 4):
        found, looked_at = by_bricks(mask, tuple(int(v) for v in seed))
        assert np.array_equal(found, pieces == pieces[tuple(seed)])
        assert len(looked_at) == len(set(looked_at))


def test_a_seed_outside_of_the_mask_finds_nothing_and_far_bricks_are_not_read() -> None:
    mask = np.zeros((32, 32, 32), bool)
    mask[2:6, 2:6, 2:12] = True
    assert not by_bricks(mask, (0, 0, 0))[0].any()
    found, looked_at = by_bricks(mask, (3, 3, 3))
    assert np.array_equal(found, mask)
    assert set(looked_at) == {(0, 0, 0), (0, 0, 1)}


def test_a_component_that_is_too_large_is_refused() -> None:
    with pytest.raises(ProcessingError, match="More than 100 voxels"):
        by_bricks(np.ones((16, 16, 16), bool), (1, 1, 1), most=100)


def test_smoothing_takes_off_a_spike_and_keeps_a_plane() -> None:
    mask = np.zeros((20, 20, 20), bool)
    mask[:10] = True
    assert np.array_equal(smoothed(mask, (1.5, 1.5, 1.5)), mask)
    mask[10:14, 10, 10] = True
    result = smoothed(mask, (1.5, 1.5, 1.5))
    assert not result[11:].any()
    assert result[:9].all()


def test_islands_go_by_size() -> None:
    mask = np.zeros((10, 10, 10), bool)
    mask[0:3, 0:3, 0:3] = True
    mask[6:8, 6:8, 6] = True
    mask[9, 9, 9] = True
    assert without_islands(mask).sum() == 27
    assert without_islands(mask, 4).sum() == 31
    assert without_islands(mask, 1).sum() == 32
    assert not without_islands(np.zeros((3, 3, 3), bool)).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_between_two_discs_lies_a_cone(axis) -> None:
    plane = np.indices((51, 101)) - np.array([25, 50])[:, None, None]
    apart = np.hypot(plane[0] * 2.0, plane[1])
    mask = np.zeros((9, 51, 101), bool)
    mask[0], mask[8] = apart <= 24.5, apart <= 40.5
    spacing = [2.0, 1.0]
    spacing.insert(axis, 3.0)
    found = np.moveaxis(interpolated(np.moveaxis(mask, 0, axis), axis, spacing), axis, 0)
    for k in range(9):
        area = found[k].sum() * 2.0
        assert area == pytest.approx(np.pi * (24.5 + 2 * k) ** 2, rel=0.03), k
    assert np.array_equal(found[[0, 8]], mask[[0, 8]])


@pytest.mark.parametrize("sigma", [(1.5, 1.0, 0.5), (0.2, 3.0, 1.0), (9.0, 1.0, 1.0)])
def test_part_by_part_is_the_same_as_the_whole(monkeypatch, sigma) -> None:
    rng = np.random.default_rng(5)
    mask = ndimage.gaussian_filter(rng.normal(size=(23, 20, 22)), 1.2) > 0.2
    shares: list[float] = []
    blurred = ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="nearest")
    monkeypatch.setattr(labels, "_SLAB_VOXELS", 3 * 20 * 22)
    found = smoothed(mask, sigma, shares.append)
    assert np.array_equal(found, blurred >= 0.5 - 1e-5)
    assert len(shares) == 8
    pieces, n = ndimage.label(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    assert np.array_equal(without_islands(mask), pieces == sizes.argmax())
    kept = [k for k in range(1, n + 1) if sizes[k] >= 5]
    assert 1 < len(kept) < n
    assert np.array_equal(without_islands(mask, 5), np.isin(pieces, kept))
    assert not without_islands(np.zeros((9, 20, 22), bool)).any()
