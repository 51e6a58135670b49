"""Amplitude spectrum of the traces under a rectangle or in a box, from full-resolution voxels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from blustream_widget.core.annotation import Annotation
from blustream_widget.core.spectrum import BAND_DB, SPECTRUM_MIN_SAMPLES, Floats, Spectrum
from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.data.regions import VoxelRegion
from blustream_widget.data.voxels import Part
from blustream_widget.errors import AnnotationError

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
# So many traces at once: their transforms are ten times as large as they are.
_TRACES_AT_ONCE = 1024


class TraceWindow:
    """Collects the voxels of a window, and gives the spectrum of its traces.

    Parameters
    ----------
    item : Annotation
        A rectangle on a section, or a box.
    info : VolumeInfo
    channel : int

    Raises
    ------
    AnnotationError
        It has no traces, or too few samples.
    """

    def __init__(self, item: Annotation, info: VolumeInfo, channel: int) -> None:
        _check(item, info, channel)
        region = VoxelRegion(item, info.shape)
        self.lower, self.upper = region.lower, region.upper
        shape = tuple(u - v for v, u in zip(self.lower, self.upper, strict=True))
        if shape[2] < SPECTRUM_MIN_SAMPLES or region.n_voxels == 0:
            raise AnnotationError(
                f"A spectrum of {max(shape[2], 0)} samples says nothing.",
                hint=f"Make the window at least {SPECTRUM_MIN_SAMPLES} samples high.",
            )
        self._channel, self._info = channel, info
        self._values: Samples = np.empty(shape, info.channel_of(channel).dtype)

    def take(self, part: Part) -> None:
        """Take some of the voxels between `lower` and `upper`."""
        place = tuple(
            slice(v - o, u - o) for v, u, o in zip(part.lower, part.upper, self.lower, strict=True)
        )
        self._values[place] = part.values

    def spectrum(self) -> Spectrum:
        """Give the spectrum, once all voxels were taken.

        Raises
        ------
        AnnotationError
            No trace has all its values, or none of them varies.
        """
        traces = self._values.reshape(-1, self._values.shape[2])
        amplitude, n_traces = mean_amplitude(traces)
        if n_traces == 0:
            raise AnnotationError(
                "No trace of the window has a value at every sample.",
                hint="Make the window lower, or move it away from the gap.",
            )
        if not amplitude[1:].any():
            raise AnnotationError("The values of the window do not vary: there is no spectrum.")
        unit, interval = _sampling(self._info)
        step = 1 / (interval * traces.shape[1])
        dominant, low, high = (float(place) * step for place in _band(amplitude))
        return Spectrum(
            channel=self._info.own_channel(self._channel),
            unit=unit,
            value_unit=self._info.channel_of(self._channel).unit,
            n_traces=n_traces,
            n_samples=traces.shape[1],
            n_left_out=len(traces) - n_traces,
            step=step,
            amplitude=tuple(float(v) for v in amplitude),
            dominant=dominant,
            low=low,
            high=high,
        )


def _check(item: Annotation, info: VolumeInfo, channel: int) -> None:
    if item.kind not in ("rectangle", "box"):
        raise AnnotationError(
            f"A spectrum is of a rectangle or a box, not of this {item.kind}.",
            hint="Draw a rectangle on a section.",
        )
    if info.kind != "seismic" or item.axis == 2:
        raise AnnotationError(
            "There is no spectrum without traces.",
            hint="Draw the rectangle on an inline or a crossline of a survey.",
        )
    if info.channel_of(channel).is_label:
        raise AnnotationError("There is no spectrum of labels.", hint="Give another channel.")


def mean_amplitude(traces: Samples) -> tuple[Floats, int]:
    """Mean amplitude spectrum of traces, and how many of them had all their values.

    Parameters
    ----------
    traces : ndarray, shape (n, samples), any real dtype
        Those with NaN or infinite values are left out.

    Returns
    -------
    ndarray, shape (samples // 2 + 1,), float64
        As `Spectrum.amplitude`.
    int
    """
    n_samples = traces.shape[1]
    taper = np.sin(np.pi * (np.arange(n_samples) + 0.5) / n_samples) ** 2
    total = np.zeros(n_samples // 2 + 1)
    n_traces = 0
    for begin in range(0, len(traces), _TRACES_AT_ONCE):
        values: npt.NDArray[np.float64] = traces[begin : begin + _TRACES_AT_ONCE].astype(float)
        values = values[np.isfinite(values).all(axis=1)]
        varies = values.max(axis=1, initial=-np.inf) > values.min(axis=1, initial=np.inf)
        values -= values.mean(axis=1, keepdims=True)
        values[~varies] = 0  # not what rounding leaves of a constant
        total += np.abs(np.fft.rfft(values * taper, axis=1)).sum(axis=0)
        n_traces += len(values)
    total *= 2 / (taper.sum() * max(n_traces, 1))
    total[0] /= 2
    if n_samples % 2 == 0:
        total[-1] /= 2
    return total, n_traces


def _sampling(info: VolumeInfo) -> tuple[str, float]:
    """Give the unit of frequencies, and the distance of two samples in its inverse."""
    axis = info.axes[2]
    if axis.unit in _SECONDS:
        return "Hz", abs(axis.step) * _SECONDS[axis.unit]
    if axis.unit:
        return f"cycles/{axis.unit}", abs(axis.step)
    return "cycles/sample", 1.0


def _band(amplitude: Floats) -> tuple[float, float, float]:
    """Places of the greatest amplitude and of the ends of its band, in steps."""
    peak = 1 + int(np.argmax(amplitude[1:]))
    with np.errstate(divide="ignore"):
        levels = 20 * np.log10(amplitude / amplitude[peak])
    above = levels >= BAND_DB
    low, high = float(peak), float(peak)
    begin, end = peak, peak
    while begin > 0 and above[begin - 1]:
        begin -= 1
    while end < len(levels) - 1 and above[end + 1]:
        end += 1
    low = begin - _share(levels[begin], levels[begin - 1]) if begin > 0 else 0.0
    high = end + _share(levels[end], levels[end + 1]) if end < len(levels) - 1 else float(end)
    return peak + _vertex(levels, peak), low, high


def _share(above: float, below: float) -> float:
    """How far from a level above the band's end to one below it that end lies, 0 to 1."""
    return 0.0 if np.isinf(below) else float((above - BAND_DB) / (above - below))


def _vertex(levels: Floats, peak: int) -> float:
    """Where the parabola through a maximum and its neighbours is greatest, beside it."""
    if not 0 < peak < len(levels) - 1:
        return 0.0
    before, after = levels[peak - 1], levels[peak + 1]
    if not (np.isfinite(before) and np.isfinite(after)) or before + after == 0:
        return 0.0
    return float((before - after) / (2 * (before + after)))
