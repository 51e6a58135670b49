"""A replay in a session: who is told of it, who drives it, what of its voices they are given."""

from __future__ import annotations

import pytest
from tests.unit.session.sharing_kit import enter, owner_of, says, share

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core.replay_messages import (
    DriveReplay,
    ReplayAbout,
    ReplayState,
    Said,
    SaidRun,
    WantSaid,
)
from blustream_widget.session.replaying import PIECES_BURST

ABOUT = ReplayAbout("talk.mp4", 600.0, ((0.0, "Beginning"),), (("m", "Mei", "#111111"),))
FIRST = ReplayState(n=3, t=10.0, about=ABOUT)
SOUND = (SaidRun("m", 10.1, (b"\x78one", b"\x78two")),)


def told(channel, kind=ReplayState):
    return channel.got(kind)


def tells(session, status):
    session.outlets.replaying.receive_of_kernel(lp.ReplayStatus(session.id, status))


def answers(session, piece, **fields):
    session.outlets.replaying.receive_of_kernel(
        lp.ReplaySaid(session.id, Said(n=3, piece=piece, **fields))
    )


def wishes(kernel):
    return [m.wish for m in kernel.heard if isinstance(m, lp.WishOfReplay)]


def pass_time(session, seconds):
    desk = session.outlets.replaying
    now_s = desk._clock()
    desk._clock = lambda: now_s + seconds


@pytest.fixture
async def people(session, kernel):
    """The owner and a guest who may look, while something is replayed."""
    share(session)
    owner, guest = owner_of(session), enter(session)
    tells(session, FIRST)
    return owner, guest


async def test_everybody_hears_of_it_and_who_comes_later_hears_all(session, people):
    for _, channel in people:
        assert told(channel) == [FIRST]
    later = ReplayState(n=3, t=12.0, playing=False)
    tells(session, later)
    for _, channel in people:
        assert told(channel)[1:] == [later]
    _, channel = enter(session, "Ben")
    assert told(channel) == [ReplayState(n=3, t=12.0, playing=False, about=ABOUT)]


async def test_its_end_is_told_and_an_old_word_is_not(session, people):
    (_, channel), _ = people
    tells(session, ReplayState(n=4, t=0.0, about=ABOUT))
    tells(session, ReplayState(n=3, t=11.0, over=True))
    assert [(m.n, m.over) for m in told(channel)] == [(3, False), (4, False)]
    tells(session, ReplayState(n=4, t=1.0, over=True))
    assert told(channel)[-1].over
    _, late = enter(session, "Ben")
    assert told(late) == []


async def test_a_kernel_that_is_gone_takes_its_replay_with_it(session, kernel, people):
    session.kernel.detach(kernel)
    for _, channel in people:
        assert [m.over for m in told(channel)] == [False, True]
    _, late = enter(session, "Ben")
    assert told(late) == []
    # It comes again, and counts its replays anew.
    session.attach(kernel)
    tells(session, ReplayState(n=1, t=5.0))
    assert told(late) == []
    tells(session, ReplayState(n=1, t=5.0, about=ABOUT))
    assert told(late)[-1].about == ABOUT


async def test_a_kernel_that_takes_the_place_of_another_tells_all_anew(session, people):
    (_, channel), _ = people
    session.attach(type("Kernel", (), {"tell": lambda *_: None})())
    assert [m.over for m in told(channel)] == [False, True]


async def test_those_who_drive_the_view_drive_it(session, kernel, people):
    (owner, _), (guest, channel) = people
    wish = DriveReplay(n=3, t=20.0, playing=False)
    says(guest, wish)
    assert wishes(kernel) == []
    assert told(channel, p.Error)[-1].code == "not-driver"
    assert "drive the replay" in told(channel, p.Error)[-1].message
    says(owner, wish)
    assert wishes(kernel) == [wish]
    says(owner, DriveReplay(n=2, end=True))  # meant the one before
    guest.guest.role = "editor"
    says(guest, DriveReplay(n=3, end=True))
    assert wishes(kernel)[1:] == [DriveReplay(n=3, end=True)]


