"""The widget's traits: what mirrors the view's state, what reports, what only the browser reads."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets as t

from blustream_widget._colors import color_hex
from blustream_widget._trait_lock import LockedTraits
from blustream_widget.errors import BlustreamError, StateError
from blustream_widget.front_end import module_of_viewers

# Traits that mirror a field of ViewState. `axis`, `slice_no` and `crosshair_idx` are the same in
# the user's words.
STATE_TRAITS = (
    "axis",
    "slice_idx",
    "slice_no",
    "time_idx",
    "time",
    "channel",
    "window",
    "level",
    "colormap",
    "reverse",
    "below_color",
    "above_color",
    "no_value_color",
    "zoom",
    "pan",
    "stretch",
    "interpolate",
    "north_up",
    "rotation",
    "flip_x",
    "flip_y",
    "slab",
    "slab_mode",
    "display",
    "wiggle_excursion",
    "wiggle_fill",
    "wiggle_polarity",
    "section",
    "crosshair",
    "crosshair_idx",
    "show_segmentations",
    "show_overlays",
    "view_layout",
    "active",
    "linked",
    "maximised",
    "columns",
    "rows",
)
STATUS_TRAITS = (
    "worker",
    "transport",
    "via",
    "encoder",
    "codec",
    "displayed_fps",
    "latency_ms",
    "viewers",
    "lod",
    "progress",
    "exact",
    "held_back",
)


def _state_trait(trait: Any) -> Any:  # Any: traitlets' TraitType, whose tag() is untyped
    # The browser has its own connection to the state; an echo by the kernel would only be late.
    return trait.tag(sync=True, echo_update=False)


class TraitStateError(StateError, t.TraitError):
    """A value that a trait of the viewer cannot have: ours, and what traitlets' users expect."""


class AxisTrait(t.Unicode[str, Any]):
    """An axis by its name; its number, 0 to 2, is taken too and becomes the name."""

    def validate(self, obj: Any, value: Any) -> Any:
        # What checks the state names it.
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return value if is_number else super().validate(obj, value)


class ColormapTrait(t.Unicode[str, Any]):
    """A map's name; of anything else that `add_colormap` takes, the name it gives."""

    def validate(self, obj: Any, value: Any) -> str:
        return str(super().validate(obj, obj._colormap_name(value)))


class ColorTrait(t.Unicode[str, Any]):
    """A colour as users give it; kept as "#rrggbb", and as "" where there is none."""

    def validate(self, obj: Any, value: Any) -> str:
        try:
            return str(super().validate(obj, color_hex(str(self.name), value)))
        except StateError as exc:
            raise TraitStateError(exc.message, hint=exc.hint) from None


