"""Views that follow each other: no echo, chains, and ends."""

from __future__ import annotations

import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.state import first_state
from blustream_widget.session.ties import Ties
from blustream_widget.testing.fakes import volume_info

FINE = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
COARSE = (3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1)


class View:
    """A session without viewers and worker."""

    def __init__(self, ties: Ties, name: str, affine=FINE, shape=(30, 30, 30)) -> None:
        self.id, self.ties = name, ties
        self.info = volume_info(shape, kind="medical", affine=affine)
        self.state = first_state(self.info)
        self.followed: list[dict] = []

    def follow(self, patch) -> None:
        if patch:
            self.followed.append(patch)
            self.state = self.state.with_patch(patch, self.info)

    def lead(self, **patch) -> None:
        before = self.state
        self.state = before.with_patch(patch, self.info)
        self.ties.led(self, before)


@pytest.fixture
def ties() -> Ties:
    found: dict[str, View] = {}
    made = Ties(found.get)
    made.views = found
    return made


def views(ties: Ties, *names: str, coarse: str = "") -> list[View]:
    for name in names:
        size, shape = (COARSE, (10, 10, 10)) if name == coarse else (FINE, (30, 30, 30))
        ties.views[name] = View(ties, name, size, shape)
    return [ties.views[name] for name in names]


def tie(ties: Ties, name: str, *members: View, what=("slice",), aligns=False) -> None:
    sessions = tuple(view.id for view in members)
    ties.tie(lp.TieViews(tie=name, sessions=sessions, what=what, aligns=aligns))


def test_a_coarser_follower_does_not_drag_its_leader_back(ties):
    fine, coarse = views(ties, "fine", "coarse", coarse="coarse")
    tie(ties, "t", fine, coarse)
    for position in range(14, 20):
        fine.lead(slice_idx=(position, 15, 15))
        assert fine.state.slice_idx[0] == position
    assert fine.followed == []
    assert coarse.state.slice_idx[0] == 6
    coarse.lead(slice_idx=(2, 5, 5))
    assert fine.state.slice_idx[0] == 6


def test_out_of_range_clamps_and_leaves_the_leader_where_it_is(ties):
    long, short = views(ties, "long", "short")
    short.info = volume_info((8, 30, 30), kind="medical", affine=FINE)
    short.state = first_state(short.info)
    tie(ties, "t", long, short)
    long.lead(slice_idx=(25, 15, 15))
    assert (long.state.slice_idx[0], short.state.slice_idx[0]) == (25, 7)


def test_all_three_follow_whoever_moves(ties):
    a, b, c = views(ties, "a", "b", "c")
    tie(ties, "t", a, b, c)
    for mover, at in ((a, 3), (c, 9), (b, 21)):
        mover.lead(slice_idx=(at, 15, 15))
        assert {view.state.slice_idx[0] for view in (a, b, c)} == {at}


def test_a_chain_leads_on_in_what_each_tie_has_in_common(ties):
    a, b, c = views(ties, "a", "b", "c")
    tie(ties, "ab", a, b, what=("slice", "window"))
    tie(ties, "bc", b, c, what=("slice",))
    a.lead(slice_idx=(4, 15, 15), window=0.25)
    assert c.state.slice_idx[0] == 4
    assert (b.state.window, c.state.window) == (0.25, 1.0)
    c.lead(slice_idx=(5, 15, 15))
    assert a.state.slice_idx[0] == 5


def test_a_ring_comes_to_rest(ties):
    a, b, c = views(ties, "a", "b", "c", coarse="b")
    tie(ties, "ab", a, b)
    tie(ties, "bc", b, c)
    tie(ties, "ca", c, a)
    a.lead(slice_idx=(10, 15, 15))
    assert [len(view.followed) for view in (a, b, c)] == [0, 1, 1]
    assert c.state.slice_idx[0] == 10  # by its own tie with the leader, not through the coarse one


def test_two_ties_of_the_same_views_both_lead(ties):
    a, b = views(ties, "a", "b")
    tie(ties, "places", a, b)
    tie(ties, "colours", a, b, what=("window",))
    a.lead(slice_idx=(4, 15, 15), window=0.25)
    assert (b.state.slice_idx[0], b.state.window) == (4, 0.25)


def test_the_first_leads_at_once_if_asked_to(ties):
    a, b = views(ties, "a", "b")
    a.state = a.state.with_patch({"slice_idx": (1, 2, 3)}, a.info)
    tie(ties, "t", a, b, aligns=True)
    assert b.state.slice_idx == (1, 2, 3)


def test_untied_and_ended_views_go_their_own_ways(ties):
    a, b, c = views(ties, "a", "b", "c")
    tie(ties, "t", a, b, c)
    del ties.views["b"]
    ties.forget("b")
    a.lead(slice_idx=(4, 15, 15))
    assert (b.state.slice_idx[0], c.state.slice_idx[0]) == (15, 4)
    ties.untie("t")
    a.lead(slice_idx=(5, 15, 15))
    assert c.state.slice_idx[0] == 4


def test_a_view_whose_volume_is_not_open_catches_up_when_it_is(ties):
    a, b = views(ties, "a", "b")
    info, b.info = b.info, None
    tie(ties, "t", a, b)
    a.lead(slice_idx=(4, 15, 15))
    assert b.followed == []
    b.info = info
    ties.opened(b)
    ties.opened(b)
    assert b.followed == [{"slice_idx": (4, 15, 15)}]


@pytest.mark.parametrize("names", ["ab", "ba", "a", "b"])
def test_a_tie_of_views_that_are_not_open_yet_aligns_them_when_both_are(ties, names):
    a, b = views(ties, "a", "b")
    a.state = a.state.with_patch({"slice_idx": (1, 2, 3)}, a.info)
    info, opening = a.info, [ties.views[name] for name in names]
    for view in opening:
        view.info = None
    tie(ties, "t", a, b, aligns=True)
    assert b.followed == []
    for view in opening:
        view.info = info
        ties.opened(view)
    assert b.state.slice_idx == (1, 2, 3)
    assert a.followed == []
    ties.opened(a)  # once: somebody may have moved since
    assert len(b.followed) == 1


def test_who_misses_a_leader_that_is_not_open_is_led_by_whoever_moves_until_then(ties):
    a, b, c = views(ties, "a", "b", "c")
    info, a.info = a.info, None
    tie(ties, "t", a, b, c, aligns=True)
    b.lead(slice_idx=(7, 15, 15))
    assert c.state.slice_idx[0] == 7
    a.info = info
    ties.opened(a)
    assert {view.state.slice_idx[0] for view in (a, b, c)} == {7}
