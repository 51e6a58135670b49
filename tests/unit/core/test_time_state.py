"""The shown step: checked, shared by linked panes, followed by linked views."""

import msgspec
import pytest

from blustream_widget._user_words import patch_of
from blustream_widget.core.layouts import PANE_FIELDS
from blustream_widget.core.linking import Guide
from blustream_widget.core.panes import view_of
from blustream_widget.core.state import check_fields, first_state
from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.view_messages import ViewSync
from blustream_widget.errors import StateError
from blustream_widget.testing.fakes import volume_info


def series(time, shape=(8, 9, 10)):
    return msgspec.structs.replace(volume_info(shape), time=time)


INFO = series(TimeAxis(5, first=10.0, step=2.0, unit="s"))


@pytest.mark.parametrize("step", [-1, 5, 1.5, float("nan"), "2", None, True, 10**12])
def test_a_step_that_there_is_not_is_refused(step):
    with pytest.raises(StateError, match="time_idx"):
        first_state(INFO).with_patch({"time_idx": step}, INFO)
    assert first_state(INFO).with_patch({"time_idx": 4}, INFO).time_idx == 4


def test_a_volume_without_steps_says_so():
    with pytest.raises(StateError, match="one step in time alone"):
        first_state(volume_info((8, 9, 10))).with_patch({"time_idx": 1}, volume_info((8, 9, 10)))
    check_fields({"time_idx": 700})  # before the volume is open, nobody knows


def test_another_step_is_another_picture():
    state = first_state(INFO)
    assert not state.looks_like(state.with_patch({"time_idx": 1}, INFO))


@pytest.mark.parametrize(("time", "step"), [(10.0, 0), (13.1, 2), (18.9, 4), (9.0, 0)])
def test_a_time_is_the_nearest_step(time, step):
    assert patch_of("time", time, INFO, first_state(INFO)) == {"time_idx": step}


@pytest.mark.parametrize("time", [8.9, 19.1, float("nan")])
def test_a_time_outside_of_the_series_is_refused(time):
    with pytest.raises(StateError):
        patch_of("time", time, INFO, first_state(INFO))


def test_linked_panes_share_the_step_and_others_have_their_own():
    state = first_state(INFO).with_patch({"layout": "orthogonal"}, INFO)
    state = state.with_patch({"time_idx": 3}, INFO)
    assert {pane.time_idx for pane in state.panes} == {3}
    state = state.with_patch({"linked": False}, INFO).with_patch({"time_idx": 1}, INFO)
    assert [view_of(state, n).time_idx for n in range(3)] == [1, 3, 3]


def test_linked_views_follow_by_time():
    other = series(TimeAxis(3, first=10.0, step=4.0, unit="s"))
    guide = Guide(INFO, other, ("time",))
    before = first_state(INFO)
    now = before.with_patch({"time_idx": 4}, INFO)
    assert guide.patch(before, now, first_state(other)) == {"time_idx": 2}
    assert guide.patch(now, now.with_patch({"window": 3.0}, INFO), first_state(other)) == {}


@pytest.mark.parametrize("time", [None, TimeAxis(4, unit="ms")])
def test_times_that_have_nothing_in_common_cannot_be_linked(time):
    with pytest.raises(StateError, match="time"):
        Guide(INFO, series(time), ("time",))


def test_every_field_of_a_pane_can_be_changed_by_a_viewer():
    known = {field.name for field in msgspec.structs.fields(ViewSync)}
    assert set(PANE_FIELDS) <= known
