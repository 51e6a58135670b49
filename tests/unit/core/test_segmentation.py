"""Looks of segmentations as part of the state, and how their grids lie in the volume's."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core.alignment import SAME_GRID, align
from blustream_widget.core.segmentation import (
    MAX_SEGMENTATIONS,
    SegmentationLook,
    free_first_color,
)
from blustream_widget.core.state import ViewState
from blustream_widget.errors import StateError
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((10, 20, 30))
SALT = {"name": "salt"}


def test_looks_are_part_of_the_picture() -> None:
    state = ViewState().with_patch({"segmentations": [SALT]}, INFO)
    assert state.segmentations == (SegmentationLook(name="salt"),)
    hidden = state.with_patch({"segmentations": [{"name": "salt", "hidden": [3, 1, 3]}]}, INFO)
    assert hidden.segmentations[0].hidden == (1, 3)
    assert not hidden.looks_like(state)
    assert not state.with_patch({"show_segmentations": False}, INFO).looks_like(state)


def test_opacities_of_labels_are_kept_where_they_are_not_the_usual_one() -> None:
    patch = {"segmentations": [SALT | {"opacities": {"7": 0, np.int16(3): 0.25, 1: 1.0}}]}
    state = ViewState().with_patch(patch, INFO)
    assert list(state.segmentations[0].opacities.items()) == [(3, 0.25), (7, 0.0)]
    assert not state.looks_like(ViewState().with_patch({"segmentations": [SALT]}, INFO))
    as_text = msgspec.json.encode(state)
    assert msgspec.json.decode(as_text, type=ViewState) == state
    again = msgspec.json.decode(as_text)["segmentations"]  # of plain dicts, whose keys are texts
    assert ViewState().with_patch({"segmentations": again}, INFO).segmentations == (
        state.segmentations
    )


def test_each_segmentation_begins_with_a_colour_that_no_other_begins_with() -> None:
    looks: list[SegmentationLook] = []
    for n in range(MAX_SEGMENTATIONS):
        looks.append(SegmentationLook(name=str(n), first_color=free_first_color(looks)))
    first = [look.first_color for look in looks]
    assert first[0] == 0
    assert len(set(first)) == MAX_SEGMENTATIONS
    del looks[2]  # its colours are the next one's
    assert free_first_color(looks) == first[2]


@pytest.mark.parametrize(
    "looks",
    [
        "salt",
        [{"name": ""}],
        [{"name": "x" * 65}],
        [SALT, SALT],
        [{"opacity": 0.5}],
        [SALT | {"opacity": 1.5}],
        [SALT | {"opacity": float("nan")}],
        [SALT | {"opacity": True}],
        [SALT | {"visible": 1}],
        [SALT | {"style": "dots"}],
        [SALT | {"hidden": [0.5]}],
        [SALT | {"hidden": [2**40]}],
        [SALT | {"hidden": list(range(5000))}],
        [SALT | {"opacities": [0.5]}],
        [SALT | {"opacities": {1: 1.5}}],
        [SALT | {"opacities": {1: -0.1}}],
        [SALT | {"opacities": {1: float("nan")}}],
        [SALT | {"opacities": {1: True}}],
        [SALT | {"opacities": {0.5: 0.5}}],
        [SALT | {"opacities": {"salt": 0.5}}],
        [SALT | {"opacities": {2**40: 0.5}}],
        [SALT | {"opacities": dict.fromkeys(range(5000), 0.5)}],
        [SALT | {"label_style": "red"}],
        [SALT | {"first_color": -1}],
        [SALT | {"first_color": 1023}],
        [SALT | {"first_color": 1.5}],
        [SALT | {"first_color": True}],
        [SALT | {"colour": "red"}],
        [{"name": f"s{n}"} for n in range(MAX_SEGMENTATIONS + 1)],
    ],
)
def test_a_look_that_cannot_be_is_refused_and_changes_nothing(looks) -> None:
    state = ViewState().with_patch({"segmentations": [SALT]}, INFO)
    with pytest.raises(StateError):
        state.with_patch({"segmentations": looks}, INFO)
    assert state.segmentations == (SegmentationLook(name="salt"),)


def medical(shape, matrix):
    affine = tuple(float(v) for v in np.asarray(matrix, float).ravel())
    return volume_info(shape, kind="medical", affine=affine)


def grid(spacing, origin, order=(0, 1, 2), signs=(1, 1, 1)):
    matrix = np.eye(4)
    matrix[:3, :3] = 0
    for axis in range(3):
        matrix[order[axis], axis] = signs[axis] * spacing[axis]
    matrix[:3, 3] = origin
    return matrix


def test_grids_of_one_shape_without_coordinates_are_one_grid() -> None:
    assert align(INFO, volume_info((10, 20, 30), is_label=True)) == SAME_GRID
    with pytest.raises(StateError, match="10 x 20 x 30"):
        align(INFO, volume_info((10, 20, 31)))


def test_grids_in_the_world_are_aligned_by_it() -> None:
    shown = medical((10, 20, 30), grid((1, 1, 1), (-5, -10, -15)))
    other = medical((40, 10, 5), grid((0.5, 2, 3), (-2, 4, -8), (2, 1, 0), (-1, 1, 1)))
    found = align(shown, other)
    here = np.array([3.0, 7.0, 11.0, 1.0])
    world = np.reshape(shown.affine, (4, 4)) @ here
    there = np.linalg.solve(np.reshape(other.affine, (4, 4)), world)[:3]
    for axis in range(3):
        assert found.there(axis, here[axis]) == pytest.approx(there[found.axes[axis]])
        assert found.here(axis, there[found.axes[axis]]) == pytest.approx(here[axis])
    assert sorted(found.axes) == [0, 1, 2]


def test_rounding_in_a_header_is_no_other_grid() -> None:
    shown = medical((10, 20, 30), grid((1, 1, 1), (-5, -10, -15)))
    rounded = medical((10, 20, 30), grid((1, 1, 1), (-5.00001, -10, -15)))
    shifted = medical((10, 20, 30), grid((1, 1, 1), (-5.5, -10, -15)))
    assert align(shown, rounded).is_same_grid
    assert not align(shown, shifted).is_same_grid


@pytest.mark.parametrize("degrees", [1.0, 45.0])
def test_grids_that_are_turned_against_each_other_are_refused(degrees) -> None:
    turn = np.eye(4)
    angle = np.radians(degrees)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    shown = medical((10, 20, 30), grid((1, 1, 1), (0, 0, 0)))
    with pytest.raises(StateError, match="turned against each other"):
        align(shown, medical((10, 20, 30), turn @ grid((1, 1, 1), (0, 0, 0))))


def test_surveys_are_aligned_on_the_map_and_by_their_samples() -> None:
    affine = (10.0, 0, 0, 5000.0, 0, 20.0, 0, 7000.0, 0, 0, 0, 0, 0, 0, 0, 1.0)
    shown = volume_info((100, 80, 50), kind="seismic", affine=affine)
    axes = list(shown.axes)
    axes[2] = msgspec.structs.replace(axes[2], n=20, first=12.0, step=2.0)
    part = msgspec.structs.replace(
        shown,
        axes=(
            msgspec.structs.replace(axes[0], n=30),
            msgspec.structs.replace(axes[1], n=10),
            axes[2],
        ),
        affine=(10.0, 0, 0, 5100.0, 0, 40.0, 0, 7040.0, 0, 0, 0, 0, 0, 0, 0, 1.0),
    )
    found = align(shown, part)
    assert found.axes == (0, 1, 2)
    assert found.scale == pytest.approx((1.0, 0.5, 0.5))
    assert found.offset == pytest.approx((-10.0, -1.0, -6.0))
