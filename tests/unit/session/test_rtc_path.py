"""A viewer's WebRTC connection: made in its turn, whatever the others do."""

import asyncio

import pytest

from blustream_widget.core.protocol import RtcOffer
from blustream_widget.errors import IceFailedError, SignallingError
from blustream_widget.session import rtc_path
from blustream_widget.session.rtc_path import RtcPath
from blustream_widget.transport.turns import Turns

NEVER_S = 60.0


class FakePeer:
    def __init__(self, made, *, on_state, **_options):
        self.on_state = on_state
        made.append(self)

    async def answer(self, sdp):
        return f"answer to {sdp}"

    async def warn_of_relay(self):
        pass

    async def close(self):
        pass


@pytest.fixture
def peers(monkeypatch):
    made = []
    monkeypatch.setattr(
        "blustream_widget.transport.webrtc.RtcPeer", lambda **options: FakePeer(made, **options)
    )
    return made


class Page:
    """Asks for WebRTC, and keeps what it hears."""

    def __init__(self, turns):
        self.answers, self.refusals = [], []
        self.path = RtcPath(
            ice_servers=tuple,
            turns=turns,
            loopback=True,
            send_header=lambda _frame: None,
            on_text=lambda _data: None,
            on_change=lambda _old, _new: None,
            on_keyframe_wanted=lambda: None,
        )

    def offer(self, sdp="offer"):
        self.path.offer(RtcOffer(sdp=sdp), self.answers.append, self.refusals.append)


@pytest.fixture
async def join():
    pages = []

    def make(turns, n):
        pages.extend(Page(turns) for _ in range(n))
        for page in pages[-n:]:
            page.offer()
        return pages[-n:]

    yield make
    for page in pages:
        await page.path.close()


async def idle():
    """Let everything happen that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def eventually(condition):
    """Wait for what happens in a few turns of the loop, and after a thread's."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  several pages' lists: no single event
            await asyncio.sleep(0.001)


def n_answers(pages):
    return sum(len(page.answers) for page in pages)


async def test_of_many_who_join_only_a_few_are_connected_at_the_same_time(peers, join):
    pages = join(Turns(2, NEVER_S), 5)
    await eventually(lambda: n_answers(pages) == 2)
    await idle()
    assert len(peers) == 2
    peers[0].on_state("connected")
    await eventually(lambda: n_answers(pages) == 3)
    peers[1].on_state("closed")
    await eventually(lambda: n_answers(pages) == 4)
    await pages[2].path.close()
    await eventually(lambda: n_answers(pages) == 5)
    assert [page.answers for page in pages] == [["answer to offer"]] * 5


async def test_whoever_cannot_be_reached_does_not_hold_the_others_up(peers, join):
    pages = join(Turns(1, 0.01), 3)
    await eventually(lambda: n_answers(pages) == 3)
    assert len(peers) == 3


async def test_an_offer_that_its_page_has_given_up_is_refused_and_costs_no_turn(
    peers, join, monkeypatch
):
    turns = Turns(1, NEVER_S)
    monkeypatch.setattr(rtc_path, "PATIENCE_S", -1.0)
    (late,) = join(turns, 1)
    await eventually(lambda: late.refusals)
    assert isinstance(late.refusals[0], IceFailedError)
    monkeypatch.setattr(rtc_path, "PATIENCE_S", NEVER_S)
    (page,) = join(turns, 1)
    await eventually(lambda: page.answers)
    assert len(peers) == 1


async def test_of_two_offers_of_one_page_the_newer_is_answered(peers, join):
    first, second = join(Turns(1, NEVER_S), 2)
    await eventually(lambda: first.answers)
    second.offer("newer")
    await first.path.close()
    await eventually(lambda: second.answers)
    await idle()
    assert second.answers == ["answer to newer"]
    assert len(peers) == 2


async def test_an_offer_that_waits_is_given_up_with_its_path(peers, join):
    first, second, third = join(Turns(1, NEVER_S), 3)
    await eventually(lambda: first.answers)
    second.path.drop()
    await first.path.close()
    await eventually(lambda: third.answers)
    assert (second.answers, second.refusals, len(peers)) == ([], [], 2)
    second.offer("again")
    await third.path.close()
    await eventually(lambda: second.answers)
    assert second.answers == ["answer to again"]


@pytest.mark.parametrize("is_waiting", [True, False])
async def test_whoever_comes_to_look_at_another_view_keeps_a_connection_that_is_being_made(
    peers, join, is_waiting
):
    turns = Turns(1 if is_waiting else 2, NEVER_S)
    first, second = join(turns, 2)
    await eventually(lambda: first.answers)
    if not is_waiting:
        await eventually(lambda: second.answers)
    second.path.begin_anew()
    await first.path.close()
    await eventually(lambda: second.answers)
    peers[1].on_state("connected")
    assert second.path.is_connected
    second.path.begin_anew()
    assert second.path.peer is None


async def test_an_offer_that_cannot_be_used_is_refused(peers, join, monkeypatch):
    async def refuses(_self, _sdp):
        raise SignallingError("The offer cannot be used.")

    monkeypatch.setattr(FakePeer, "answer", refuses)
    (page,) = join(Turns(1, NEVER_S), 1)
    await eventually(lambda: page.refusals)
    assert isinstance(page.refusals[0], SignallingError)


async def test_an_offer_that_is_followed_by_another_at_once_is_not_answered(peers, join):
    turns = Turns(2, NEVER_S)
    (page,) = join(turns, 1)
    page.offer("newer")
    await eventually(lambda: page.answers)
    (other,) = join(turns, 1)  # the turn of the older one has ended
    await eventually(lambda: other.answers)
    assert page.answers == ["answer to newer"]
    assert len(peers) == 2
