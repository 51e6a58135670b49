"""The panes from one picture to the next: which are at rest, which wait for their turn."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from blustream_widget.core.panes import Views
from blustream_widget.core.state import ViewState
from blustream_widget.worker.composition import Composition, Scene
from blustream_widget.worker.schedule import REST_S

_BUDGET_S = 1 / 60
"""Panes that cannot be drawn within a picture's time are drawn with the next ones."""


def as_before(scene: Scene, shown: Composition) -> Scene:
    """Give what a pane showed, in the size that it has now; itself if it showed nothing."""
    before = shown.scene(scene.index)
    if before is None:
        return scene
    size = {"width_px": scene.state.width_px, "height_px": scene.state.height_px}
    return before.resized(msgspec.structs.replace(before.state, **size))


class PaneWatch:
    """What the panes showed and show; one thread."""

    def __init__(self) -> None:
        self._views: dict[int, ViewState] = {}
        self._changed_at: dict[int, float] = {}
        self._contents: dict[int, tuple[Scene, int]] = {}
        self._waiting: list[int] = []
        # Not from 0: a worker that takes over for another one must not repeat its numbers.
        self._n_contents = os.getpid() * 257

    def change(self, views: Views, now: float) -> None:
        """Take note of a new state."""
        for index, view in views:
            before = self._views.get(index)
            if before is None or not view.looks_like(before):
                self._changed_at[index] = now
        self._views = dict(views)

    def is_at_rest(self, index: int, now: float) -> bool:
        """Whether this pane has not changed for a while, whatever the others do."""
        return now >= self._changed_at.get(index, now) + REST_S

    def contents(self, scenes: Sequence[Scene]) -> tuple[int, ...]:
        """Give what the panes show a number each: the same one means the same content."""
        for scene in scenes:
            known = self._contents.get(scene.index)
            if known is None or not scene.means(known[0]):
                self._n_contents += 1
                self._contents[scene.index] = (scene, self._n_contents)
        return tuple(self._contents[scene.index][1] for scene in scenes)

    def postponed(
        self, scenes: Sequence[Scene], shown: Composition, active: int, s_per_pixel: float
    ) -> set[int]:
        """Choose panes that keep their picture for now, because all take too long to draw.

        The active pane is never among them, and of the others those that have waited come first.
        """
        changed = {s.index: s for s in scenes if not s.shows(shown.scene(s.index))}
        order = [active, *self._waiting, *changed]
        left_s, late = _BUDGET_S, []
        for index in dict.fromkeys(order):
            scene = changed.get(index)
            if scene is None:
                continue
            left_s -= scene.state.width_px * scene.state.height_px * s_per_pixel
            if left_s < 0 and index != active:
                late.append(index)
        if len(late) == len(changed) and late:
            late.pop(0)  # one at least: the view must come to its end
        self._waiting = late
        return set(late)
