"""What a seismic trace is made of: reflectivity, wavelet, coloured noise; tables, made once."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]

SUBSAMPLES = 8  # entries of a table per voxel: an eighth of a sample off is not seen
_DT_S = 0.004
_RICKER_HALF = 24


def ricker(peak_hz: float) -> Floats:
    """Zero-phase Ricker wavelet, `SUBSAMPLES` per 4 ms sample; the middle entry is its peak, 1."""
    n = _RICKER_HALF * SUBSAMPLES
    t = np.arange(-n, n + 1) * (_DT_S / SUBSAMPLES)
    a = (np.pi * peak_hz * t) ** 2
    wavelet: Floats = ((1 - 2 * a) * np.exp(-a)).astype(np.float32)
    return wavelet


def layered_trace(spikes: Floats, peak_hz: float) -> Floats:
    """Reflectivity convolved with a wavelet: what a trace through flat layers records."""
    trace = np.convolve(spikes, ricker(peak_hz), mode="same")
    # Processing evens out the gain between formations, though not wholly.
    window = np.hanning(70 * SUBSAMPLES)
    energy = np.convolve(trace**2, window / window.sum(), mode="same")
    rms = np.sqrt(energy) + 1e-3
    trace *= 0.3 / rms.mean() * (rms.mean() / rms) ** 0.8
    return trace.astype(np.float32)


def reflectivity(rng: np.random.Generator, n: int) -> Floats:
    """Spikes at layer boundaries of `n` voxels, shape (n * SUBSAMPLES,).

    Layers are 1 to 15 voxels thick. Formations of 30 to 110 voxels differ in how strongly they
    reflect, from massive shale to alternating beds, and begin with a marker.
    """
    spikes = np.zeros(n * SUBSAMPLES, np.float32)
    top = 0.0
    while top < n:
        base = top + rng.uniform(30, 110)
        contrast = rng.choice([0.25, 0.45, 0.65, 0.9])
        thickness = rng.uniform(1.8, 5.5)
        boundaries = top + np.cumsum(rng.gamma(2.0, thickness / 2, size=int(140 / thickness) + 8))
        boundaries = boundaries[boundaries < min(base, n - 1)]
        at = (boundaries * SUBSAMPLES).astype(int)
        spikes[at] += contrast * rng.normal(0, 0.7, len(at)).astype(np.float32)
        spikes[int(top) * SUBSAMPLES] += rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 0.75)
        top = base
    return spikes


def smooth_table(rng: np.random.Generator, n: int, scale: float) -> Floats:
    """Random function along depth, changing over `scale` voxels, between about -1 and 1."""
    knots = rng.normal(0, 0.6, int(n / scale) + 3)
    at = np.arange(n * SUBSAMPLES) / (SUBSAMPLES * scale)
    return np.interp(at, np.arange(len(knots)), knots).astype(np.float32)


def look_up(table: Floats, position: Floats) -> Floats:
    """Value of a table at a position in voxels; outside, its end values."""
    index = np.multiply(position, SUBSAMPLES, dtype=np.float32).astype(np.int32)
    np.clip(index, 0, len(table) - 1, out=index)
    return np.take(table, index)


def event(wavelet: Floats, distance: Floats) -> Floats:
    """Reflection of one interface: the wavelet at a distance in voxels, 0 beyond its ends."""
    padded = np.pad(wavelet, 1)
    return look_up(padded, distance + ((len(padded) // 2 + 0.5) / SUBSAMPLES))


class NoiseTile:
    """Band-limited noise that repeats, so any part of a volume of any size can be made alone.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        Period along inline, crossline and sample.
    n_samples : int
        Of the volume.
    peak_hz : float
        Where its spectrum is strongest.
    lateral : float
        Traces over which it is coherent.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        shape: tuple[int, int, int],
        n_samples: int,
        *,
        peak_hz: float,
        lateral: float,
    ) -> None:
        spectrum = np.fft.rfftn(rng.normal(size=shape))
        f0, f1 = np.fft.fftfreq(shape[0]), np.fft.fftfreq(shape[1])
        hz = np.fft.rfftfreq(shape[2], _DT_S)
        across = np.exp(-2 * (np.pi * lateral) ** 2 * (f0[:, None] ** 2 + f1[None, :] ** 2))
        along = (hz / peak_hz) * np.exp(1 - hz / peak_hz)
        tile = np.fft.irfftn(spectrum * across[:, :, None] * along, shape, axes=(0, 1, 2))
        tile /= tile.std()
        repeats = -(-n_samples // shape[2])
        self._tile = np.tile(tile.astype(np.float32), (1, 1, repeats))[:, :, :n_samples]

    def part(self, inlines: npt.NDArray[np.intp], crosslines: npt.NDArray[np.intp]) -> Floats:
        """Noise of whole traces, standard deviation 1, shape (n_inline, n_crossline, n_samples)."""
        n0, n1, _ = self._tile.shape
        noise: Floats = self._tile[(inlines % n0)[:, None], (crosslines % n1)[None, :]]
        return noise
