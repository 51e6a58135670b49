"""Amplitude spectrum of the traces in a window: what is measured, as a value."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SPECTRUM_MIN_SAMPLES = 8
"""A shorter window has hardly a frequency to tell from another."""

BAND_DB = -6.0
"""The band ends where the spectrum has fallen by so much from its greatest amplitude."""


class Spectrum(msgspec.Struct, frozen=True):
    """Mean amplitude of the traces in a window, by frequency, from full-resolution voxels.

    Parameters
    ----------
    channel : int
    unit : str
        Of frequencies: "Hz" along time, "cycles/m" along depth, "cycles/sample" where samples have
        no unit.
    value_unit : str
        Of `amplitude`.
    n_traces, n_samples : int
        Of the window; traces that lack a value are not counted.
    n_left_out : int
        Traces that have a voxel without a value.
    step : float
        From one frequency to the next; the first one is 0.
    amplitude : tuple of float
        Mean over the traces of each one's amplitude: a sine of amplitude 1 whose frequency is one
        of these has 1 there.
    dominant : float
        Frequency of the greatest amplitude, between two of these by a parabola.
    low, high : float
        Band around it down to `BAND_DB`; the end of the spectrum where it does not fall so far.

    Notes
    -----
    From each trace its mean is taken; then it is tapered with ``sin²(π (n + 1/2) / N)``, a Hann
    window, and ``2 |X| / Σ taper`` is its amplitude (at 0 and at the Nyquist frequency half of it).
    """

    channel: int
    unit: str
    value_unit: str
    n_traces: int
    n_samples: int
    n_left_out: int
    step: float
    amplitude: tuple[float, ...]
    dominant: float
    low: float
    high: float

    @property
    def frequencies(self) -> Floats:
        """Frequency of each amplitude, shape (n_samples // 2 + 1,), in `unit`."""
        return np.arange(len(self.amplitude), dtype=float) * self.step

    @property
    def normalised(self) -> Floats:
        """Amplitudes, the greatest of which is 1."""
        amplitude = np.asarray(self.amplitude, float)
        found: Floats = amplitude / amplitude.max()
        return found

    @property
    def decibels(self) -> Floats:
        """Amplitudes in dB below the greatest one; -inf where there is none."""
        with np.errstate(divide="ignore"):
            found: Floats = 20 * np.log10(self.normalised)
        return found

    @property
    def bandwidth(self) -> float:
        """Width of the band, in `unit`."""
        return self.high - self.low
