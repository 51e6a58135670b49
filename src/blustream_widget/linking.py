"""Viewers that follow each other: `link`, and the handle that it gives."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.linking import LINK_KINDS, Guide, LinkKind, check_times
from blustream_widget.errors import StateError

if TYPE_CHECKING:
    from blustream_widget.core.palettes import Palette
    from blustream_widget.viewer import Viewer

DEFAULT_KINDS: tuple[LinkKind, ...] = ("plane", "slice", "camera", "cursor")


class ViewLink:
    """Viewers that follow each other, until `unlink()`; made by `link`."""

    def __init__(self, viewers: Sequence[Viewer], what: Sequence[LinkKind]) -> None:
        self._viewers = list(viewers)
        self._what = tuple(what)
        self._id = uuid.uuid4().hex
        for viewer in self._viewers:
            viewer._links.append(self)

    def __repr__(self) -> str:
        names = ", ".join(viewer.info.name for viewer in self._viewers)
        return f"<ViewLink of {names}: {', '.join(self._what)}>" if names else "<ViewLink, ended>"

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        """Those that follow each other; none after `unlink()`."""
        return tuple(self._viewers)

    @property
    def what(self) -> tuple[LinkKind, ...]:
        """In what they follow each other."""
        return self._what

    def unlink(self) -> None:
        """Let each go its own way from now on; they stay as they are. May be called twice."""
        if self._viewers:
            self._viewers[0]._link.untie(self._id)
        for viewer in list(self._viewers):
            self._drop(viewer)

    def _start(self) -> None:
        if "colormap" in self._what:
            for viewer in self._viewers:
                for palette, _ in viewer._palettes.all():
                    self._share(palette)
        sessions = tuple(viewer._session for viewer in self._viewers)
        tie = lp.TieViews(tie=self._id, sessions=sessions, what=self._what, aligns=True)
        self._viewers[0]._link.tie(tie)
        for viewer in self._viewers:
            viewer._tell_links()

    def _share(self, palette: Palette) -> None:
        """Let all of them know colours that one of them was given."""
        if "colormap" in self._what:
            for viewer in self._viewers:
                viewer._put(palette)

    def _leave(self, viewer: Viewer) -> None:
        """Go on without a viewer that is closed; the server does the same."""
        self._drop(viewer)
        if len(self._viewers) == 1:
            self._drop(self._viewers[0])

    def _drop(self, viewer: Viewer) -> None:
        self._viewers.remove(viewer)
        viewer._links.remove(self)
        for other in (viewer, *self._viewers):
            other._tell_links()

    def _trait(self) -> dict[str, Any]:
        """Say what the page must know of it."""
        return {
            "id": self._id,
            "sessions": [viewer._session for viewer in self._viewers],
            "what": list(self._what),
        }


def link(*viewers: Viewer, what: LinkKind | Sequence[LinkKind] | None = None) -> ViewLink:
    """Have viewers follow each other, whoever of them is moved: by hand or from Python.

    Places are linked by world coordinates: volumes of other spacing, size or orientation meet at
    the same place. Seismic volumes without map coordinates meet at the same line numbers and
    times; others without coordinates must have equal shapes, and meet at the same voxel.

    Parameters
    ----------
    *viewers : Viewer
        Two or more. The first leads at once; linking the same ones again replaces their link.
    what : name or sequence of names
        "plane" (the axis), "slice" (the place where the three slices meet), "camera" (zoom, pan,
        stretch), "window" (window and level), "colormap" (with clip colours), "cursor" (crosshair,
        and the place under the pointer), "time" (the step of series: by its name, or by its time).
        By default the place: "plane", "slice", "camera" and "cursor", and "time" of series that
        have their times in common.

    Returns
    -------
    ViewLink
        Ends by `unlink()`, and with the last but one of its viewers.

    Raises
    ------
    StateError
        If that cannot be linked; says what can be.
    VolumeError, WorkerError
        If a volume cannot be opened: linking waits until all are open.

    Examples
    --------
    >>> both = link(before, after)             # doctest: +SKIP
    >>> colours = link(before, after, what=("window", "colormap"))  # doctest: +SKIP
    >>> both.unlink()                          # doctest: +SKIP
    """
    members = _checked_viewers(viewers)
    kinds = _default_kinds(members) if what is None else _checked_kinds(what)
    first, *others = members
    for other in others:
        Guide(first.info, other.info, kinds)
        Guide(other.info, first.info, kinds)
    for known in list(first._links):
        if set(known.viewers) == set(members):
            known.unlink()
    made = ViewLink(members, kinds)
    made._start()
    return made


def _default_kinds(viewers: Sequence[Viewer]) -> tuple[LinkKind, ...]:
    first, *others = viewers
    try:
        for other in others:
            check_times(first.info, other.info)
    except StateError:
        return DEFAULT_KINDS
    return (*DEFAULT_KINDS, "time")


def _checked_kinds(what: LinkKind | Sequence[LinkKind]) -> tuple[LinkKind, ...]:
    wanted = {what} if isinstance(what, str) else set(what)
    if not wanted or not wanted.issubset(LINK_KINDS):
        raise StateError(
            f"what = {what!r} is not something that viewers can be linked in.",
            hint=f"One or more of: {', '.join(LINK_KINDS)}.",
        )
    return tuple(kind for kind in LINK_KINDS if kind in wanted)


def _checked_viewers(viewers: Sequence[Any]) -> list[Viewer]:
    from blustream_widget.viewer import Viewer  # which knows of its links

    for viewer in viewers:
        if not isinstance(viewer, Viewer):
            raise StateError(f"{viewer!r} is no Viewer.", hint="link(a, b) links two viewers.")
        if viewer._closed:
            raise StateError("A closed viewer cannot be linked.", hint="Make it again.")
    if len(set(viewers)) != len(viewers) or not 2 <= len(viewers) <= lp.MAX_TIED:
        raise StateError(
            f"{len(set(viewers))} different viewers of {len(viewers)} cannot be linked.",
            hint=f"Give 2 to {lp.MAX_TIED} viewers, each once.",
        )
    return list(viewers)
