"""Questions of Python that another server, or the same one by a new connection, is asked again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.picture_messages import PictureTaken, TakePicture
from blustream_widget.core.publishing import (
    PublishState,
    PublishStatus,
    StartPublishing,
    StopPublishing,
)
from blustream_widget.core.recording_messages import RecordingState
from blustream_widget.errors import RecordingError, SfuError
from blustream_widget.pictured import Pictured
from blustream_widget.publishable import Publishable
from blustream_widget.recordable import Recordable
from blustream_widget.sfu import Janus

OPENED = lp.SessionOpened(session="s", token="t")
JANUS = Janus(url="http://127.0.0.1:8088/janus")


class Link:
    """Keeps what is asked; the test answers."""

    def __init__(self) -> None:
        self.told: list = []
        self._news = threading.Condition()

    def tell(self, message) -> None:
        with self._news:
            self.told.append(message)
            self._news.notify_all()

    order = tell

    def asked(self, n: int):
        """Wait for the n-th message."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.told) >= n, 10)
            return self.told[n - 1]


class Bare(Pictured, Recordable, Publishable):
    info = None

    def __init__(self) -> None:
        super().__init__()
        self._link, self._session = Link(), "s"
        self._start_pictured()
        self._start_recordable()
        self._start_publishable()

    def hear(self, *messages) -> None:
        for message in messages:
            self._hear_picture(message)
            self._hear_recording(message)
            self._hear_published(message)


@pytest.fixture
def viewer():
    return Bare()


@pytest.fixture
def asking():
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit


def recording(n: int, phase: str = "off", **fields) -> lp.RecordingStatus:
    return lp.RecordingStatus("s", n, "/tmp/a.mp4", RecordingState(phase=phase, **fields))


def published(n: int, phase: str = "off") -> PublishStatus:
    return PublishStatus("s", n, PublishState(phase=phase))


def test_a_picture_is_asked_for_again(viewer, asking):
    answer = asking(viewer._take_picture, 10)
    first = viewer._link.asked(1)
    viewer.hear(OPENED)
    assert viewer._link.asked(2) == first == TakePicture("s", 1)
    viewer.hear(PictureTaken("s", 1, b"png"))
    assert answer.result(10).png == b"png"
    viewer.hear(OPENED)
    assert len(viewer._link.told) == 2


@pytest.mark.parametrize(
    ("begun", "question", "answer"),
    [
        ((), lp.StartRecording, recording(1, "on")),
        ((recording(0, "on", number=1),), lp.StopRecording, recording(1, number=1)),
    ],
)
def test_a_recording_is_begun_and_ended_by_the_next_connection(
    viewer, asking, begun, question, answer, monkeypatch
):
    monkeypatch.setattr("blustream_widget.recordable.Recording", lambda path: path)
    viewer.hear(*begun)
    act = viewer.record if question is lp.StartRecording else viewer.stop_recording
    result = asking(act)
    first = viewer._link.asked(1)
    assert isinstance(first, question)
    # The same server, which has not heard it: what was recorded before goes on in it.
    before = begun[0] if begun else recording(0)
    viewer.hear(OPENED, before)
    assert viewer._link.asked(2) == first
    viewer.hear(before)  # once a second, while it runs
    viewer.hear(answer)
    assert str(result.result(10)) == "/tmp/a.mp4"
    viewer.hear(OPENED, answer)
    assert len(viewer._link.told) == 2


def test_a_recording_that_was_taken_on_is_not_begun_twice(viewer, asking):
    result = asking(viewer.record)
    viewer._link.asked(1)
    viewer.hear(OPENED, recording(1, "starting"))
    viewer.hear(recording(1, "on"))
    assert str(result.result(10)) == "/tmp/a.mp4"
    assert len(viewer._link.told) == 1


def test_a_refusal_whose_answer_was_lost_is_raised(viewer, asking):
    result = asking(viewer.record, "/tmp/mine.mp4")
    viewer._link.asked(1)
    with viewer._recording_told:  # Python may hear of the first after the second has come
        refused = recording(1, "on", code="recording", message="It is recorded already.")
        viewer.hear(OPENED, refused, recording(1, "on", number=3))
    with pytest.raises(RecordingError, match="already"):
        result.result(10)
    assert (viewer.recording.phase, viewer.recording.code) == ("on", "")
    assert len(viewer._link.told) == 1


def test_a_refusal_to_publish_whose_answer_was_lost_is_raised(viewer, asking):
    result = asking(viewer.publish, JANUS)
    viewer._link.asked(1)
    with viewer._published_told:
        refused = PublishState("on", "Janus", code="sfu", message="It is published already.")
        viewer.hear(OPENED, PublishStatus("s", 1, refused), published(1, "on"))
    with pytest.raises(SfuError, match="already"):
        result.result(10)
    assert (viewer.published.phase, viewer.published.code) == ("on", "")


def test_a_recording_that_the_page_began_goes_on_and_ends(viewer):
    viewer.hear(OPENED, recording(0))
    for phase in ("starting", "on", "on", "stopping", "off"):
        viewer.hear(recording(0, phase, number=1))
        assert (viewer.recording.phase, viewer.recording.code) == (phase, "")


def test_the_end_of_a_recording_whose_server_was_killed_says_so(viewer, asking):
    viewer.hear(recording(0, "on", number=1))
    result = asking(viewer.stop_recording)
    viewer._link.asked(1)
    viewer.hear(OPENED, recording(0))
    with pytest.raises(RecordingError, match="ended while it recorded"):
        result.result(10)
    assert len(viewer._link.told) == 1


@pytest.mark.parametrize("question", [StartPublishing, StopPublishing])
def test_publishing_is_asked_for_again(viewer, asking, question):
    is_start = question is StartPublishing
    result = asking(*((viewer.publish, JANUS) if is_start else (viewer.unpublish,)))
    first = viewer._link.asked(1)
    assert isinstance(first, question)
    viewer.hear(OPENED, published(0, "off" if is_start else "on"))
    assert viewer._link.asked(2) == first
    viewer.hear(published(1, "on" if is_start else "off"))
    result.result(10)
    viewer.hear(OPENED, published(1, "on" if is_start else "off"))
    assert len(viewer._link.told) == 2


def test_who_records_in_two_threads_gets_the_answer_to_their_own_wish(viewer):
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(viewer.record, "/tmp/a.mp4")
        assert viewer._link.asked(1).n == 1
        second = threads.submit(viewer.record, "/tmp/b.mp4")
        viewer.hear(recording(1, "on", number=1))
        assert str(first.result(10)) == "/tmp/a.mp4"
        assert viewer._link.asked(2).n == 2
        viewer.hear(recording(2, "on", number=1, code="recording", message="Recorded already."))
        with pytest.raises(RecordingError, match="Recorded already"):
            second.result(10)


def test_the_end_of_publishing_waits_for_its_begin_in_another_thread(viewer):
    on = PublishState(phase="on", sfu="Janus", place="mountpoint 1")
    with ThreadPoolExecutor(2) as threads:
        begin = threads.submit(viewer.publish, JANUS)
        assert isinstance(viewer._link.asked(1), StartPublishing)
        end = threads.submit(viewer.unpublish)
        viewer.hear(PublishStatus("s", 1, on))
        assert begin.result(10) == on
        assert isinstance(viewer._link.asked(2), StopPublishing)
        viewer.hear(PublishStatus("s", 2, PublishState()))
        assert end.result(10) is None
    assert viewer.published.phase == "off"
