"""One message of each kind that a page can send, for tests of who may send it."""

from __future__ import annotations

from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import EditAnnotations, Measure, PutItem
from blustream_widget.core.call_messages import (
    CallMedia,
    CallSignal,
    CallSound,
    Candidate,
    JoinCall,
    LeaveCall,
)
from blustream_widget.core.horizon_messages import Snap, Track, WantGrid
from blustream_widget.core.label_edit import CancelEdit, EditLabels
from blustream_widget.core.recording_messages import SetRecording
from blustream_widget.core.replay_messages import DriveReplay, WantSaid
from blustream_widget.core.voice_messages import RecordVoice, Voice

BOX = annotation("box", [(0, 0, 0), (9, 9, 9)], id="box")
CODE, KEY = "d" * 32, "1" * 16

SAMPLES: tuple[p.ViewerMessage, ...] = (
    p.Hello(token=""),
    sm.Join(code=CODE, name="", protocol=4),
    p.Ping(n=1),
    p.Pong(n=1),
    p.Ack(frame_no=1),
    p.Keyframe(),
    p.Report(transport="websocket", displayed_fps=1, latency_ms=1),
    p.RtcStats(loss=0, jitter_ms=0),
    p.Stream(path="socket"),
    p.RtcOffer(sdp=""),
    vm.ChangeSlice(seq=1, slice_idx=1),
    vm.ZoomPan(seq=1, zoom=2.0, pan=(0.5, 0.5)),
    vm.WindowLevel(seq=1, window=1.0, level=0.0),
    vm.ViewSync(seq=1, colormap="grey"),
    EditAnnotations(seq=1, edits=(PutItem(BOX),)),
    EditLabels(seq=1, name="labels", history="undo"),
    CancelEdit(seq=1),
    Snap(n=1, place=(0, 0, 0)),
    Track(n=1, id="box"),
    vm.Probe(n=1, voxel=(0, 0, 0)),
    Measure(n=1, id="box"),
    WantGrid(name="grid"),
    SetRecording(on=False),
    DriveReplay(n=1, playing=False),
    WantSaid(n=1, piece=0),
    sm.OpenLink(id=KEY, code=CODE, role="viewer", expires_s=60, max_viewers=1),
    sm.StopSharing(),
    sm.GuestPage(address="https://hub.example/blustream/guest"),
    sm.Manage(person=KEY, action="remove"),
    sm.Control(action="ask"),
    sm.Say(text="hello"),
    sm.Point(voxel=(1, 2, 3)),
    sm.Point(voxel=None, drawing=sm.Drawing("line", ((1, 2, 3), (1, 5, 6)), 0)),
    sm.LookAround(on=False),
    sm.CopyView(),
    sm.Exported(what="saved a picture"),
    sm.OpenView(text=""),
    JoinCall(),
    CallSound(muted=True),
    CallSignal(seat=KEY, signal=Candidate(candidate="")),
    CallMedia(n=1, way="down", signal=Candidate(candidate="")),
    LeaveCall(),
    RecordVoice(recording=1, on=True),
    Voice(recording=1, clock=0, at_ms=0, packets=(b"\x78",)),
)
