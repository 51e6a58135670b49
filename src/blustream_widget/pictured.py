"""What a viewer can do with pictures of what it shows: a part of `Viewer`."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import traitlets as t

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.picture_messages import PictureTaken, TakePicture
from blustream_widget.errors import StateError, WorkerError
from blustream_widget.link_orders import export_note
from blustream_widget.screenshot import Screenshot, check_scale, checked_path, screenshot_of

if TYPE_CHECKING:
    from blustream_widget.core.types import VolumeInfo
    from blustream_widget.panes import Panes
    from blustream_widget.server_link import Link


class Pictured(t.HasTraits):
    """The part of `Viewer` that is about pictures of it."""

    if TYPE_CHECKING:
        _link: Link
        _session: str

        @property
        def info(self) -> VolumeInfo: ...
        @property
        def panes(self) -> Panes: ...

    def _start_pictured(self) -> None:
        self._picture_n = 0
        self._pictures: dict[int, PictureTaken | None] = {}
        self._picture_told = threading.Condition()

    def screenshot(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        pane: int | None = None,
        scale: int = 1,
        overwrite: bool = False,
        timeout_s: float = 60.0,
    ) -> Screenshot:
        """Give the exact picture of the view, once all of it is read; no page need be open.

        It is what the pages show at rest, in the size of the page that shows it: slices, sections,
        slabs and wiggles with overlays and segmentations. Annotations, the crosshair, rulers and
        the colour bar are drawn by the pages and are not in it: their camera button (P) saves them
        too.

        Parameters
        ----------
        path : str or path, optional
            PNG file to be made.
        pane : int, optional
            Number of one pane; default: all of them, laid out as on the page.
        scale : int
            Each pixel as so many each way, 1 to 8: larger, and not one value made up.
        overwrite : bool
            Take the place of a file that is there.
        timeout_s : float

        Returns
        -------
        Screenshot
            Shows itself where a cell ends with it; has `save`, `to_array` and the bytes as `png`.

        Raises
        ------
        StateError
            No such pane or scale; the file has another ending, is there already, or cannot be
            written.
        VolumeError, WorkerError
            The volume cannot be opened; there is no picture in time.
        """
        check_scale(scale)
        if pane is not None and not 0 <= pane < len(self.panes):
            raise StateError(f"There is no pane {pane}.", hint=f"The layout has {len(self.panes)}.")
        if path is not None:
            checked_path(path, overwrite=overwrite)  # before a minute is spent
        _ = self.info
        picture = screenshot_of(self._take_picture(timeout_s), pane, scale)
        if path is not None:
            picture.save(path, overwrite=overwrite)
        self._link.order(export_note(self._session, "saved a picture"))
        return picture

    def _take_picture(self, timeout_s: float) -> PictureTaken:
        with self._picture_told:
            self._picture_n += 1
            n = self._picture_n
            self._pictures[n] = None
        self._link.tell(TakePicture(session=self._session, n=n))
        try:
            with self._picture_told:
                self._picture_told.wait_for(lambda: self._pictures[n] is not None, timeout_s)
        finally:  # also when the user interrupts
            with self._picture_told:
                taken = self._pictures.pop(n)
        if taken is None:
            self._link.order(TakePicture(session=self._session, n=n, cancel=True))
            raise WorkerError(
                f"There was no picture of the view at rest within {timeout_s:g} s.",
                hint="Give timeout_s; a view that moves, or of more than 8 MB as PNG, has none.",
            )
        if taken.error:
            raise WorkerError(taken.error)
        return taken

    def _hear_picture(self, message: lp.ToKernel) -> None:
        if isinstance(message, lp.SessionOpened):
            with self._picture_told:
                waiting = [n for n, taken in self._pictures.items() if taken is None]
            for n in waiting:  # a question or its answer may have been lost
                self._link.tell(TakePicture(session=self._session, n=n))
        elif isinstance(message, PictureTaken):
            with self._picture_told:
                if message.n in self._pictures:
                    self._pictures[message.n] = message
                    self._picture_told.notify_all()
