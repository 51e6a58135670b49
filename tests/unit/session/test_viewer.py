"""Viewer: roles, order, bounds."""

from types import SimpleNamespace

import msgspec
import pytest

from blustream_widget.config import Config
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.message_types import MessageType
from blustream_widget.core.sections import Fence
from blustream_widget.errors import StateError
from blustream_widget.session import viewer as viewer_module
from blustream_widget.session.inbox import MAX_INVALID, MESSAGES_BURST
from blustream_widget.session.rtc_path import rtc_turns
from blustream_widget.session.viewer import N_FIRST_PINGS, Viewer
from blustream_widget.transport.fanout import Fanout
from blustream_widget.transport.pacing import AckPacer


class FakeRoom:
    def __init__(self):
        self.config = Config(transports="websocket")
        self.ice_servers = ()
        self.rtc_turns = rtc_turns()
        self.fanout = Fanout(lambda _stream: None)
        self.patches = []
        self.probes = []
        self.reports = 0
        self.demands = 0

    def patch_by(self, viewer, patch):
        if patch.get("slice_idx") == 99:
            raise StateError("no such slice")
        self.patches.append(patch)

    def probe(self, viewer, message):
        self.probes.append(message)

    def on_demand_changed(self):
        self.demands += 1

    def on_acknowledged(self, subscriber):
        self.demands += 1

    def on_report(self, viewer):
        self.reports += 1


class FakeChannel:
    name = "websocket"
    via = "proxy"
    read_tcp = None

    def __init__(self):
        self.messages = []
        self.closed = []

    def send_text(self, data):
        self.messages.append(p.decode_server(data))

    def hold_text(self, data):
        self.send_text(data)

    def flush(self):
        pass

    def send_frame(self, frame):
        pass

    def send_header(self, frame):
        pass

    def drop_frames(self, *, stills_only=False):
        return 0

    def close(self, code, reason):
        self.closed.append((code, reason))


@pytest.fixture
def room():
    return FakeRoom()


@pytest.fixture
def channel():
    return FakeChannel()


@pytest.fixture
def viewer(room, channel):
    return Viewer(room, channel, p.Hello(token=""), peer=1, role="owner")


CHANGES = [
    vm.ChangeSlice(seq=1, slice_idx=2),
    vm.ZoomPan(seq=1, zoom=2.0, pan=(0.1, 0.2)),
    vm.WindowLevel(seq=1, window=3.0, level=4.0),
    vm.ViewSync(seq=1, colormap="grey"),
]


@pytest.mark.parametrize("role", ["viewer", "annotator"])
@pytest.mark.parametrize("message", CHANGES)
def test_who_does_not_drive_changes_nothing_and_is_told(room, channel, role, message):
    viewer = Viewer(room, channel, p.Hello(token=""), peer=1, role=role)
    viewer.receive(p.encode(message))
    assert room.patches == []
    assert [m.code for m in channel.messages] == ["not-driver"]


@pytest.mark.parametrize("role", ["owner", "editor"])
@pytest.mark.parametrize("message", CHANGES)
def test_who_drives_changes_the_fields_of_the_message(room, channel, role, message):
    viewer = Viewer(room, channel, p.Hello(token=""), peer=1, role=role)
    viewer.receive(p.encode(message))
    (patch,) = room.patches
    assert patch == {
        name: getattr(message, name)
        for name in message.__struct_fields__
        if name != "seq" and getattr(message, name) not in (None, msgspec.UNSET)
    }
    assert viewer.seq == 1


def test_only_the_fields_that_are_newer_are_taken_from_a_late_message(room, viewer):
    viewer.receive(p.encode(vm.ViewSync(seq=5, window=2.0)))
    viewer.receive(p.encode(vm.ViewSync(seq=4, window=1.0, zoom=3.0)))
    assert room.patches == [{"window": 2.0}, {"zoom": 3.0}]
    assert viewer.seq == 5


