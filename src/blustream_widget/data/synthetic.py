"""A seismic volume by formula and seed, made trace by trace anywhere in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Axis, Channel, VolumeInfo
from blustream_widget.data.grid import Shape, column_order
from blustream_widget.data.survey import Survey
from blustream_widget.data.synthetic_geology import Salt, Surface, place_faults, place_rivers
from blustream_widget.data.synthetic_signal import (
    Floats,
    NoiseTile,
    event,
    layered_trace,
    look_up,
    reflectivity,
    ricker,
    smooth_table,
)
from blustream_widget.data.writer import VdsWriter

Labels: TypeAlias = npt.NDArray[np.uint8]

AMPLITUDE, FAULTS, SALT = 0, 1, 2
_SCALE = 4200.0
_SHALLOW_HZ, _DEEP_HZ = 34.0, 17.0
_FAULT_HALF_WIDTH = 1.0  # voxels
_BREAK = 4.0  # layers from one sample to the next: more is a fault or an unconformity
_SLAB = 16  # inlines made at once: their temporaries stay in the processor's cache


class Synthetic:
    """Layers, folds, an unconformity, faults with known throw, salt, channels, noise, decay.

    Parameters
    ----------
    shape : tuple of int
        Inlines, crosslines, samples of 4 ms. Structures scale with it, layers and wavelet do not.
    seed : int

    Notes
    -----
    Deterministic: a trace depends on shape, seed and place, not on what was made before.
    """

    def __init__(self, shape: Shape = (512, 512, 512), seed: int = 7) -> None:
        self.shape = shape
        rng = np.random.default_rng(seed)
        n0, n1, n2 = shape
        size, n_layers = float(min(n0, n1)), 4 * n2 + 400
        self.faults = place_faults(rng, shape)
        self.salt = Salt(
            (0.66 * n0, 0.70 * n1),
            0.115 * size,
            0.40 * n2,
            0.94 * n2,
            Surface(rng, 0.16 * size, 0.010 * size),
        )
        self._seabed = Surface(rng, 0.9 * size, 0.007 * n2)
        self._unconformity = Surface(rng, 0.8 * size, 0.022 * n2)
        self._drape = Surface(rng, 0.55 * size, 0.012 * n2)
        self._folds = Surface(rng, 0.52 * size, 0.045 * n2)
        self._ripples = Surface(rng, 0.16 * size, 0.0045 * n2)
        self._tilt = rng.uniform(0.10, 0.16) * n2 / n0, rng.uniform(-0.09, -0.05) * n2 / n1
        self._facies = Surface(rng, 0.3 * size, 0.5)
        spikes = reflectivity(rng, n_layers)
        fill = reflectivity(rng, n_layers)
        self._shallow = layered_trace(spikes, _SHALLOW_HZ)
        self._deep = layered_trace(spikes, _DEEP_HZ)
        self._fill = layered_trace(fill, _SHALLOW_HZ)
        self._beds = smooth_table(rng, n_layers, 18.0)
        self._sharp, self._dull = ricker(_SHALLOW_HZ), ricker(_DEEP_HZ)
        self.rivers = place_rivers(rng, shape)
        self._noise = (
            NoiseTile(rng, (72, 88, 144), n2, peak_hz=28.0, lateral=0.9),
            NoiseTile(rng, (104, 60, 112), n2, peak_hz=16.0, lateral=2.6),
        )
        self._chaos = NoiseTile(rng, (56, 64, 80), n2, peak_hz=22.0, lateral=1.6)

    @property
    def axes(self) -> tuple[Axis, Axis, Axis]:
        """Inlines from 1000, crosslines from 2000, 25 m apart; samples of 4 ms."""
        n0, n1, n2 = self.shape
        return (
            Axis(name="inline", unit="", n=n0, first=1000.0, step=1.0, spacing=25.0),
            Axis(name="crossline", unit="", n=n1, first=2000.0, step=1.0, spacing=25.0),
            Axis(name="sample", unit="ms", n=n2, first=0.0, step=4.0, spacing=4.0),
        )

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Amplitude, and labels of faults and salt."""
        faults = {n: f"Fault {n}, throw {f.throw * 4:.0f} ms" for n, f in enumerate(self.faults, 1)}
        return (
            Channel("Amplitude", "", "float32", -3 * _SCALE, 3 * _SCALE),
            Channel(
                "Faults", "", "uint8", 0.0, float(len(faults)), is_label=True, label_names=faults
            ),
            Channel("Salt", "", "uint8", 0.0, 1.0, is_label=True, label_names={1: "Salt"}),
        )

    @property
    def survey(self) -> Survey:
        """A survey turned 30 degrees, with line numbers 25 m apart."""
        along, across = (21.650635, 12.5), (-12.5, 21.650635)
        corner = (431955.09, 6348641.17)
        origin = (
            corner[0] - 1000 * along[0] - 2000 * across[0],
            corner[1] - 1000 * along[1] - 2000 * across[1],
        )
        return Survey(origin, along, across)

    def sample(self, inlines: slice, crosslines: slice) -> tuple[Floats, Labels, Labels]:
        """Make whole traces.

        Returns
        -------
        amplitude : ndarray, float32, shape (n_inline, n_crossline, n_sample)
        faults, salt : ndarray, uint8, same shape
            0 where there is none; faults by their number from 1.
        """
        i0 = np.arange(*inlines.indices(self.shape[0]))
        i1 = np.arange(*crosslines.indices(self.shape[1]))
        shape = (len(i0), len(i1), self.shape[2])
        amplitude = np.empty(shape, np.float32)
        faults, salt = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        for start in range(0, len(i0), _SLAB):
            part = slice(start, start + _SLAB)
            amplitude[part], faults[part], salt[part] = self._traces(i0[part], i1)
        return amplitude, faults, salt

    def _traces(
        self, i0: npt.NDArray[np.intp], i1: npt.NDArray[np.intp]
    ) -> tuple[Floats, Labels, Labels]:
        x, y = i0[:, None].astype(np.float32), i1[None, :].astype(np.float32)
        k = np.arange(self.shape[2], dtype=np.float32)
        n2 = self.shape[2]
        layer, young_layer, below, labels = self._layers(x, y, k)
        amplitude = self._reflections(layer, x, y, k)
        for river in self.rivers:
            self._cut_river(amplitude, young_layer, river.bed(x, y), river.layer)
        amplitude += (0.55 + 0.35 * self._facies.at(x, y))[:, :, None] * event(self._sharp, below)
        amplitude *= np.exp(-0.9 * k / n2)
        is_salt = self._intrude(amplitude, x, y, k, i0, i1)
        self._add_water(amplitude, x, y, k)
        amplitude += self._noise[0].part(i0, i1) * np.float32(0.050)
        amplitude += self._noise[1].part(i0, i1) * np.float32(0.035)
        amplitude *= np.float32(_SCALE)
        labels[is_salt] = 0
        return amplitude, labels, is_salt.view(np.uint8)

    def layer_through(self, place: tuple[int, int, float]) -> npt.NDArray[np.float64]:
        """Tell where the layer lies that goes through a place: what following it should find.

        Parameters
        ----------
        place : (int, int, float)
            Inline and crossline index, and sample.

        Returns
        -------
        ndarray, shape (n_inline, n_crossline)
            Samples with their fraction, the shallowest where faults repeat it; NaN where it was
            eroded or lies outside.
        """
        k = np.arange(self.shape[2], dtype=np.float32)
        y = np.arange(self.shape[1], dtype=np.float32)[None, :]
        i, j, sample = place
        one = np.full((1, 1), i, np.float32), np.full((1, 1), j, np.float32)
        wanted = np.interp(sample, k, self._layers(*one, k)[0][0, 0])
        found = np.full(self.shape[:2], np.nan)
        for start in range(0, self.shape[0], _SLAB):
            stop = min(start + _SLAB, self.shape[0])
            x = np.arange(start, stop, dtype=np.float32)[:, None]
            found[start:stop] = _first_crossing(self._layers(x, y, k)[0] - np.float32(wanted))
        return found

    def _layers(self, x: Floats, y: Floats, k: Floats) -> tuple[Floats, Floats, Floats, Labels]:
        """Layer coordinate, as it would be without the old layers, depth below the unconformity."""
        # From today back in time: undo the salt's rise, the young faults, then the old ones.
        depth = self.salt.uplift(x, y, k)
        depth += k
        labels = np.zeros(depth.shape, np.uint8)
        depth -= self._offsets(x, y, k, labels, is_young=True)
        below = depth - (0.30 * self.shape[2] + self._unconformity.at(x, y))[:, :, None]
        old_labels = np.zeros(depth.shape, np.uint8)
        old = depth - self._offsets(x, y, k, old_labels, is_young=False)
        is_old = below > 0
        labels = np.where((labels == 0) & is_old, old_labels, labels)
        young_layer = depth - (self._drape.at(x, y) + 0.25 * self._ripples.at(x, y))[:, :, None]
        layer = np.where(is_old, self._old_layer(old, x, y), young_layer)
        return layer, young_layer, below, labels

    def _offsets(
        self, x: Floats, y: Floats, k: Floats, labels: Labels, *, is_young: bool
    ) -> Floats:
        """Sum the displacements of the young or the old faults; write their labels."""
        total = np.zeros((x.shape[0], y.shape[1], len(k)), np.float32)
        for number, fault in enumerate(self.faults, 1):
            throw = fault.throw_at(x, y)
            if fault.is_young != is_young or throw.max() == 0:
                continue
            distance = fault.distance(x, y, k)
            total += fault.displacement(distance, throw)
            labels[(np.abs(distance) < _FAULT_HALF_WIDTH) & (throw > 1)[:, :, None]] = number
        return total

    def _old_layer(self, depth: Floats, x: Floats, y: Floats) -> Floats:
        """Layer coordinate below the unconformity: tilted, folded, more so with depth."""
        n2 = self.shape[2]
        growth = depth * np.float32(1.0 / n2)
        growth += np.float32(0.35)
        growth *= self._folds.at(x, y)[:, :, None]
        plane = 1.3 * n2 - (self._tilt[0] * x + self._tilt[1] * y) - self._ripples.at(x, y)
        return depth - growth + plane.astype(np.float32)[:, :, None]

    def _reflections(self, layer: Floats, x: Floats, y: Floats, k: Floats) -> Floats:
        """Make traces of the layers: duller with depth, their strength varying along a bed."""
        share = np.clip(k / self.shape[2] * 1.1, 0, 1).astype(np.float32)
        amplitude = look_up(self._shallow, layer) * (1 - share) + look_up(self._deep, layer) * share
        variation = look_up(self._beds, layer)
        variation *= self._facies.at(x, y)[:, :, None]
        variation += np.float32(1)
        np.clip(variation, 0.15, 2.2, out=variation)
        amplitude *= variation
        return amplitude

    def _cut_river(self, amplitude: Floats, layer: Floats, bed: Floats, banks: float) -> None:
        cut = bed > 0
        if not cut.any():
            return
        below_banks, depth = layer[cut] - np.float32(banks), bed[cut][:, None]
        traces = amplitude[cut]
        filled = (below_banks > 0) & (below_banks < depth)
        # The fill drapes the bed, so its layers are curved.
        curved = 3 * self.shape[2] + below_banks * 0.8 - 0.7 * depth
        traces[filled] = 0.8 * look_up(self._fill, curved)[filled]
        traces -= np.minimum(depth / 4, 1) * 1.1 * event(self._sharp, below_banks - depth)
        amplitude[cut] = traces

    def _intrude(
        self,
        amplitude: Floats,
        x: Floats,
        y: Floats,
        k: Floats,
        i0: npt.NDArray[np.intp],
        i1: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.bool_]:
        """Put the salt in: a bright top, chaos inside, a shadow below; returns where it is."""
        is_salt = self.salt.distance(x, y, k) < 0
        is_salt &= k < self.salt.bottom
        hit = is_salt.any(2)
        if not hit.any():
            return is_salt
        inside = is_salt[hit]
        top = inside.argmax(1)[:, None].astype(np.float32)
        traces, chaos = amplitude[hit], self._chaos.part(i0, i1)[hit]
        traces *= np.where(k > top, np.float32(0.5), np.float32(1))
        traces = np.where(inside, 0.05 * chaos, traces + np.where(k > top, 0.05, 0) * chaos)
        bright = 0.9 * np.exp(-np.abs(top - self.salt.top) / (1.5 * self.salt.radius))
        traces += bright * event(self._dull, k - top)
        traces -= 0.35 * event(self._dull, k - np.float32(self.salt.bottom))
        amplitude[hit] = traces
        return is_salt

    def _add_water(self, amplitude: Floats, x: Floats, y: Floats, k: Floats) -> None:
        """Nothing but a seabed reflection, and its multiple twice as deep."""
        seabed = (0.06 * self.shape[2] + self._seabed.at(x, y))[:, :, None]
        amplitude *= np.clip(k - seabed, 0, 1)
        amplitude += 1.5 * event(self._sharp, k - seabed)
        amplitude -= 0.12 * event(self._sharp, k - 2 * seabed)


