"""What is kept of edits for another server: all of it, or a clear word and the original labels."""

from __future__ import annotations

import asyncio

import pytest

from blustream_widget.core.label_edit import BrickChange
from blustream_widget.errors import EditsDamagedError
from blustream_widget.session import label_store
from blustream_widget.session.journal import read_journal, write_journal
from blustream_widget.session.label_history import Done, Forgotten
from blustream_widget.session.label_store import LabelStore

SOURCES = {"a": "1", "b": "2"}


def done(name, brick, old, new, *, way="", author="owner", n=0):
    change = BrickChange((brick, 0, 0), old, new)
    return Done(name, SOURCES[name], author, way, (change,), n, 1)


RECORDS = (
    done("a", 0, b"0", b"1", n=1),
    done("b", 0, b"0", b"2", author="editor-2"),
    done("a", 1, b"0", b"3", n=2),
    done("a", 1, b"3", b"0", way="undo", n=3),
)


class Keeper:
    """A store, as a server has it."""

    def __init__(self, folder):
        self.errors = []
        self.store = LabelStore(folder, self.errors.append)

    async def write(self, *records):
        for record in records:
            self.store.history.apply(record)
            written = asyncio.Event()
            self.store.write(record, written.set)
            await asyncio.wait_for(written.wait(), 30)

    async def recover(self, sources=SOURCES):
        read = asyncio.Event()
        self.store.recover(sources, read.set)
        assert self.store.is_reading
        await asyncio.wait_for(read.wait(), 30)
        return self.store.history


async def test_a_server_that_was_killed_leaves_bricks_steps_and_answers(tmp_path):
    await Keeper(tmp_path / "s").write(*RECORDS)  # and never closed
    keeper = Keeper(tmp_path / "s")
    history = await keeper.recover()
    assert history.bricks_of("a") == (((0, 0, 0), b"1"), ((1, 0, 0), b"0"))
    assert history.bricks_of("b") == (((0, 0, 0), b"2"),)
    assert history.can("owner") == (True, True)
    assert history.step_of("owner", "redo").changes[0].new == b"3"
    assert history.can("editor-2") == (False, False)  # who has this number now is somebody else
    assert history.answers == {1: 1, 2: 1, 3: 1}
    await keeper.write(done("a", 5, b"0", b"9"))
    await keeper.store.close(keeps=True)
    again = Keeper(tmp_path / "s")
    assert len((await again.recover()).bricks_of("a")) == 3
    await again.store.close(keeps=False)
    assert not (tmp_path / "s" / "labels").exists()
    assert not keeper.errors + again.errors


async def test_labels_of_the_name_that_are_made_of_something_else_stay_as_they_are(tmp_path):
    await Keeper(tmp_path).write(*RECORDS)
    keeper = Keeper(tmp_path)
    history = await keeper.recover({"a": "another", "b": "2"})
    assert history.bricks_of("a") == ()
    assert history.can("owner") == (False, False)
    assert history.bricks_of("b")
    await keeper.store.close(keeps=True)


async def test_labels_that_were_taken_away_do_not_come_back(tmp_path):
    await Keeper(tmp_path).write(*RECORDS, Forgotten("a"))
    keeper = Keeper(tmp_path)
    history = await keeper.recover()
    assert history.bricks_of("a") == ()
    assert history.bricks_of("b")
    await keeper.store.close(keeps=True)


async def test_a_record_that_was_being_written_counts_as_never_written(tmp_path):
    await Keeper(tmp_path).write(*RECORDS)
    path = tmp_path / "labels"
    path.write_bytes(path.read_bytes()[:-3])
    keeper = Keeper(tmp_path)
    history = await keeper.recover()
    assert history.can("owner") == (True, False)  # not taken back yet
    assert history.bricks_of("a")[1] == ((1, 0, 0), b"3")
    await keeper.write(RECORDS[-1])
    await keeper.store.close(keeps=True)
    other = Keeper(tmp_path)
    assert (await other.recover()).can("owner") == (True, True)
    await other.store.close(keeps=True)
    assert not keeper.errors


@pytest.mark.parametrize("place", [3, 25, 60, -2])
async def test_a_damaged_store_is_one_word_and_the_labels_as_in_their_source(tmp_path, place):
    await Keeper(tmp_path).write(*RECORDS)
    path = tmp_path / "labels"
    data = bytearray(path.read_bytes())
    data[place] ^= 0x55
    path.write_bytes(data)
    keeper = Keeper(tmp_path)
    history = await keeper.recover()
    assert history.bricks_of("a") == history.bricks_of("b") == ()
    (error,) = keeper.errors
    assert error.code == "edits-damaged"
    assert "as in their source" in error.message
    assert path.with_suffix(".damaged").read_bytes() == data
    await keeper.write(RECORDS[0])  # from here on it is kept again
    await keeper.store.close(keeps=True)
    other = Keeper(tmp_path)
    assert (await other.recover()).bricks_of("a")
    await other.store.close(keeps=True)


async def test_a_full_disk_is_told_once_and_edits_go_on(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    keeper = Keeper(tmp_path / "file" / "s")
    await keeper.write(*RECORDS)
    (error,) = keeper.errors
    assert error.code == "volume-write"
    assert "save the labels" in error.hint
    assert keeper.store.history.bricks_of("a")
    await keeper.store.close(keeps=False)


async def test_the_file_stays_as_small_as_what_is_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr(label_store, "_ROOM_BYTES", 2000)
    keeper = Keeper(tmp_path)
    for n in range(100):
        await keeper.write(
            done("a", 0, b"0" * 100, b"1" * 100, n=n + 1),
            done("a", 0, b"1" * 100, b"0" * 100, way="undo"),
        )
    await keeper.store.close(keeps=True)
    assert (tmp_path / "labels").stat().st_size < 5000
    other = Keeper(tmp_path)
    history = await other.recover()
    assert history.bricks_of("a") == (((0, 0, 0), b"0" * 100),)
    assert history.can("owner") == (False, True)
    await other.store.close(keeps=True)


def test_a_file_of_another_kind_is_no_journal(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"PK\x03\x04 something else, longer than the first line")
    with pytest.raises(EditsDamagedError):
        read_journal(path)
    write_journal(path, [b"one", b""])
    assert read_journal(path) == [b"one", b""]
    assert path.stat().st_mode & 0o077 == 0
