"""Voxels near lines: the same, found row by row, as if each was asked."""

from __future__ import annotations

import numpy as np
import pytest

from blustream_widget.data.capsules import Capsules

SIDE = 13


def near_of(begin, end, radius2, spacing):
    """Exact, of whole numbers: voxels near a line, and those beside it that rounding decides on."""
    apart = (np.moveaxis(np.indices((SIDE,) * 3), 0, -1) - begin) * spacing
    along = (end - begin) * spacing
    dot, length2 = apart @ along, int(along @ along)
    beyond = apart - along
    from_begin, from_end = (apart**2).sum(-1), (beyond**2).sum(-1)
    is_beside = (dot > 0) & (dot < length2)
    left = (radius2 - from_begin) * length2 + dot**2  # of the squared distance, by length2
    near = np.where(is_beside, left >= 0, np.minimum(from_begin, from_end) <= radius2)
    return near, is_beside & (np.abs(left) < 1e-6)


def boxes_of(begins, ends, reach):
    low = np.clip(np.ceil(np.minimum(begins, ends) - reach), 0, SIDE - 1).astype(np.intp)
    high = np.clip(np.floor(np.maximum(begins, ends) + reach) + 1, low + 1, SIDE).astype(np.intp)
    return low, high


@pytest.mark.parametrize("spacing", [(1, 1, 1), (4, 1, 2)])
def test_whole_numbers_give_exactly_the_voxels_that_are_near(spacing) -> None:
    rng = np.random.default_rng(3)
    spacing = np.array(spacing)
    n_on_the_edge = 0
    for _ in range(150):
        n = rng.integers(1, 4)
        begins = rng.integers(0, SIDE, (n, 3))
        # Points, lines along an axis, and any lines.
        ends = begins + rng.integers(-6, 7, (n, 3)) * (rng.random((n, 3)) < rng.choice([0, 0.4, 1]))
        # The square of the root of 2 is more than 2, that of 3 is less: which of them takes what
        # lies at this distance exactly.
        radius = float(np.sqrt(rng.choice([0, 1, 2, 3, 5, 9, 16, 25])))
        low, high = boxes_of(begins, ends, radius / spacing)
        capsules = Capsules(begins.astype(float), ends.astype(float), radius, spacing)
        block = tuple(map(slice, low.min(axis=0), high.max(axis=0)))
        found = np.zeros((SIDE,) * 3, bool)
        found[block] = capsules.mask(low, high)
        wanted, unsure = np.zeros_like(found), np.zeros_like(found)
        for k in range(n):
            near, may_be = near_of(begins[k], ends[k], radius * radius, spacing)
            box = tuple(map(slice, low[k], high[k]))
            wanted[box] |= near[box]
            unsure |= may_be
        assert np.array_equal(found[~unsure], wanted[~unsure])
        n_on_the_edge += int(unsure.sum())
    assert n_on_the_edge < 2000


@pytest.mark.parametrize("tilt", [0.0, 1e-9, 1e-4, 0.3, 3.0])
def test_any_line_takes_what_is_nearer_than_the_radius_and_nothing_farther(tilt) -> None:
    rng = np.random.default_rng(4)
    spacing = np.array((2.0, 0.5, 1.25))
    places = np.moveaxis(np.indices((SIDE,) * 3), 0, -1)
    for axis in range(3):
        begins = rng.uniform(0, SIDE, (3, 3))
        ends = begins + rng.normal(0, tilt, (3, 3))
        ends[:, axis] += rng.uniform(-9, 9, 3)
        radius = rng.uniform(0.3, 5)
        low, high = boxes_of(begins, ends, radius / spacing)
        found = np.zeros((SIDE,) * 3, bool)
        block = tuple(map(slice, low.min(axis=0), high.max(axis=0)))
        found[block] = Capsules(begins, ends, radius, spacing).mask(low, high)
        nearest = np.full(found.shape, np.inf)
        for begin, end in zip(begins, ends, strict=True):
            apart, along = (places - begin) * spacing, (end - begin) * spacing
            share = np.clip(apart @ along / (along @ along), 0, 1)
            distance = np.linalg.norm(apart - share[..., None] * along, axis=-1)
            nearest = np.minimum(nearest, distance)
        assert found[nearest < radius - 1e-6].all()
        assert not found[nearest > radius + 1e-6].any()
        assert found.any()


def test_more_lines_over_each_other_than_a_byte_counts() -> None:
    begins = np.full((300, 3), 6.0)
    low, high = boxes_of(begins, begins, 2.0)
    found = Capsules(begins, begins, 2.0, np.ones(3)).mask(low, high)
    assert found.sum() == 33
