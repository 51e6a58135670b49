"""What one viewer says: how much of it is taken, whether they may, and whom it concerns."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation_messages import EditAnnotations, Measure
from blustream_widget.core.call_messages import (
    CallMedia,
    CallMessage,
    CallSignal,
    CallSound,
    JoinCall,
    LeaveCall,
)
from blustream_widget.core.horizon_messages import Snap, Track, WantGrid
from blustream_widget.core.label_edit import CancelEdit, EditLabels
from blustream_widget.core.recording_messages import SetRecording
from blustream_widget.core.replay_messages import DriveReplay, WantSaid
from blustream_widget.core.share_messages import (
    Control,
    CopyView,
    Exported,
    GuestPage,
    LookAround,
    Manage,
    OpenLink,
    OpenView,
    Point,
    Say,
    SharingMessage,
    StopSharing,
)
from blustream_widget.core.voice_messages import RecordVoice, Voice, VoiceMessage
from blustream_widget.errors import BlustreamError, ProtocolError, ShareError
from blustream_widget.session import access
from blustream_widget.session.ratelimit import TokenBucket
from blustream_widget.session.view_links import take_view_link

if TYPE_CHECKING:
    from blustream_widget.session.room import Room
    from blustream_widget.session.viewer import Viewer

logger = logging.getLogger(__name__)

MESSAGES_HZ, MESSAGES_BURST = 500.0, 1000.0
# Of what others are told: a hand on a mouse, and a person who writes.
POINTS_HZ, POINTS_BURST = 40.0, 40.0
WORDS_HZ, WORDS_BURST = 2.0, 10.0
TURNS_HZ, TURNS_BURST = 0.5, 6.0
"""Of leaving the shown view for one's own: each takes a worker."""
MAX_INVALID = 20
_CLOSE_POLICY = 1008


