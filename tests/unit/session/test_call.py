"""A call's room: who gets a seat, who is told what, and how much one page may send."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from blustream_widget.core import call_messages as cm
from blustream_widget.core import protocol as p
from blustream_widget.core.message_types import MessageType
from blustream_widget.errors import CallError, ProtocolError
from blustream_widget.session import call
from blustream_widget.session.call import CallRate, CallRoom

OFFER = cm.Description(kind="offer", sdp="v=0\r\n")


class Page:
    """One connection of a person."""

    def __init__(self, person, role="viewer"):
        self.person, self.role = person, role
        self.call_rate = CallRate()
        self.told = []

    def send(self, message):
        self.told.append(message)

    def got(self, kind):
        return [message for message in self.told if isinstance(message, kind)]

    @property
    def seat(self):
        return self.got(cm.Call)[-1].seat

    @property
    def others(self):
        return [m.person for m in self.got(cm.Call)[-1].members if m.seat != self.seat]


@pytest.fixture
async def room():
    made = CallRoom(is_on=True, on_change=lambda: None, note=lambda *_: None)
    yield made
    made.close()


def joined(room, *people):
    pages = [Page(person) for person in people]
    for page in pages:
        room.receive(page, cm.JoinCall())
    return pages


def tell(room, page, seat, signal=OFFER):
    room.receive(page, cm.CallSignal(seat=seat, signal=signal))


async def test_signals_go_to_the_one_that_they_are_for_and_name_their_sender(room):
    ann, ben, cat = joined(room, "ann", "ben", "cat")
    tell(room, ann, ben.seat)
    assert ben.got(cm.CallSignalled) == [cm.CallSignalled(seat=ann.seat, signal=OFFER)]
    assert cat.got(cm.CallSignalled) == ann.got(cm.CallSignalled) == []


async def test_nothing_reaches_or_comes_from_who_did_not_join(room):
    ann, ben = joined(room, "ann", "ben")
    seat = ben.seat
    eve = Page("eve")
    tell(room, eve, ann.seat)
    room.receive(ben, cm.LeaveCall())
    tell(room, ann, seat)
    tell(room, ann, ann.seat)
    tell(room, ben, ann.seat)
    assert ann.got(cm.CallSignalled) == ben.got(cm.CallSignalled) == eve.told == []
    assert ann.others == []


async def test_a_seventh_person_gets_a_clear_word_and_a_place_that_becomes_free(room):
    pages = joined(room, *"abcdef")
    late = Page("late")
    with pytest.raises(CallError, match="takes 6 people"):
        room.receive(late, cm.JoinCall())
    room.receive(pages[0], cm.LeaveCall())
    room.receive(late, cm.JoinCall())
    assert late.others == list("bcdef")


async def test_a_person_talks_from_one_page_even_in_a_full_call(room):
    pages = joined(room, *"abcdef")
    again = Page("a")
    room.receive(again, cm.JoinCall())
    assert again.others == list("bcdef")
    assert len(pages[0].got(cm.CallLeft)) == 1
    assert again.seat != pages[0].seat


async def test_who_comes_back_goes_on_in_the_seat_they_had(room):
    ann, ben = joined(room, "ann", "ben")
    seat = ann.seat
    room.left(ann)
    assert ben.others == ["ann"]
    tell(room, ben, seat)  # nobody is there to hear it
    back = Page("ann")
    room.receive(back, cm.JoinCall(seat=seat, muted=True))
    room.left(ann)
    assert back.seat == seat
    assert [m.muted for m in ben.got(cm.Call)[-1].members] == [True, False]


async def test_a_seat_is_nobody_elses(room):
    ann, _ben = joined(room, "ann", "ben")
    eve = Page("eve")
    room.receive(eve, cm.JoinCall(seat=ann.seat))
    assert eve.seat != ann.seat
    assert sorted(eve.others) == ["ann", "ben"]


async def test_who_does_not_come_back_is_gone(monkeypatch):
    changed = asyncio.Event()
    room = CallRoom(is_on=True, on_change=changed.set, note=lambda *_: None)
    ann, ben = joined(room, "ann", "ben")
    changed.clear()
    monkeypatch.setattr(call, "AWAY_S", 0.0)
    room.left(ann)
    await asyncio.wait_for(changed.wait(), timeout=10)
    assert ben.others == []


async def test_where_calls_are_switched_off_nobody_may_take_part():
    room = CallRoom(is_on=False, on_change=lambda: None, note=lambda *_: None)
    room.allow("everyone")
    with pytest.raises(CallError):
        room.receive(Page("ann", "owner"), cm.JoinCall())


def send_often(room, page, n, message):
    for _ in range(n):
        room.receive(page, message)


async def test_a_page_that_sends_too_much_is_not_passed_on(room):
    ann, ben = joined(room, "ann", "ben")
    large = cm.Description(kind="offer", sdp="v=0" + "x" * (cm.SDP_CHARS - 3))
    small = cm.Candidate(candidate="")
    too_many = {
        cm.CallSignal(seat=ben.seat, signal=large): 20,
        cm.CallSignal(seat=ben.seat, signal=small): int(call.SIGNALS_BURST) + 10,
        cm.CallSound(muted=True): int(call.CHANGES_BURST) + 10,
    }
    for message, n in too_many.items():
        with pytest.raises(CallError, match="too much"):
            send_often(room, ann, n, message)
    signals = [told.signal for told in ben.got(cm.CallSignalled)]
    assert signals.count(large) * cm.SDP_CHARS <= call.CHARS_BURST
    assert len(signals) < call.SIGNALS_BURST + 10
    room.receive(ann, cm.LeaveCall())  # that is always taken
    assert ben.others == []


@pytest.mark.parametrize(
    "signal",
    [
        {"type": "sdp", "kind": "offer", "sdp": "v=0" + "x" * cm.SDP_CHARS},
        {"type": "sdp", "kind": "rollback", "sdp": "v=0"},
        {"type": "sdp", "kind": "offer", "sdp": "<script>"},
        {"type": "ice", "candidate": "x" * 1025},
        {"type": "ice", "candidate": "", "more": 1},
        {"type": "html"},
    ],
)
def test_the_decoder_refuses_what_no_browser_says(signal):
    message = {"type": int(MessageType.CALL_SIGNAL), "seat": "0" * 16, "signal": signal}
    with pytest.raises(ProtocolError):
        p.decode_viewer(msgspec.json.encode(message))


def test_the_longest_description_of_lines_like_a_browsers_fits_into_a_message():
    sdp = "v=0\r\n" + "a=candidate of some sixty characters, as lines mostly are\r\n" * 900
    signal = cm.Description(kind="offer", sdp=sdp[: cm.SDP_CHARS])
    message = cm.CallSignal(seat="0" * 16, signal=signal)
    assert p.decode_viewer(p.encode(message)) == message
