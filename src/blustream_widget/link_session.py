"""One session as the link knows it: enough to open it again in another server."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(slots=True, eq=False)
class Change:
    """A patch of the view, joined of all that the user set one after the other.

    Parameters
    ----------
    patch : dict
    seq : int
        Number of the last one of them.
    is_sealed : bool
        Something else came after it: it is joined with nothing that came after that.
    """

    patch: dict[str, Any]
    seq: int
    is_sealed: bool = False

    def joined(self, patch: dict[str, Any], seq: int) -> Change | None:
        """Give it with a later patch; None if that does not mean the same."""
        joined = None if self.is_sealed else _joined(self.patch, patch)
        return None if joined is None else Change(joined, seq)


_OF_PANES = frozenset(("active", "layout", "linked", "panes"))
"""Fields that say which panes the others are of."""

_TURNS = frozenset(("north_up", "rotation", "flip_x", "flip_y"))


def _joined(patch: dict[str, Any], later: dict[str, Any]) -> dict[str, Any] | None:
    """Give one patch for two; None where it would not mean the same."""
    if not patch:
        return later
    # An index belongs to the axis of its moment, and one alone leaves those of the other axes.
    if "slice_idx" in patch and "axis" in later:
        return None
    if not isinstance(patch.get("slice_idx", 0), int) and isinstance(later.get("slice_idx"), int):
        return None
    # What turns the picture turns what had been moved, of the pane that was in use.
    if not _TURNS.isdisjoint(later):
        return None
    if patch.keys() == later.keys() == {"panes"}:
        return _joined_panes(patch["panes"], later["panes"])
    # And a field to the pane that was in use.
    if "panes" in patch or not _OF_PANES.isdisjoint(later):
        return None
    return patch | later


def _joined_panes(panes: Any, later: Any) -> dict[str, Any] | None:
    """Join changes of one pane, whose slice is moved many times a second."""
    are_changes = isinstance(panes, dict) and isinstance(later, dict)
    if not are_changes or panes.keys() != later.keys() or len(panes) != 1:
        return None
    ((index, fields),) = panes.items()
    joined = _joined(fields, later[index])
    return None if joined is None else {"panes": {index: joined}}


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
        # That the server has not confirmed; the first ones were sent.
        self._changes: list[Change] = []
        self._n_sent = 0

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
        is_unsent = len(self._changes) > self._n_sent
        joined = self._changes[-1].joined(patch, seq) if is_unsent else None
        if joined is None:
            self._changes.append(Change(dict(patch), seq))
        else:
            self._changes[-1] = joined

    def seal(self) -> Change | None:
        """Keep what was set until now apart from what comes; gives the last of it."""
        if not self._changes:
            return None
        self._changes[-1].is_sealed = True
        return self._changes[-1]

    def take_unsent(self, last: Change | None = None) -> list[lp.PatchState]:
        """Messages of the changes that the server has not been told yet, or until `last`."""
        end = len(self._changes)
        if last is not None:
            end = self._changes.index(last) + 1 if last in self._changes else self._n_sent
        unsent = self._changes[self._n_sent : end]
        self._n_sent = max(self._n_sent, end)
        name = self._opening.session
        return [lp.PatchState(session=name, patch=one.patch, seq=one.seq) for one in unsent]

    def heard(self, message: lp.ToKernel) -> None:
        """Follow the server's state."""
        if isinstance(message, lp.VolumeOpened):
            self.state = message.state
        elif isinstance(message, lp.Mirror) and self.state is not None:
            self.state = message.state
            n_known = len(self._changes)
            self._changes = [one for one in self._changes if one.seq > message.seq]
            self._n_sent = max(0, self._n_sent - n_known + len(self._changes))

    def reopening(self) -> lp.OpenSession:
        """Message that opens the session where it was; what was not confirmed is sent again."""
        # The number goes with it even if nothing else does: states without it count as old.
        unconfirmed = self._changes or [Change({}, self.seq)]
        self._changes, self._n_sent = [], 0
        for one in unconfirmed:
            joined = self._changes[-1].joined(one.patch, one.seq) if self._changes else None
            if joined is None:
                self._changes.append(one)
            else:
                one.patch = joined.patch  # the same object: it may be known as the last of some
                self._changes[-1] = one
        opening = self.opening
        if self.state is None:
            return opening
        return msgspec.structs.replace(opening, patch={}, state=self.state)
