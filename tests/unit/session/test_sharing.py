"""Sharing: who may come, what each role may send, and that showing out is at once."""

from __future__ import annotations

from typing import get_args

import pytest
from tests.unit.session.sharing_kit import (
    BOX,
    CODE,
    KEY,
    OTHER_CODE,
    OTHER_KEY,
    Clock,
    come_again,
    enter,
    manage,
    owner_of,
    says,
    share,
    tell_people,
)

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation_messages import EditAnnotations, PutItem
from blustream_widget.core.recording_messages import RecordingState, SetRecording
from blustream_widget.core.sharing import MAX_LINKS, OWNER_ID, ROLES
from blustream_widget.errors import (
    LinkExpiredError,
    LinkFullError,
    NoLinkError,
    RemovedError,
    ShareError,
    SharingEndedError,
)
from blustream_widget.session import access
from blustream_widget.session.guests import Guests
from blustream_widget.testing.samples import SAMPLES

# -------------------------------------------------- every message, every role


def test_the_table_and_the_samples_hold_every_message_of_the_protocol():
    kinds = set(get_args(p.ViewerMessage))
    assert set(access.ALLOWED) == kinds
    assert {type(sample) for sample in SAMPLES} == kinds


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
async def test_a_message_is_refused_exactly_where_the_table_says_so(session, role, sample):
    if role == "owner":
        viewer, channel = owner_of(session)
    else:
        share(session, role=role)
        viewer, channel = enter(session)
    says(viewer, sample)
    refused = "not-driver" in channel.codes()
    assert refused == (role not in access.ALLOWED[type(sample)])


async def test_who_may_not_changes_nothing(session):
    share(session)
    viewer, _ = enter(session)
    before, links = session.state, session.sharing._guests.links
    for sample in SAMPLES:
        says(viewer, sample)
    assert session.state is before
    assert session.annotations.find("box") is None
    assert session.sharing._guests.links == links


def test_an_unknown_role_may_send_nothing():
    assert not any(access.may("", kind) for kind in access.ALLOWED)


# -------------------------------------------------- coming


async def test_a_code_is_taken_as_often_as_the_link_says_and_then_no_more(session):
    share(session, max_viewers=1)
    enter(session)
    with pytest.raises(LinkFullError):
        enter(session)


async def test_a_code_that_was_never_given_leads_nowhere(session):
    share(session)
    with pytest.raises(NoLinkError):
        enter(session, code=OTHER_CODE)


def guests_with_link(**options):
    clock = Clock()
    guests = Guests(clock=clock)
    given = {"role": "viewer", "expires_s": 60.0, "max_viewers": 20} | options
    guests.open_link(KEY, CODE, **given)
    return guests, clock


def test_over_its_time_a_link_lets_nobody_in_and_those_who_came_are_out():
    guests, clock = guests_with_link()
    guest = guests.redeem(CODE, "Mei")
    clock.now_s += 60
    with pytest.raises(LinkExpiredError):
        guests.redeem(CODE, "Ravi")
    with pytest.raises(LinkExpiredError):
        guests.admit(guest.id)
    assert guests.expire() == [guest]
    with pytest.raises(LinkExpiredError):  # it is remembered why
        guests.redeem(CODE, "Ravi")
    assert not guests.is_shared


def test_a_code_is_not_kept():
    guests, _ = guests_with_link()
    assert CODE not in repr([vars(guests), [*guests._links.values()], guests.links])


def test_a_link_cannot_be_opened_twice_nor_again_after_its_end():
    guests, _ = guests_with_link()
    with pytest.raises(ShareError):
        guests.open_link(OTHER_KEY, CODE, role="editor", expires_s=60, max_viewers=1)
    guests.close_links(None, NoLinkError)
    with pytest.raises(ShareError):
        guests.open_link(OTHER_KEY, CODE, role="editor", expires_s=60, max_viewers=1)


def test_there_are_not_too_many_links():
    guests, _ = guests_with_link()
    for n in range(1, MAX_LINKS):
        guests.open_link(f"{n:016x}", f"{n:032x}", role="viewer", expires_s=60, max_viewers=1)
    with pytest.raises(ShareError, match="no more"):
        guests.open_link("f" * 16, "f" * 32, role="viewer", expires_s=60, max_viewers=1)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Mei", "mei", "MEI"], ["Mei", "mei 2", "MEI 3"]),
        (["Owner"], ["Owner 2"]),
        (["", "  \n\t"], ["Guest", "Guest 2"]),
        (["\u202eevil\u200b <b>x</b>"], ["evil <b>x</b>"]),
        (["Jos\u00e9", "Jose\u0301"], ["Jos\u00e9", "Jos\u00e9 2"]),
        (["Anna", "Anna\u3164", "\u2800", "Ann\u034fa"], ["Anna", "Anna 2", "Guest", "Ann a"]),
        (["Mei", "\uff2d\uff45\uff49"], ["Mei", "\uff2d\uff45\uff49 2"]),
        # A scientist is one picture, a heart is red, and Persian names have their shape.
        (["\U0001f469\U0001f3fd\u200d\U0001f52c Zo\u00eb"],) * 2,
        (["\u2764\ufe0f"],) * 2,
        (
            ["\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u0631\u0636\u0627"],
            [
                "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
                "\u0639\u0644\u06cc\u0631\u0636\u0627 2",
            ],
        ),
        # Nothing of it hides between other letters.
        (["Me\u200ci", "Me\u200di", "M\ufe0fei"], ["Me i", "Me i 2", "M ei"]),
        (["\u2764", "\u2764\ufe0f"], ["\u2764", "\u2764\ufe0f 2"]),
    ],
)
def test_names_are_plain_text_and_no_two_are_alike(names, shown):
    guests, _ = guests_with_link()
    assert [guests.redeem(CODE, name).name for name in names] == shown


