"""Labels over drawn slices, pixel by pixel, against the documented formula."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core.alignment import SAME_GRID, Alignment
from blustream_widget.core.colormaps import LABEL_PERIOD
from blustream_widget.core.palettes import LabelStyle
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.render.colormaps import rgb_table
from blustream_widget.render.layers import Overlay, plan_labels
from blustream_widget.render.palettes import keep_palette
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import slice_data, volume_info

SHAPE = (9, 17, 23)
RAS = (1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0)
VIEWS = ({}, {"zoom": 3.3, "pan": (0.31, 0.62)}, {"zoom": 0.4})


class Drawing:
    """A random volume with random labels over it, drawn with and without them."""

    def __init__(self, axis=0, kind="generic", alignment=SAME_GRID, labels_shape=SHAPE, **view):
        rng = np.random.default_rng(3)
        affine = RAS if kind == "medical" else None
        self.info = volume_info(SHAPE, kind=kind, affine=affine)
        self.label_info = volume_info(labels_shape, kind=kind, dtype="uint8", is_label=True)
        self.labels = rng.integers(0, 4, labels_shape, dtype=np.uint8)
        self.state = ViewState(axis=axis, slice_idx=(4, 8, 11), width_px=96, height_px=64, **view)
        self.state = msgspec.structs.replace(self.state, interpolate=False, colormap="seismic")
        self.alignment = alignment
        self.view = plan_slice(self.state, self.info)
        values = rng.random([n for a, n in enumerate(SHAPE) if a != axis], dtype=np.float32)
        self.data = slice_data(values, axis=axis)

    def draw(self, *looks, space="rgb"):
        overlays = []
        for look in looks:
            view = plan_labels(self.view, self.alignment, self.label_info, 0)
            if view is None:
                continue
            a0, a1, b0, b1 = view.region
            plane = self.labels.take(view.slice_idx, axis=view.axis)[a0:a1, b0:b1]
            data = slice_data(plane, axis=view.axis, origin=(a0, b0))
            overlays.append(Overlay(view, data, look))
        picture = SliceRenderer().draw(
            self.data, self.view, self.state, self.info, space=space, overlays=tuple(overlays)
        )
        return picture.pixels.astype(int)

    def label_pixels(self):
        """Label at the centre of each pixel, straight from the definition; slow."""
        placement, plane = self.view.placement, self.view.placement.plane
        found = np.zeros((self.state.height_px, self.state.width_px), int)
        for y, x in np.ndindex(found.shape):
            column, row = placement.to_voxel(x + 0.5, y + 0.5)
            if not (-0.5 <= column < placement.n_columns - 0.5):
                continue
            if not (-0.5 <= row < placement.n_rows - 0.5):
                continue
            here = [0.0, 0.0, 0.0]
            here[plane.normal] = self.state.slice_idx[plane.normal]
            here[plane.column_axis], here[plane.row_axis] = column, row
            there = [0, 0, 0]
            for axis in range(3):
                index = self.alignment.there(axis, here[axis])
                there[self.alignment.axes[axis]] = int(np.floor(index + 0.5))
            inside = zip(there, self.labels.shape, strict=True)
            if all(0 <= index < n for index, n in inside):
                found[y, x] = self.labels[tuple(there)]
        return found


def blended(base, labels, opacity, colors=None):
    """`(base * (256 - a) + colour * a + 128) >> 8`, `a` = opacity (of each pixel) in 256ths."""
    alpha = np.rint(np.multiply(opacity, 256)).astype(int)
    alpha = alpha if alpha.ndim == 0 else alpha[..., None]
    table = rgb_table("labels", reverse=False).astype(int) if colors is None else colors
    mixed = (base * (256 - alpha) + table[labels] * alpha + 128) >> 8
    return np.where(labels[..., None] > 0, mixed, base)


def outline_of(labels, drawn):
    """Pixels with another label beside them, or where the slice ends; none at the pane's edge."""
    padded = np.pad(np.where(drawn, labels, 0), 1, mode="edge")
    beside = (padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1])
    return (labels > 0) & np.any([other != labels for other in beside], axis=0)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kind", ["generic", "medical"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_fill_is_the_label_colour_blended_into_the_base_colour(axis, kind, view) -> None:
    drawing = Drawing(axis, kind, **view)
    labels = drawing.label_pixels()
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    pixels = drawing.draw(SegmentationLook(name="a", opacity=0.3))
    assert np.array_equal(pixels, blended(drawing.draw(), labels, 0.3))


