"""Messages between kernel and server about a picture of the view, part of `core.link_protocol`."""

from __future__ import annotations

import msgspec


class _Message(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    pass


class TakePicture(_Message, tag="take-picture", frozen=True):
    """Give the exact picture of the view as it is now; answered by `PictureTaken`.

    `cancel`: the answer to question `n` is not wanted any more.
    """

    session: str
    n: int
    cancel: bool = False


class PanePlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a pane lies in a picture of several, pixels."""

    pane: int
    x: int
    y: int
    width: int
    height: int


class PictureTaken(_Message, tag="picture", frozen=True):
    """Answer to `TakePicture`: a PNG of `panes`, of one pane alone if there are none.

    `error`: why there is no picture.
    """

    session: str
    n: int
    png: bytes = b""
    layout: str = "single"
    panes: tuple[PanePlace, ...] = ()
    error: str = ""
