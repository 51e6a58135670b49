"""A player's answers: what a page gets of a recording, and what it does not."""

import dataclasses
import json
import threading

import av
import msgspec
import numpy as np
import pytest

from blustream_widget import film_export, front_end, page_questions, player
from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Axis, Channel, VolumeInfo
from blustream_widget.errors import RecordingCancelledError, RecordingError
from blustream_widget.film_export import ENDINGS
from blustream_widget.player import RecordingPlayer
from blustream_widget.recording.file import RecordingFile
from blustream_widget.recordings import Recording
from blustream_widget.testing.waiting import wait_until

INFO = VolumeInfo(
    "cube", "generic", (Axis("axis 0", "", 9, 0, 1, 1),) * 3, (Channel("value", "", "u1", 0, 9),)
)


def header(number):
    return FrameHeader(0, 0, 0, 0, 64, 48, number, 1, 0, number, 1, 0.5, 0.5, 1, 1, 0).pack()


@pytest.fixture
def path(camera, tmp_path):
    """Six pictures with a keyframe at the fourth, a still behind the last, an annotation."""
    path = tmp_path / "talk.mp4"
    file = RecordingFile(path)
    file.add_event(camera.now, {"kind": "info", "info": msgspec.to_builtins(INFO)})
    file.add_event(camera.now, {"kind": "state", "set": msgspec.to_builtins(ViewState())})
    for number in range(6):
        picture = camera.shoot(key=number == 3)
        file.add_picture(dataclasses.replace(picture, header=header(number)))
    file.flush(camera.now)
    file.add_still(camera.now + 900, camera.still(200), header(99))
    item = {"id": "a", "label": "Fault"}
    file.add_event(camera.now, {"kind": "annotations", "edits": [{"op": "put", "item": item}]})
    file.finish(camera.now + 90_000)
    return path


@pytest.fixture
def ask(path, monkeypatch, tmp_path):
    """Ask a player of that recording: gives what it answers, and the buffers; None for silence."""
    bundle = tmp_path / "widget.js"
    bundle.write_text("export default {}")
    monkeypatch.setattr(front_end, "BUNDLE", bundle)
    made = RecordingPlayer(Recording(path))
    sent = []
    monkeypatch.setattr(made, "send", lambda content, buffers=(): sent.append((content, buffers)))

    def ask(what, **places):
        sent.clear()
        made._asked(made, {"kind": "recording", "n": "p-1", "ask": what, **places}, [])
        assert all(content["n"] == "p-1" for content, _ in sent)
        return sent[0] if sent else None

    ask.player, ask.sent = made, sent
    yield ask
    made.close()


def test_the_index_says_when_pictures_are_and_what_happened(ask):
    answer, (times, sizes, stills, events) = ask("index", samples=0, stills=0, events=0)
    sizes = np.frombuffer(sizes, "<u4")
    assert np.frombuffer(times, "<f8") == pytest.approx([n / 60 for n in range(6)])
    assert [int(size >> 31) for size in sizes] == [1, 0, 0, 1, 0, 0]
    assert np.frombuffer(stills, "<f8") == pytest.approx([5 / 60 + 0.01])
    assert [event["kind"] for event in json.loads(events)] == ["info", "state", "annotations"]
    assert [title for _, title in answer["chapters"]] == ["Beginning", "Fault"]
    assert (answer["is_finished"], answer["is_growing"]) == (True, False)


def test_the_index_comes_in_parts_that_are_bounded(ask, monkeypatch):
    monkeypatch.setattr(player, "MAX_TIMES", 4)
    monkeypatch.setattr(player, "MAX_EVENT_BYTES", 10)
    answer, (times, _, _, events) = ask("index", samples=0, stills=0, events=0)
    assert (len(times), len(json.loads(events))) == (4 * 8, 1)
    assert (answer["n_samples"], answer["n_events"]) == (6, 3)
    _, (times, _, stills, events) = ask("index", samples=4, stills=1, events=2)
    assert (len(times), stills, json.loads(events)[0]["kind"]) == (2 * 8, b"", "annotations")


