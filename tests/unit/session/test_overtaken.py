"""A page that dialled past a connection that hung: what comes late by the old one."""

from __future__ import annotations

import pytest
from tests.unit.session.sharing_kit import says
from tests.unit.viewer_kit import INFO

from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.testing.stubs import StubChannel


@pytest.fixture
def shown(session):
    session.view.info = INFO
    return session


def comes(session, page):
    return session.join(StubChannel(), p.Hello(token="", page=page), role="owner")


def moves(viewer, seq, slice_idx):
    says(viewer, vm.ChangeSlice(seq=seq, slice_idx=slice_idx))


async def test_what_was_held_up_on_the_old_connection_moves_nothing(shown):
    old = comes(shown, "a")
    moves(old, 1, 24)
    new = comes(shown, "a")
    moves(new, 3, 30)
    moves(old, 2, 26)  # said before the network broke, there after it
    assert shown.state.slice_idx[0] == 30
    moves(new, 4, 31)
    assert shown.state.slice_idx[0] == 31


async def test_a_connection_that_outlives_the_newer_one_counts_again(shown):
    old, new = comes(shown, "a"), comes(shown, "a")
    await shown.leave(new)
    moves(old, 1, 26)
    assert shown.state.slice_idx[0] == 26


@pytest.mark.parametrize("pages", [("a", "b"), ("", "")], ids=["others", "of another version"])
async def test_other_pages_of_the_same_person_go_on(shown, pages):
    one, two = (comes(shown, page) for page in pages)
    moves(two, 1, 30)
    moves(one, 1, 26)
    assert shown.state.slice_idx[0] == 26


async def test_what_else_was_said_is_not_lost(shown):
    old, _ = comes(shown, "a"), comes(shown, "a")
    says(old, sm.Say(text="One moment."))
    assert [line.text for chat in shown.sharing._chat.history for line in chat.lines] == [
        "One moment."
    ]
