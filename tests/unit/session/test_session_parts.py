"""Parts of a session: framing, demand, rate limit, shared memory."""

import struct

import pytest

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.palettes import LabelStyle
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.session.demand import Demand
from blustream_widget.session.framing import WorkerSocket
from blustream_widget.session.ratelimit import TokenBucket, TokenBuckets
from blustream_widget.session.shared_memory import remove_shared_array
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.fanout import Fanout
from blustream_widget.transport.keyframe_wait import KeyframeWait


class Listener:
    def __init__(self):
        self.heard = []

    def on_message(self, message):
        self.heard.append(message)

    def on_frame(self, data, rendition):
        self.heard.append(data)

    def on_end(self):
        self.heard.append("end")


class Transport:
    def __init__(self):
        self.aborted = False
        self.written = b""
        self.unread = 0
        self.reads_nothing = False

    def abort(self):
        self.aborted = True

    def write(self, data):
        if self.reads_nothing:
            self.unread += len(data)
        else:
            self.written += data

    def get_write_buffer_size(self):
        return self.unread


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def transport():
    return Transport()


@pytest.fixture
def socket(listener, transport):
    socket = WorkerSocket(listener)
    socket.connection_made(transport)
    return socket


PROGRESS = wp.Progress(lod=1, progress=0.5, exact=False)


@pytest.mark.parametrize("step", [1, 3, 7, 1000])
def test_messages_are_found_however_the_stream_is_cut(socket, listener, step):
    frame = make_frame(1).data
    stream = wp.json_message(PROGRESS) + b"".join(wp.frame_message(frame[:48], frame[48:]))
    stream += wp.json_message(PROGRESS)
    for at in range(0, len(stream), step):
        socket.data_received(stream[at : at + step])
    assert listener.heard == [PROGRESS, frame, PROGRESS]


@pytest.mark.parametrize(
    "data",
    [struct.pack("<IB", wp.MAX_PAYLOAD_BYTES + 1, 0), struct.pack("<IB", 3, 0) + b"{x}"],
    ids=["too large", "no message"],
)
def test_a_worker_that_talks_nonsense_is_cut_off(socket, transport, listener, data):
    socket.data_received(data)
    assert transport.aborted
    assert listener.heard == []


def test_a_worker_that_does_not_read_is_cut_off(socket, transport):
    transport.unread = 2 * 1024 * 1024
    socket.send(wp.WantKeyframe())
    assert transport.aborted


def test_a_worker_is_given_the_time_to_read_what_is_large(socket, transport):
    names = {label: "left hemisphere, region " + str(label) for label in range(4096)}
    style = LabelStyle(name="labels-00000000", colors=dict.fromkeys(names, "#112233"), names=names)
    palettes = tuple(wp.SetPalette(palette=style) for _ in range(8))
    transport.reads_nothing = True
    socket.send(wp.Open(ref=VolumeRef(url="fake:"), palettes=palettes))
    socket.send(wp.Output())
    assert transport.unread > 1_500_000
    assert not transport.aborted
    for _ in range(30_000):
        socket.send(wp.Output())
    assert transport.aborted


def test_after_the_end_nothing_is_written(socket, transport, listener):
    socket.connection_lost(None)
    socket.send(wp.WantKeyframe())
    assert listener.heard == ["end"]
    assert transport.written == b""


class FakeSubscriber:
    stills = True

    def __init__(self):
        self.video = "h264"
        self.has_credit = True
        self.needs_keyframe = False
        self.keyframe = KeyframeWait()

    def offer(self, frame):
        pass


@pytest.fixture
def viewer():
    return FakeSubscriber()


@pytest.fixture
def sent():
    return []


@pytest.fixture
def demand(sent, viewer):
    demand = Demand(sent.append)
    fanout = Fanout(demand.request_keyframe)
    fanout.add(viewer)
    demand.watch(fanout)
    yield demand
    demand.close()


def revisions(sent):
    return [m.state.revision for m in sent if isinstance(m, wp.Show)]


async def test_while_nobody_has_room_only_the_newest_state_waits(demand, viewer, sent):
    viewer.has_credit = False
    for revision in range(1, 101):
        demand.show(ViewState(revision=revision))
    assert revisions(sent) == []
    viewer.has_credit = True
    demand.update()
    demand.update()
    assert revisions(sent) == [100]


async def test_who_has_room_again_gets_the_state_that_waits_and_others_are_not_asked(
    demand, viewer, sent
):
    viewer.has_credit = False
    demand.show(ViewState(revision=1))
    other = FakeSubscriber()
    other.has_credit = False
    demand.room_made(other)
    assert revisions(sent) == []
    viewer.has_credit = True
    demand.room_made(viewer)
    assert revisions(sent) == [1]


async def test_an_acknowledgement_asks_for_the_keyframe_that_its_viewer_waits_for(sent, viewer):
    demand = Demand(sent.append, clock=lambda: 0.0)
    fanout = Fanout(demand.request_keyframe)
    fanout.add(viewer)
    demand.watch(fanout)
    demand.show(ViewState())
    viewer.needs_keyframe = True
    demand.room_made(viewer)
    assert [type(m) for m in sent] == [wp.Show, wp.Output, wp.WantKeyframe]
    demand.close()


