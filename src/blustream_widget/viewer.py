"""The widget: traits that mirror the view's state, and methods that post patches."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any

import traitlets as t

from blustream_widget import front_end
from blustream_widget._array_copy import ArrayCopy
from blustream_widget._kernel_loop import KernelLoop
from blustream_widget._relay import Relay
from blustream_widget._token import TokenGiver
from blustream_widget._trait_lock import TRAIT_LOCK
from blustream_widget._user_words import as_dict, patch_of
from blustream_widget.annotations.annotated import Annotated
from blustream_widget.color_traits import ColorTraits, first_colors
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.palettes import Palettes
from blustream_widget.core.state import (
    ViewState,
    auto_window,
    check_fields,
    first_state,
)
from blustream_widget.core.types import Kind, VolumeInfo
from blustream_widget.errors import (
    BlustreamError,
    MissingDependencyError,
    StateError,
    WorkerError,
    from_code,
)
from blustream_widget.overlaid import Overlaid
from blustream_widget.panes import Panes, values_of
from blustream_widget.pictured import Pictured
from blustream_widget.publishable import Publishable
from blustream_widget.recordable import Recordable
from blustream_widget.sectioned import Sectioned
from blustream_widget.segmented import Segmented
from blustream_widget.server_link import Link, shared_link
from blustream_widget.shared import SharedSegment
from blustream_widget.sharing import Shareable
from blustream_widget.source_arg import (
    checked_height,
    checked_transports,
    css_layout,
    volume_ref,
)
from blustream_widget.view_traits import (
    STATE_TRAITS,
    STATUS_TRAITS,
    TraitStateError,
    ViewTraits,
)
from blustream_widget.viewed import Viewed

logger = logging.getLogger(__name__)

_OPEN_TIMEOUT_S = 60.0


class Viewer(
    ColorTraits,
    Segmented,
    Overlaid,
    Sectioned,
    Recordable,
    Publishable,
    Pictured,
    Annotated,
    Shareable,
    Viewed,
):
    """A live view of a volume, streamed as video from a worker process.

    Parameters
    ----------
    volume : str, path or array, or a list of them
        A .vds file or address (s3://, azure://, gs://, http(s)://), a NIfTI, .npy or SEG-Y file,
        or a 3-D array of real numbers (NumPy, or anything `numpy.asarray` takes). A series in time
        is a NIfTI file or an array with four axes, or a list of volumes on one grid, a step each.
    axis : str or int, optional
        Axis the slice is taken across, by name ("inline", "axial") or number 0, 1, 2.
    slice_idx : int, optional
        0-based position along the axis.
    slice_no : float, optional
        The same by survey number (inline 1412, 840 ms).
    window, level : float, optional
        Full width and centre of the display range in the data's unit; default from percentiles.
    colormap : str or colours, optional
        One of `Viewer.colormaps`, or what `add_colormap` takes.
    view_layout : str, optional
        "single", "orthogonal", "quad", "picture-in-picture", "compare", or rows x columns: "2x3".
    view : str, optional
        A copied view of the same data, from `view_link` or a page; other arguments go over it.
    height : int
        Height of the cell's output in CSS pixels.
    connection : str
        OpenVDS connection string for remote volumes. Never logged, never sent to a browser.
    kind : {"seismic", "medical", "generic"}, optional
        Overrides what the metadata say.
    spacing : tuple of 3 float, optional
        World distance between voxels of an array, along its axes.
    affine : array_like of shape (4, 4), optional
        From index to world, instead of a spacing: millimetres to the patient's right, front and
        head (RAS+, as nibabel gives it) where `kind` is "medical", which it is for an array with
        an affine and no other kind; a survey's map and its samples' time or depth where it is
        "seismic".
    axis_names : tuple of 3 str, optional
        Names of an array's axes.
    name, unit : str
        Shown name of the volume, unit of its values.
    time_axis : int, optional
        Which of four axes of an array or .npy file counts the steps in time: 0, the first, if
        nothing is said. A NIfTI file has time last.
    times : sequence of float or of str, optional
        When each step is, rising, or what it is called; otherwise as the file says, or numbered.
    time_unit : str
        Of the times.
    **fields
        Any other field of the view: time_idx, channel, reverse, below_color, above_color,
        no_value_color, zoom, pan, stretch, interpolate, north_up, rotation, flip_x, flip_y, slab,
        slab_mode, display, wiggle_excursion, wiggle_fill, wiggle_polarity, section, crosshair,
        show_segmentations, show_overlays.
    transports : str
        Comma-separated subset of "websocket,webrtc,comm": what the browser may use.
    layout : ipywidgets.Layout or dict, optional
        CSS of the cell's output, as every widget of ipywidgets has.

    Raises
    ------
    VolumeNotFoundError, VolumeAccessError, VolumeFormatError
        At once for what can be seen without reading the volume; what only its reader can see is
        shown in the view, kept in `viewer.error`, and raised by everything that needs the open
        volume.
    ConfigError, StateError
        Name the argument that has a value that cannot work.

    Examples
    --------
    >>> viewer = Viewer("survey.vds")          # doctest: +SKIP
    >>> viewer.axis, viewer.slice_no = "crossline", 2040   # doctest: +SKIP
    """

    # Here as well, because ipywidgets closes what was not even made completely.
    _segment: SharedSegment | None = None
    _copy: ArrayCopy | None = None
    _mirror: lp.Mirror | None = None
    _info: VolumeInfo | None = None
    _failure: BlustreamError | None = None
    _state: ViewState | None = None
    _is_following = False

    def __init__(
        self,
        volume: Any,
        *,
        axis: str | int | None = None,
        slice_idx: int | None = None,
        slice_no: float | None = None,
        window: float | None = None,
        level: float | None = None,
        colormap: Any = None,
        view_layout: str | None = None,
        view: str | None = None,
        height: int = 560,
        connection: str = "",
        kind: Kind | None = None,
        spacing: tuple[float, float, float] | None = None,
        affine: Any = None,
        axis_names: tuple[str, str, str] | None = None,
        name: str = "",
        unit: str = "",
        time_axis: int | None = None,
        times: Any = None,
        time_unit: str = "",
        transports: str = "websocket,webrtc,comm",
        layout: Any = None,
        _link: Link | None = None,
        **fields: Any,
    ) -> None:
        if not front_end.BUNDLE.is_file():
            raise MissingDependencyError(
                "The front end of blustream_widget was not built.",
                hint="Install a released wheel, or run npm ci && npm run build in the folder js.",
            )
        patch, palettes = first_colors(
            {
                "window": window,
                "level": level,
                "colormap": colormap,
                "layout": view_layout,
                **fields,
            }
        )
        check_fields(patch)
        traits = {
            "height": checked_height(height, low=ViewTraits.height.min, high=ViewTraits.height.max),
            "_transports": checked_transports(transports),
            **css_layout(layout),
        }
        self._ref, self._segment = volume_ref(
            volume,
            connection=connection,
            name=name,
            kind=kind,
            spacing=spacing,
            affine=affine,
            axis_names=axis_names,
            unit=unit,
            time_axis=time_axis,
            times=times,
            time_unit=time_unit,
        )
        self._kernel = KernelLoop()
        self._opened = threading.Event()
        self._panes = Panes(lambda: (self._current(), self.info), self._post)
        self._palettes, self._looks = Palettes(palettes), {}
        self._seq, self._numbering, self._links = 0, threading.Lock(), []
        self._start_layers()
        self._start_recordable()
        self._start_publishable()
        self._start_pictured()
        session = uuid.uuid4().hex
        try:
            self._link = _link or shared_link()
            super().__init__(_session=session, **traits)
            self._relay = Relay(self._link, session, self.send)
            self._token = TokenGiver(self.send)
            self._start_annotations(self._link, session)
            if self._segment is not None:
                self._copy = ArrayCopy(
                    self._segment,
                    reopen=lambda: self._link.reopen_session(session),
                    failed=lambda error: self._on_error(error, fatal=True),
                )
            self.on_msg(self._on_browser)
            self._link.open_session(session, self._ref, patch, self, palettes)
            self._place(view, axis, slice_idx, slice_no)
        except BaseException:  # also Ctrl+C while the volume opens: nobody else can close it
            self.close()
            raise

    def _place(
        self,
        view: str | None,
        axis: str | int | None,
        slice_idx: int | None,
        slice_no: float | None,
    ) -> None:
        # Names, numbers and copied views need the open volume: only then the cell waits for it.
        if view is not None:
            self.open_view(view)
        if axis is not None:
            self._panes.show(self._axis_name(axis), self)
        if slice_idx is not None:
            self.slice_idx = slice_idx
        if slice_no is not None:
            self.slice_no = slice_no

    # -------------------------------------------------- what users call

    @property
    def info(self) -> VolumeInfo:
        """The volume's axes, channels and geometry; waits until it is open.

        Raises
        ------
        VolumeError, WorkerError
            If it cannot be opened, or did not open within a minute.
        """
        if not self._opened.wait(_OPEN_TIMEOUT_S):
            raise WorkerError(
                f"The volume did not open within {_OPEN_TIMEOUT_S:.0f} s.",
                hint="See `blustream doctor`, and the log in the server's runtime folder.",
            )
        if self._info is None:
            assert self._failure is not None
            raise self._failure
        return self._info

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along the three axes; waits until the volume is open."""
        return self.info.shape

    @property
    def times(self) -> tuple[float, ...] | tuple[str, ...]:
        """Times of the steps of a series, or their names; empty where there is no time axis."""
        axis = self.info.time
        if axis is None:
            return ()
        return axis.names or tuple(axis.at(step) for step in range(axis.n))

    @property
    def panes(self) -> Panes:
        """What each pane shows, by traits of its own; waits until the volume is open.

        Linked panes share the place and the colours: setting those of one sets all.
        """
        self._panes.follow(self._current(), self.info)
        return self._panes

    def auto_window(self, *, symmetric: bool | None = None) -> None:
        """Set window and level from the shown channel's percentiles.

        Parameters
        ----------
        symmetric : bool, optional
            Around zero; default for seismic.
        """
        info = self.info
        chosen = info.kind == "seismic" if symmetric is None else symmetric
        found = auto_window(info.channels[self.channel], symmetric=chosen)
        self._post(dict(zip(("window", "level"), found, strict=True)), is_said=True)

    def fit(self) -> None:
        """Show the whole slice, centred."""
        self._post({"zoom": 1.0, "pan": (0.5, 0.5)}, is_said=True)

    def refresh(self) -> None:
        """Show what was changed in place in the array that this viewer was made from."""
        if self._segment is None:
            raise StateError(
                "This viewer shows a file, which is read as it was opened.",
                hint="refresh() is for Viewer(array).",
            )
        self._segment.copy()
        self._link.refresh(self._session)

    def close(self) -> None:
        """End the view: its worker, connections and shared memory go. May be called twice."""
        if self._session and not self._closed:
            self._closed = True
            for held in list(self._links):
                held._leave(self)
            self._link.close_session(self._session)
            self._token.stop()
        self._close_segment()
        self._close_layers()
        self._close_sharing()
        super().close()

    def _tell_links(self) -> None:
        if not self._closed:
            self._tied = [held._trait() for held in self._links]

    def _close_segment(self) -> None:
        if self._segment is not None:
            self._segment.close()

    # -------------------------------------------------- traits: check, then post

    def __setattr__(self, name: str, value: Any) -> None:
        if name in STATE_TRAITS and not self.is_held:
            _ = self.info  # before its turn: nobody else need wait for the volume
        super().__setattr__(name, value)

    @t.validate(*STATE_TRAITS)
    def _check(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        try:
            patch = self._to_patch(name, value)
            new = self._patched(patch)
        except StateError as exc:
            raise TraitStateError(exc.message, hint=exc.hint) from None  # one error, not two
        if new == self._current() and not self.is_held:
            self._post(patch, is_said=True)  # no trait changes, and so nobody else would
        return self._values_of(new)[name]

    @t.observe(*STATE_TRAITS)
    def _on_field(self, change: Any) -> None:
        # Traits that follow the server equal the state already: then nothing is posted.
        name = change["name"]
        self._post(self._to_patch(name, change["new"]), is_said=self._take_set_in_block(name))

    def _said(self, name: str, value: Any) -> None:
        if name in STATE_TRAITS:
            try:
                self._post(self._to_patch(name, value), is_said=True)
            except StateError as exc:
                raise TraitStateError(exc.message, hint=exc.hint) from None

    def _to_patch(self, name: str, value: Any) -> dict[str, Any]:
        return patch_of(name, value, self.info, self._current(), self._looks)

    def _axis_name(self, axis: str | int) -> str:
        if isinstance(axis, int) and not isinstance(axis, bool) and 0 <= axis <= 2:
            return self.info.axes[axis].name
        return str(axis)

    def _current(self) -> ViewState:
        if self._state is None:
            self._state = first_state(self.info)
        return self._state

    def _patched(self, patch: dict[str, Any]) -> ViewState:
        return self._current().with_patch(patch, self.info)

    def _post(self, patch: dict[str, Any], *, is_said: bool = False) -> None:
        """Change the view, if that is news; `is_said`: a user said it, whatever is known here.

        While a cell runs, pages move on, and the kernel hears of that behind it.
        """
        with TRAIT_LOCK:
            new = self._patched(patch)
            is_news = new != self._current()
            # What observers set while the traits follow is an echo, and may be old at the server.
            if not is_news and (not is_said or self._is_following):
                return
            with self._numbering:  # a turn that takes long is not waited for
                self._seq += 1
                self._link.patch(self._session, patch, self._seq)
            if is_news:
                self._follow(new)

    def _values_of(self, state: ViewState) -> dict[str, Any]:
        in_our_words = values_of(state, self.info) | {
            "crosshair_idx": state.slice_idx,
            "view_layout": state.layout,
        }
        others = (name for name in STATE_TRAITS if name not in in_our_words)
        return in_our_words | {name: getattr(state, name) for name in others}

    def _follow(self, state: ViewState) -> None:
        with TRAIT_LOCK:
            self._state = state
            self._remember(state)
            before, self._is_following = self._is_following, True
            try:
                with self.hold_trait_notifications():
                    for name, value in self._values_of(state).items():
                        self.set_trait(name, value)
                    self.set_trait("pane_size", (state.width_px, state.height_px))
                self._panes.follow(state, self.info)
                self._follow_layers(state)
            finally:
                self._is_following = before

    # -------------------------------------------------- ipywidgets' side of the traits

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the browser set; it has told the server itself."""
        if self._info is not None:
            for name in [name for name in sync_data if name in STATE_TRAITS]:
                try:
                    self._state = self._patched(self._to_patch(name, sync_data[name]))
                except StateError as exc:
                    logger.warning("The browser's %s is refused: %s", name, exc)
                    del sync_data[name]
        super().set_state(sync_data)

    def _should_send_property(self, key: str, value: Any) -> bool:
        if key in STATE_TRAITS and self._opened.is_set():
            return False  # the browser has it from the server, newer than the kernel's
        return bool(super()._should_send_property(key, value))

    def _on_browser(self, _widget: Any, content: Any, _buffers: Any) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        if kind == "token":
            self._link.renew_token(self._session)
        elif kind == "front-end":
            self.send({"kind": kind, "digest": front_end.digest()}, [front_end.bundle()])
        else:
            self._relay.on_browser(content)

    # -------------------------------------------------- what the link says, on its thread

    def on_message(self, message: lp.ToKernel) -> None:
        """Hear the server; not for users."""
        self._hear_annotations(message)
        self._hear_layers(message)
        self._hear_recording(message)
        self._hear_published(message)
        self._hear_picture(message)
        self._hear_sharing(message)
        if isinstance(message, (lp.SessionOpened, lp.SessionToken)):
            self._token.give(message.token)
        elif isinstance(message, lp.VolumeOpened):
            self._on_opened(message)
        elif isinstance(message, lp.Mirror):
            if message.viewers > 0:
                self._token.stop()
            if self._copy is not None:
                self._copy.heard(message)
            waiting, self._mirror = self._mirror, message
            if waiting is None:
                self._kernel.call(lambda: self._let_follow(self._take_mirror))
        elif isinstance(message, lp.SessionError):
            error = from_code(message.code, message.message, message.hint)
            if not (message.fatal and self._copy is not None and self._copy.mends(error)):
                self._on_error(error, message.fatal)

    def on_relay(self, channel: int, data: str | bytes) -> None:
        """Pass on what the server sends to a relayed browser; not for users."""
        self._relay.on_server(channel, data)

    def on_link_error(self, error: BlustreamError) -> None:
        """Hear that there is no server; not for users."""
        self._on_error(error, fatal=True)

    def _on_opened(self, message: lp.VolumeOpened) -> None:
        first_time = self._info is None
        self._info, self._failure = message.info, None
        if self._copy is not None:
            self._copy.opened()
        if first_time:
            self._state = message.state
        self._opened.set()
        # Not with the others: a page need not wait for the kernel to hear that it was mended.
        self._error = {}

        def take() -> None:
            self.set_trait("capabilities", as_dict(message.capabilities))
            self.set_trait("error", self._failure)
            self._follow(self._current())

        self._kernel.call(lambda: self._let_follow(take))

    def _on_error(self, error: BlustreamError, fatal: bool) -> None:
        logger.warning("%s", error)
        if fatal:
            self._failure = error
            self._error = {"code": error.code, "message": error.message, "hint": error.hint}
            self._opened.set()
        self._kernel.call(lambda: self.set_trait("error", error))

    def _take_mirror(self) -> None:
        message, self._mirror = self._mirror, None
        if message is None or self._info is None:
            return
        for name in STATUS_TRAITS:
            self.set_trait(name, getattr(message, name))
        if message.seq >= self._seq:
            self._follow(message.state)

    def _let_follow(self, take: Callable[[], None]) -> None:
        """Take over what the server says: now, or behind a block in which a user sets traits."""
        with TRAIT_LOCK:
            layers = (*self._segmentations.values(), *self._overlays.values())
            if not any(one.is_held for one in (self, *self._panes, *layers)):
                take()
                return
            TRAIT_LOCK.at_block_end(lambda: self._kernel.call(lambda: self._let_follow(take)))
