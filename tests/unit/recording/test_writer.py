"""The recording's thread: limits, retention, and what is told."""

import os
import queue
import threading

import msgspec
import pytest

from blustream_widget.config import Config
from blustream_widget.core.state import ViewState
from blustream_widget.errors import RecordingError
from blustream_widget.recording import places, writer
from blustream_widget.recording.index import RecordingIndex
from blustream_widget.recording.voices import Spoken
from blustream_widget.recording.writer import RecordingWriter

GB = 1024**3


@pytest.fixture
def told():
    return queue.SimpleQueue()


@pytest.fixture
def config(tmp_path):
    return Config(recordings_dir=str(tmp_path / "kept"), recording_min_free_bytes=0)


def run(path, config, told, **options):
    made = RecordingWriter(path, config, told.put, **options)
    made.stop()
    assert made.join(10)
    return [told.get_nowait() for _ in range(told.qsize())]


def test_its_begin_and_its_end_are_told(tmp_path, config, told):
    begin, end = run(tmp_path / "a.mp4", config, told)
    assert (begin.phase, end.phase, end.error) == ("on", "off", None)


def test_a_file_that_is_there_is_told_and_nothing_else(tmp_path, config, told):
    (tmp_path / "a.mp4").write_text("mine")
    (end,) = run(tmp_path / "a.mp4", config, told)
    assert (end.phase, end.error.code) == ("off", "recording-exists")


def test_without_free_space_it_does_not_begin(tmp_path, config, told, monkeypatch):
    monkeypatch.setattr(writer.places, "free_bytes", lambda _folder: GB)
    limited = msgspec.structs.replace(config, recording_min_free_bytes=2 * GB)
    (end,) = run(tmp_path / "a.mp4", limited, told)
    assert "1.1 GB left" in end.error.message
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize(
    ("limit", "words"),
    [({"recording_max_s": 0.0}, "minutes"), ({"recording_max_bytes": 1}, "no more are allowed")],
)
def test_it_ends_at_its_limits(tmp_path, config, told, limit, words):
    (end,) = run(tmp_path / "a.mp4", msgspec.structs.replace(config, **limit), told)
    assert isinstance(end.error, RecordingError)
    assert words in end.error.message


def test_of_a_state_only_what_changed_is_kept(tmp_path, config, monkeypatch):
    events = []
    monkeypatch.setattr(
        writer.RecordingFile, "add_event", lambda _self, t, event: events.append((t, event))
    )
    ticks = iter(range(0, 9_000_000, 90_000))
    made = RecordingWriter(tmp_path / "a.mp4", config, lambda _: None, clock=lambda: next(ticks))
    state = ViewState()
    made.put_state(state)
    made.put_state(msgspec.structs.replace(state, zoom=2.0, revision=1))
    made.stop()
    assert made.join(10)
    assert events[0][1]["set"]["zoom"] == 1.0
    assert events[1][1] == {"kind": "state", "set": {"zoom": 2.0, "revision": 1}}


def test_old_recordings_are_removed_and_nothing_else(config):
    folder = places.recordings_dir(config)
    folder.mkdir()
    now_s = 1_000_000_000.0
    names = ["v-20250101-000000.mp4", "v-20250102-000000.mp4", "v-20250103-000000-2.mp4", "own.mp4"]
    for age_days, name in zip((9, 5, 1, 99), names, strict=True):
        (folder / name).write_bytes(bytes(100))
        os.utime(folder / name, (now_s - age_days * 86_400,) * 2)
    keep = folder / "v-20250104-000000.mp4"

    def left(**limits):
        places.prune(msgspec.structs.replace(config, **limits), keep=keep, now_s=now_s)
        return sorted(path.name for path in folder.iterdir())

    assert left() == sorted(names)
    assert left(recordings_keep_days=7) == sorted(names[1:])
    assert left(recordings_total_bytes=150) == sorted(names[2:])


def test_a_recording_that_runs_is_not_removed(config):
    folder = places.recordings_dir(config)
    folder.mkdir()
    running = folder / "v-20250101-000000.mp4"
    running.write_bytes(bytes(100))
    limited = msgspec.structs.replace(config, recordings_total_bytes=1)
    keep = folder / "v-20250104-000000.mp4"
    written_s = running.stat().st_mtime
    assert places.prune(limited, keep=keep, now_s=written_s + 2) == []
    assert places.prune(limited, keep=keep, now_s=written_s + 120) == [running]


def test_a_name_holds_nothing_that_leads_elsewhere(config):
    path = places.new_path(config, "../../etc/Ä volume.vds", now_s=0)
    assert path.parent == places.recordings_dir(config)
    assert path.name.startswith("Ä_volume-")
    path.parent.mkdir()
    path.write_text("")
    assert places.new_path(config, "Ä volume.vds", now_s=0).name == f"{path.stem}-2.mp4"


def test_an_empty_index_has_no_length():
    assert RecordingIndex().duration_s == 0


def test_voices_that_wait_for_a_slow_disk_count(tmp_path, config, monkeypatch):
    monkeypatch.setattr(writer, "MAX_WAITING_BYTES", 150)
    goes_on = threading.Event()
    made = RecordingWriter(tmp_path / "a.mp4", config, lambda _: goes_on.wait(10))
    behind = []
    for n in range(2):
        made.put_voice(Spoken("a", 1, n, 0, (bytes(60), bytes(40))))
        behind.append(made.is_behind)
    goes_on.set()
    made.stop()
    assert made.join(10)
    assert [*behind, made.is_behind] == [False, True, False]
