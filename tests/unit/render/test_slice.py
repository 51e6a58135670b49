"""Drawn slices, pixel by pixel."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core.geometry import place_slice
from blustream_widget.core.palettes import LabelStyle, OwnMap
from blustream_widget.core.state import ViewState
from blustream_widget.errors import RenderError
from blustream_widget.render.colormaps import LEVELS, rgb_table
from blustream_widget.render.palettes import colormap_idx, keep_palette
from blustream_widget.render.slice import SURROUND, SliceRenderer
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import slice_data, volume_info

RAS = (1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0)


def make_state(**fields) -> ViewState:
    base = ViewState(width_px=256, height_px=128, window=1.0, level=0.5, interpolate=False)
    return msgspec.structs.replace(base, **fields)


def draw(values, info, state, *, space="rgb", lod=0, origin=(0, 0)):
    data = slice_data(values, axis=state.axis, lod=lod, origin=origin)
    return SliceRenderer().draw(data, plan_slice(state, info), state, info, space=space)


def expected_rgb(values, info, state):
    """Colour of the voxel at each pixel's centre, straight from the definition; slow."""
    placement = place_slice(
        info,
        state.axis,
        zoom=state.zoom,
        pan=state.pan,
        stretch=state.stretch,
        width_px=state.width_px,
        height_px=state.height_px,
    )
    picture = np.empty((state.height_px, state.width_px, 3), np.uint8)
    picture[:] = SURROUND if info.kind != "medical" else (0, 0, 0)
    table = rgb_table(state.colormap, reverse=state.reverse)
    transposed = placement.plane.column_axis < placement.plane.row_axis
    by_row = values.T if transposed else values
    for y in range(state.height_px):
        for x in range(state.width_px):
            column, row = placement.to_voxel(x + 0.5, y + 0.5)
            column, row = int(np.floor(column + 0.5)), int(np.floor(row + 0.5))
            if not (0 <= column < placement.n_columns and 0 <= row < placement.n_rows):
                continue
            value = by_row[row, column]
            if np.isnan(value):
                continue
            share = (value - (state.level - state.window / 2)) / state.window
            picture[y, x] = table[int(np.clip(np.floor(share * LEVELS), 0, LEVELS - 1))]
    return picture


def random_values(shape, seed=1):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kind", ["generic", "seismic", "medical"])
@pytest.mark.parametrize("view", [{}, {"zoom": 3.3, "pan": (0.31, 0.62)}, {"zoom": 0.4}])
def test_every_pixel_is_the_colour_of_its_voxel(axis, kind, view) -> None:
    info = volume_info((9, 17, 23), kind=kind, affine=RAS if kind == "medical" else None)
    state = make_state(axis=axis, colormap="seismic", width_px=96, height_px=64, **view)
    values = random_values([n for a, n in enumerate(info.shape) if a != axis])
    values[2, 3] = np.nan
    picture = draw(values, info, state)
    assert np.array_equal(picture.pixels, expected_rgb(values, info, state))


def test_flipped_axes_are_drawn_flipped() -> None:
    lps = tuple(-v if i in (0, 5) else v for i, v in enumerate(RAS))
    info = volume_info((8, 8, 8), kind="medical", affine=lps)
    state = make_state(axis=2, width_px=32, height_px=32)
    values = random_values((8, 8))
    assert np.array_equal(draw(values, info, state).pixels, expected_rgb(values, info, state))


def test_part_of_a_slice_is_drawn_where_it_belongs() -> None:
    info = volume_info((4, 64, 64))
    state = make_state(zoom=4.0, pan=(0.3, 0.6), colormap="viridis")
    values = random_values((64, 64))
    view = plan_slice(state, info)
    a0, a1, b0, b1 = view.region
    whole = draw(values, info, state).pixels
    part = draw(values[a0:a1, b0:b1], info, state, origin=(a0, b0)).pixels
    assert np.array_equal(whole, part)


def test_coarse_data_covers_the_same_pixels() -> None:
    info = volume_info((4, 64, 64), n_lods=3)
    state = make_state(colormap="grey", width_px=128, height_px=128)
    values = random_values((16, 16))
    fine = np.repeat(np.repeat(values, 4, axis=0), 4, axis=1)
    coarse = draw(values, info, state, lod=2).pixels
    assert np.array_equal(coarse, draw(fine, info, state).pixels)


