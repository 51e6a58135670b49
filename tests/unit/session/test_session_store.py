"""What is kept of a session for another server: the same annotations, steps, people and words."""

from __future__ import annotations

import asyncio
import errno

import pytest

from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_ledger import AnnotationLedger, Edited
from blustream_widget.core.annotation_messages import PutItem, RemoveItem, SetItem
from blustream_widget.core.share_messages import ChatLine
from blustream_widget.core.state import ViewState
from blustream_widget.errors import LinkExpiredError, LinkFullError, RemovedError
from blustream_widget.session import session_store
from blustream_widget.session.guests import Guests
from blustream_widget.session.journal import Journal, read_journal
from blustream_widget.session.session_store import Said, SessionStore

A, B = (annotation("point", (n, 2, 3), id=f"item-{n}") for n in (1, 2))
CODE = "c" * 32


def of(author, *edits, gesture=None, **fields):
    return Edited(author, 5.0, edits, gesture=gesture, **fields)


EDITS = (
    of("owner", PutItem(A), kernel_seq=1),
    of("Mei", PutItem(B)),
    of("owner", SetItem("item-1", label="one"), gesture=("kernel", 1), kernel_seq=2),
    of("owner", SetItem("item-1", label="two"), gesture=("kernel", 1), kernel_seq=3),
    of("Mei", RemoveItem("item-2")),
    of("Mei", history="undo"),
)


async def write(store, *records):
    """Write records, the last of which is waited for; answers come in their order."""
    answered, done = [], asyncio.Event()
    for n, record in enumerate(records):
        if isinstance(record, Edited):
            _, record = store.ledger.edit(record)
        store.write(record, lambda n=n: answered.append(n))
    store.in_turn(done.set)
    await asyncio.wait_for(done.wait(), 30)
    assert answered == list(range(len(records)))


def open_store(folder, errors=None):
    return SessionStore(folder, [].append if errors is None else errors.append)


def content(ledger):
    return list(ledger.snapshot())


async def test_what_was_written_is_there_and_can_be_taken_back_as_before(tmp_path):
    before = open_store(tmp_path / "s")
    await write(before, *EDITS, Said(ChatLine(7, "owner", "Owner", "Hello", 1.0)))
    store = open_store(tmp_path / "s")  # the first was never closed
    assert store.is_recovered
    assert store.ledger.kernel_seq == 3
    assert [line.text for line in store.chat.lines] == ["Hello"]
    assert store.chat.say("owner", "Owner", "again").lines[0].n == 8
    before.ledger.history.end_gestures()
    assert content(store.ledger) == content(before.ledger)
    await write(store, of("owner", history="undo"), of("owner", history="undo"))
    assert list(store.ledger.items) == ["item-2"]
    again = open_store(tmp_path / "s")
    assert content(again.ledger) == content(store.ledger)
    await again.close(keeps=False)
    assert not list((tmp_path / "s").iterdir())


async def test_a_long_session_takes_bounded_room_and_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(session_store, "_ROOM_BYTES", 2000)
    store = open_store(tmp_path)
    await write(store, of("owner", PutItem(A)))
    for n in range(40):
        gesture = ("viewer 1", 1)
        await write(store, *(of("owner", SetItem("item-1", label=f"{n}-{k}"), gesture=gesture)
                             for k in range(8)))  # fmt: skip
    assert (tmp_path / "session").stat().st_size < 8000
    assert (tmp_path / "session").stat().st_mode & 0o777 == 0o600
    again = open_store(tmp_path)
    store.ledger.history.end_gestures()
    assert content(again.ledger) == content(store.ledger)
    await again.close(keeps=True)


