"""What people of a shared view are told of each other: names, pointers, lines, calls, a record."""

from __future__ import annotations

import time

import msgspec
import pytest
from tests.unit.session.sharing_kit import (
    BOX,
    CODE,
    come_again,
    enter,
    owner_of,
    says,
    share,
    tell_people,
)

from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation_messages import EditAnnotations, PutItem
from blustream_widget.core.call_messages import Call, CallLeft, JoinCall
from blustream_widget.core.sharing import COLORS, OWNER_ID
from blustream_widget.session.audit import AUDIT_LOG, MAX_RECORDS, Audit
from blustream_widget.session.chat import ChatLog
from blustream_widget.session.crowd import CROWD
from blustream_widget.session.sharing import TELL_INTERVAL_S
from blustream_widget.testing.samples import SAMPLES
from blustream_widget.testing.stubs import StubChannel


async def test_a_session_that_is_not_shared_tells_its_pages_nothing_of_it(session):
    viewer, channel = owner_of(session)
    says(viewer, sm.Point(voxel=(1, 2, 3)))
    tell_people(session)
    assert channel.got(sm.People) == []


async def test_everybody_hears_who_is_here_and_only_the_owner_by_which_links(session, kernel):
    _, owners = owner_of(session)
    share(session)
    viewer, guests = enter(session)
    tell_people(session)
    for channel, you, n_links in ((owners, OWNER_ID, 1), (guests, viewer.person, 0)):
        people = channel.got(sm.People)[-1]
        assert [person.name for person in people.people] == ["Owner", "Mei Tan"]
        assert (people.you, len(people.links)) == (you, n_links)
    assert [person.name for person in kernel.last().people] == ["Owner", "Mei Tan"]
    assert (kernel.last().links[0].n_joined, kernel.last().links[0].is_open) == (1, True)


async def test_two_connections_of_a_person_are_one_person(session, kernel):
    share(session)
    viewer, _ = enter(session)
    second, _ = come_again(session, viewer.person)
    tell_people(session)
    assert len(kernel.last().people) == 1
    await session.leave(viewer)
    tell_people(session)
    assert len(kernel.last().people) == 1
    await session.leave(second)
    tell_people(session)
    assert kernel.last().people == ()


async def test_nothing_is_told_twice(session, kernel):
    share(session)
    enter(session)
    tell_people(session)
    n = len(kernel.heard)
    assert session.sharing._send_people() is False
    assert len(kernel.heard) == n


async def test_pointers_go_to_the_others_and_change_no_state(session):
    _, owners = owner_of(session)
    share(session)
    viewer, own = enter(session)
    before = session.state
    says(viewer, sm.Point(voxel=(1.5, 2.0, 3.0)))
    says(viewer, sm.Point(voxel=(2.5, 2.0, 3.0)))  # waits for the next round
    (pointers,) = owners.got(sm.Pointers)
    assert pointers.places == (sm.PointerPlace(viewer.person, (1.5, 2.0, 3.0)),)
    assert own.got(sm.Pointers) == []
    assert session.state is before
    await session.leave(viewer)
    session.sharing._pointers._tell.close()
    session.sharing._pointers._send()
    assert owners.got(sm.Pointers)[-1].places == (sm.PointerPlace(viewer.person, None),)


def crowd(session, n):
    """Let so many people in, each with a connection."""
    share(session, max_viewers=n)
    return [enter(session, f"Guest {i}") for i in range(n)]


async def test_in_a_crowd_a_guest_hears_of_some_by_name_and_how_many_there_are(session, kernel):
    _, owners = owner_of(session)
    guests = crowd(session, CROWD + 20)
    says(guests[-1][0], sm.Control(action="ask"))
    for _, channel in guests:
        channel.messages.clear()
    tell_people(session)
    n_people = CROWD + 21
    assert len(owners.got(sm.People)[-1].people) == len(kernel.last().people) == n_people
    for viewer, channel in guests:
        told = channel.got(sm.People)[-1]
        assert (len(told.people), told.more) == (CROWD, n_people - CROWD)
        assert {viewer.person, guests[-1][0].person} < {person.id for person in told.people}
        assert told.people[0].role == "owner"
        assert {person.transport for person in told.people} == {""}


