"""Recordings on disk: what is written is found again, wherever the file ends."""

import errno
import os

import av
import pytest

from blustream_widget.errors import RecordingError, RecordingExistsError
from blustream_widget.recording import file as recording_file
from blustream_widget.recording.avc import split_units, to_annexb, to_sample
from blustream_widget.recording.file import RecordingFile
from blustream_widget.recording.index import read_index
from blustream_widget.recordings import Recording

FRAME = 1500


@pytest.fixture
def path(tmp_path):
    return tmp_path / "view.mp4"


def greys(recording):
    return [round((float(picture.mean()) * 219 / 255) / 10) for _, picture in recording.frames()]


def test_an_access_unit_survives_the_way_into_the_file_and_back(camera):
    unit = camera.shoot().data
    assert split_units(to_annexb(to_sample(unit))) == split_units(unit)


def test_pictures_keep_their_times_and_pauses(camera, path):
    file = RecordingFile(path)
    for after in (FRAME, FRAME, 270_000, FRAME):
        file.add_picture(camera.shoot(after=after))
    file.finish(camera.now + 90_000)
    recording = Recording(path)
    assert [s.time_90k for s in recording.index.samples] == [0, 1500, 271_500, 273_000]
    assert recording.duration_s == pytest.approx(273_000 / 90_000 + 1)
    assert greys(recording) == [1, 2, 3, 4]
    assert recording.is_finished


def test_other_programs_can_read_it(camera, path):
    file = RecordingFile(path)
    for number in range(6):
        file.add_picture(camera.shoot(key=number == 3))
        if number == 3:
            file.flush(camera.now)
    file.add_event(camera.now, {"kind": "gap"})
    file.finish(camera.now + 45_000)
    with av.open(str(path)) as container:
        (stream,) = container.streams
        times = [frame.time for frame in container.decode(stream)]
        assert container.duration / 1e6 == pytest.approx(5 / 60 + 0.5, abs=0.01)
    assert times == pytest.approx([n / 60 for n in range(6)])


def test_a_pause_takes_no_room_and_its_length_is_known_all_the_same(camera, path):
    file = RecordingFile(path)
    file.add_picture(camera.shoot())
    file.flush(camera.now + 90_000)
    n_bytes = path.stat().st_size
    for second in range(2, 60):
        file.flush(camera.now + 90_000 * second)
    assert path.stat().st_size == n_bytes
    assert Recording(path).duration_s == 59
    file.add_picture(camera.shoot(after=90_000 * 59 + 10))
    file.flush(camera.now)
    first, second = Recording(path).index.samples
    assert first.duration_90k == second.time_90k == 90_000 * 59 + 10
    file.close()


def test_a_file_cut_anywhere_opens_up_to_its_last_whole_fragment(camera, path):
    file = RecordingFile(path)
    ends = []
    for number in range(5):
        file.add_picture(camera.shoot())
        file.add_event(camera.now, {"kind": "state", "set": {"zoom": number}})
        file.flush(camera.now + FRAME)
        ends.append(path.stat().st_size)
    file.close()
    whole = path.read_bytes()
    for end in range(ends[0], len(whole) + 1, 7):
        path.write_bytes(whole[:end])
        recording = Recording(path)
        assert recording.n_pictures == sum(end >= at for at in ends)
        assert not recording.is_finished
    path.write_bytes(whole[: ends[0] - 1])
    with pytest.raises(RecordingError, match="no pictures"):
        read_index(path)


def test_pictures_of_another_size_follow(camera, path):
    file = RecordingFile(path)
    file.add_picture(camera.shoot())
    camera.size(96, 32)
    file.add_picture(camera.shoot())
    file.finish(camera.now)
    assert [p.shape for _, p in Recording(path).frames()] == [(48, 64, 3), (32, 96, 3)]


def test_nothing_is_recorded_in_front_of_the_first_keyframe(camera, path):
    camera.shoot()
    file = RecordingFile(path)
    file.add_picture(camera.shoot())
    file.add_event(camera.now, {"kind": "start", "volume": "cube"})
    file.add_picture(camera.shoot(key=True))
    file.finish(camera.now)
    recording = Recording(path)
    assert greys(recording) == [3]
    assert recording.volume == "cube"
    assert recording.timeline[0]["t"] == 0


def test_a_fragment_begins_with_each_keyframe(camera, path):
    file = RecordingFile(path)
    for number in range(6):
        file.add_picture(camera.shoot(key=number == 4))
    file.finish(camera.now)
    fragments = read_index(path).fragments
    assert [(f.is_keyframe, f.time_90k) for f in fragments] == [(True, 0), (True, 4 * FRAME)]


def test_a_file_that_is_there_stays_as_it_is(path):
    path.write_text("mine")
    with pytest.raises(RecordingExistsError, match="already"):
        RecordingFile(path)
    assert path.read_text() == "mine"


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be made"):
        RecordingFile(tmp_path / "file" / "view.mp4")


def test_on_a_full_disk_what_was_written_before_stays_whole(camera, path, monkeypatch):
    file = RecordingFile(path)
    file.add_picture(camera.shoot())
    file.flush(camera.now)
    real, written = os.pwrite, []

    def full(descriptor, data, at):
        if len(data) <= 8:
            return real(descriptor, data, at)
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(real(descriptor, bytes(data)[:40], at))
        return written[0]

    file.add_picture(camera.shoot())
    monkeypatch.setattr(recording_file.os, "pwrite", full)
    with pytest.raises(RecordingError, match="No space left"):
        file.finish(camera.now)
    assert written
    assert greys(Recording(path)) == [1]


def annotation_event(op, key, **item):
    edit = {"op": op, "item": {"id": key, **item}} if op == "put" else {"op": op, "id": key}
    return {"kind": "annotations", "edits": [edit]}


def test_there_is_a_chapter_at_each_annotation_that_is_added(camera, path):
    file = RecordingFile(path)
    file.add_picture(camera.shoot())
    line = {"kind": "line", "label": ""}
    file.add_event(camera.now, annotation_event("put", "old", **line) | {"reset": True})
    file.add_event(camera.now + 90_000, annotation_event("put", "a", kind="line", label="Fault"))
    file.add_event(camera.now + 99_000, annotation_event("put", "a", kind="line", label="Fault 2"))
    file.add_event(camera.now + 180_000, annotation_event("put", "b", **line))
    file.finish(camera.now + 190_000)
    chapters = Recording(path).chapters
    assert [(c.t, c.title) for c in chapters] == [(0, "Beginning"), (1, "Fault"), (2, "Line")]


def test_a_still_is_found_while_the_view_rested_there(camera, path):
    file = RecordingFile(path)
    file.add_picture(camera.shoot())
    file.add_still(camera.now + 9000, b"\x89PNG 1")
    file.flush(camera.now + 90_000)
    file.add_still(camera.now + 100_000, b"\x89PNG 2")
    file.add_picture(camera.shoot(after=180_000))
    file.finish(camera.now + FRAME)
    recording = Recording(path)
    found = [recording.still_at(t) for t in (0.05, 0.5, 1.5, 2.0)]
    assert found == [None, b"\x89PNG 1", b"\x89PNG 2", None]


def test_a_still_is_not_shown_over_what_came_after_it(camera, path):
    file = RecordingFile(path)
    file.add_picture(camera.shoot())
    late = camera.now + 9000  # the loop was busy: the next picture was made before the still came
    file.add_still(late, b"\x89PNG of the first")
    file.add_picture(camera.shoot(after=4500))
    file.finish(camera.now + 90_000)
    recording = Recording(path)
    assert [recording.still_at(t) for t in (0.1001, 0.5)] == [None, None]