def test_pictures_come_as_they_lie_in_the_file_each_with_its_header(ask, path):
    answer, (data, headers) = ask("pictures", first=1, last=4)
    samples = Recording(path).index.samples[1:5]
    on_disk = path.read_bytes()
    assert data == b"".join(on_disk[s.offset : s.offset + s.n_bytes] for s in samples)
    numbers = []
    for n_bytes in answer["header_bytes"]:
        numbers.append(FrameHeader.unpack(headers).slice_idx)
        headers = headers[n_bytes:]
    assert numbers == [1, 2, 3, 4]


def test_an_answer_holds_no_more_than_it_may_but_at_least_one_picture(ask, monkeypatch):
    monkeypatch.setattr(player, "MAX_PICTURES", 3)
    assert len(ask("pictures", first=0, last=5)[0]["header_bytes"]) == 3
    monkeypatch.setattr(player, "MAX_ANSWER_BYTES", 1)
    assert len(ask("pictures", first=0, last=5)[0]["header_bytes"]) == 1
    monkeypatch.setattr(page_questions, "MAX_PICTURE_BYTES", 1)
    assert "too large" in ask("pictures", first=0, last=5)[0]["error"]["message"]


def test_a_picture_at_rest_comes_as_png_with_its_header(ask):
    answer, (png, packed) = ask("still", at=0)
    assert png.startswith(b"\x89PNG")
    assert FrameHeader.unpack(packed).slice_idx == 99
    assert answer["header_bytes"] == [len(packed)]


@pytest.mark.parametrize("order", [(4, 5), (5, 1)])
def test_who_decodes_no_video_gets_jpeg(ask, order):
    for at in order:
        _, (jpeg, packed) = ask("jpeg", at=at)
        assert (jpeg[:2], FrameHeader.unpack(packed).slice_idx) == (b"\xff\xd8", at)


@pytest.mark.parametrize(
    "places",
    [
        {"first": 0, "last": 6},
        {"first": 3, "last": 2},
        {"first": -1, "last": 2},
        {"first": True, "last": 2},
        {"first": "0", "last": 2},
        {"first": 0.5, "last": 2},
        {"first": 10**30, "last": 10**30},
        {"last": 2},
    ],
)
def test_what_is_not_there_is_refused(ask, places):
    assert ask("pictures", **places)[0]["error"]["code"] == "recording"


@pytest.mark.parametrize("what", ["still", "jpeg", "index", "file", None, 7, {"a": 1}])
def test_other_questions_are_refused(ask, what):
    answer, *_ = ask(what, at=99)
    assert answer["error"]["code"] == "recording"


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "index",
        {},
        {"kind": "recording"},
        {"kind": "recording", "n": 7, "ask": "index"},
        {"kind": "recording", "n": "p" * 65, "ask": "index"},
        {"kind": "token", "n": "p"},
    ],
)
def test_what_is_no_question_is_left_alone(ask, content):
    ask.player._asked(ask.player, content, [])
    assert ask.sent == []


def test_a_file_that_is_gone_or_another_one_gives_a_word(ask, path):
    path.write_bytes(path.read_bytes()[:100])
    assert "another one" in ask("pictures", first=0, last=1)[0]["error"]["message"]
    path.unlink()
    assert "cannot be read" in ask("pictures", first=0, last=1)[0]["error"]["message"]


