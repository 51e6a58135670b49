"""Look at huge volumes from a notebook, live and shared, without moving the data."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from blustream_widget._version import __version__
from blustream_widget.errors import BlustreamError, StateError, VolumeError

if TYPE_CHECKING:
    from blustream_widget.core.sections import Fence, Oblique
    from blustream_widget.linking import link
    from blustream_widget.recordings import Recording
    from blustream_widget.viewer import Viewer

__all__ = [
    "BlustreamError",
    "Fence",
    "Oblique",
    "Recording",
    "StateError",
    "Viewer",
    "VolumeError",
    "__version__",
    "link",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    # The server and the worker import this package too and need no widgets.
    if name == "Viewer":
        from blustream_widget.viewer import Viewer

        return Viewer
    if name == "link":
        from blustream_widget.linking import link

        return link
    if name == "Recording":
        from blustream_widget.recordings import Recording

        return Recording
    if name in ("Fence", "Oblique"):
        from blustream_widget.core import sections

        return getattr(sections, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
