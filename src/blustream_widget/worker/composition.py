"""What one picture is made of: a scene for every pane that is drawn, and where each lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import msgspec

from blustream_widget.core.layouts import Packing, pack
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Picture, SliceData, VolumeInfo
from blustream_widget.render.layers import Overlay
from blustream_widget.render.mosaic import Mosaic
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.tables import ColorSpace
from blustream_widget.render.view import SliceView, plan_slice


@dataclass(frozen=True, slots=True)
class Scene:
    """What the picture of one pane is made from.

    Parameters
    ----------
    state : ViewState
        Of that pane alone.
    info : VolumeInfo
    view : SliceView
        What `plan_slice` said of them.
    data : SliceData
        What was in memory for the view.
    is_exact : bool
        Nothing is missing: `data` is as fine as the pane can show.
    index : int
        Number of the pane.
    overlays : tuple of Overlay
        Labels and values that were in memory for the view, the lowest first.
    """

    state: ViewState
    info: VolumeInfo
    view: SliceView
    data: SliceData
    is_exact: bool
    index: int = 0
    overlays: tuple[Overlay, ...] = ()

    def draw(self, renderer: SliceRenderer, space: ColorSpace) -> Picture:
        """Draw it with a renderer of the calling thread."""
        return renderer.draw(
            self.data, self.view, self.state, self.info, space=space, overlays=self.overlays
        )

    def shows(self, other: Scene | None) -> bool:
        """Whether `other` is the same picture: a state that looks like it, of the same data."""
        return (
            other is not None
            and self.index == other.index
            and self._is_of_same_data(other)
            and self.state.looks_like(other.state)
        )

    def _is_of_same_data(self, other: Scene) -> bool:
        ours, theirs = self.overlays, other.overlays
        return (
            self.data is other.data
            and len(ours) == len(theirs)
            and all(a.is_of_same_data(b) for a, b in zip(ours, theirs, strict=True))
        )

    def resized(self, state: ViewState) -> Scene:
        """Return the same view as a picture of the size that `state` has."""
        if state == self.state:
            return self
        return replace(self, state=state, view=plan_slice(state, self.info))

    def means(self, other: Scene) -> bool:
        """Whether `other` is the same picture, though maybe of another size."""
        size = {"width_px": self.state.width_px, "height_px": self.state.height_px}
        return self._is_of_same_data(other) and self.state.looks_like(
            msgspec.structs.replace(other.state, **size)
        )


@dataclass(frozen=True)
class Composition:
    """Everything that one picture shows.

    Parameters
    ----------
    state : ViewState
        The whole view's.
    scenes : tuple of Scene
        In the order of the panes; those that are drawn.
    contents : tuple of int
        Counts what each pane has shown.
    """

    state: ViewState
    scenes: tuple[Scene, ...]
    contents: tuple[int, ...]

    @cached_property
    def packing(self) -> Packing:
        """Where the panes lie in the picture."""
        return pack(tuple((s.state.width_px, s.state.height_px) for s in self.scenes))

    @property
    def active(self) -> Scene:
        """The pane in use."""
        active = self.state.active
        return next((scene for scene in self.scenes if scene.index == active), self.scenes[0])

    @property
    def is_of_several(self) -> bool:
        """The view has several panes, though maybe one alone is drawn."""
        return bool(self.state.panes)

    @property
    def is_exact(self) -> bool:
        """Nothing is missing in any pane."""
        return all(scene.is_exact for scene in self.scenes)

    @property
    def coarsest_lod(self) -> int:
        """Coarsest level of detail in the picture."""
        return max(scene.data.coarsest_lod for scene in self.scenes)

    @property
    def progress(self) -> float:
        """Share of the wanted data that is here, of all panes."""
        return sum(scene.data.progress for scene in self.scenes) / len(self.scenes)

    def shows(self, other: Composition | None) -> bool:
        """Whether `other` is the same picture."""
        return (
            other is not None
            and len(self.scenes) == len(other.scenes)
            and all(a.shows(b) for a, b in zip(self.scenes, other.scenes, strict=True))
        )

    def scene(self, index: int) -> Scene | None:
        """Give what pane `index` shows, if it is drawn."""
        return next((scene for scene in self.scenes if scene.index == index), None)


class Compositor:
    """Draws compositions; one thread."""

    def __init__(self) -> None:
        self._renderer = SliceRenderer()
        self._mosaics: dict[ColorSpace, Mosaic] = {}

    def draw(self, composition: Composition, space: ColorSpace) -> Picture:
        """Draw a picture; valid until the next one of the same colour space."""
        scenes = composition.scenes
        if len(scenes) == 1:
            return scenes[0].draw(self._renderer, space)
        mosaic = self._mosaics.get(space)
        if mosaic is None:
            mosaic = self._mosaics[space] = Mosaic(space)
        return mosaic.draw(
            composition.packing,
            [_Drawn(scene) for scene in scenes],
            lambda k: scenes[k].draw(self._renderer, space),
        )


class _Drawn:
    """Equal to another if both scenes are the same picture."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Drawn) and self._scene.shows(other._scene)

    __hash__ = None  # type: ignore[assignment]  # compared, never looked up
