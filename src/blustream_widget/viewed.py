"""Views as text from Python: a part of `Viewer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blustream_widget.core.view_link import patch_of_link, view_link
from blustream_widget.errors import ViewLinkError

if TYPE_CHECKING:
    from blustream_widget.core.palettes import Palettes
    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeInfo


class Viewed:
    """The part of `Viewer` that is about views as text."""

    if TYPE_CHECKING:
        _palettes: Palettes

        @property
        def info(self) -> VolumeInfo: ...
        def _current(self) -> ViewState: ...
        def _post(self, patch: dict[str, Any]) -> None: ...

    def view_link(self) -> str:
        """Write what is shown now as text, which others open with `open_view` or in the page.

        Slices, zoom, colours, panes, section, and how labels and overlays look. It names the
        volume by its name and shape alone: no address, no credentials.
        """
        return view_link(self._current(), self.info)

    def open_view(self, link: str) -> None:
        """Show a view that was copied, here or in another viewer of the same data.

        Parameters
        ----------
        link : str
            From `view_link`, or "Copy this view" in a page.

        Raises
        ------
        ViewLinkError
            It is no view, damaged, too long, or of another volume.
        StateError
            It has a value that this volume does not allow; nothing is changed.
        """
        if not isinstance(link, str):
            raise ViewLinkError(f"{type(link).__name__} is no copied view.", hint="Give a text.")
        self._post(patch_of_link(link, self._current(), self.info, self._palettes))
