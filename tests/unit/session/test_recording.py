"""What a session gives to its recording, and what it asks for it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from blustream_widget.annotations import annotation
from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation_messages import PutItem
from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.core.recording_messages import SetRecording
from blustream_widget.core.share_messages import PointerPlace
from blustream_widget.core.sharing import SharedPerson
from blustream_widget.errors import NotDriverError, RecordingError, RecordingExistsError
from blustream_widget.recording.writer import Told
from blustream_widget.session import recording, recording_tap
from blustream_widget.session.recording import RecordingDesk
from blustream_widget.session.recording_tap import KEYFRAME_S, RecordingTap
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.testing.fakes import volume_info
from blustream_widget.transport.fanout import Fanout


class Writer:
    def __init__(self):
        self.is_behind = self.has_stopped = False
        self.pictures, self.stills, self.events, self.headers = [], [], [], []

    def put_picture(self, picture):
        self.pictures.append(picture)

    def put_still(self, png, header):
        self.stills.append(png)
        self.headers.append(header)

    def put_event(self, event):
        self.events.append(event)

    def put_state(self, state):
        pass

    def stop(self):
        self.has_stopped = True


class Looker:
    video, stills, has_credit, needs_keyframe = "h264", True, False, False

    def offer(self, frame):
        pass


class Scene:
    def __init__(self):
        self.now_s = 0.0
        self.asked = 0
        self.fanout = Fanout(self.ask)
        self.writer = Writer()
        self.tap = RecordingTap(self.writer, self.fanout, clock=lambda: self.now_s)
        self.fanout.add(self.tap, sets_pace=False)
        self.n = 0

    def ask(self, _stream):
        self.asked += 1

    def show(self, **flags):
        self.n += 1
        self.fanout.publish(make_frame(self.n, **flags))


@pytest.fixture
def scene():
    return Scene()


def test_it_begins_at_a_keyframe_and_asks_for_it(scene):
    scene.show()
    assert (scene.writer.pictures, scene.asked) == ([], 1)
    scene.show(is_key=True)
    scene.show()
    assert [picture.is_keyframe for picture in scene.writer.pictures] == [True, False]


def test_now_and_then_it_asks_for_a_keyframe_while_pictures_come(scene):
    scene.show(is_key=True)
    scene.now_s = KEYFRAME_S
    scene.show()
    assert scene.asked == 0
    scene.now_s += 0.1
    scene.show()
    assert scene.asked == 1
    scene.show()
    assert len(scene.writer.pictures) == 4  # what comes until then is recorded


def test_the_pace_is_that_of_those_who_look(scene):
    assert scene.fanout.has_credit
    looker = Looker()
    scene.fanout.add(looker)
    assert not scene.fanout.has_credit
    scene.fanout.remove(looker)
    assert scene.fanout.has_credit


def test_on_a_slow_disk_whole_groups_are_left_out_and_it_says_so(scene):
    scene.show(is_key=True)
    scene.writer.is_behind = True
    for _ in range(3):
        scene.show()
    assert (len(scene.writer.pictures), scene.asked) == (1, 0)
    assert scene.writer.events == [{"kind": "gap"}]
    scene.writer.is_behind = False
    scene.show()
    assert (len(scene.writer.pictures), scene.asked) == (1, 1)
    scene.show(is_key=True)
    assert len(scene.writer.pictures) == 2


def test_the_exact_picture_at_rest_is_kept(scene):
    scene.show(is_key=True)
    scene.show(is_still=True)
    assert (len(scene.writer.pictures), len(scene.writer.stills)) == (1, 1)


def test_what_each_picture_shows_is_kept_with_it(scene):
    scene.show(is_key=True)
    scene.show(is_still=True)
    headers = [scene.writer.pictures[0].header, *scene.writer.headers]
    assert [FrameHeader.unpack(header).frame_no for header in headers] == [1, 2]


@pytest.mark.parametrize("ago", [0, 1500, 2**32])
def test_a_picture_is_as_old_as_its_worker_says(monkeypatch, ago):
    now = 2**40 + 17
    monkeypatch.setattr(recording_tap, "now_90k", lambda: now)
    assert recording_tap._captured_90k((now - ago) & 0xFFFFFFFF) == now - ago % 2**32


def test_a_clock_of_another_machine_is_not_believed(monkeypatch):
    monkeypatch.setattr(recording_tap, "now_90k", lambda: 2**40)
    assert recording_tap._captured_90k(12_345_678) == 2**40


class Kernel:
    def __init__(self):
        self.told = []

    def tell_recording(self, path, n, status):
        self.told.append((path, n, status))

    def heard(self):
        """Give what was told since this was asked last."""
        told, self.told = self.told, []
        return [(path, n, status.phase, status.code) for path, n, status in told]


def shared_person(name):
    return SharedPerson(id="b", name=name, role="viewer", color="#123456", since_ms=0.0)


def desk(kernel, encoder="libx264", in_turn=lambda then: then()):
    view = (None, volume_info(shape=(4, 4, 4)))
    return RecordingDesk(
        config=Config(),
        fanout=Fanout(lambda _stream: None),
        kernel=kernel,
        viewers=lambda: (),
        view=lambda: view,
        items=lambda: (),
        palettes=lambda: (),
        encoder=lambda: encoder,
        on_change=lambda: None,
        in_turn=in_turn,
    )


@pytest.mark.parametrize("role", ["viewer", "annotator"])
@pytest.mark.parametrize("on", [True, False])
def test_who_may_only_look_neither_begins_nor_ends_a_recording(role, on):
    with pytest.raises(NotDriverError, match=role):
        desk(Kernel()).receive(SimpleNamespace(role=role), SetRecording(on=on))


def test_without_an_encoder_it_says_what_is_missing():
    with pytest.raises(RecordingError, match=r"no H\.264 encoder"):
        desk(Kernel(), encoder="").receive(SimpleNamespace(role="editor"), SetRecording(on=True))


def test_a_kernel_that_comes_is_told_that_nothing_is_recorded():
    kernel = Kernel()
    desk(kernel).attach_kernel()
    ((_, n, status),) = kernel.told
    assert (n, status.phase) == (0, "off")


def test_ending_what_does_not_run_is_answered():
    kernel = Kernel()
    desk(kernel).receive_of_kernel(lp.StopRecording(session="s", n=7))
    ((_, n, status),) = kernel.told
    assert (n, status.phase) == (7, "off")


async def test_what_is_told_twice_is_done_once(monkeypatch):
    monkeypatch.setattr(recording, "RecordingWriter", lambda *_, **__: Writer())
    one = desk(kernel := Kernel())
    wish = lp.StartRecording(session="s", n=1, path="/talk.mp4")
    one.attach_kernel()
    assert [one.receive_of_kernel(wish) for _ in range(2)] == [True, False]
    assert [(n, s.phase, s.code) for _, n, s in kernel.told] == [
        (0, "off", ""),
        (1, "starting", ""),
        (1, "starting", ""),
    ]
    kernel.heard()
    refused = lp.StartRecording(session="s", n=2, path="/another.mp4")
    assert not one.receive_of_kernel(refused)
    assert kernel.heard() == [("/talk.mp4", 2, "starting", "recording")]
    assert not one.receive_of_kernel(refused)
    assert kernel.heard() == [
        ("/talk.mp4", 2, "starting", "recording"),
        ("/talk.mp4", 2, "starting", ""),
    ]


@pytest.mark.parametrize("by_page", [False, True], ids=["nothing runs", "another one runs"])
async def test_a_kernel_that_comes_again_hears_first_that_its_wish_was_refused(
    monkeypatch, by_page
):
    monkeypatch.setattr(recording, "RecordingWriter", lambda *_, **__: Writer())
    one = desk(kernel := Kernel())
    if by_page:
        one.receive(SimpleNamespace(role="editor"), SetRecording(on=True))
    else:
        monkeypatch.setattr(one, "_encoder", lambda: "")
    one.receive_of_kernel(lp.StartRecording(session="s", n=1, path="/talk.mp4"))
    one._heard(1, Told(phase="on", duration_s=1.0))  # while nobody hears it
    kernel.heard()
    one.attach_kernel()
    path, phase = str(one._path), "starting" if by_page else "off"
    truth = [(path, 1, phase, "")] if by_page else []
    assert kernel.heard() == [(path, 1, phase, "recording"), *truth]
    one.receive_of_kernel(lp.StopRecording(session="s", n=2))
    kernel.heard()
    one.attach_kernel()
    assert [code for *_, code in kernel.heard()] == [""]  # it was of an older wish


async def test_a_refusal_that_is_told_again_says_what_runs_now(monkeypatch):
    monkeypatch.setattr(recording, "RecordingWriter", lambda *_, **__: Writer())
    one = desk(kernel := Kernel())
    one.receive_of_kernel(lp.StartRecording(session="s", n=1, path="/talk.mp4"))
    one._heard(1, Told(phase="on", duration_s=1.0))
    one.receive_of_kernel(lp.StartRecording(session="s", n=2, path="/another.mp4"))
    one.receive(SimpleNamespace(role="editor", own=None), SetRecording(on=False))
    one._heard(1, Told(phase="off", duration_s=2.0))
    kernel.heard()
    one.attach_kernel()
    assert kernel.heard() == [("/talk.mp4", 2, "off", "recording")]


async def test_a_file_that_could_not_be_made_is_told_before_what_a_page_began_since(monkeypatch):
    monkeypatch.setattr(recording, "RecordingWriter", lambda *_, **__: Writer())
    one = desk(kernel := Kernel())
    one.receive_of_kernel(lp.StartRecording(session="s", n=1, path="/talk.mp4"))
    one._heard(1, Told(phase="off", error=RecordingExistsError("It is there.")))
    one.receive(SimpleNamespace(role="editor"), SetRecording(on=True))
    kernel.heard()
    one.attach_kernel()
    assert [heard[1:] for heard in kernel.heard()] == [
        (1, "off", "recording-exists"),
        (1, "starting", ""),
    ]


async def test_nothing_is_recorded_of_a_session_that_ends():
    one = desk(kernel := Kernel())
    await one.close()
    assert not one.receive_of_kernel(lp.StartRecording(session="s", n=3, path="/talk.mp4"))
    assert "being closed" in kernel.told[-1][2].message
    assert not one.is_on


async def test_an_annotation_that_is_still_written_down_belongs_to_what_ends(monkeypatch):
    writer, waiting = Writer(), []
    monkeypatch.setattr(recording, "RecordingWriter", lambda *_, **__: writer)
    one = desk(kernel := Kernel(), in_turn=waiting.append)
    one.receive_of_kernel(lp.StartRecording(session="s", n=1, path="/talk.mp4"))
    one._heard(1, Told(phase="on"))
    one.receive_of_kernel(lp.StopRecording(session="s", n=2))
    assert (kernel.told[-1][2].phase, writer.has_stopped) == ("stopping", False)
    one.saw_edits([PutItem(annotation("point", (1, 1, 1), id="a"))])
    waiting.pop()()
    assert writer.has_stopped
    assert writer.events[-1]["edits"][0]["item"]["id"] == "a"
    one.saw_edits([PutItem(annotation("point", (2, 1, 1), id="b"))])
    assert writer.events[-1]["edits"][0]["item"]["id"] == "a"


async def test_it_runs_when_what_was_shown_at_the_call_is_in_it(monkeypatch):
    writer = Writer()
    monkeypatch.setattr(recording, "RecordingWriter", lambda *_, **__: writer)
    one = desk(kernel := Kernel())
    one.receive_of_kernel(lp.StartRecording(session="s", n=1, path="/talk.mp4"))
    one._heard(1, Told(phase="on"))
    one._heard(1, Told(phase="on", duration_s=1.0))  # the file is there, and nothing in it
    assert {status.phase for _, _, status in kernel.told} == {"starting"}
    one._fanout.publish(make_frame(1, is_key=True))
    assert (kernel.told[-1][2].phase, len(writer.pictures)) == ("on", 1)
    n_told = len(kernel.told)
    one._fanout.publish(make_frame(2, is_key=True))
    assert (len(kernel.told), len(writer.pictures)) == (n_told, 2)


async def test_a_picture_that_does_not_come_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(recording, "RecordingWriter", lambda *_, **__: Writer())
    monkeypatch.setattr(recording, "FIRST_PICTURE_S", 0.0)
    one, begun = desk(kernel := Kernel()), asyncio.Event()
    kernel.tell_recording = lambda _path, _n, status: status.phase == "on" and begun.set()
    one.receive_of_kernel(lp.StartRecording(session="s", n=1, path="/talk.mp4"))
    one._heard(1, Told(phase="on"))
    async with asyncio.timeout(10):
        await begun.wait()


async def test_pointers_are_noted_with_the_names_of_whose_they_are(monkeypatch):
    writer = Writer()
    monkeypatch.setattr(recording, "RecordingWriter", lambda *_, **__: writer)
    one = desk(Kernel())
    place, mei = PointerPlace("b", (1.5, 2.0, 3.0)), shared_person("Mei")
    one.saw_pointers([place], [mei])  # nothing is recorded
    one.receive_of_kernel(lp.StartRecording(session="s", n=1, path="/talk.mp4"))
    one._heard(1, Told(phase="on"))
    n_before = len(writer.events)
    one.saw_pointers([place], [mei])
    one.saw_pointers([PointerPlace("b", None)], [mei])
    one.saw_pointers([place], [shared_person("Mei Lin")])
    told = [(e["kind"], e.get("people") or e["places"]) for e in writer.events[n_before:]]
    assert told == [
        ("people", [{"id": "b", "name": "Mei", "color": "#123456"}]),
        ("pointers", [{"who": "b", "voxel": (1.5, 2.0, 3.0), "drawing": None}]),
        ("pointers", [{"who": "b", "voxel": None, "drawing": None}]),
        ("people", [{"id": "b", "name": "Mei Lin", "color": "#123456"}]),
        ("pointers", [{"who": "b", "voxel": (1.5, 2.0, 3.0), "drawing": None}]),
    ]