async def test_in_a_crowd_guests_hear_nothing_of_latencies(session):
    _, owners = owner_of(session)
    guests = crowd(session, CROWD)
    tell_people(session)
    n_told = [len(channel.got(sm.People)) for _, channel in guests]
    n_owner = len(owners.got(sm.People))
    report = next(sample for sample in SAMPLES if isinstance(sample, p.Report))
    says(guests[3][0], msgspec.structs.replace(report, latency_ms=80.0))
    tell_people(session)
    assert [len(channel.got(sm.People)) for _, channel in guests] == n_told
    assert len(owners.got(sm.People)) == n_owner + 1
    await session.leave(guests[5][0])
    tell_people(session)
    now = [len(channel.got(sm.People)) for _, channel in guests[:5]]
    assert now == [n + 1 for n in n_told[:5]]


async def test_the_more_people_the_rarer_they_are_told(session):
    owner_of(session)
    crowd(session, 3 * CROWD - 1)
    tell_people(session)
    assert session.sharing._tell.interval_s == pytest.approx(3 * TELL_INTERVAL_S)


async def test_in_a_crowd_who_may_only_look_has_no_pointer(session):
    owner, owners = owner_of(session)
    guests = crowd(session, CROWD)
    says(guests[0][0], sm.Point(voxel=(1.0, 2.0, 3.0)))
    says(owner, sm.Point(voxel=(4.0, 2.0, 3.0)))
    assert owners.got(sm.Pointers) == []
    (told,) = guests[1][1].got(sm.Pointers)
    assert told.places == (sm.PointerPlace(owner.person, (4.0, 2.0, 3.0)),)


async def test_a_recording_gets_pointers_also_of_a_view_that_is_not_shared(session, monkeypatch):
    noted = []
    monkeypatch.setattr(session.recording, "saw_pointers", lambda *told: noted.append(told))
    owner, owners = owner_of(session)
    says(owner, sm.Point(voxel=(1.5, 2.0, 3.0)))
    ((places, people),) = noted
    assert tuple(places) == (sm.PointerPlace(owner.person, (1.5, 2.0, 3.0)),)
    assert [(person.id, person.name) for person in people] == [(owner.person, owner.name)]
    assert owners.got(sm.Pointers) == []


LINE = sm.Drawing("line", ((1, 2, 3), (1, 5, 6)), 0)


async def test_what_is_drawn_goes_to_the_others_until_it_is_not(session):
    _, owners = owner_of(session)
    share(session, role="annotator")
    viewer, _ = enter(session)
    says(viewer, sm.Point(voxel=None, drawing=LINE))  # by a finger, which is nowhere between taps
    (told,) = owners.got(sm.Pointers)
    assert told.places == (sm.PointerPlace(viewer.person, None, LINE),)
    says(viewer, sm.Point(voxel=None))
    session.sharing._pointers._tell.close()
    session.sharing._pointers._send()
    assert owners.got(sm.Pointers)[-1].places == (sm.PointerPlace(viewer.person, None),)
    assert session.annotations.items == ()


async def test_who_may_not_draw_is_not_seen_to_draw(session):
    _, owners = owner_of(session)
    share(session, role="viewer")
    viewer, _ = enter(session)
    says(viewer, sm.Point(voxel=(1.0, 2.0, 3.0), drawing=LINE))
    (told,) = owners.got(sm.Pointers)
    assert told.places == (sm.PointerPlace(viewer.person, (1.0, 2.0, 3.0)),)


async def test_lines_go_to_everybody_and_to_who_comes_later(session):
    owner, owners = owner_of(session)
    share(session)
    viewer, guests = enter(session)
    says(viewer, sm.Say(text="<b>look</b>\u202e  here"))
    says(viewer, sm.Say(text=" \n "))
    says(owner, sm.Say(text="yes"))
    _, later = enter(session, "Ravi")
    for channel in (owners, guests, later):
        lines = [line for chat in channel.got(sm.Chat) for line in chat.lines]
        assert [(line.name, line.text) for line in lines] == [
            ("Mei Tan", "<b>look</b> here"),
            ("Owner", "yes"),
        ]