async def test_all_are_given_what_is_said_and_the_kernel_is_asked_once(session, kernel, people):
    (owner, first), (guest, second) = people
    for viewer in (owner, guest):
        says(viewer, WantSaid(n=3, piece=5))
    assert wishes(kernel) == [WantSaid(n=3, piece=5)]
    answers(session, 5, runs=SOUND)
    says(owner, WantSaid(n=3, piece=5))
    assert len(wishes(kernel)) == 1
    wanted = Said(n=3, piece=5, runs=SOUND)
    assert (told(first, Said), told(second, Said)) == ([wanted, wanted], [wanted])
    third, channel = enter(session, "Ben")
    answers(session, 6, runs=SOUND)  # which nobody waits for
    assert told(channel, Said) == []
    says(third, WantSaid(n=3, piece=6))
    assert [m.piece for m in told(channel, Said)] == [6]


@pytest.mark.parametrize(
    ("n", "piece"),
    [(3, 11), (3, 250), (2, 5), (3, 2**31)],
    ids=["ahead", "far", "another replay", "behind the end"],
)
async def test_nobody_is_given_what_is_not_replayed_now(session, kernel, people, n, piece):
    _, (guest, channel) = people
    says(guest, WantSaid(n=n, piece=piece))
    assert [bool(m.refused) for m in told(channel, Said)] == [True]
    assert wishes(kernel) == []


async def test_what_is_near_goes_with_the_replay(session, kernel, people):
    _, (guest, channel) = people
    pass_time(session, 1.5)
    says(guest, WantSaid(n=3, piece=10))
    assert wishes(kernel) == [WantSaid(n=3, piece=10)]
    tells(session, ReplayState(n=3, t=12.0))
    says(guest, WantSaid(n=3, piece=11))
    assert wishes(kernel)[1:] == [WantSaid(n=3, piece=11)]
    tells(session, ReplayState(n=3, t=40.0, jumps=1))
    says(guest, WantSaid(n=3, piece=5))
    assert [bool(m.refused) for m in told(channel, Said)] == [True]


@pytest.mark.parametrize(
    "status",
    [
        ReplayState(n=3, t=10.0, waits=True),
        ReplayState(n=3, t=10.0, playing=False),
        ReplayState(n=3, t=10.0, speed=100.0),
        ReplayState(n=3, t=10.0, speed=2.0),
    ],
    ids=["waits for a cell", "stands", "too quick to be heard", "says nothing for long"],
)
async def test_nobody_hears_ahead_of_a_replay_whose_time_stands(session, kernel, people, status):
    _, (guest, channel) = people
    tells(session, status)
    pass_time(session, 300.0)
    says(guest, WantSaid(n=3, piece=15))
    assert [bool(m.refused) for m in told(channel, Said)] == [True]
    assert wishes(kernel) == []


async def test_nobody_asks_more_than_can_be_heard(session, kernel, people):
    _, (guest, channel) = people
    for _ in range(int(PIECES_BURST) + 3):
        says(guest, WantSaid(n=3, piece=5))
    assert 1 <= sum(bool(m.refused) for m in told(channel, Said)) <= 3
    assert len(wishes(kernel)) == 1


async def test_where_nobody_is_heard_nothing_is_given(session, kernel, people):
    _, (guest, channel) = people
    tells(session, ReplayState(n=4, t=0.0, about=ReplayAbout("talk.mp4", 9.0)))
    says(guest, WantSaid(n=4, piece=0))
    assert [bool(m.refused) for m in told(channel, Said)] == [True]
    assert wishes(kernel) == []


async def test_a_refusal_is_passed_on_and_asked_again(session, kernel, people):
    _, (guest, channel) = people
    says(guest, WantSaid(n=3, piece=5))
    answers(session, 5, refused="It cannot be read.")
    says(guest, WantSaid(n=3, piece=5))
    assert told(channel, Said)[0].refused == "It cannot be read."
    assert len(wishes(kernel)) == 2


async def test_the_next_replay_has_its_own_voices(session, kernel, people):
    _, (guest, _) = people
    says(guest, WantSaid(n=3, piece=0))
    answers(session, 0, runs=SOUND)
    tells(session, ReplayState(n=4, t=0.0, about=ABOUT))
    answers(session, 0, runs=SOUND)  # of the one before
    says(guest, WantSaid(n=4, piece=0))
    assert wishes(kernel)[-1] == WantSaid(n=4, piece=0)


async def test_who_left_is_sent_nothing(session, people):
    _, (guest, channel) = people
    says(guest, WantSaid(n=3, piece=5))
    await session.leave(guest)
    answers(session, 5, runs=SOUND)
    assert told(channel, Said) == []
