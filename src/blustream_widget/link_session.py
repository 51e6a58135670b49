"""One session as the link knows it: enough to open it again in another server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.palettes import Palettes, named_in

if TYPE_CHECKING:
    from blustream_widget.core.palettes import Palette
    from blustream_widget.core.segmentation import SegmentationSource
    from blustream_widget.core.state import ViewState
    from blustream_widget.errors import BlustreamError


class LinkListener(Protocol):
    """What a viewer hears from the server. All calls come on the link thread and must not block."""

    def on_message(self, message: lp.ToKernel) -> None:
        """Hear a message of this viewer's session."""

    def on_relay(self, channel: int, data: str | bytes) -> None:
        """Pass a message on to the browser that speaks through the comm as `channel`."""

    def on_link_error(self, error: BlustreamError) -> None:
        """Hear that the server could not be reached; the link goes on trying."""


class LinkSession:
    """What is known of a session here. Link thread only.

    Parameters
    ----------
    opening : OpenSession
        As it was asked for first.
    listener : LinkListener

    Attributes
    ----------
    is_known : bool
        A server was asked to open it, and is to be told when it is closed.
    """

    def __init__(self, opening: lp.OpenSession, listener: LinkListener) -> None:
        self._opening = opening
        self._palettes = Palettes(opening.palettes)
        self._segmentations = {source.name: source for source in opening.segmentations}
        self.listener = listener
        self.is_known = False
        self.state: ViewState | None = None
        self.seq = 0
        self._unsent: list[dict[str, Any]] = []
        self._unconfirmed: list[dict[str, Any]] = []

    @property
    def opening(self) -> lp.OpenSession:
        """As it was asked for first, with every palette that came since, and the labels."""
        palettes = tuple(palette for palette, _ in self._palettes.all())
        segmentations = tuple(self._segmentations.values())
        return msgspec.structs.replace(
            self._opening, palettes=palettes, segmentations=segmentations
        )

    def put(self, palette: Palette) -> None:
        """Keep a palette for another server."""
        self._palettes.add(palette, in_use=named_in(self.state))

    def put_segmentation(self, source: SegmentationSource) -> None:
        """Keep where labels come from for another server: they are open."""
        self._segmentations[source.name] = source

    def drop_segmentation(self, name: str) -> None:
        """Forget labels."""
        self._segmentations.pop(name, None)

    def add(self, patch: dict[str, Any], seq: int) -> None:
        """Take a change of the view."""
        self.seq = seq
        _join(self._unsent, patch)

    def take_unsent(self) -> list[lp.PatchState]:
        """Messages of the changes that the server has not been told yet."""
        patches, self._unsent = self._unsent, []
        for patch in patches:
            _join(self._unconfirmed, patch)
        # Only the last one may count as all of them.
        numbers = [*([max(0, self.seq - 1)] * (len(patches) - 1)), self.seq]
        name = self._opening.session
        return [
            lp.PatchState(session=name, patch=patch, seq=seq)
            for patch, seq in zip(patches, numbers, strict=False)
        ]

    def heard(self, message: lp.ToKernel) -> None:
        """Follow the server's state."""
        if isinstance(message, lp.VolumeOpened):
            self.state = message.state
        elif isinstance(message, lp.Mirror) and self.state is not None:
            self.state = message.state
            if message.seq >= self.seq:
                self._unconfirmed = []

    def reopening(self) -> lp.OpenSession:
        """Message that opens the session where it was; what was not confirmed is sent again."""
        # The number goes with it even if nothing else does: states without it count as old.
        self._unsent = [*self._unconfirmed, *self._unsent] or [{}]
        self._unconfirmed = []
        opening = self.opening
        if self.state is None:
            return opening
        return msgspec.structs.replace(opening, patch={}, state=self.state)


def _join(patches: list[dict[str, Any]], patch: dict[str, Any]) -> None:
    """Add a patch to those that wait, as one with the last if that means the same."""
    # An index belongs to the axis of its moment.
    if patches and not ("axis" in patch and "slice_idx" in patches[-1]):
        patches[-1] = patches[-1] | patch
    else:
        patches.append(dict(patch))