def test_an_account_in_two_tabs_is_one_person_and_a_name_is_no_account():
    guests, _ = guests_with_link(max_viewers=2)
    bob = guests.redeem(CODE, "bob", account="bob")
    assert guests.redeem(CODE, "bob", account="bob") is bob
    other = Guests()
    other.restore(guests.kept())
    assert other.redeem(CODE, "bob", account="bob").id == bob.id
    assert guests.redeem(CODE, "bob").name == "bob 2"
    assert guests.redeem(CODE, "bob", account="bob") is bob  # though the link is full now
    guests.remove(bob.id, lambda: RemovedError("out"))
    with pytest.raises(LinkFullError):
        guests.redeem(CODE, "bob", account="bob")


def test_an_account_that_comes_back_by_another_link_has_its_name():
    guests, _ = guests_with_link()
    bob = guests.redeem(CODE, "bob", account="bob")
    guests.open_link(OTHER_KEY, OTHER_CODE, role="viewer", expires_s=60, max_viewers=9)
    assert guests.redeem(OTHER_CODE, "bob", account="bob").name == "bob 2"  # both are here
    guests.close_links(None, lambda: NoLinkError("over"))
    other = Guests()
    other.restore(guests.kept())
    for again in (guests, other):
        again.open_link("2" * 16, "e" * 32, role="viewer", expires_s=60, max_viewers=9)
        back = again.redeem("e" * 32, "bob", account="bob")
        assert (back.name, back.id == bob.id) == ("bob", False)
        assert again.redeem("e" * 32, "bob").name == "bob 3"  # who has no account is somebody else


def test_a_name_is_never_given_to_somebody_else():
    guests, _ = guests_with_link()
    guests.close_links(None, NoLinkError) if guests.redeem(CODE, "Mei") else None
    guests.open_link(OTHER_KEY, OTHER_CODE, role="viewer", expires_s=60, max_viewers=1)
    assert guests.redeem(OTHER_CODE, "Mei").name == "Mei 2"


# -------------------------------------------------- showing out


async def test_who_is_removed_is_out_at_once_and_does_not_come_back(session, kernel):
    share(session, role="editor")
    viewer, channel = enter(session)
    session.sharing.receive_from_kernel(
        ls.ManagePerson(session=session.id, person=viewer.person, action="remove")
    )
    assert channel.closed == [(4403, "removed")]
    assert channel.messages[-1].fatal
    says(viewer, vm.ViewSync(seq=1, colormap="grey"))  # it was on its way
    says(viewer, EditAnnotations(seq=1, edits=(PutItem(BOX),)))
    assert not session.view._wishes
    assert session.annotations.find("box") is None
    with pytest.raises(RemovedError):
        come_again(session, viewer.person)
    with pytest.raises(LinkFullError):  # nor under another name
        enter(session, "Somebody else")


async def test_stop_sharing_shows_out_every_guest_and_not_the_owner(session):
    _, owners = owner_of(session)
    share(session)
    share(session, OTHER_KEY, OTHER_CODE, role="editor")
    first, a = enter(session)
    _, b = enter(session, "Ravi", OTHER_CODE)
    session.sharing.receive_from_kernel(ls.StopSharing(session=session.id))
    assert (len(a.closed), len(b.closed), len(owners.closed)) == (1, 1, 0)
    with pytest.raises(SharingEndedError):
        come_again(session, first.person)
    with pytest.raises(SharingEndedError):
        enter(session)


async def test_one_link_can_be_closed_alone(session):
    share(session)
    share(session, OTHER_KEY, OTHER_CODE)
    _, a = enter(session)
    _, b = enter(session, "Ravi", OTHER_CODE)
    session.sharing.receive_from_kernel(ls.StopSharing(session=session.id, link=KEY))
    assert (len(a.closed), len(b.closed)) == (1, 0)


async def test_the_end_of_a_link_closes_its_connections(session):
    share(session)
    viewer, channel = enter(session)
    viewer.guest.link.expires_s = 0.0
    session.sharing._expire()
    assert channel.closed == [(4403, "link-expired")]


# -------------------------------------------------- roles and control