@pytest.mark.parametrize("view", VIEWS)
def test_an_outline_is_one_pixel_inside_each_label_on_the_voxels_edges(view) -> None:
    drawing = Drawing(**view)
    labels = drawing.label_pixels()
    edges = outline_of(labels, np.ones_like(labels, bool))
    expected = blended(drawing.draw(), np.where(edges, labels, 0), 1.0)
    pixels = drawing.draw(SegmentationLook(name="a", style="outline", opacity=1.0))
    assert edges.any()
    assert not edges.all()
    assert np.array_equal(pixels, expected)


def test_an_outline_beside_a_fill_is_opaque() -> None:
    drawing = Drawing(zoom=3.3)
    labels = drawing.label_pixels()
    edges = outline_of(labels, np.ones_like(labels, bool))
    filled = blended(drawing.draw(), labels, 0.25)
    expected = blended(filled, np.where(edges, labels, 0), 1.0)
    pixels = drawing.draw(SegmentationLook(name="a", style="both", opacity=0.25))
    assert np.array_equal(pixels, expected)


ALIGNMENTS = {
    "finer": (Alignment((0, 1, 2), (2.0, 2.0, 2.0), (0.5, 0.5, 0.5)), (18, 34, 46)),
    "coarser, shifted": (Alignment((0, 1, 2), (0.5, 0.5, 0.4), (-1.0, 0.3, 0.0)), (5, 9, 12)),
    "mirrored": (Alignment((0, 1, 2), (1.0, -1.0, 1.0), (0.0, 16.0, 0.0)), SHAPE),
    "other order": (Alignment((2, 0, 1), (1.0, 1.0, -1.0), (0.0, 0.0, 22.0)), (17, 23, 9)),
    "a part": (Alignment((0, 1, 2), (1.0, 1.0, 1.0), (-2.0, -5.0, -6.0)), (5, 6, 7)),
    "larger": (Alignment((0, 1, 2), (1.0, 1.0, 1.0), (3.0, 4.0, 5.0)), (20, 30, 40)),
}