async def test_it_is_said_whether_the_worker_gets_the_view_that_it_has(sent, viewer):
    told = []
    demand = Demand(sent.append, on_show=told.append)
    fanout = Fanout(demand.request_keyframe)
    fanout.add(viewer)
    demand.watch(fanout)
    demand.show(ViewState(revision=1))
    demand.show(ViewState(revision=2, crosshair=True))
    viewer.has_credit = False
    demand.show(ViewState(revision=3, zoom=2.0))
    demand.show(ViewState(revision=4))
    viewer.has_credit = True
    demand.update()
    demand.show(ViewState(revision=5, zoom=2.0))
    demand.opened(ViewState(revision=6, zoom=2.0))
    assert told == [False, True, True, False, False]
    demand.close()


async def test_the_state_goes_before_the_permission_to_draw(demand, sent):
    demand.opened(ViewState(revision=3))
    kinds = [type(m) for m in sent]
    assert kinds.index(wp.Show) < kinds.index(wp.Output)


async def test_nobody_asks_a_worker_for_pictures_that_does_not_know_of_what(demand, viewer, sent):
    viewer.has_credit = False
    demand.opened(ViewState(revision=3))
    demand.update()
    assert sent == []
    viewer.has_credit = True
    demand.room_made(viewer)
    assert [type(m) for m in sent] == [wp.Show, wp.Output]
    viewer.has_credit = False
    demand.opened(ViewState(revision=4))
    viewer.has_credit = True
    demand.show(ViewState(revision=5))
    assert [type(m) for m in sent[2:]] == [wp.Show, wp.Output]
    assert revisions(sent) == [3, 5]


async def test_the_output_is_told_when_it_changes_and_not_otherwise(demand, viewer, sent):
    demand.opened(ViewState())
    demand.update()
    viewer.video = None
    demand.update()
    outputs = [m for m in sent if isinstance(m, wp.Output)]
    assert [(m.h264, m.jpeg) for m in outputs] == [(True, False), (False, False)]


async def test_many_wishes_for_a_keyframe_are_one(demand, viewer, sent):
    demand.show(ViewState())
    viewer.needs_keyframe = True
    for _ in range(60):
        demand.update()
    assert sum(isinstance(m, wp.WantKeyframe) for m in sent) == 1


async def test_a_new_worker_is_told_everything_again(demand, sent):
    demand.opened(ViewState(revision=1))
    sent.clear()
    demand.opened(ViewState(revision=1))
    assert [type(m) for m in sent] == [wp.Show, wp.Output]


def test_a_bucket_allows_a_burst_and_then_the_rate():
    now_s = 0.0
    bucket = TokenBucket(10.0, 5.0, clock=lambda: now_s)
    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2
    now_s = 0.25
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_buckets_are_kept_as_long_as_they_say_more_than_a_new_one():
    now_s = 0.0
    buckets = TokenBuckets(0.5, 4.0, clock=lambda: now_s)
    assert [buckets.take("ann") for _ in range(6)] == [True] * 4 + [False] * 2
    for k in range(100):
        assert buckets.take(f"guest {k}")
    assert len(buckets) == 101
    now_s = 2.0  # of the guests each may all again
    assert buckets.take("ben")
    assert len(buckets) == 2
    assert [buckets.take("ann") for _ in range(2)] == [True, False]
    now_s = 20.0
    assert buckets.take("cat")
    assert len(buckets) == 1


def array_at(path):
    return VolumeRef(array=SharedArray(path=str(path), shape=(1, 1, 1), dtype="|u1"))


def test_a_shared_array_of_ours_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    path = tmp_path / "blustream-1"
    path.touch()
    remove_shared_array(array_at(path))
    remove_shared_array(array_at(path))
    assert not path.exists()


@pytest.mark.parametrize("name", ["other", "sub/blustream-1", "../blustream-1"])
def test_no_other_file_is_ever_removed(tmp_path, monkeypatch, name):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(root))
    path = root / name
    path.touch()
    remove_shared_array(array_at(path))
    assert path.exists()


def test_a_link_in_place_of_a_shared_array_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    target = tmp_path / "target"
    target.touch()
    (tmp_path / "blustream-1").symlink_to(target)
    remove_shared_array(array_at(tmp_path / "blustream-1"))
    assert target.exists()


async def test_nothing_blinks_while_somebody_who_looks_wants_no_motion(viewer, sent):
    is_calm = False
    demand = Demand(sent.append, may_blink=lambda: not is_calm)
    fanout = Fanout(demand.request_keyframe)
    fanout.add(viewer)
    demand.watch(fanout)
    demand.show(ViewState())
    is_calm = True
    demand.update()
    assert [m.blink for m in sent if isinstance(m, wp.Output)] == [True, False]
    demand.close()
