"""What a kernel asks for while its connection is made anew, or just before it breaks, stays."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest
from tests.unit.link_kit import Kernel

from blustream_widget._relay import Relay
from blustream_widget.core import link_labels as ll
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core.picture_messages import TakePicture
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Capabilities
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((30, 30, 30))


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def of_kind(sent: list[lp.ToServer], *kinds: type) -> list[Any]:
    return [message for message in sent if isinstance(message, kinds)]


def tie_of(a: str, b: str) -> lp.TieViews:
    return lp.TieViews(tie=uuid.uuid4().hex, sessions=(a, b), what=("slice",), aligns=True)


def test_a_tie_told_while_there_is_no_server_aligns_when_there_is_one(kernel):
    a, b = kernel.views(2)
    tie = tie_of(a, b)
    kernel.tie(tie)
    sent = kernel.connect()
    assert of_kind(sent, lp.TieViews) == [tie]
    kinds = [type(message) for message in sent]
    assert kinds.index(lp.TieViews) > max(n for n, k in enumerate(kinds) if k is lp.OpenSession)


def test_a_tie_that_a_killed_server_did_not_take_aligns_in_the_next(kernel):
    a, b = kernel.views(2)
    kernel.connect()
    tie = tie_of(a, b)
    kernel.tie(tie)
    assert of_kind(kernel.sent(), lp.TieViews) == [tie]
    kernel.break_off()
    assert of_kind(kernel.connect(), lp.TieViews) == [tie]


def test_a_tie_that_was_taken_aligns_nobody_again(kernel):
    a, b = kernel.views(2)
    kernel.connect()
    tie = tie_of(a, b)
    kernel.tie(tie)
    kernel.confirm(kernel.sent())
    kernel.break_off()
    again = of_kind(kernel.connect(), lp.TieViews)
    assert again  # another server has to know of it
    assert {message.aligns for message in again} == {False}


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_tie_that_ended_while_there_was_no_server_ends_in_it(kernel, is_taken):
    a, b = kernel.views(2)
    kernel.connect()
    tie = tie_of(a, b)
    kernel.tie(tie)
    sent = kernel.sent()
    if is_taken:
        kernel.confirm(sent)
    kernel.break_off()
    kernel.untie(tie.tie)
    last = of_kind(kernel.connect(), lp.TieViews, lp.UntieViews)[-1]
    assert last == lp.UntieViews(tie=tie.tie)


@pytest.mark.parametrize("is_connected", [False, True])
def test_what_is_set_before_a_tie_is_told_before_it_and_the_rest_after(kernel, is_connected):
    a, b = kernel.views(2)
    if is_connected:
        kernel.connect()
    kernel.patch(b, {"slice_idx": 5}, 1)
    kernel.tie(tie_of(a, b))
    kernel.patch(b, {"zoom": 2.0}, 2)
    kernel.patch(b, {"slice_idx": 7}, 3)
    sent = kernel.sent() if is_connected else kernel.connect()
    told = of_kind(sent, lp.TieViews, lp.PatchState)
    of_b = [m for m in told if isinstance(m, lp.TieViews) or m.session == b]
    assert [getattr(message, "patch", "tie") for message in of_b] == [
        {"slice_idx": 5},
        "tie",
        {"zoom": 2.0, "slice_idx": 7},
    ]
    assert [of_b[0].seq, of_b[2].seq] == [1, 3]


ORDERS = {
    "refresh": lambda kernel, s: kernel.refresh(s),
    "refresh labels": lambda kernel, s: kernel.order(ll.RefreshSegmentation(s, "salt")),
    "remove labels": lambda kernel, s: kernel.remove_segmentation(s, "salt"),
    "remove a guest": lambda kernel, s: kernel.order(ls.ManagePerson(s, "0" * 16, "remove")),
    "end sharing": lambda kernel, s: kernel.order(ls.StopSharing(s)),
    "calls": lambda kernel, s: kernel.order(ls.SetCalls(s, "nobody")),
    "cancel an edit": lambda kernel, s: kernel.order(ll.CancelEdit(s, 3)),
    "cancel a picture": lambda kernel, s: kernel.order(TakePicture(s, 3, cancel=True)),
}


def done(sent: list[lp.ToServer]) -> list[lp.ToServer]:
    others = (lp.OpenSession, lp.PatchState, lp.Confirm)
    return [message for message in sent if not isinstance(message, others)]


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_an_order_is_told_until_a_server_has_taken_it(kernel, order):
    (session,) = kernel.views(1)
    order(kernel, session)  # there is no server
    order(kernel, session)
    (told,) = done(kernel.connect())
    assert told.session == session
    kernel.break_off()  # before it was taken
    sent = kernel.connect()
    assert done(sent) == [told]
    kernel.confirm(sent)
    kernel.break_off()
    assert done(kernel.connect()) == []


def test_each_export_is_told_until_a_server_has_taken_it(kernel):
    (session,) = kernel.views(1)
    note = ls.NoteExport(session, "saved a picture", 1.0)
    for _ in range(2):
        kernel.order(note)
    assert done(kernel.connect()) == [note, note]
    kernel.break_off()
    sent = kernel.connect()
    assert done(sent) == [note, note]
    kernel.confirm(sent)
    kernel.break_off()
    assert done(kernel.connect()) == []


def test_an_order_has_the_same_number_each_time_and_no_other_has_it(kernel):
    (session,) = kernel.views(1)
    kernel.connect()
    kernel.refresh(session)
    kernel.order(ls.StopSharing(session))
    first = orders_of(kernel.sent_texts())
    kernel.break_off()
    kernel.connect_only()
    assert orders_of(kernel.sent_texts()) == first
    assert [order.n for order in first] == [1, 2]
    other = Kernel()
    other.refresh(*other.views(1))
    other.connect_only()
    assert orders_of(other.sent_texts())[0].kernel != first[0].kernel


def orders_of(texts: list[str]) -> list[lp.Order]:
    return of_kind([lp.to_server_decoder.decode(text) for text in texts], lp.Order)


def test_a_confirmation_counts_for_what_came_before_it_alone(kernel):
    (session,) = kernel.views(1)
    kernel.connect()
    kernel.refresh(session)
    sent = kernel.sent()
    kernel.order(ls.StopSharing(session))
    kernel.sent()
    kernel.confirm(sent)
    kernel.break_off()
    assert done(kernel.connect()) == [ls.StopSharing(session)]


def test_nothing_is_told_of_a_session_that_was_closed_meanwhile(kernel):
    a, b, c = kernel.views(3)
    kernel.connect()
    kernel.break_off()
    kernel.refresh(a)
    pair, three = tie_of(a, b), msgspec.structs.replace(tie_of(a, b), sessions=(a, b, c))
    kernel.tie(pair)
    kernel.tie(three)
    kernel.close_session(a)
    sent = kernel.connect()
    assert of_kind(sent, lp.RefreshVolume) == []
    assert [message.sessions for message in of_kind(sent, lp.TieViews)] == [(b, c)]


def test_a_page_that_wants_the_comm_while_there_is_no_server_is_sent_away(kernel):
    (session,) = kernel.views(1)
    channel = kernel.new_channel(session)
    kernel.open_relay(channel)
    assert kernel.listener.relayed == [(channel, "")]
    kernel.relay(channel, "hello")
    assert of_kind(kernel.connect(), lp.RelayOpen) == []
    assert of_kind(kernel.sent(), lp.RelayOpen) == []
    second = kernel.new_channel(session)
    kernel.open_relay(second)
    assert [message.channel for message in of_kind(kernel.sent(), lp.RelayOpen)] == [second]


def test_the_page_hears_that_it_is_sent_away_however_soon(kernel):
    (session,) = kernel.views(1)
    said: list[dict[str, Any]] = []
    relay = Relay(kernel, session, lambda content, _buffers=None: said.append(content))
    kernel.listener.on_relay = relay.on_server
    relay.on_browser({"kind": "relay-open", "channel": "page"})
    assert said == [{"kind": "relay-close", "channel": "page"}]
    relay.on_browser({"kind": "relay", "channel": "page", "text": "hello"})
    assert of_kind(kernel.connect(), lp.RelayOpen, lp.RelayText) == []


def mirror(session: str, seq: int) -> lp.Mirror:
    return lp.Mirror(session=session, state=ViewState(), seq=seq)


def test_changes_that_are_confirmed_late_are_told_again_as_few(kernel):
    (session,) = kernel.views(1)
    kernel.connect()
    kernel.hear(lp.VolumeOpened(session, INFO, ViewState(), Capabilities()))
    for seq in range(1, 101):
        kernel.patch(session, {"slice_idx": seq % 30, "window": float(seq)}, seq)
        kernel.sent()
    kernel.hear(mirror(session, 60))
    assert len(kernel._sessions[session]._changes) == 40
    kernel.break_off()
    (patch,) = of_kind(kernel.connect(), lp.PatchState)
    assert (patch.patch, patch.seq) == ({"slice_idx": 10, "window": 100.0}, 100)
    kernel.hear(mirror(session, 100))
    kernel.break_off()
    (patch,) = of_kind(kernel.connect(), lp.PatchState)
    assert (patch.patch, patch.seq) == ({}, 100)  # the number alone: older states are old


def test_a_change_on_its_way_and_one_that_waits_keep_their_order(kernel):
    (session,) = kernel.views(1)
    kernel.connect()
    kernel.patch(session, {"slice_idx": 13}, 1)
    kernel.sent()
    kernel.patch(session, {"axis": 2}, 2)
    kernel.patch(session, {"slice_idx": 4}, 3)
    kernel.break_off()
    patches = of_kind(kernel.connect(), lp.PatchState)
    told = [(one.patch, one.seq) for one in patches]
    assert told == [({"slice_idx": 13}, 1), ({"axis": 2, "slice_idx": 4}, 3)]
