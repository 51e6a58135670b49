"""The fourth axis: values, names, the nearest step, and which steps of two series meet."""

import numpy as np
import pytest

from blustream_widget.core.time_axis import TimeAxis, step_in, time_axis
from blustream_widget.errors import ConfigError


def test_regular_times_are_kept_as_first_and_step_however_many():
    times = [0.5 + 2.0 * n for n in range(300)]
    axis = time_axis(300, times, "s")
    assert (axis.first, axis.step, axis.values) == (0.5, 2.0, ())
    assert [axis.at(n) for n in range(300)] == pytest.approx(times)


@pytest.mark.parametrize("times", [[], [0.0, 1.0, 2.0, 3.0], [10.0, 11.0, 15.0, 90.0]])
def test_the_nearest_step_is_that_of_argmin(times):
    axis = time_axis(4, times, "s")
    known = np.array([axis.at(n) for n in range(4)])
    for time in np.linspace(known[0] - 3, known[-1] + 3, 301):
        assert axis.nearest(float(time)) == np.abs(known - time).argmin()


def test_a_step_is_called_by_its_name_or_by_its_time_with_its_unit():
    assert time_axis(2, [1.0, 3.5], "s").text(1) == "3.5 s"
    assert TimeAxis(3).text(2) == "2"
    assert TimeAxis(2, names=("2001", "2006")).text(1) == "2006"


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([1.0, 2.0], "2 entries, and the series has 3"),
        ([1.0, float("nan"), 3.0], "NaN"),
        ([1.0, float("inf"), 3.0], "infinite"),
        ([1.0, 3.0, 2.0], "step 2 is at 2, the one before at 3"),
        ([1.0, 1.0, 2.0], "does not rise"),
    ],
)
def test_times_that_cannot_be_are_refused(times, says):
    with pytest.raises(ConfigError, match=says):
        time_axis(3, times)


def test_steps_of_two_series_meet_by_time_in_one_unit():
    fine, coarse = TimeAxis(9, step=0.5, unit="s"), TimeAxis(3, step=2.0, unit="s")
    assert [step_in(fine, coarse, n) for n in range(9)] == [0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_steps_of_two_series_meet_by_name():
    one, other = TimeAxis(2, names=("2001", "2006")), TimeAxis(3, names=("1998", "2006", "2001"))
    assert [step_in(one, other, n) for n in range(2)] == [2, 1]
    assert step_in(other, one, 0) is None


def test_steps_without_a_common_unit_meet_by_number_if_there_are_as_many():
    assert step_in(TimeAxis(4, unit="s"), TimeAxis(4, names=tuple("abcd")), 3) == 3
    assert step_in(TimeAxis(4, unit="s"), TimeAxis(5, unit="ms"), 3) is None