async def test_steps_of_a_snapshot_are_the_newest_of_everybody(monkeypatch):
    ledger = AnnotationLedger()
    for author in ("owner", "Mei"):
        for n in range(10):
            item = annotation("point", (n, 2, 3), id=f"{author}-{n}")
            ledger.edit(of(author, PutItem(item)))
    monkeypatch.setattr("blustream_widget.core.annotation_ledger.MAX_WRITTEN_POINTS", 6)
    copy = AnnotationLedger()
    for record in ledger.snapshot():
        copy.apply(record)
    assert list(copy.items) == list(ledger.items)
    for author in ("owner", "Mei"):
        for _ in range(5):
            copy.edit(of(author, history="undo"))
    assert [key for key in ledger.items if key not in copy.items] == [
        *(f"owner-{n}" for n in (7, 8, 9)),
        *(f"Mei-{n}" for n in (7, 8, 9)),
    ]


@pytest.mark.parametrize("tail", [b"", b"\x01", bytes(5000)])
async def test_what_was_being_written_when_the_power_went_counts_as_never_written(tmp_path, tail):
    store = open_store(tmp_path)
    await write(store, *EDITS)
    path = tmp_path / "session"
    path.write_bytes(path.read_bytes()[: -3 if tail == b"" else None] + tail)
    errors = []
    again = open_store(tmp_path, errors)
    again.tell_trouble()
    assert again.is_recovered
    assert ("item-2" in again.ledger.items) is (tail != b"")  # its removal was not taken back yet
    await write(again, of("owner", RemoveItem("item-1")))
    assert "item-1" not in open_store(tmp_path).ledger.items
    assert not errors
    await again.close(keeps=True)


async def test_a_damaged_file_is_put_aside_and_told_once(tmp_path):
    await write(open_store(tmp_path), *EDITS)
    path = tmp_path / "session"
    data = bytearray(path.read_bytes())
    data[60] ^= 0x55
    path.write_bytes(data)
    errors = []
    store = open_store(tmp_path, errors)
    assert not store.is_recovered
    assert not store.ledger.items
    store.tell_trouble()
    store.tell_trouble()
    assert [error.code for error in errors] == ["edits-damaged"]
    assert (tmp_path / "session.damaged").read_bytes() == data


async def test_a_full_disk_is_told_and_leaves_nothing_that_grows_old(tmp_path, monkeypatch):
    errors = []
    store = open_store(tmp_path, errors)
    await write(store, EDITS[0])

    def full(_journal, _works):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "_write", full)
    await write(store, *EDITS[1:])
    assert [error.code for error in errors] == ["volume-write"]
    assert not open_store(tmp_path).is_recovered


async def test_a_view_is_kept_now_and_when_it_comes_to_rest(tmp_path):
    store = open_store(tmp_path)
    for n in range(50):
        store.show(ViewState(revision=n))
    await store.close(keeps=True)
    assert len(read_journal(tmp_path / "session")) == 2
    again = open_store(tmp_path)
    assert again.newest(None).revision == 49
    assert again.newest(ViewState(revision=48)).revision == 49
    assert again.newest(ViewState(revision=50)).revision == 50
    await again.close(keeps=True)


def test_who_was_let_in_still_is_and_who_was_shown_out_stays_out():
    clock = [100.0]
    guests = Guests(clock=lambda: clock[0], wall=lambda: 1e9)
    guests.open_link("k", CODE, role="viewer", expires_s=60.0, max_viewers=2)
    mei, eve = guests.redeem(CODE, "Mei"), guests.redeem(CODE, "Eve")
    mei.role, mei.is_lent = "editor", True
    guests.remove(eve.id, lambda: RemovedError("out", hint="sorry"))
    assert CODE not in str(guests.kept())

    other = Guests(clock=lambda: 5.0 + clock[0], wall=lambda: 1e9 + 50)
    other.restore(guests.kept())
    again = other.admit(mei.id)
    assert (again.name, again.role, again.own_role, again.is_lent) == (
        "Mei",
        "editor",
        "viewer",
        True,
    )
    with pytest.raises(RemovedError, match="out sorry"):
        other.admit(eve.id)
    with pytest.raises(LinkFullError):
        other.redeem(CODE, "Eve")
    assert other.open_link("k", CODE, role="viewer", expires_s=60.0, max_viewers=2) is again.link
    assert other.kept() == guests.kept()
    clock[0] += 20  # the link's 60 s are over by the clock on the wall
    with pytest.raises(LinkExpiredError):
        other.admit(mei.id)
