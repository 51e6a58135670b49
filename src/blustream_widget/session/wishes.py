"""What is asked of a view before its volume is open, and what of it fits the volume."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState, channel_view
from blustream_widget.errors import StateError

logger = logging.getLogger(__name__)

Patch = dict[str, Any]


class EarlyWishes:
    """Keeps the changes of kernel and pages until they can be checked against the volume.

    Parameters
    ----------
    check : callable
        Raises `StateError` for a patch that names what is not there.
    """

    def __init__(self, check: Callable[[Patch], None]) -> None:
        self._check = check
        self.of_kernel: list[Patch] = []  # in order: an index belongs to the axis of its moment
        self.of_pages: Patch = {}

    @property
    def pane(self) -> tuple[int, int] | None:
        """Width and height of the page's pane in device pixels; None if no page has told."""
        size = self.of_pages.get("width_px"), self.of_pages.get("height_px")
        return (size[0], size[1]) if size[0] and size[1] else None

    def apply(self, opened: wp.Opened, on_refused: Callable[[StateError], None]) -> ViewState:
        """Give the first state of an open volume with all that fits it; nothing is kept then.

        Parameters
        ----------
        opened : worker_protocol.Opened
        on_refused : callable
            Gets why a patch of the kernel does not fit. Of pages, fields that do not are left out.
        """
        of_kernel, self.of_kernel = self.of_kernel, []
        of_pages, self.of_pages = self.of_pages, {}
        state = opened.state
        for patch in of_kernel:
            try:
                if "channel" in patch:
                    patch = channel_view(opened.info, patch["channel"]) | patch
                self._check(patch)
                state = state.with_patch(patch, opened.info)
            except StateError as exc:
                on_refused(exc)
        for name, value in of_pages.items():
            try:
                self._check({name: value})
                state = state.with_patch({name: value}, opened.info)
            except StateError as exc:
                logger.debug("A change from before the volume was open is left out: %s", exc)
        return state