class Inbox:
    """Messages of one viewer, from the socket and the data channel. Loop thread only.

    Parameters
    ----------
    viewer : Viewer
    room : Room
    """

    def __init__(self, viewer: Viewer, room: Room) -> None:
        self._viewer, self._room = viewer, room
        self._field_seq: dict[str, int] = {}
        self._bucket = TokenBucket(MESSAGES_HZ, MESSAGES_BURST)
        self._points = TokenBucket(POINTS_HZ, POINTS_BURST)
        self._words = TokenBucket(WORDS_HZ, WORDS_BURST)
        self._turns = TokenBucket(TURNS_HZ, TURNS_BURST)
        self._n_invalid = 0

    def receive(self, data: bytes | str) -> None:
        """Take a text message, from the socket or the data channel. Never raises."""
        if not self._bucket.take():
            logger.warning("Viewer %d sends too many messages and is closed", self._viewer.peer)
            self._viewer.close(_CLOSE_POLICY, "too many messages")
            return
        try:
            self._handle(p.decode_viewer(data))
        except ProtocolError as exc:
            self._n_invalid += 1
            self._viewer.send_error(exc)
            if self._n_invalid >= MAX_INVALID:
                self._viewer.close(_CLOSE_POLICY, "too many invalid messages")
        except BlustreamError as exc:
            self._viewer.send_error(exc)

    def _handle(self, message: p.ViewerMessage) -> None:
        self._check_role(message)
        match message:
            case p.Ack():  # of all messages by far the most
                self._viewer.acknowledged(message)
            case vm.ChangeSlice() | vm.ZoomPan() | vm.WindowLevel() | vm.ViewSync():
                self._change(message)
            case p.Ping(n=n):
                self._viewer.send(p.Pong(n=n))
            case p.Pong(n=n):
                self._viewer.ponged(n)
            case p.Report():
                self._viewer.report = message
                self._room.on_report(self._viewer)
                self._viewer.shown.on_demand_changed()
            case p.RtcStats():
                pass  # what the server counts itself is exacter
            case vm.Probe() | EditAnnotations() | Measure() | EditLabels() | CancelEdit():
                self._handle_annotation(message)
            case Snap() | Track() | WantGrid():
                self._room.markup.horizons.receive(self._viewer, message)
            case _:
                self._handle_stream(message)

    def _check_role(self, message: p.ViewerMessage) -> None:
        if access.may(self._viewer.role, type(message), in_own_view=self._viewer.own is not None):
            return
        # Edits are refused where they are made: their sender is told how things are.
        is_edit = isinstance(message, EditAnnotations | EditLabels)
        if self._viewer.is_expelled or not is_edit:
            raise access.refusal(self._viewer.role, type(message))

    def _handle_annotation(
        self, message: vm.Probe | EditAnnotations | Measure | EditLabels | CancelEdit
    ) -> None:
        match message:
            case vm.Probe():
                self._viewer.shown.probe(self._viewer, message)
            case EditAnnotations():
                self._room.markup.edit_annotations(self._viewer, message)
            case Measure():
                self._room.markup.measure(self._viewer, message)
            case EditLabels() | CancelEdit():
                self._room.markup.edit_labels(self._viewer, message)

    def _handle_sharing(self, message: SharingMessage) -> None:
        if isinstance(message, Point) and not self._points.take():
            return
        if isinstance(message, Say) and not self._words.take():
            raise ShareError("You write too quickly.", hint="Wait a moment.")
        self._room.sharing.receive(self._viewer, message)

    def _handle_stream(self, message: p.ViewerMessage) -> None:
        match message:
            case p.Keyframe():
                self._viewer.restart()
            case p.Stream():
                self._viewer.set_stream(message)
            case p.RtcOffer():
                self._viewer.offer(message)
            case SetRecording() | DriveReplay() | WantSaid():
                self._handle_recording(message)
            case (
                JoinCall()
                | LeaveCall()
                | CallSound()
                | CallSignal()
                | CallMedia()
                | RecordVoice()
                | Voice()
            ):
                self._handle_call(message)
            case LookAround():
                self._look_around(message)
            case CopyView() | OpenView():
                take_view_link(self._viewer, message, shown=self._viewer.shown, volume=self._room)
                if isinstance(message, CopyView):
                    self._room.sharing.exported(self._viewer, "copied the view")
            case (
                OpenLink()
                | StopSharing()
                | Manage()
                | Control()
                | Say()
                | Point()
                | GuestPage()
                | Exported()
            ):
                self._handle_sharing(message)
            case _:
                raise ProtocolError("A connection says hello only once.")

    def _handle_call(self, message: CallMessage | VoiceMessage) -> None:
        if isinstance(message, RecordVoice | Voice):
            self._room.outlets.voices.receive(self._viewer, message)
        else:
            self._room.sharing.call.receive(self._viewer, message)

    def _handle_recording(self, message: SetRecording | DriveReplay | WantSaid) -> None:
        if not isinstance(message, SetRecording):
            self._room.outlets.replaying.receive(self._viewer, message)
        elif self._room.outlets.recording.receive(self._viewer, message):
            self._room.sharing.recorded(self._viewer, on=message.on)

    def _look_around(self, message: LookAround) -> None:
        if message.on and not self._turns.take():
            raise ShareError("You go to and fro too quickly.", hint="Wait a moment.")
        self._room.own_views.receive(self._viewer, message)

    def _change(self, message: vm.ChangeSlice | vm.ZoomPan | vm.WindowLevel | vm.ViewSync) -> None:
        if self._viewer.is_overtaken:
            return  # what still counts of it, the page has said again
        patch: dict[str, Any] = {}
        for name in message.__struct_fields__:
            value = getattr(message, name)
            is_given = value is not (msgspec.UNSET if name == "section" else None)
            if name == "seq" or not is_given:
                continue
            # The data channel may bring messages out of order; each is absolute, so older ones are
            # dropped field by field.
            if self._field_seq.get(name, -1) < message.seq:
                self._field_seq[name] = message.seq
                patch[name] = value
        self._viewer.patch(patch, message.seq)
