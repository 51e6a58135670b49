"""Which roles may send which message: the one table of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation_messages import EditAnnotations, Measure
from blustream_widget.core.call_messages import (
    CallMedia,
    CallSignal,
    CallSound,
    JoinCall,
    LeaveCall,
)
from blustream_widget.core.horizon_messages import Snap, Track, WantGrid
from blustream_widget.core.label_edit import CancelEdit, EditLabels
from blustream_widget.core.recording_messages import SetRecording
from blustream_widget.core.replay_messages import DriveReplay, WantSaid
from blustream_widget.core.sharing import ROLES
from blustream_widget.core.voice_messages import RecordVoice, Voice
from blustream_widget.errors import NotDriverError

EVERYBODY = frozenset(ROLES)
OWNERS = frozenset({"owner"})
DRIVERS = frozenset({"owner", "editor"})
EDITORS = frozenset({"owner", "editor", "annotator"})
GUESTS = EVERYBODY - OWNERS

ALLOWED: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        # The connection, and what the sender's own screen shows.
        p.Hello: EVERYBODY,
        sm.Join: EVERYBODY,
        p.Ping: EVERYBODY,
        p.Pong: EVERYBODY,
        p.Ack: EVERYBODY,
        p.Keyframe: EVERYBODY,
        p.Report: EVERYBODY,
        p.RtcStats: EVERYBODY,
        p.Stream: EVERYBODY,
        p.RtcOffer: EVERYBODY,
        # The view.
        vm.ChangeSlice: DRIVERS,
        vm.ZoomPan: DRIVERS,
        vm.WindowLevel: DRIVERS,
        vm.ViewSync: DRIVERS,
        # What is drawn on the volume.
        EditAnnotations: EDITORS,
        EditLabels: DRIVERS,
        CancelEdit: DRIVERS,
        Snap: EDITORS,
        Track: EDITORS,
        # Questions.
        vm.Probe: EVERYBODY,
        Measure: EVERYBODY,
        WantGrid: EVERYBODY,
        SetRecording: DRIVERS,
        # A recording that happens again in the view: its time is the view's.
        DriveReplay: DRIVERS,
        WantSaid: EVERYBODY,
        # People.
        sm.OpenLink: OWNERS,
        sm.StopSharing: OWNERS,
        sm.GuestPage: OWNERS,
        sm.Manage: DRIVERS,
        sm.Control: GUESTS,
        sm.LookAround: EVERYBODY,
        sm.CopyView: EVERYBODY,
        sm.Exported: EVERYBODY,
        sm.OpenView: DRIVERS,
        sm.Say: EVERYBODY,
        sm.Point: EVERYBODY,
        # Whom the owner lets take part, is in the call's own table (`session.call`).
        JoinCall: EVERYBODY,
        LeaveCall: EVERYBODY,
        CallSound: EVERYBODY,
        CallSignal: EVERYBODY,
        CallMedia: EVERYBODY,
        # Of who takes part there alone (`session.voices`).
        RecordVoice: EVERYBODY,
        Voice: EVERYBODY,
    }
)
"""A message that is not listed is nobody's. A person who was shown out has no role at all."""

_WHY = {
    DRIVERS: ("change the view", "Ask to drive, or ask the owner for an editor's link."),
    EDITORS: ("annotate", "Ask the owner for an annotator's link."),
    OWNERS: ("share the view", "Ask the owner."),
}
_WHY_OF_KIND: Mapping[type, tuple[str, str]] = {
    EditLabels: ("edit labels", "Ask the owner for an editor's link."),
    CancelEdit: ("edit labels", "Ask the owner for an editor's link."),
    DriveReplay: ("drive the replay", "Ask to drive, or ask the owner for an editor's link."),
    SetRecording: ("record", "Ask the owner for an editor's link."),
}


_OF_OWN_VIEW = frozenset({vm.ChangeSlice, vm.ZoomPan, vm.WindowLevel, vm.ViewSync, sm.OpenView})


def may(role: str, kind: type, *, in_own_view: bool = False) -> bool:
    """Whether someone of this role may send a message of this kind.

    `in_own_view`: they look around, and what moves a view moves theirs.
    """
    if in_own_view and kind in _OF_OWN_VIEW:
        return role in EVERYBODY
    return role in ALLOWED.get(kind, frozenset())


def refusal(role: str, kind: type) -> NotDriverError:
    """Error for who may not."""
    by_roles = _WHY.get(ALLOWED.get(kind, frozenset()), ("do that", ""))
    what, hint = _WHY_OF_KIND.get(kind, by_roles)
    return NotDriverError(f"The role {role!r} may look, not {what}.", hint=hint)