@pytest.mark.parametrize("grid", ALIGNMENTS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_labels_of_another_grid_lie_where_the_world_has_them(grid, axis) -> None:
    alignment, shape = ALIGNMENTS[grid]
    drawing = Drawing(axis, "medical", alignment, shape, zoom=1.7, pan=(0.4, 0.6))
    labels = drawing.label_pixels()
    assert labels.any()
    pixels = drawing.draw(SegmentationLook(name="a", opacity=0.5))
    assert np.array_equal(pixels, blended(drawing.draw(), labels, 0.5))


def test_a_slice_beyond_the_labels_has_none() -> None:
    drawing = Drawing(0, "generic", Alignment(offset=(-7.0, 0.0, 0.0)), (2, 17, 23))
    assert plan_labels(drawing.view, drawing.alignment, drawing.label_info, 0) is None


def test_hidden_labels_and_colours_of_the_users() -> None:
    style = LabelStyle(name="labels-0000abcd", colors={2: "#102030"})
    keep_palette(style, 0)
    drawing = Drawing(zoom=2.0)
    labels = drawing.label_pixels()
    colors = rgb_table("labels", reverse=False).astype(int).copy()
    colors[2] = (16, 32, 48)
    look = SegmentationLook(name="a", opacity=0.6, label_style=style.name, hidden=(1,))
    labels = np.where(labels == 1, 0, labels)
    assert np.array_equal(drawing.draw(look), blended(drawing.draw(), labels, 0.6, colors))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32"])
def test_labels_begin_with_another_colour(dtype) -> None:
    style = LabelStyle(name="labels-0000abcf", colors={2: "#102030"})
    keep_palette(style, 0)
    drawing = Drawing(zoom=2.0)
    labels = drawing.label_pixels()
    drawing.labels = drawing.labels.astype(dtype)
    usual = rgb_table("labels").astype(int)
    colors = np.stack([usual[0], usual[LABEL_PERIOD], (16, 32, 48), usual[2]])
    look = SegmentationLook(
        name="a", opacity=0.6, label_style=style.name, first_color=LABEL_PERIOD - 1
    )
    expected = blended(drawing.draw(), labels, 0.6, colors)
    assert np.array_equal(drawing.draw(look), expected)
    # A label with an opacity of its own has an entry of its own, and the same colour.
    factors = {1: 0.5, 3: 0.25}
    expected = blended(drawing.draw(), labels, 0.6 * np.array([1, 0.5, 1, 0.25])[labels], colors)
    look = msgspec.structs.replace(look, opacities=factors)
    assert np.array_equal(drawing.draw(look), expected)


FACTORS = {1: 0.5, 3: 0.0}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32"])
@pytest.mark.parametrize("has_colors", [False, True])
@pytest.mark.parametrize("style", ["fill", "outline", "both"])
def test_labels_have_opacities_of_their_own(dtype, has_colors, style) -> None:
    style_of_2 = LabelStyle(name="labels-0000abce", colors={2: "#102030", 3: "#ffffff"})
    keep_palette(style_of_2, 0)
    drawing = Drawing(zoom=3.3)
    labels = drawing.label_pixels()
    drawing.labels = drawing.labels.astype(dtype)
    colors = rgb_table("labels", reverse=False).astype(int).copy()
    if has_colors:
        colors[2] = (16, 32, 48)
    name = style_of_2.name if has_colors else ""
    look = SegmentationLook(name="a", opacity=0.6, style=style, opacities=FACTORS, label_style=name)
    factor = np.array([1.0, 0.5, 1.0, 0.0])[labels]
    edges = outline_of(labels, np.ones_like(labels, bool))
    edged = np.where(edges, labels, 0)
    expected = drawing.draw()
    if style != "outline":
        expected = blended(expected, labels, 0.6 * factor, colors)
    if style != "fill":
        strength = factor if style == "both" else 0.6 * factor
        expected = blended(expected, edged, strength, colors)
    assert np.array_equal(drawing.draw(look), expected)


@pytest.mark.parametrize("style", ["fill", "outline"])
def test_labels_of_one_colour_have_opacities_of_their_own(style) -> None:
    drawing = Drawing(zoom=2.0)
    labels = drawing.label_pixels()
    drawing.labels = drawing.labels.astype(np.int32)
    drawing.labels[drawing.labels == 3] = LABEL_PERIOD + 1  # which has the colour of 1
    look = SegmentationLook(name="a", opacity=1.0, style=style, opacities={LABEL_PERIOD + 1: 0.25})
    factor = np.array([1.0, 1.0, 1.0, 0.25])[labels]
    drawn = labels
    if style == "outline":
        drawn = np.where(outline_of(labels, np.ones_like(labels, bool)), labels, 0)
    expected = blended(drawing.draw(), np.where(drawn == 3, 1, drawn), factor)
    assert np.array_equal(drawing.draw(look), expected)


def test_of_two_outlines_in_four_pixels_the_stronger_gives_the_chroma() -> None:
    drawing = Drawing(zoom=3.3)
    labels = drawing.label_pixels()
    one, other = (
        SegmentationLook(name="a", style="outline", opacity=1.0, opacities=opacities)
        for opacities in ({1: 0.0, 2: 0.0}, {1: 0.0, 2: 0.01})
    )
    edges = outline_of(labels, np.ones_like(labels, bool))
    is_mixed = [
        (edges & (labels == label)).reshape(32, 2, 48, 2).any(axis=(1, 3)) for label in (2, 3)
    ]
    chroma, beside = (drawing.draw(look, space="bt709")[64:] for look in (one, other))
    change = np.abs(chroma - beside).reshape(2, 32, 48).max(axis=0)
    assert (is_mixed[0] & is_mixed[1]).any()
    assert change.max() <= 2  # of a hundredth: the colour of label 2 would be far off


def test_of_two_segmentations_the_later_lies_on_top() -> None:
    drawing = Drawing(zoom=2.0)
    labels = drawing.label_pixels()
    first = SegmentationLook(name="a", opacity=0.5, hidden=(3,))
    second = SegmentationLook(name="b", opacity=0.75, hidden=(1,))
    below = blended(drawing.draw(), np.where(labels == 3, 0, labels), 0.5)
    expected = blended(below, np.where(labels == 1, 0, labels), 0.75)
    assert np.array_equal(drawing.draw(first, second), expected)


@pytest.mark.parametrize("style", ["fill", "outline", "both"])
def test_the_video_has_the_same_picture_in_its_own_colours(style) -> None:
    drawing = Drawing(zoom=3.3)
    look = SegmentationLook(name="a", style=style, opacity=0.5)
    luma = drawing.draw(look, space="bt709")[:64]
    red, green, blue = np.moveaxis(drawing.draw(look), 2, 0)
    expected = 16 + 219 / 255 * (0.2126 * red + 0.7152 * green + 0.0722 * blue)
    assert np.abs(luma - expected).max() < 2.1  # each of three steps rounds


def test_the_chroma_of_an_outline_has_its_share_of_four_pixels() -> None:
    drawing = Drawing(zoom=3.3)
    look = SegmentationLook(name="a", style="outline", opacity=1.0)
    without, chroma = drawing.draw(space="bt709")[64:], drawing.draw(look, space="bt709")[64:]
    labels = drawing.label_pixels()
    edges = outline_of(labels, np.ones_like(labels, bool))
    share = edges.reshape(32, 2, 48, 2).mean(axis=(1, 3))
    changed = (without.reshape(2, 32, 48) != chroma.reshape(2, 32, 48)).any(axis=0)
    assert not changed[share == 0].any()
    assert changed[share > 0].mean() > 0.9  # colours can be the same by chance
