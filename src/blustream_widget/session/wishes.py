"""What is asked of a view before its volume is open, and what of it fits the volume."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState, channel_view
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError

logger = logging.getLogger(__name__)

MAX_WISHES = 1000
"""So many are kept: a volume in a cloud may open for minutes, and hands do not wait for it."""

Patch = dict[str, Any]


class _Wish(NamedTuple):
    patch: Patch
    is_of_page: bool

    def joined(self, patch: Patch) -> _Wish | None:
        """Give it with a later patch of a page; None if that does not mean the same."""
        axis = self.patch.get("axis")
        if not self.is_of_page or patch.get("axis", axis) != axis:
            return None  # an index belongs to the axis of its moment
        before = {name: value for name, value in self.patch.items() if name not in patch}
        return _Wish(before | patch, is_of_page=True)


class EarlyWishes:
    """Keeps the changes of kernel and pages until they can be checked against the volume.

    Parameters
    ----------
    check : callable
        Raises `StateError` for a patch that names what is not there.
    """

    def __init__(self, check: Callable[[Patch], None]) -> None:
        self._check = check
        # In order: who asked last is obeyed, and an index belongs to the axis of its moment.
        self._wishes: list[_Wish] = []
        self._size: Patch = {}

    def __bool__(self) -> bool:
        return bool(self._wishes)

    @property
    def pane(self) -> tuple[int, int] | None:
        """Width and height of the page's pane in device pixels; None if no page has told."""
        size = self._size.get("width_px"), self._size.get("height_px")
        return (size[0], size[1]) if size[0] and size[1] else None

    def by_kernel(self, patch: Patch) -> None:
        """Take a change that Python made."""
        self._wishes.append(_Wish(dict(patch), is_of_page=False))
        self._bound()

    def by_page(self, patch: Patch) -> None:
        """Take a change that was made on a page."""
        self._size |= {name: patch[name] for name in ("width_px", "height_px") if name in patch}
        # A hand makes sixty changes a second.
        joined = self._wishes[-1].joined(patch) if self._wishes else None
        if joined is not None:
            self._wishes[-1] = joined
            return
        self._wishes.append(_Wish(dict(patch), is_of_page=True))
        self._bound()

    def _bound(self) -> None:
        """Leave out the oldest where there are too many, of pages rather than of the kernel."""
        if len(self._wishes) > MAX_WISHES:
            found = (idx for idx, wish in enumerate(self._wishes) if wish.is_of_page)
            del self._wishes[next(found, 0)]

    def apply(self, opened: wp.Opened, on_refused: Callable[[StateError], None]) -> ViewState:
        """Give the first state of an open volume with all that fits it; nothing is kept then.

        Parameters
        ----------
        opened : worker_protocol.Opened
        on_refused : callable
            Gets why a patch of the kernel does not fit. Of pages, fields that do not are left out.
        """
        wishes, self._wishes, self._size = self._wishes, [], {}
        state = opened.state
        for wish in wishes:
            if wish.is_of_page:
                state = self._with_fields(state, wish.patch, opened.info)
                continue
            patch = wish.patch
            try:
                if "channel" in patch:
                    patch = channel_view(opened.info, patch["channel"]) | patch
                self._check(patch)
                state = state.with_patch(patch, opened.info)
            except StateError as exc:
                on_refused(exc)
        return state

    def _with_fields(self, state: ViewState, patch: Patch, info: VolumeInfo) -> ViewState:
        for name, value in patch.items():
            try:
                self._check({name: value})
                state = state.with_patch({name: value}, info)
            except StateError as exc:
                logger.debug("A change from before the volume was open is left out: %s", exc)
        return state