def test_a_section_comes_and_goes_and_a_message_without_one_leaves_it(room, viewer):
    code = int(MessageType.VIEW_SYNC)
    fence = '{"kind":"fence","points":[[1,2],[3,4.5]]}'
    for seq, field in enumerate((f',"section":{fence}', ',"zoom":2', ',"section":null'), start=1):
        viewer.receive(f'{{"type":{code},"seq":{seq}{field}}}'.encode())
    assert room.patches == [
        {"section": Fence(((1.0, 2.0), (3.0, 4.5)))},
        {"zoom": 2.0},
        {"section": None},
    ]


def test_a_refused_change_is_told_to_its_sender(channel, viewer):
    viewer.receive(p.encode(vm.ChangeSlice(seq=1, slice_idx=99)))
    assert [m.code for m in channel.messages] == ["state"]


def test_many_invalid_messages_end_the_connection(channel, viewer):
    for _ in range(MAX_INVALID):
        viewer.receive(b"\xff{")
    assert len(channel.messages) == MAX_INVALID
    assert len(channel.closed) == 1


def test_too_many_messages_end_the_connection(channel, viewer):
    bucket = viewer.inbox._bucket
    began_s = bucket._at_s
    bucket._clock = lambda: began_s  # a busy machine must not give it time
    for n in range(int(MESSAGES_BURST) + 100):
        viewer.receive(p.encode(p.Ping(n=n)))
    assert channel.closed
    assert len(channel.messages) <= MESSAGES_BURST + 100


def test_webrtc_is_refused_where_it_is_switched_off(channel, viewer):
    viewer.receive(p.encode(p.RtcOffer(sdp="v=0")))
    assert [m.code for m in channel.messages] == ["protocol"]


def test_asking_for_a_keyframe_starts_again(room, viewer):
    viewer.frames.keyframe.waits = False
    viewer.receive(p.encode(p.Keyframe()))
    assert viewer.frames.needs_keyframe
    assert room.demands == 1


def test_the_round_trip_is_asked_for_more_often_at_first(viewer, channel, monkeypatch):
    now_s = 100.0
    monkeypatch.setattr(viewer_module.time, "monotonic", lambda: now_s)
    asked_at_s = []
    for _ in range(60):
        viewer.ping()
        for message in channel.messages:
            asked_at_s.append(round(now_s - 100.0, 1))
            viewer.receive(p.encode(p.Pong(n=message.n)))
        channel.messages.clear()
        now_s += 0.05
    assert len([at_s for at_s in asked_at_s if at_s < 0.7]) == N_FIRST_PINGS
    assert len(asked_at_s) == N_FIRST_PINGS + 1


@pytest.mark.parametrize(("acks_every_s", "n_expected"), [(0.0, 10), (0.19, 5)])
def test_one_of_many_whose_link_is_calm_is_asked_half_as_often(
    viewer, channel, monkeypatch, acks_every_s, n_expected
):
    now_s = 100.0
    monkeypatch.setattr(viewer_module.time, "monotonic", lambda: now_s)
    monkeypatch.setattr(viewer._ack_spacing, "_every_s", acks_every_s)
    n_asked = 0
    for _ in range(420):  # 21 s
        viewer.ping()
        for message in channel.messages:
            n_asked += 1
            viewer.receive(p.encode(p.Pong(n=message.n)))
        channel.messages.clear()
        now_s += 0.05
    assert n_asked == N_FIRST_PINGS + n_expected


def test_saying_that_webrtc_is_used_without_one_keeps_the_socket(viewer):
    viewer.receive(p.encode(p.Stream(path="webrtc")))
    assert viewer.frames.video == "h264"
    assert viewer.transport == "websocket"


@pytest.mark.parametrize(("of_rtc", "expected"), [(True, [(7, 2.5)]), (False, [])])
def test_an_acknowledgement_on_the_socket_says_which_way_its_frame_came(viewer, of_rtc, expected):
    acknowledged = []
    viewer._rtc._peer = SimpleNamespace(
        acknowledged=lambda *ack: acknowledged.append(ack), pacer=AckPacer()
    )
    viewer._rtc._is_connected = True
    viewer.receive(p.encode(p.Ack(frame_no=7, of_rtc=of_rtc, there_ms=2500.0)))
    assert acknowledged == expected
