"""Pictures that are typical of what a viewer shows, by formula: the same on every machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from blustream_widget.core.alignment import SAME_GRID, Alignment
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Axis, Channel, Kind, Picture, Samples, SliceData, VolumeInfo
from blustream_widget.data.reduce import half_times
from blustream_widget.render.layers import LayerView, Overlay
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.tables import ColorSpace
from blustream_widget.render.view import plan_slice

_N_SLICES = 6
_N_LABELS = 24


@dataclass(frozen=True, slots=True)
class Scene:
    """Consecutive slices, and how they are looked at.

    Parameters
    ----------
    name : str
    slices : sequence of SliceData
    state : ViewState
    info : VolumeInfo
    overlays : tuple of Overlay
        What lies over every slice.
    """

    name: str
    slices: Sequence[SliceData]
    state: ViewState
    info: VolumeInfo
    overlays: tuple[Overlay, ...] = ()

    def draw(self, renderer: SliceRenderer, i: int, *, space: ColorSpace = "bt709") -> Picture:
        """Draw the i-th slice, beginning again after the last."""
        data = self.slices[i % len(self.slices)]
        return renderer.draw(
            data,
            plan_slice(self.state, self.info),
            self.state,
            self.info,
            space=space,
            overlays=self.overlays,
        )

    def pictures(self, *, space: ColorSpace = "bt709") -> list[Picture]:
        """Draw all slices; each picture has memory of its own."""
        renderer = SliceRenderer()
        return [own_copy(self.draw(renderer, i, space=space)) for i in range(len(self.slices))]


def own_copy(picture: Picture) -> Picture:
    """Copy a picture whose memory the renderer uses again."""
    return Picture(picture.pixels.copy(), picture.pixel_format, picture.width_px, picture.height_px)


def scenes(width_px: int = 1280, height_px: int = 720) -> Iterator[Scene]:
    """Make what `bench render` draws, one after the other."""
    size: dict[str, Any] = {"width_px": width_px, "height_px": height_px}
    seismic = dict(size, window=4.0, colormap="seismic")
    sections = sections_by_formula(_N_SLICES, 512, 512)
    for colormap in ("grey", "seismic"):
        name = f"seismic section 512 x 512, {colormap}"
        yield _scene(name, sections, kind="seismic", **dict(seismic, colormap=colormap))
    yield _scene("the same in blocks", sections, kind="seismic", interpolate=False, **seismic)
    yield _scene("the same, zoom 3", sections, kind="seismic", zoom=3.0, **seismic)
    yield _scene("the same, zoom 60", sections, kind="seismic", zoom=60.0, **seismic)
    large = sections_by_formula(2, 720 * 5 // 4, 1280 * 5 // 4)
    whole = _scene("seismic section 1600 x 900", large, kind="seismic", **seismic)
    yield whole
    yield _halved(whole)
    yield _scene("time slice 512 x 512", sections, kind="seismic", axis=2, **seismic)
    medical = dict(size, window=400.0, level=40.0, axis=2, colormap="grey")
    ct = ct_by_formula(_N_SLICES, 512)
    yield _scene("CT slice 512 x 512, int16", ct, kind="medical", **medical)
    yield _scene("the same, zoom 4", ct, kind="medical", zoom=4.0, **medical)
    labels = labels_by_formula(_N_SLICES, 512)
    yield _scene(
        "labels 512 x 512, uint8", labels, kind="medical", **dict(medical, colormap="labels")
    )
    section = _scene("seismic section 512 x 512, seismic", sections, kind="seismic", **seismic)
    yield from _covered(section)
    for display, name in (("wiggle", "wiggles"), ("wiggle+density", "wiggles over colours")):
        name = f"seismic section 512 x 512, {name}"
        yield _scene(name, sections, kind="seismic", **dict(seismic, display=display))


def seismic_scene(n: int, *, width_px: int, height_px: int, colormap: str = "seismic") -> Scene:
    """Scrolling through n sections of 512 x 512 that fill the picture."""
    return _scene(
        "scrolling",
        sections_by_formula(n, 512, 512),
        kind="seismic",
        width_px=width_px,
        height_px=height_px,
        window=4.0,
        colormap=colormap,
    )


def _scene(name: str, values: Sequence[Samples], *, kind: Kind, **state: Any) -> Scene:
    view = ViewState(**{"level": 0.0, **state})
    a, b = values[0].shape
    shape = [a, b]
    shape.insert(view.axis, len(values))
    axes = [Axis(name="", unit="", n=n, first=0, step=1, spacing=1) for n in shape]
    dtype = values[0].dtype.name
    channel = Channel(name="", unit="", dtype=dtype, value_min=-2, value_max=2)
    info = VolumeInfo(name="", kind=kind, axes=(axes[0], axes[1], axes[2]), channels=(channel,))
    slices = [SliceData(v, view.axis, i, 0, 0, (0, 0), 0, 1.0) for i, v in enumerate(values)]
    return Scene(name, slices, view, info)


def _covered(scene: Scene) -> Iterator[Scene]:
    """Give it with labels over it, and with values: on its own grid and on one half as fine."""
    labels = labels_by_formula(1, 512)[0]
    values = sections_by_formula(2, 512, 512)
    coarse = [half_times(one, 1, is_label=False) for one in values]
    other = Alignment((0, 1, 2), (1.0, 0.5, 0.5), (0.25, -0.25, -0.25))
    amount = OverlayLook(name="", window=4.0, level=0.0, colormap="viridis", threshold=0.3)
    shapes = ((_N_SLICES, 512, 512), (_N_SLICES, 256, 256))

    def data(values: Samples) -> SliceData:
        return SliceData(values, 0, 0, 0, 0, (0, 0), 0, 1.0)

    def view(alignment: Alignment, shape: tuple[int, int, int], share: float) -> LayerView:
        region = (0, shape[1], 0, shape[2])
        return LayerView(0, 0, 0, 0, region, alignment, shape, 1 if share else None, share)

    over = {
        "labels over it": Overlay(
            view(SAME_GRID, shapes[0], 0.0), data(labels), SegmentationLook(name="")
        ),
        "values over it": Overlay(view(SAME_GRID, shapes[0], 0.0), data(values[0]), amount),
        "values of another grid over it": Overlay(
            view(other, shapes[1], 0.25), data(coarse[0]), amount, data(coarse[1])
        ),
    }
    for words, overlay in over.items():
        yield dataclasses.replace(scene, name=f"{scene.name}, {words}", overlays=(overlay,))


def _halved(scene: Scene) -> Scene:
    """Give it with one level of detail less, which is what is drawn in motion."""
    halves = [
        dataclasses.replace(
            data, values=half_times(data.values, 1, is_label=False), lod=1, coarsest_lod=1
        )
        for data in scene.slices
    ]
    return dataclasses.replace(scene, name=f"{scene.name} in motion", slices=halves)


def sections_by_formula(n: int, rows: int, columns: int) -> list[npt.NDArray[np.float32]]:
    """Sections through folded and faulted reflectors with noise, shape (columns, rows)."""
    rng = np.random.default_rng(1)
    time_axis = np.arange(-24, 25) * np.pi * 0.045
    ricker = (1 - 2 * time_axis**2) * np.exp(-(time_axis**2))
    series = rng.standard_normal(4 * rows) * (rng.random(4 * rows) < 0.25)
    trace = np.convolve(series, ricker, "same").astype(np.float32)
    x, z = np.arange(columns)[:, None], np.arange(rows)[None, :]
    sections = []
    for k in range(n):
        shift = 40 * np.sin(x / 90 + k / 60) + 18 * np.sin(x / 31 - k / 25)
        shift = shift + 22.0 * (x - 0.3 * columns - 0.4 * z - 0.7 * k > 0)
        position = np.clip(z + shift + rows, 0, 4 * rows - 2)
        lower = position.astype(np.intp)
        share = (position - lower).astype(np.float32)
        noise = 0.15 * rng.standard_normal((columns, rows)).astype(np.float32)
        sections.append(trace[lower] * (1 - share) + trace[lower + 1] * share + noise)
    return sections


def ct_by_formula(n: int, size: int) -> list[npt.NDArray[np.int16]]:
    """Slices through a body of ellipsoids with vessels and noise, in Hounsfield units."""
    rng = np.random.default_rng(2)
    x, y = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    slices = []
    for k in range(n):
        z = 0.02 * k
        values = np.full((size, size), -1000.0)
        for cx, cy, rx, ry, hu in _ORGANS:
            inside = ((x - cx) / (rx * (1 - z))) ** 2 + ((y - cy - z) / ry) ** 2 < 1
            values[inside] = hu
        vessels = np.sin(23 * x + 4 * np.sin(9 * y + z)) * np.sin(19 * y + 3 * np.sin(7 * x - z))
        values[(vessels > 0.93) & (values > -200)] += 120
        values += 18 * rng.standard_normal((size, size))
        slices.append(np.rint(values).astype(np.int16))
    return slices


# Centre, radii and Hounsfield units: fat, muscle, lungs, heart, spine.
_ORGANS = (
    (0.0, 0.0, 0.92, 0.70, -90.0),
    (0.0, 0.0, 0.86, 0.63, 50.0),
    (-0.42, -0.08, 0.30, 0.42, -820.0),
    (0.42, -0.08, 0.30, 0.42, -820.0),
    (0.08, -0.05, 0.19, 0.22, 60.0),
    (0.0, 0.42, 0.11, 0.12, 480.0),
)


def labels_by_formula(n: int, size: int) -> list[npt.NDArray[np.uint8]]:
    """Slices through cells around points that wander, label 0 outside."""
    rng = np.random.default_rng(3)
    centres = rng.uniform(-0.8, 0.8, (_N_LABELS, 2))
    x, y = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    slices = []
    for k in range(n):
        centres = centres + 0.01 * np.sin(np.arange(_N_LABELS)[:, None] + k)
        distance = (x[..., None] - centres[:, 0]) ** 2 + (y[..., None] - centres[:, 1]) ** 2
        cells = np.argmin(distance, axis=2) + 1
        slices.append(np.where(x**2 + y**2 < 0.8, cells, 0).astype(np.uint8))
    return slices
