"""What a viewer sees of its session, and of where its pictures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from blustream_widget.config import Config
from blustream_widget.core import view_messages as vm
from blustream_widget.core.state import ViewState
from blustream_widget.session.view_links import Volume
from blustream_widget.transport.fanout import Fanout, Subscriber
from blustream_widget.transport.ice_servers import IceServers
from blustream_widget.transport.turns import Turns

if TYPE_CHECKING:
    from blustream_widget.session.markup import Markup
    from blustream_widget.session.outlets import Outlets
    from blustream_widget.session.own_views import OwnViews
    from blustream_widget.session.sharing import Sharing
    from blustream_widget.session.viewer import Viewer


class Shown(Protocol):
    """Where a viewer's pictures come from: the session, or their own view."""

    fanout: Fanout

    @property
    def state(self) -> ViewState:
        """What it shows."""

    def patch_by(self, viewer: Viewer, patch: dict[str, Any]) -> None:
        """Change the state for a viewer that may; raises `StateError`."""

    def probe(self, viewer: Viewer, message: vm.Probe) -> None:
        """Ask the worker for a voxel's value; raises `StateError`."""

    def on_demand_changed(self) -> None:
        """Take note: somebody takes other pictures, or has room for more, or needs a keyframe."""

    def on_acknowledged(self, subscriber: Subscriber) -> None:
        """Take note that a frame is there: this path may have room for another."""


class Room(Shown, Volume, Protocol):
    """The session, as a viewer sees it."""

    config: Config
    ice_servers: IceServers
    markup: Markup
    own_views: OwnViews
    outlets: Outlets
    rtc_turns: Turns
    sharing: Sharing

    def on_report(self, viewer: Viewer) -> None:
        """Take note that the viewer told its measurements."""