def test_the_last_coarse_voxel_is_cut_at_the_end_of_the_slice() -> None:
    info = volume_info((4, 5, 5), n_lods=2)
    state = make_state(width_px=50, height_px=50, colormap="grey")
    values = np.ones((3, 3), np.float32)
    assert (draw(values, info, state, lod=1).pixels == 255).all()
    zoomed_out = draw(values, info, make_state(width_px=100, height_px=100, zoom=0.5), lod=1)
    assert (zoomed_out.pixels[:, :, 0] == 255).sum() == 50 * 50


def test_missing_values_and_surround_have_the_same_colour() -> None:
    info = volume_info((2, 4, 4))
    state = make_state(width_px=64, height_px=32)
    picture = draw(np.full((4, 4), np.nan, np.float32), info, state).pixels
    assert (picture == SURROUND).all()


def test_medical_surround_is_black() -> None:
    info = volume_info((4, 4, 4), kind="medical", affine=RAS)
    picture = draw(np.ones((4, 4), np.float32), info, make_state(axis=2)).pixels
    assert picture[0, 0].tolist() == [0, 0, 0]


def test_a_slice_outside_the_pane_gives_an_empty_picture() -> None:
    info = volume_info((2, 4, 4))
    picture = draw(np.ones((4, 4), np.float32), info, make_state(zoom=8.0, pan=(2.0, 2.0)))
    assert (picture.pixels == SURROUND).all()


def test_labels_ignore_the_window_and_are_never_interpolated() -> None:
    info = volume_info((2, 4, 4), dtype="uint8", is_label=True)
    state = make_state(colormap="labels", interpolate=True, window=1e-3, level=77)
    values = np.arange(16, dtype=np.uint8).reshape(4, 4)
    picture = draw(values, info, state).pixels
    colors = {tuple(c) for c in picture.reshape(-1, 3)}
    assert colors == {tuple(c) for c in rgb_table("labels")[:16]} | {SURROUND}