async def test_who_comes_hears_what_was_said_before_they_hear_who_they_are(session):
    share(session)
    viewer, _ = enter(session)
    for _ in range(3):
        says(viewer, sm.Say(text="before"))
    _, later = enter(session, "Ravi")
    tell_people(session)
    kinds = [type(m) for m in later.messages if isinstance(m, (sm.Chat, sm.People))]
    assert kinds == [sm.Chat, sm.People]  # a page takes for news what comes after


async def test_who_writes_too_quickly_is_told_so(session):
    share(session)
    viewer, channel = enter(session)
    for _ in range(30):
        says(viewer, sm.Say(text="again"))
    assert "share" in channel.codes()
    assert len(channel.got(sm.Chat)) < 30


def test_the_chat_keeps_the_newest_lines():
    log = ChatLog()
    for n in range(1, sm.MAX_CHAT_LINES + 11):
        log.say("owner", "Owner", f"line {n}")
    lines = [line for chat in log.history for line in chat.lines]
    assert (len(lines), lines[0].n, lines[-1].text) == (sm.MAX_CHAT_LINES, 11, "line 210")


def luminance(color):
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("color", COLORS)
def test_white_letters_can_be_read_on_the_colour_of_a_person(color):
    assert 1.05 / (luminance(color) + 0.05) >= 4.5


# -------------------------------------------------- the record


async def test_the_record_says_who_did_what_and_holds_no_secret(session, kernel, caplog):
    caplog.set_level("INFO", logger="blustream_widget")
    share(session, role="editor")
    viewer, _ = enter(session)
    for seq in range(1, 4):
        says(viewer, vm.ChangeSlice(seq=seq, slice_idx=seq))
    await session.leave(viewer)
    tell_people(session)
    records = [r for m in kernel.heard if isinstance(m, ls.Shared) for r in m.audit]
    assert [(r.what, r.name, r.role) for r in records] == [
        ("shared", "Owner", "owner"),
        ("joined", "Mei Tan", "editor"),
        ("drove", "Mei Tan", "editor"),
        ("left", "Mei Tan", "editor"),
    ]
    assert CODE not in caplog.text + repr(records)
    logged = [r.getMessage() for r in caplog.records if r.name != AUDIT_LOG.name]
    assert "Mei" not in str(logged)


def test_the_record_is_bounded_and_told_from_where_it_was():
    audit = Audit("f" * 32, lambda: None)
    for n in range(MAX_RECORDS + 5):
        audit.note("joined", "x", "X", "viewer", str(n))
    assert len(audit.records) == MAX_RECORDS
    assert [r.detail for r in audit.newest(MAX_RECORDS + 3)] == ["1003", "1004"]
    assert audit.newest(MAX_RECORDS + 5) == ()


async def test_overlays_blink_again_when_the_last_one_who_wants_calm_has_left(session):
    owner_of(session)
    assert session._demand._may_blink()
    calm = [
        session.join(StubChannel(), p.Hello(token="", calm=True), role="owner") for _ in range(2)
    ]
    assert not session._demand._may_blink()
    await session.leave(calm[0])
    assert not session._demand._may_blink()
    await session.leave(calm[1])
    assert session._demand._may_blink()


async def test_what_is_taken_out_of_the_view_is_in_the_record(session, kernel):
    share(session)
    viewer, _ = enter(session)
    for _ in range(3):
        says(viewer, sm.Exported(what="saved a picture"))
    note = ls.NoteExport(session=session.id, what="exported CSV", at_ms=1e18)
    session.sharing.receive_from_kernel(note)
    assert session.sharing.audit.records[-1].at_ms <= time.time() * 1000
    session.sharing.recorded(None, on=True)
    records = [(r.what, r.name) for r in session.sharing.audit.records]
    assert records[-3:] == [
        ("saved a picture", "Mei Tan"),
        ("exported CSV", "Owner"),
        ("began a recording", "Owner"),
    ]