class ViewTraits(LockedTraits, anywidget.AnyWidget):
    """Declarations only; `Viewer` gives them their behaviour."""

    _esm = module_of_viewers()

    # The state, two-way.
    axis = _state_trait(AxisTrait("", help="Axis the slice is taken across, by name or number."))
    slice_idx = _state_trait(t.Int(0, help="0-based position of the slice along the axis."))
    slice_no = _state_trait(t.Float(0.0, help="Position of the slice as survey number."))
    time_idx = _state_trait(t.Int(0, help="Step in time, 0-based; 0 where there is no time axis."))
    time = _state_trait(t.Float(0.0, help="The same as a time, in the unit of the time axis."))
    channel = _state_trait(t.Int(0, help="Shown channel, 0-based."))
    window = _state_trait(t.Float(1.0, help="Full width of the display range, in the data's unit."))
    level = _state_trait(t.Float(0.5, help="Centre of the display range, in the data's unit."))
    colormap = _state_trait(
        ColormapTrait(
            "grey",
            help='One of Viewer.colormaps, with "_r" for reversed; set it to colours of your own.',
        )
    )
    reverse = _state_trait(t.Bool(False, help="Colour map from the other end."))
    below_color = _state_trait(ColorTrait("", help="Of values below the window; None: the map's."))
    above_color = _state_trait(ColorTrait("", help="Of values above the window; None: the map's."))
    no_value_color = _state_trait(ColorTrait("", help="Where there is no value; None: as around."))
    zoom = _state_trait(t.Float(1.0, help="1 shows the whole slice; 0.1 to 256."))
    pan = _state_trait(
        t.Tuple(t.Float(), t.Float(), default_value=(0.5, 0.5), help="Slice point in the middle.")
    )
    stretch = _state_trait(t.Float(1.0, help="Vertical exaggeration, 0.05 to 50."))
    interpolate = _state_trait(t.Bool(True, help="Linear between voxels; False shows blocks."))
    north_up = _state_trait(t.Bool(False, help="Time slices of a survey as a map, north up."))
    rotation = _state_trait(t.Int(0, help="Turned clockwise by 0, 90, 180 or 270 degrees."))
    flip_x = _state_trait(t.Bool(False, help="Mirrored left to right, after the rotation."))
    flip_y = _state_trait(t.Bool(False, help="Mirrored top to bottom, after the rotation."))
    slab = _state_trait(
        t.Int(1, help="Slices reduced to one picture, 1 (none) to 512; not of label channels.")
    )
    slab_mode = _state_trait(t.Unicode("max", help="max, min, mean or rms of the slab."))
    display = _state_trait(
        t.Unicode("density", help="density, wiggle or wiggle+density: sections of a survey.")
    )
    wiggle_excursion = _state_trait(
        t.Float(1.0, help="Deflection of half the window, in distances of wiggles; 0.1 to 10.")
    )
    wiggle_fill = _state_trait(t.Bool(True, help="Fill what deflects to the right."))
    wiggle_polarity = _state_trait(
        t.Unicode("normal", help="normal: high values to the right; reverse: low ones.")
    )
    # Not synced: the browser has it from the server.
    section = t.Any(None, help="Fence or Oblique in the place of the slice; None: the slice.")
    crosshair = _state_trait(t.Bool(False, help="Show where the other two slices cut this one."))
    crosshair_idx = _state_trait(
        t.Tuple(
            *(t.Int(), t.Int(), t.Int()),
            default_value=(0, 0, 0),
            help="Voxel where the three slices meet, 0-based; setting it moves all three.",
        )
    )

    show_segmentations = _state_trait(
        t.Bool(True, help="Labels over the slices; False hides all, whatever each of them says.")
    )

    show_overlays = _state_trait(
        t.Bool(True, help="Other values over the slices; False hides all of them.")
    )

    # Not `layout`: that is what CSS an ipywidgets widget has.
    view_layout = _state_trait(
        t.Unicode(
            "single",
            help='single, orthogonal, quad, picture-in-picture, compare, or rows x columns: "2x3".',
        )
    )
    active = _state_trait(t.Int(0, help="Pane in use: axis, slice_idx, zoom and so on are its."))
    linked = _state_trait(t.Bool(True, help="Panes share the place and the colours."))
    maximised = _state_trait(t.Bool(False, help="Only the active pane is shown."))
    columns = _state_trait(t.Tuple(help="Shares of the columns' widths; empty: equal."))
    rows = _state_trait(t.Tuple(help="Shares of the rows' heights; empty: equal."))

    # Of the kernel alone; the state names what was made of them.
    label_colors = t.Dict(
        {}, help='Colours of label values, {3: "#ff8800"}; the others keep theirs.'
    )
    label_names = t.Dict({}, help='Names of label values, {3: "salt"}, beside those of the volume.')

    height = t.Int(560, min=120, max=4320, help="Height in the cell, CSS pixels.").tag(sync=True)

    # What is, read only.
    pane_size = t.Tuple((0, 0), read_only=True, help="Picture size in device pixels.")
    worker = t.Unicode("", read_only=True, help="What the worker does: opening, ready, …")
    transport = t.Unicode("", read_only=True, help="websocket, webrtc or comm.")
    via = t.Unicode(
        "",
        read_only=True,
        help="What carries the page's messages: direct (nothing else), proxy or kernel.",
    )
    encoder = t.Unicode("", read_only=True, help="Encoder in use, for example libx264.")
    codec = t.Unicode("", read_only=True, help="Codec string of the stream.")
    displayed_fps = t.Float(0.0, read_only=True, help="Frames shown per second.")
    latency_ms = t.Float(0.0, read_only=True, help="Input to shown picture, median of a second.")
    viewers = t.Int(0, read_only=True, help="Browsers that look at this session.")
    lod = t.Int(0, read_only=True, help="Coarsest level of detail in the picture.")
    progress = t.Float(1.0, read_only=True, help="Share of the wanted detail that is there.")
    exact = t.Bool(False, read_only=True, help="Lossless picture of full detail is shown.")
    held_back = t.Unicode(
        "",
        read_only=True,
        help="Why moving pictures are smaller, fewer or late; empty: they are not.",
    )
    capabilities = t.Dict(read_only=True, help="Encoders tried and why each was refused.")
    error = t.Instance(BlustreamError, allow_none=True, read_only=True, help="Last error, or None.")

    # Between kernel and browser only.
    _session = t.Unicode("").tag(sync=True)
    _transports = t.Unicode("").tag(sync=True)
    _path = t.Unicode("blustream/ws").tag(sync=True)
    _error = t.Dict().tag(sync=True)
    _closed = t.Bool(False).tag(sync=True)
    _tied: Any = t.List().tag(sync=True)