def decode_bt709(picture):
    """Planes of a 4:2:0 picture as sRGB, float; chroma repeated."""
    height, width = picture.height_px, picture.width_px
    luma = (picture.pixels[:height].astype(float) - 16) / 219
    chroma = picture.pixels[height:].reshape(2, height // 2, width // 2)
    cb, cr = ((np.kron(c, np.ones((2, 2))) - 128) / 224 for c in chroma.astype(float))
    red, blue = luma + 1.5748 * cr, luma + 1.8556 * cb
    green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152
    return np.stack([red, green, blue], axis=-1) * 255


@pytest.mark.parametrize("colormap", ["grey", "seismic", "turbo"])
def test_video_planes_have_the_colours_of_the_map(colormap) -> None:
    info = volume_info((2, 8, 8), kind="seismic")
    state = make_state(colormap=colormap, width_px=256, height_px=128)
    values = random_values((8, 8))
    wanted = draw(values, info, state).pixels.astype(float)
    found = decode_bt709(draw(values, info, state, space="bt709"))
    # Blocks of 32 x 16 pixels: no pixel of chroma lies on an edge.
    assert np.abs(found - wanted).max() < 4


def test_jpeg_planes_are_full_range() -> None:
    info = volume_info((2, 8, 8), kind="seismic")
    picture = draw(np.ones((8, 8), np.float32), info, make_state(), space="jpeg")
    assert picture.pixel_format == "yuvj420p"
    assert (picture.pixels[: picture.height_px] == 255).all()


@pytest.mark.parametrize("zoom", [1.0, 2.5, 20.0, 256.0])
def test_interpolation_is_linear_between_voxel_centres(zoom) -> None:
    info = volume_info((2, 16, 16), kind="seismic")
    state = make_state(interpolate=True, zoom=zoom, pan=(0.5, 0.5), colormap="grey")
    values = np.repeat(np.linspace(0, 1, 16, dtype=np.float32)[:, None], 16, axis=1)
    placement = plan_slice(state, info).placement
    column, _ = placement.to_voxel(np.arange(state.width_px) + 0.5, 0.0)
    wanted = np.clip(column, 0, 15) / 15 * 255
    row = draw(values, info, state).pixels[64, :, 0].astype(float)
    # Half a pixel of rounding where the voxels are small, a level or two everywhere else.
    tolerance = 2.5 + 0.5 * 255 / 15 / (placement.width_px / 16)
    assert np.abs(row - wanted).max() < tolerance


def interpolated_rgb(values, info, state):
    """Colour of the linearly interpolated value at each pixel's centre, and where it is certain."""
    placement = plan_slice(state, info).placement
    x, y = np.arange(state.width_px) + 0.5, np.arange(state.height_px) + 0.5
    columns, rows = placement.to_voxel(x, y)[0], placement.to_voxel(x, y)[1]
    transposed = placement.plane.column_axis < placement.plane.row_axis
    by_row = (values.T if transposed else values).astype(float)
    along = np.array([np.interp(columns, np.arange(by_row.shape[1]), row) for row in by_row])
    sampled = np.array([np.interp(rows, np.arange(len(by_row)), column) for column in along.T]).T
    steps = (sampled - (state.level - state.window / 2)) / state.window * LEVELS
    colors = rgb_table(state.colormap)[np.clip(np.floor(steps), 0, LEVELS - 1).astype(int)]
    outside_x = (columns < -0.5) | (columns >= placement.n_columns - 0.5)
    outside_y = (rows < -0.5) | (rows >= placement.n_rows - 0.5)
    colors[outside_y[:, None] | outside_x[None, :]] = (
        SURROUND if info.kind != "medical" else (0, 0, 0)
    )
    # Single precision may fall on the other side of a step of the table.
    return colors, np.abs(steps - np.rint(steps)) > 2e-3


@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize("kind", ["generic", "seismic", "medical"])
@pytest.mark.parametrize("view", [{}, {"zoom": 3.3, "pan": (0.31, 0.62)}, {"zoom": 40.0}])
def test_a_smooth_still_has_the_colours_of_the_interpolated_values(axis, kind, view) -> None:
    info = volume_info((9, 17, 23), kind=kind, affine=RAS if kind == "medical" else None)
    state = make_state(
        axis=axis, colormap="seismic", interpolate=True, width_px=160, height_px=96, **view
    )
    values = random_values([n for a, n in enumerate(info.shape) if a != axis])
    found = draw(values, info, state).pixels
    wanted, is_certain = interpolated_rgb(values, info, state)
    assert is_certain.mean() > 0.9
    assert np.array_equal(found[is_certain], wanted[is_certain])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float64"])
def test_a_smooth_still_of_any_type_is_interpolated_in_its_values(dtype) -> None:
    info = volume_info((2, 12, 12), dtype=dtype)
    state = make_state(interpolate=True, window=180.0, level=100.0, colormap="turbo")
    values = (random_values((12, 12)) * 200).astype(dtype)
    found = draw(values, info, state).pixels
    wanted, is_certain = interpolated_rgb(values, info, state)
    assert np.array_equal(found[is_certain], wanted[is_certain])


def test_small_voxels_of_a_smooth_still_are_averaged_before_they_are_coloured() -> None:
    info = volume_info((2, 96, 96), kind="seismic")
    state = make_state(interpolate=True, width_px=64, height_px=64, colormap="seismic")
    values = np.indices((96, 96)).sum(axis=0) % 2 * np.float32(1.0)  # a chess board: mean 0.5
    found = draw(values.astype(np.float32), info, state).pixels.astype(int)
    middle = rgb_table("seismic")[LEVELS // 2].astype(int)
    # The mean of the colours would be far from the colour of the mean.
    assert np.abs(found - middle).max() < 60
    flat = draw(np.full((96, 96), 0.5, np.float32), info, state).pixels
    assert (flat == middle).all()


def test_no_data_takes_no_part_in_the_interpolation() -> None:
    info = volume_info((2, 8, 8), kind="seismic")
    state = make_state(interpolate=True, width_px=64, height_px=64)
    values = np.full((8, 8), 0.25, np.float32)
    values[3, 4] = np.nan
    found = draw(values, info, state).pixels
    colors = {tuple(c) for c in found.reshape(-1, 3).tolist()}
    assert colors == {tuple(rgb_table("grey")[LEVELS // 4].tolist()), SURROUND}
    missing = (found == SURROUND).all(axis=2)
    assert 40 <= missing.sum() <= 100  # a voxel has 64 pixels
    assert missing[36, 28]


def test_infinite_values_are_the_ends_of_the_window_and_leave_no_hole() -> None:
    info = volume_info((2, 8, 8), kind="seismic")
    state = make_state(interpolate=True, width_px=64, height_px=64)
    values = np.full((8, 8), 0.5, np.float32)
    values[3, 4], values[6, 6] = np.inf, -np.inf
    found = draw(values, info, state).pixels
    assert not (found == SURROUND).all(axis=2).any()
    assert (found[36, 28] == 255).all()
    assert (found[52, 52] == 0).all()


@pytest.mark.parametrize("zoom", [4.0, 30.0])
def test_video_of_large_voxels_has_the_colours_of_the_values_between_them(zoom) -> None:
    info = volume_info((2, 40, 40), kind="seismic")
    state = make_state(interpolate=True, colormap="seismic", zoom=zoom)
    values = np.zeros((40, 40), np.float32)
    values[20:] = 1.0  # dark blue to dark red, with near white between
    video = decode_bt709(draw(values, info, state, space="bt709"))
    still = draw(values, info, state).pixels.astype(float)
    assert still[64].sum(axis=1).max() > 700
    assert np.abs(video[64] - still[64]).mean() < 8


@pytest.mark.parametrize("stretch", [0.05, 50.0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 300), (3, 300, 1)])
def test_extreme_views_are_drawn(shape, stretch) -> None:
    info = volume_info(shape)
    for axis in range(3):
        for zoom in (0.1, 256.0):
            state = make_state(axis=axis, interpolate=True, zoom=zoom, stretch=stretch)
            values = random_values([n for a, n in enumerate(shape) if a != axis])
            picture = draw(values, info, state, space="bt709")
            assert picture.pixels.shape == (192, 256)


def test_video_pictures_reuse_their_memory_and_stills_do_not() -> None:
    info = volume_info((2, 8, 8))
    state = make_state()
    renderer, view = SliceRenderer(), plan_slice(state, info)
    data = slice_data(random_values((8, 8)))
    first = renderer.draw(data, view, state, info)
    assert np.shares_memory(first.pixels, renderer.draw(data, view, state, info).pixels)
    still = renderer.draw(data, view, state, info, space="rgb")
    other = renderer.draw(data, view, state, info, space="rgb")
    assert not np.shares_memory(still.pixels, other.pixels)


def test_data_of_another_axis_is_refused() -> None:
    info = volume_info((4, 4, 4))
    state = make_state()
    with pytest.raises(RenderError, match="axis 1"):
        SliceRenderer().draw(
            slice_data(random_values((4, 4)), axis=1), plan_slice(state, info), state, info
        )


@pytest.mark.parametrize(
    "view",
    [
        {},
        {"axis": 2, "width_px": 250, "height_px": 130},
        {"zoom": 0.37, "pan": (0.41, 0.57)},
        {"zoom": 2.3, "pan": (0.3, 0.6)},
        {"zoom": 30.0, "pan": (0.3, 0.6)},
    ],
)
def test_smooth_video_shows_what_the_smooth_still_shows(view) -> None:
    info = volume_info((40, 40, 40), kind="seismic")
    state = make_state(colormap="viridis", interpolate=True, **view)
    u = np.linspace(0, 3, 40, dtype=np.float32)
    values = 0.5 + 0.25 * np.sin(u)[:, None] + 0.25 * np.cos(2 * u)[None, :]
    wanted = draw(values, info, state).pixels.astype(float)
    found = decode_bt709(draw(values, info, state, space="bt709"))
    difference = np.abs(found - wanted).max(axis=2)
    # Chroma has half the resolution: it differs at the slice's edge, and by rounding elsewhere.
    assert np.median(difference) < 4
    assert (difference > 24).mean() < 0.05


def test_pictures_leave_nothing_of_the_last_one() -> None:
    info = volume_info((40, 40, 40), kind="seismic")
    renderer = SliceRenderer()
    data = slice_data(random_values((40, 40)))
    small = make_state(colormap="viridis", interpolate=True, zoom=0.43, pan=(0.47, 0.52))
    for state in (make_state(colormap="viridis", interpolate=True), small):
        view = plan_slice(state, info)
        used = renderer.draw(data, view, state, info).pixels.copy()
    fresh = SliceRenderer().draw(data, plan_slice(small, info), small, info).pixels
    assert np.array_equal(used, fresh)


def test_clip_colours_and_no_value_are_exact_at_the_edges_of_the_window() -> None:
    info = volume_info((2, 8, 1))  # axis 1 lies along the columns
    ends = {"below_color": "#00ff00", "above_color": "#ff00ff", "no_value_color": "#ffff00"}
    state = make_state(
        colormap="vik", reverse=True, window=4.0, level=3.0, width_px=256, height_px=64, **ends
    )
    values = np.array([[-np.inf, 0.999, 1.0, 3.0, 5.0, 5.001, np.inf, np.nan]], np.float32)
    picture = draw(values.T, info, state).pixels
    row = picture[32, 16::32].tolist()
    table = rgb_table("vik", reverse=True)
    inside = [table[i].tolist() for i in (0, LEVELS // 2, LEVELS - 1)]
    green, purple, yellow = [0, 255, 0], [255, 0, 255], [255, 255, 0]
    assert row == [green, green, *inside, purple, purple, yellow]
    assert picture[0, 0].tolist() == list(SURROUND)  # around the slice nothing changes
    for dtype in (np.int16, np.uint8):
        whole = draw(np.arange(8, dtype=dtype)[:, None], info, state).pixels[32, 16::32].tolist()
        assert whole[0] == green
        assert whole[6:] == [purple, purple]


def test_one_clip_colour_leaves_the_other_end_to_the_map() -> None:
    info = volume_info((2, 4, 1))
    state = make_state(window=1.0, level=2.0, above_color="#ff0000", width_px=128, height_px=32)
    row = draw(np.arange(4, dtype=np.float32)[:, None], info, state).pixels[16, 16::32].tolist()
    assert row == [[0, 0, 0], [0, 0, 0], rgb_table("grey")[LEVELS // 2].tolist(), [255, 0, 0]]


def test_the_video_of_a_grey_map_shows_clip_colours() -> None:
    info = volume_info((2, 8, 8))
    state = make_state(window=1.0, level=0.5, above_color="#ff0000", width_px=64, height_px=64)
    video = draw(np.full((8, 8), 2.0, np.float32), info, state, space="bt709")
    assert np.abs(decode_bt709(video) - (255, 0, 0)).max() < 4


def test_a_map_of_the_users_is_drawn_exactly() -> None:
    colors = np.random.default_rng(3).integers(0, 256, (LEVELS, 3)).astype(np.uint8)
    palette = OwnMap(name="user-0badcafe", title="", colors=colors.tobytes())
    keep_palette(palette, 140)
    assert colormap_idx(palette.name) == 140
    info = volume_info((2, 32, 32))
    values = np.arange(LEVELS, dtype=np.float32).reshape(32, 32)
    state = make_state(
        colormap=palette.name, window=LEVELS, level=LEVELS / 2, width_px=32, height_px=32
    )
    picture = draw(values.T, info, state).pixels
    assert np.array_equal(picture.reshape(-1, 3), colors)
    flipped = msgspec.structs.replace(state, reverse=True)
    assert np.array_equal(draw(values.T, info, flipped).pixels.reshape(-1, 3), colors[::-1])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_labels_have_the_users_colours_and_only_those(dtype) -> None:
    keep_palette(LabelStyle(name="labels-00000abc", colors={7: "#ff8800", 0: "#101010"}), 0)
    info = volume_info((2, 4, 4), dtype=dtype, is_label=True)
    state = make_state(colormap="labels", label_style="labels-00000abc", width_px=64, height_px=64)
    values = np.arange(16).reshape(4, 4)
    if dtype != "uint8":
        values[3, 3] = 7 + LEVELS - 1  # the same colour as 7, without a style
    picture = draw(values.astype(dtype).T, info, state).pixels
    found = picture[8::16, 8::16].reshape(-1, 3).tolist()
    wanted = rgb_table("labels")[:16].tolist()
    if dtype != "uint8":
        wanted[15] = rgb_table("labels")[7].tolist()
    wanted[7], wanted[0] = [255, 136, 0], [16, 16, 16]
    assert found == wanted


@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("interpolate", [False, True])
def test_a_turned_slice_is_the_turned_picture(axis, rotation, flips, interpolate) -> None:
    info = volume_info((9, 17, 23))
    state = make_state(axis=axis, width_px=96, height_px=96, interpolate=interpolate)
    values = random_values([n for a, n in enumerate(info.shape) if a != axis])
    upright = draw(values, info, state).pixels
    turned = msgspec.structs.replace(state, rotation=rotation, flip_x=flips[0], flip_y=flips[1])
    expected = np.rot90(upright, -rotation // 90)
    expected = expected[:, ::-1] if flips[0] else expected
    expected = expected[::-1] if flips[1] else expected
    found = draw(values, info, turned).pixels
    # Where a pixel's centre lies between two colours, rounding may take the one or the other.
    assert (found != expected).any(-1).mean() < (0.01 if interpolate else 1e-9)
    assert np.abs(found.astype(int) - expected).max() <= (1 if interpolate else 0)