async def test_the_owner_has_a_name_that_no_guest_has(session, kernel):
    share(session)
    session.sharing.receive_from_kernel(ls.NameOwner(session=session.id, name="Jonas\u202e Aune"))
    owner, _ = owner_of(session)
    assert (owner.name, owner.author) == ("Jonas Aune", OWNER_ID)
    assert enter(session, "jonas aune")[0].name == "jonas aune 2"
    session.sharing.receive_from_kernel(ls.NameOwner(session=session.id, name="Jonas Aune 2"))
    assert owner.name == "Jonas Aune 2 (owner)"
    session.sharing.receive_from_kernel(ls.NameOwner(session=session.id, name=""))
    assert owner.name == "Owner"


async def test_who_comes_again_can_take_back_what_they_drew_before(session):
    share(session, role="annotator")
    viewer, _ = enter(session)
    says(viewer, EditAnnotations(seq=1, edits=(PutItem(BOX),)))
    await session.leave(viewer)
    again, channel = come_again(session, viewer.person)
    says(again, EditAnnotations(seq=1, edits=(), history="undo"))
    assert channel.codes() == []
    assert session.annotations.find("box") is None


# -------------------------------------------------- calls


def take_part(*viewers):
    for viewer in viewers:
        says(viewer, JoinCall())


async def test_everybody_hears_who_takes_part_and_the_record_knows(session, kernel):
    share(session)
    _, at_owner = owner_of(session)
    guest, at_guest = enter(session)
    says(guest, JoinCall(muted=True))
    tell_people(session)
    assert [(q.in_call, q.muted) for q in kernel.last().people] == [(False, False), (True, True)]
    told = at_owner.got(sm.People)[-1]
    assert told.may_call
    assert [q.in_call for q in told.people] == [False, True]
    assert at_owner.got(Call) == []  # who does not take part hears no more than that
    assert [m.person for m in at_guest.got(Call)[-1].members] == [guest.person]
    assert "joined the call" in [record.what for record in session.sharing.audit.records]


async def test_who_is_removed_is_out_of_the_call_before_anything_else(session):
    share(session)
    owner, at_owner = owner_of(session)
    guest, at_guest = enter(session)
    take_part(owner, guest)
    says(owner, sm.Manage(person=guest.person, action="remove"))
    assert len(at_guest.got(CallLeft)) == 1
    assert [m.person for m in at_owner.got(Call)[-1].members] == [OWNER_ID]
    says(guest, JoinCall())
    assert len(at_owner.got(Call)[-1].members) == 1


async def test_a_call_ends_with_the_sharing(session):
    share(session)
    owner, at_owner = owner_of(session)
    take_part(owner)
    says(owner, sm.StopSharing())
    assert len(at_owner.got(CallLeft)) == 1
    assert session.sharing.call.hears(OWNER_ID) == (False, False, False)


async def test_a_call_ends_with_the_last_link_that_is_over(session, monkeypatch):
    share(session)
    owner, at_owner = owner_of(session)
    guest, at_guest = enter(session)
    take_part(owner, guest)
    later_s = time.monotonic() + 2 * 86_400
    monkeypatch.setattr(session.sharing._guests, "_clock", lambda: later_s)
    session.sharing._expire()
    assert len(at_owner.got(CallLeft)) == len(at_guest.got(CallLeft)) == 1
    assert session.sharing.call.hears(OWNER_ID) == (False, False, False)


async def test_the_owner_says_in_python_who_may_talk(session):
    share(session)
    owner, _ = owner_of(session)
    guest, at_guest = enter(session)
    take_part(owner, guest)
    session.sharing.receive_from_kernel(ls.SetCalls(session=session.id, calls="editors"))
    assert len(at_guest.got(CallLeft)) == 1
    says(guest, JoinCall())
    assert at_guest.codes() == ["call"]
    tell_people(session)
    assert not at_guest.got(sm.People)[-1].may_call
    says(owner, sm.Manage(person=guest.person, action="role", role="editor"))
    take_part(guest)
    assert session.sharing.call.hears(guest.person) == (True, False, False)
    says(owner, sm.Manage(person=guest.person, action="role", role="viewer"))
    assert session.sharing.call.hears(guest.person) == (False, False, False)
    assert session.sharing.call.hears(OWNER_ID) == (True, False, False)