def _first_crossing(values: Floats) -> npt.NDArray[np.float64]:
    """Where values rise through 0 first along the last axis; NaN: nowhere but at a break."""
    above, below = values[:, :, :-1], values[:, :, 1:]
    is_here = (above <= 0) & (below > 0) & (below - above < _BREAK)
    at = is_here.argmax(2)
    first, second = (np.take_along_axis(v, at[:, :, None], 2)[:, :, 0] for v in (above, below))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(is_here.any(2), at + first / (first - second), np.nan).astype(float)


def write_demo_volume(
    path: Path,
    *,
    shape: Shape = (512, 512, 512),
    seed: int = 7,
    progress: Callable[[float, str], None] | None = None,
) -> VolumeInfo:
    """Make a synthetic survey and write it as a VDS, brick column by brick column.

    Parameters
    ----------
    path : Path
        Appears when the volume is complete.
    shape : tuple of int
        Inlines, crosslines, samples; any size, the volume is never in memory as a whole.
    seed : int
    progress : callable, optional
        Gets the share done (0 to 1) and a line for people. It may raise, which ends the writing.

    Returns
    -------
    VolumeInfo
        What was written, with statistics.

    Raises
    ------
    VolumeWriteError
    """
    model = Synthetic(shape, seed)
    writer = VdsWriter(
        path,
        axes=model.axes,
        channels=model.channels,
        kind="seismic",
        world_unit="m",
        survey=model.survey,
    )
    size = writer.info.brick_size
    n0, n1 = -(-shape[0] // size), -(-shape[1] // size)

    def make(column: tuple[int, int]) -> None:
        o0, o1 = column[0] * size, column[1] * size
        parts = model.sample(slice(o0, o0 + size), slice(o1, o1 + size))
        for channel, values in zip((AMPLITUDE, FAULTS, SALT), parts, strict=True):
            writer.write(channel, (o0, o1, 0), np.asarray(values))

    with writer, ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="blustream-demo") as pool:
        columns = list(column_order(n0, n1))
        for done, _ in enumerate(pool.map(make, columns), 1):
            if progress is not None:
                progress(done / len(columns), f"making {path.name}")
        return writer.finish()
