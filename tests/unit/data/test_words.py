"""What the user says of a volume wins: names, spacing, and where it lies in the world."""

import numpy as np
import pytest

from blustream_widget.core.alignment import Alignment, align
from blustream_widget.core.types import VolumeRef
from blustream_widget.data.memory_info import array_info, describe_channel
from blustream_widget.data.words import with_user_words
from blustream_widget.errors import ConfigError
from blustream_widget.source_arg import checked_affine

# Axis 0 to the feet in 3 mm, axis 1 to the back in 1 mm, axis 2 to the left in 0.5 mm.
SCANNER = np.array([[0, 0, -0.5, 20], [0, -1, 0, 30], [-3, 0, 0, 40], [0, 0, 0, 1]])


def described(shape, **words):
    info = array_info(shape, (describe_channel(np.zeros((2, 2, 2)), name="v", unit=""),))
    if "affine" in words:
        words["affine"] = checked_affine(words["affine"])
    return with_user_words(info, VolumeRef(url="a", **words))


def test_an_array_with_an_affine_lies_in_a_patient():
    info = described((5, 6, 7), affine=SCANNER)
    assert (info.kind, info.world_unit) == ("medical", "mm")
    assert [axis.name for axis in info.axes] == ["axial", "coronal", "sagittal"]
    assert [axis.spacing for axis in info.axes] == [3, 1, 0.5]
    assert [(axis.first, axis.step) for axis in info.axes] == [(40, -3), (30, -1), (20, -0.5)]
    assert info.affine == tuple(SCANNER.ravel().tolist())


def test_another_kind_keeps_its_names_and_unit():
    info = described((5, 6, 7), affine=SCANNER, kind="generic", axis_names=("a", "b", "c"))
    assert (info.kind, info.world_unit) == ("generic", "")
    assert [axis.name for axis in info.axes] == ["a", "b", "c"]
    assert [axis.spacing for axis in info.axes] == [3, 1, 0.5]


def test_a_survey_s_samples_have_the_number_that_the_affine_gives_them():
    survey = [[0, 12.5, 0, 4e5], [25, 0, 0, 6e6], [0, 0, 4, 800], [0, 0, 0, 1]]
    info = described((5, 6, 7), affine=survey, kind="seismic")
    assert [axis.spacing for axis in info.axes] == [25, 12.5, 4]
    assert (info.axes[2].first, info.axes[2].step) == (800, 4)
    assert info.axes[0].name == "inline"


def test_arrays_of_two_grids_meet_by_their_affines():
    shown = described((5, 6, 7), affine=SCANNER)
    # Half the resolution along axes 1 and 2, whose voxels begin where those of the other do.
    coarse = SCANNER @ np.diag([1, 2, 2, 1.0])
    coarse[:3, 3] = (SCANNER @ [0, 0.5, 0.5, 1])[:3]
    found = align(shown, described((5, 3, 4), affine=coarse))
    assert found == Alignment((0, 1, 2), (1.0, 0.5, 0.5), (0.0, -0.25, -0.25))


@pytest.mark.parametrize(
    "affine",
    [
        np.eye(3),
        np.zeros((4, 4)),
        np.full((4, 4), np.nan),
        np.diag([1.0, 1, 0, 1]),
        np.diag([1.0, 1, 1, 2]),
        "abc",
        5,
        [[1, 2], [3]],
    ],
)
def test_a_matrix_that_leads_nowhere_is_refused(affine):
    with pytest.raises(ConfigError, match="affine"):
        checked_affine(affine)