async def test_a_role_changes_while_they_watch(session, kernel):
    share(session)
    viewer, channel = enter(session)
    for role, is_refused in (("editor", False), ("viewer", True)):
        channel.messages.clear()
        session.sharing.receive_from_kernel(
            ls.ManagePerson(session=session.id, person=viewer.person, action="role", role=role)
        )
        says(viewer, vm.ViewSync(seq=1, colormap="grey"))
        assert ("not-driver" in channel.codes()) == is_refused
        tell_people(session)
        people = channel.got(sm.People)[-1]
        assert {person.id: person.role for person in people.people}[people.you] == role


async def test_who_asks_may_drive_when_the_owner_grants_it_until_it_is_taken_back(session):
    owner, _ = owner_of(session)
    share(session)
    viewer, channel = enter(session)
    says(viewer, sm.Control(action="ask"))
    assert viewer.guest.asks
    says(owner, manage(viewer.person, "grant"))
    assert (viewer.role, viewer.guest.asks, viewer.guest.is_lent) == ("editor", False, True)
    says(viewer, vm.ViewSync(seq=1, colormap="grey"))
    assert channel.codes() == []
    says(owner, manage(viewer.person, "take-back"))
    assert viewer.role == "viewer"


async def test_who_was_lent_control_can_give_it_back(session):
    owner, _ = owner_of(session)
    share(session, role="annotator")
    viewer, _ = enter(session)
    says(owner, manage(viewer.person, "grant"))
    says(viewer, sm.Control(action="give-back"))
    assert viewer.role == "annotator"


async def test_who_asks_hears_that_it_was_refused(session):
    owner, _ = owner_of(session)
    share(session)
    viewer, channel = enter(session)
    says(viewer, sm.Control(action="ask"))
    says(owner, manage(viewer.person, "refuse"))
    assert channel.codes() == ["share"]
    assert (viewer.role, viewer.guest.asks) == ("viewer", False)


async def test_an_editor_answers_requests_and_decides_nothing_else(session):
    share(session)
    share(session, OTHER_KEY, OTHER_CODE, role="editor")
    viewer, _ = enter(session)
    editor, channel = enter(session, "Ravi", OTHER_CODE)
    for action in ("remove", "role", "take-back"):
        says(editor, sm.Manage(person=viewer.person, action=action, role="editor"))
    assert channel.codes() == ["not-driver"] * 3
    says(viewer, sm.Control(action="ask"))
    says(editor, manage(viewer.person, "grant"))
    assert viewer.role == "editor"


async def test_an_editor_makes_nobody_an_editor_who_does_not_ask(session):
    share(session)
    share(session, OTHER_KEY, OTHER_CODE, role="editor")
    viewer, _ = enter(session)
    editor, channel = enter(session, "Ravi", OTHER_CODE)
    says(editor, manage(viewer.person, "grant"))
    assert (viewer.role, channel.codes()) == ("viewer", ["not-driver"])


async def test_who_was_lent_control_lends_it_to_nobody(session):
    owner, _ = owner_of(session)
    share(session)
    mallory, channel = enter(session, "Mallory")
    eve, _ = enter(session, "Eve")
    says(owner, manage(mallory.person, "grant"))
    says(eve, sm.Control(action="ask"))
    says(mallory, manage(eve.person, "grant"))
    assert (eve.role, channel.codes()) == ("viewer", ["not-driver"])


async def test_what_was_ended_while_no_server_was_there_is_ended_by_the_next(session, kernel):
    share(session)
    share(session, OTHER_KEY, OTHER_CODE)
    _, channel = enter(session)
    removed, other = enter(session, "Ravi", OTHER_CODE)
    _, third = enter(session, "Ada", OTHER_CODE)
    out = ls.StayOut(session=session.id, links=(KEY, "9" * 16), people=(removed.person, "8" * 16))
    for _ in range(2):  # what is over already is no error
        session.sharing.receive_from_kernel(out)
    assert [c.closed for c in (channel, other, third)] == [
        [(4403, "sharing-ended")],
        [(4403, "removed")],
        [],
    ]
    assert not [m for m in kernel.heard if isinstance(m, lp.SessionError)]


async def test_a_role_that_changed_says_whether_its_person_may_record(session):
    owner, _ = owner_of(session)
    share(session)
    viewer, channel = enter(session)
    assert not channel.got(RecordingState)[-1].may
    says(owner, manage(viewer.person, "grant"))
    assert channel.got(RecordingState)[-1].may
    says(owner, manage(viewer.person, "take-back"))
    assert not channel.got(RecordingState)[-1].may


async def test_the_record_holds_what_was_done_not_what_was_refused(session):
    share(session, role="viewer")
    viewer, _ = enter(session)
    says(viewer, EditAnnotations(seq=1, edits=(PutItem(BOX),)))
    says(viewer, SetRecording(on=False))
    await session.leave(viewer)
    for _ in range(3):
        await session.leave(come_again(session, viewer.person)[0])
    made = [record.what for record in session.sharing.audit.records]
    assert made == ["shared", "joined", "left"]


async def test_nobody_manages_the_owner(session):
    owner, channel = owner_of(session)
    says(owner, manage(OWNER_ID, "remove"))
    assert channel.codes() == ["share"]
    assert channel.closed == []
