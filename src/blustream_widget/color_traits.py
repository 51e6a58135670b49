"""What users set of colours: maps of their own, clip colours, labels' colours and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets as t

from blustream_widget._colors import base_of, catalogue_map, color_hex, own_map, styled_labels
from blustream_widget.core.colormaps import COLORMAPS, unknown_colormap
from blustream_widget.core.palettes import OWN_MAP, LabelStyle, OwnMap, Palettes, named_in
from blustream_widget.core.presets import Range, presets_of
from blustream_widget.errors import StateError
from blustream_widget.view_traits import TraitStateError, ViewTraits

if TYPE_CHECKING:
    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeInfo
    from blustream_widget.linking import ViewLink
    from blustream_widget.server_link import Link

_LOOK = ("window", "level", "colormap", "reverse", "interpolate")
_COLORS = ("below_color", "above_color", "no_value_color")


class ColorTraits(ViewTraits):
    """The part of `Viewer` that is about colours."""

    colormaps = COLORMAPS
    _link: Link
    _palettes: Palettes
    _looks: dict[int, dict[str, Any]]
    _state: ViewState | None
    _links: list[ViewLink]

    @property
    def info(self) -> VolumeInfo:
        """The open volume."""
        raise NotImplementedError

    def _post(self, patch: dict[str, Any], *, is_said: bool = False) -> None:
        raise NotImplementedError

    def add_colormap(self, colors: Any, *, title: str = "") -> str:
        """Bring a colour map of your own; it is in the viewer's list from then on.

        Parameters
        ----------
        colors : ndarray, sequence, or map of matplotlib or cmap
            Shape (n, 3), uint8 or float 0 to 1, from the low to the high end of the window, linear
            in between; a list of colours ("#ff8800", "orange"); or such a map.
        title : str
            How the list calls it; default: the name that the map has.

        Returns
        -------
        str
            Name for `viewer.colormap`, made from the colours: the same ones, the same name.

        Raises
        ------
        StateError
            If that is no colour map.
        """
        palette = own_map(colors, title)
        self._put(palette)
        return palette.name

    def _put(self, palette: OwnMap | LabelStyle) -> None:
        if palette in [known for known, _ in self._palettes.all()]:
            return
        self._palettes.add(palette, in_use=named_in(self._state))
        self._link.put_palette(self._session, palette)
        for held in self._links:
            held._share(palette)

    def _colormap_name(self, value: Any) -> str:
        """Name of what the trait `colormap` was set to; may bring a map, and reverse it."""
        name, is_reversed = self._name_map(value)
        if is_reversed:
            self.reverse = True
        return name

    def _name_map(self, value: Any) -> tuple[str, bool]:
        """Name of what a trait for maps was set to, and whether reversed; may bring a map."""
        try:
            name, palette, is_reversed = named_map(value)
            if palette is not None:
                self._put(palette)
            elif OWN_MAP.fullmatch(name) and name not in self._palettes:
                raise unknown_colormap(name)
        except StateError as exc:
            raise TraitStateError(exc.message, hint=exc.hint) from None
        return name, is_reversed

    @property
    def presets(self) -> dict[str, Range]:
        """Window and level by name for the shown channel, as in the viewer's menu."""
        return presets_of(self.info, self.info.channels[self.channel])

    def use_preset(self, name: str) -> None:
        """Set window and level by the name of one of `presets`: "Lung", "p98", "Auto".

        Raises
        ------
        StateError
            If the shown channel has no such preset.
        """
        presets = self.presets
        if name not in presets:
            raise StateError(
                f"There is no window {name!r} for {self.info.channels[self.channel].name}.",
                hint=f"There are: {', '.join(presets)}.",
            )
        self._post(dict(zip(("window", "level"), presets[name], strict=True)), is_said=True)

    def _remember(self, state: ViewState) -> None:
        """Keep how a channel is looked at, so that it comes back as it was left."""
        self._looks[state.channel] = {name: getattr(state, name) for name in _LOOK}

    @t.validate("label_colors", "label_names")
    def _check_labels(self, proposal: Any) -> Any:
        try:
            self._style(**{proposal["trait"].name: proposal["value"]})
        except StateError as exc:
            raise TraitStateError(exc.message, hint=exc.hint) from None
        return proposal["value"]

    @t.observe("label_colors", "label_names")
    def _on_labels(self, _change: Any) -> None:
        style = self._style()
        is_empty = not (style.colors or style.names)
        if not is_empty:
            self._put(style)
        self._post({"label_style": "" if is_empty else style.name})

    def _style(self, **change: Any) -> LabelStyle:
        given = {"label_colors": self.label_colors, "label_names": self.label_names} | change
        return styled_labels(given["label_colors"], given["label_names"], self.info.channels)


def named_map(value: Any) -> tuple[str, OwnMap | None, bool]:
    """Return name, colours that go with it if it is the user's, and whether it is reversed.

    Raises
    ------
    StateError
        If the value is no colour map; names that no map has are left to the state.
    """
    if not isinstance(value, str):
        palette = own_map(value)
        return palette.name, palette, False
    name, is_reversed = base_of(value)
    if ":" in name:
        palette = catalogue_map(name)
        return palette.name, palette, is_reversed
    if is_reversed and name not in COLORMAPS and not OWN_MAP.fullmatch(name):
        raise unknown_colormap(value)
    return name, None, is_reversed


def first_colors(patch: dict[str, Any]) -> tuple[dict[str, Any], tuple[OwnMap, ...]]:
    """Say in the state's words what a viewer is made with, and the maps that it names.

    Raises
    ------
    StateError
    """
    patch = {name: value for name, value in patch.items() if value is not None}
    for name in _COLORS:
        if name in patch:
            patch[name] = color_hex(name, patch[name])
    if "colormap" not in patch:
        return patch, ()
    patch["colormap"], palette, is_reversed = named_map(patch["colormap"])
    if is_reversed:
        patch.setdefault("reverse", True)
    return patch, () if palette is None else (palette,)
