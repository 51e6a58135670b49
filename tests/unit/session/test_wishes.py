"""What is asked of a view before its volume is open."""

from __future__ import annotations

import pytest

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import first_state
from blustream_widget.errors import StateError
from blustream_widget.session.wishes import EarlyWishes
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((16, 24, 32))


@pytest.fixture
def opened() -> wp.Opened:
    return wp.Opened(info=INFO, state=first_state(INFO))


def test_an_index_belongs_to_the_axis_of_its_moment(opened):
    wishes, refused = EarlyWishes(lambda _patch: None), []
    wishes.of_kernel += [{"slice_idx": 13}, {"axis": 2}, {"slice_idx": 31}]
    state = wishes.apply(opened, refused.append)
    assert (state.axis, state.slice_idx) == (2, (13, 12, 31))
    assert (refused, wishes.of_kernel) == ([], [])


def test_one_that_does_not_fit_takes_no_other_with_it(opened):
    wishes, refused = EarlyWishes(lambda _patch: None), []
    wishes.of_kernel += [{"slice_idx": 99}, {"zoom": 2.0}]
    state = wishes.apply(opened, refused.append)
    assert (state.slice_idx, state.zoom) == (opened.state.slice_idx, 2.0)
    assert [type(error) for error in refused] == [StateError]
