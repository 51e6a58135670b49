"""A part of a slice's colours drawn by itself: as if all had been drawn."""

from __future__ import annotations

import numpy as np

from blustream_widget.render.scale import PackedScaler
from blustream_widget.render.scale_part import draw_part
from blustream_widget.render.span import find_span

BYTE_OF = (2, 1, 0)


def any_span(rng, pane_px, n_voxels):
    """A slice that fills the pane, or begins in it, or is zoomed."""
    begin_px, size_px = 0.0, float(pane_px)
    if rng.random() < 0.7:
        begin_px, size_px = rng.uniform(-0.5, 0.4) * pane_px, rng.uniform(0.5, 1.6) * pane_px
    return find_span(
        pane_px=pane_px,
        slice_begin_px=begin_px,
        slice_px=size_px,
        n_voxels=n_voxels,
        is_flipped=False,
        lod=0,
        origin=0,
        n_data=n_voxels,
    )


def any_range(rng, n):
    first = int(rng.integers(0, n))
    return slice(first, int(rng.integers(first + 1, n + 1)))


def planes(width, height):
    half = (height // 2, width // 2)
    return tuple(np.full(shape, 9, np.uint8) for shape in ((height, width), half, half))


def test_a_part_is_drawn_as_the_whole_would_be_to_within_a_level() -> None:
    rng = np.random.default_rng(6)
    n_exact = n_pixels = 0
    for _ in range(60):
        width, height = (int(n) * 2 for n in rng.integers(30, 110, 2))
        columns = any_span(rng, width, int(rng.integers(15, 400)))
        rows = any_span(rng, height, int(rng.integers(15, 400)))
        colors = rng.integers(0, 1 << 24, (rows.count, columns.count)).astype(np.uint32)
        if rng.random() < 0.5:
            colors = np.ascontiguousarray(colors.T).T
        scaler = PackedScaler()
        found, wanted = planes(width, height), planes(width, height)
        scaler.draw(colors, found, columns=columns, rows=rows)
        box = any_range(rng, rows.count), any_range(rng, columns.count)
        colors[box] = rng.integers(0, 1 << 24, colors[box].shape)
        draw_part(colors, found, BYTE_OF, columns=columns, rows=rows, box=box)
        scaler.draw(colors, wanted, columns=columns, rows=rows)
        for one, other in zip(found, wanted, strict=True):
            apart = np.abs(one.astype(int) - other)
            # swscale leaves out the smallest weights, of the outermost voxels too.
            assert apart.max() <= 4
            assert (apart > 1).mean() < 0.005
            n_exact += int((apart == 0).sum())
            n_pixels += apart.size
    assert n_exact > 0.8 * n_pixels
