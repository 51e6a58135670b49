"""What the workers of a session open: its volume, colours of the user's own, labels, overlays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.palettes import Palettes
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeRef
from blustream_widget.session.telling import layer_names

if TYPE_CHECKING:
    from blustream_widget.session.segmentations import SegmentationBoard


class Contents:
    """Data that the session's view and people's own views have in common. Loop thread only.

    Parameters
    ----------
    ref : VolumeRef
    palettes : Palettes
    segmentations : SegmentationBoard
    """

    def __init__(
        self, ref: VolumeRef, palettes: Palettes, segmentations: SegmentationBoard
    ) -> None:
        self._ref, self._palettes, self._segmentations = ref, palettes, segmentations

    def opening(self, state: ViewState | None, pane: tuple[int, int] | None) -> wp.Open:
        """Tell what the session's own worker has to open: all labels and overlays.

        `state` None: the worker says itself what to show first, in a pane of width and height.
        """
        layers = self._segmentations.opening()
        return wp.Open(self._ref, state, pane, palettes=self._colours(), segmentations=layers)

    def opening_for(self, state: ViewState) -> wp.Open:
        """Tell what a worker of somebody's own has to open to show `state`."""
        layers = (self.layer_of(name) for name in layer_names(state))
        return wp.Open(
            ref=self._ref,
            state=state,
            palettes=self._colours(),
            segmentations=tuple(filter(None, layers)),
        )

    def layer_of(self, name: str) -> wp.AddSegmentation | None:
        """Say what labels or an overlay are made of."""
        return self._segmentations.layer_of(name)

    def edits_for(self, name: str) -> Iterable[wp.PutBricks]:
        """Give what was edited in labels."""
        return self._segmentations.edits.puts_of(name)

    def check_patch(self, patch: dict[str, Any]) -> None:
        """Refuse names that nobody knows; raises `StateError`."""
        self._palettes.check(patch)
        self._segmentations.check(patch)

    def _colours(self) -> tuple[wp.SetPalette, ...]:
        return tuple(wp.SetPalette(palette=one, idx=idx) for one, idx in self._palettes.all())
