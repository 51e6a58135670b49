"""Views as text, for a page: the one that it shows, and one that somebody sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from blustream_widget.core.palettes import Palettes
from blustream_widget.core.share_messages import CopyView, OpenView, ViewLink
from blustream_widget.core.types import VolumeInfo
from blustream_widget.core.view_link import patch_of_link, view_link
from blustream_widget.errors import StateError

if TYPE_CHECKING:
    from blustream_widget.session.room import Shown
    from blustream_widget.session.viewer import Viewer


class Volume(Protocol):
    """What a session knows of its volume."""

    @property
    def info(self) -> VolumeInfo | None:
        """Its volume; None until that is open."""

    @property
    def palettes(self) -> Palettes:
        """Colours of the user's own."""


def take_view_link(
    viewer: Viewer, message: CopyView | OpenView, *, shown: Shown, volume: Volume
) -> None:
    """Answer with the view that a viewer sees, or show one in its place.

    Raises
    ------
    StateError
        The volume is not open yet, or the view has a value that cannot be.
    ViewLinkError
    """
    info = volume.info
    if info is None:
        raise StateError("The volume is still opening.", hint="Try again in a moment.")
    if isinstance(message, CopyView):
        viewer.send(ViewLink(text=view_link(shown.state, info)))
    else:
        shown.patch_by(viewer, patch_of_link(message.text, shown.state, info, volume.palettes))