def test_a_damaged_picture_is_named_and_the_next_keyframe_plays(ask, path):
    sample = Recording(path).index.samples[1]
    data = bytearray(path.read_bytes())
    data[sample.offset : sample.offset + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert "damaged" in ask("jpeg", at=2)[0]["error"]["message"]
    assert "error" not in ask("jpeg", at=3)[0]


def test_a_recording_that_says_too_little_is_refused(camera, tmp_path):
    file = RecordingFile(tmp_path / "old.mp4")
    file.add_picture(camera.shoot())
    file.finish(camera.now)
    with pytest.raises(RecordingError, match="does not say what its pictures show"):
        Recording(tmp_path / "old.mp4").play()
    shown = Recording(tmp_path / "old.mp4")._repr_mimebundle_()
    assert "does not say what its pictures show" in shown["text/plain"]


def test_a_cell_that_ends_with_a_recording_shows_one_player(ask, path):
    recording = Recording(path)

    def shown():
        (data, _) = recording._repr_mimebundle_()
        return data["application/vnd.jupyter.widget-view+json"]["model_id"]

    first = shown()
    assert shown() == first
    recording._player.close()
    assert shown() != first
    recording._player.close()


def test_a_recording_grows_under_who_has_opened_it(camera, tmp_path):
    path = tmp_path / "now.mp4"
    file = RecordingFile(path)
    file.add_picture(camera.shoot())
    file.flush(camera.now)
    recording = Recording(path)
    assert (recording.refresh(), recording.is_growing) == (False, True)
    file.add_picture(camera.shoot(after=90_000))
    file.flush(camera.now)
    assert (recording.refresh(), recording.n_pictures, recording.duration_s >= 1) == (True, 2, True)
    file.finish(camera.now)
    assert recording.refresh()
    assert (recording.is_finished, recording.is_growing, recording.refresh()) == (
        True,
        False,
        False,
    )


def film_that_ended(ask):
    wait_until(
        lambda: ask("film-stands")[0]["phase"] != "on", timeout_s=30, what="the film has ended"
    )
    return ask("film-stands")[0]


@pytest.mark.parametrize("ending", range(len(ENDINGS)))
def test_a_page_gets_a_film_beside_the_recording(ask, path, ending):
    told, _ = ask("film", ending=ending)
    assert (told["phase"], told["name"]) == ("on", f"talk-film{ENDINGS[ending]}")
    told = film_that_ended(ask)
    assert (told["phase"], told["share"], told["message"]) == ("done", 1.0, "")
    with av.open(str(path.with_name(told["name"]))) as film:
        assert film.streams.video[0].width == 64
    ask("film", ending=ending)
    assert film_that_ended(ask)["name"] == f"talk-film-2{ENDINGS[ending]}"


def test_a_film_that_is_given_up_leaves_nothing(ask, path, monkeypatch):
    goes_on = threading.Event()

    def slowly(source, index, target, *, on_progress):
        while on_progress(0.5):
            goes_on.wait(0.01)
        raise RecordingCancelledError("The export was cancelled.")

    monkeypatch.setattr(film_export, "export", slowly)
    ask("film", ending=0)
    assert ask("film", ending=1)[0]["error"]["message"] == "talk-film.mp4 is being written."
    ask("film-cancel")
    assert film_that_ended(ask)["phase"] == "cancelled"
    assert [file.name for file in path.parent.glob("*film*")] == []


def test_why_a_film_cannot_be_written_is_told(ask, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(film_export, "export", full)
    ask("film", ending=0)
    told = film_that_ended(ask)
    assert told["phase"] == "failed"
    assert told["message"] == "talk-film.mp4 cannot be written: No space left on device."


def test_two_players_of_a_recording_write_two_films(ask, path, monkeypatch):
    goes_on = threading.Event()
    monkeypatch.setattr(film_export, "export", lambda *_, **__: goes_on.wait(30))
    other = film_export.FilmExport(path)
    ask("film", ending=0)
    other.begin(ask.player._source.index, ".mp4")
    assert (ask("film-stands")[0]["name"], other.told()["name"]) == (
        "talk-film.mp4",
        "talk-film-2.mp4",
    )
    goes_on.set()
    other.close()
    assert film_that_ended(ask)["phase"] == "done"


def test_a_film_never_stays_half_made_without_a_word(ask, monkeypatch):
    def broken(*_, **__):
        raise ValueError("what nobody thought of")

    monkeypatch.setattr(film_export, "export", broken)
    ask("film", ending=0)
    told = film_that_ended(ask)
    assert (told["phase"], told["message"]) == ("failed", "The film failed: ValueError.")
