"""What is asked of a view before its volume is open."""

from __future__ import annotations

import pytest

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import first_state
from blustream_widget.errors import StateError
from blustream_widget.session import wishes as wishes_module
from blustream_widget.session.wishes import EarlyWishes
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((16, 24, 32))


@pytest.fixture
def opened() -> wp.Opened:
    return wp.Opened(info=INFO, state=first_state(INFO))


def test_an_index_belongs_to_the_axis_of_its_moment(opened):
    wishes, refused = EarlyWishes(lambda _patch: None), []
    for patch in ({"slice_idx": 13}, {"axis": 2}, {"slice_idx": 31}):
        wishes.by_kernel(patch)
    state = wishes.apply(opened, refused.append)
    assert (state.axis, state.slice_idx) == (2, (13, 12, 31))
    assert refused == []
    assert not wishes


def test_one_that_does_not_fit_takes_no_other_with_it(opened):
    wishes, refused = EarlyWishes(lambda _patch: None), []
    for patch in ({"slice_idx": 99}, {"zoom": 2.0}):
        wishes.by_kernel(patch)
    state = wishes.apply(opened, refused.append)
    assert (state.slice_idx, state.zoom) == (opened.state.slice_idx, 2.0)
    assert [type(error) for error in refused] == [StateError]


@pytest.mark.parametrize(("last", "shown"), [("kernel", 3), ("page", 5)])
def test_who_asked_last_is_obeyed(opened, last, shown):
    wishes = EarlyWishes(lambda _patch: None)
    if last == "page":
        wishes.by_kernel({"slice_idx": 3})
    for idx in (9, 7, 5):
        wishes.by_page({"axis": 0, "slice_idx": idx})
    if last == "kernel":
        wishes.by_kernel({"slice_idx": 3})
    wishes.by_page({"width_px": 640, "height_px": 480})
    assert wishes.pane == (640, 480)
    state = wishes.apply(opened, pytest.fail)
    assert (state.slice_idx[0], state.width_px) == (shown, 640)


def test_a_page_s_fields_that_do_not_fit_are_left_out(opened):
    wishes = EarlyWishes(lambda _patch: None)
    wishes.by_page({"slice_idx": 99, "zoom": 2.0})
    assert wishes.apply(opened, pytest.fail).zoom == 2.0


def test_what_a_hand_does_for_minutes_is_one_wish_for_an_axis(opened):
    wishes = EarlyWishes(lambda _patch: None)
    for n in range(6000):
        wishes.by_page({"slice_idx": n % 16})
        wishes.by_page({"width_px": 600 + n % 7, "height_px": 480})
        wishes.by_page({"axis": 0, "slice_idx": 3})
    assert len(wishes._wishes) == 2
    state = wishes.apply(opened, pytest.fail)
    assert (state.slice_idx[0], state.width_px) == (3, 600 + 5999 % 7)


def test_an_index_of_a_page_belongs_to_the_axis_of_its_moment(opened):
    wishes = EarlyWishes(lambda _patch: None)
    for patch in ({"slice_idx": 13}, {"axis": 2}, {"zoom": 2.0}, {"slice_idx": 31}, {"axis": 1}):
        wishes.by_page(patch)
    state = wishes.apply(opened, pytest.fail)
    assert (state.axis, state.slice_idx, state.zoom) == (1, (13, 12, 31), 2.0)


def test_so_many_are_kept_and_the_kernel_s_rather_than_a_page_s(opened, monkeypatch):
    monkeypatch.setattr(wishes_module, "MAX_WISHES", 10)
    wishes = EarlyWishes(lambda _patch: None)
    for _ in range(5):
        wishes.by_kernel({"zoom": 2.0})
        wishes.by_kernel({"axis": 1})
    for idx in range(20):
        wishes.by_page({"slice_idx": idx})
        wishes.by_kernel({"axis": 1})
    assert len(wishes._wishes) == 10
    assert wishes.apply(opened, pytest.fail).zoom == opened.state.zoom
