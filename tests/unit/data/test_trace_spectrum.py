"""Spectra of known waves on known grids, to the last digits; Parseval; and what has none."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from blustream_widget.core.annotation import annotation
from blustream_widget.core.types import Axis
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.trace_spectrum import TraceWindow, mean_amplitude
from blustream_widget.data.voxels import VoxelReader
from blustream_widget.errors import AnnotationError
from blustream_widget.testing.fakes import volume_info

N = 100


def survey(n_samples=120, *, unit="ms", step=4.0, kind="seismic", is_label=False):
    info = volume_info((3, 80, n_samples), kind=kind)
    time = Axis(name="sample", unit=unit, n=n_samples, first=0, step=step, spacing=1)
    channel = msgspec.structs.replace(info.channels[0], unit="m/s", is_label=is_label)
    return msgspec.structs.replace(info, axes=(*info.axes[:2], time), channels=(channel,))


def window(first=(1, 10, 20), last=(1, 29, 119), axis=0):
    return annotation("rectangle", [first, last], axis=axis)


def spectrum(values, item, info):
    found = TraceWindow(item, info, 0)
    reader = VoxelReader(MemorySource(info, (values,)), lambda: False)
    for part in reader.parts(0, found.lower, found.upper):
        found.take(part)
    return found.spectrum()


def waves(info, frequency, amplitude=1.0):
    """Waves of `frequency` cycles in N samples, of another phase in every trace."""
    samples = np.arange(info.shape[2])
    phase = np.arange(info.shape[1])[:, None]
    trace = amplitude * np.sin(2 * np.pi * frequency * samples / N + phase)
    return np.broadcast_to(trace, info.shape).astype(np.float32)


@pytest.mark.parametrize(
    ("unit", "step", "shown", "frequency"),
    [
        ("ms", 4.0, "Hz", 30.0),  # 12 cycles in 400 ms
        ("ms", -4.0, "Hz", 30.0),
        ("s", 0.002, "Hz", 60.0),
        ("m", 5.0, "cycles/m", 0.024),
        ("ft", 10.0, "cycles/ft", 0.012),
        ("", 1.0, "cycles/sample", 0.12),
    ],
)
def test_a_sine_has_its_frequency_and_amplitude(unit, step, shown, frequency) -> None:
    info = survey(unit=unit, step=step)
    found = spectrum(waves(info, 12, amplitude=250.0) + np.float32(40), window(), info)
    assert (found.unit, found.value_unit) == (shown, "m/s")
    assert (found.n_traces, found.n_samples, found.n_left_out) == (20, N, 0)
    assert found.frequencies[12] == pytest.approx(frequency)
    assert found.frequencies[-1] == pytest.approx(frequency / 12 * N / 2)  # Nyquist
    assert found.dominant == pytest.approx(frequency, rel=1e-6)
    assert found.amplitude[12] == pytest.approx(250.0, rel=1e-6)
    assert found.amplitude[11] == pytest.approx(125.0, rel=1e-5)
    assert max(found.amplitude[:10]) < 1e-3
    assert found.normalised[12] == 1
    assert found.decibels[13] == pytest.approx(20 * math.log10(0.5), abs=1e-4)
    # A Hann window is half as high one step beside its middle, and -6 dB is a little more.
    assert found.low == pytest.approx(frequency * 11 / 12, rel=1e-3)
    assert found.bandwidth == pytest.approx(frequency * 2 / 12, rel=1e-2)


def test_a_frequency_between_two_steps_is_found_by_a_parabola() -> None:
    info = survey()
    found = spectrum(waves(info, 12.3), window(), info)
    assert found.dominant == pytest.approx(30.75, abs=0.1)  # a step is 2.5 Hz


def test_a_wavelet_has_the_band_that_its_formula_gives() -> None:
    # A Ricker wavelet of 25 Hz has the spectrum f² exp(-f² / 25²), greatest at 25 Hz.
    info = survey(n_samples=400)
    time_s = (np.arange(400) - 200) * 0.004
    square = (np.pi * 25 * time_s) ** 2
    trace = (1 - 2 * square) * np.exp(-square)
    values = np.broadcast_to(trace, info.shape).astype(np.float32)
    found = spectrum(values, window(first=(1, 10, 0), last=(1, 29, 399)), info)
    share = np.linspace(0.01, 3, 20_000)
    inside = share[share**2 * np.exp(1 - share**2) >= 10 ** (-6 / 20)]
    assert found.dominant == pytest.approx(25.0, rel=0.01)
    assert found.low == pytest.approx(25 * inside[0], rel=0.02)
    assert found.high == pytest.approx(25 * inside[-1], rel=0.02)


@pytest.mark.parametrize("n_samples", [64, 65])
def test_energy_is_that_of_the_tapered_trace(n_samples) -> None:
    rng = np.random.default_rng(4)
    trace = rng.normal(size=n_samples)
    amplitude, n = mean_amplitude(trace[None])
    assert n == 1
    taper = np.sin(np.pi * (np.arange(n_samples) + 0.5) / n_samples) ** 2
    # Parseval: one-sided, so all but 0 and Nyquist count twice.
    half = amplitude * taper.sum() / 2
    half[0] *= 2
    counts = np.full(len(half), 2)
    counts[0] = 1
    if n_samples % 2 == 0:
        half[-1] *= 2
        counts[-1] = 1
    energy = (counts * half**2).sum() / n_samples
    assert energy == pytest.approx(
        ((trace - trace.mean()) * taper).var() * n_samples
        + (((trace - trace.mean()) * taper).mean() ** 2 * n_samples),
        rel=1e-12,
    )


def test_the_mean_is_over_the_amplitudes_of_all_traces() -> None:
    rng = np.random.default_rng(5)
    traces = rng.normal(size=(3000, 32)).astype(np.float32)
    amplitude, n = mean_amplitude(traces)
    each = np.stack([mean_amplitude(trace[None])[0] for trace in traces[::1000]])
    assert n == 3000
    assert np.allclose(mean_amplitude(traces[::1000])[0], each.mean(axis=0))
    assert amplitude.shape == (17,)


def test_traces_that_lack_a_value_are_left_out() -> None:
    info = survey()
    values = waves(info, 12).copy()
    values[1, 12, 60] = np.nan
    values[1, 15, 60] = np.inf
    values[1, 50] = np.nan  # beside the window
    found = spectrum(values, window(), info)
    assert (found.n_traces, found.n_left_out) == (18, 2)
    assert found.amplitude[12] == pytest.approx(1.0, rel=1e-6)
    values[1] = np.nan
    with pytest.raises(AnnotationError, match="a value at every sample"):
        spectrum(values, window(), info)


def test_a_box_has_the_traces_of_all_its_lines() -> None:
    info = survey()
    box = annotation("box", [(0, 10, 20), (2, 19, 119)])
    found = spectrum(waves(info, 12), box, info)
    assert found.n_traces == 30
    assert found.dominant == pytest.approx(30.0, rel=1e-6)


def test_integers_have_a_spectrum_too() -> None:
    info = survey()
    found = spectrum((1000 * waves(info, 12)).astype(np.int16), window(), info)
    assert found.amplitude[12] == pytest.approx(1000, rel=1e-3)


@pytest.mark.parametrize(
    ("item", "change", "words"),
    [
        (window(last=(1, 29, 26)), {}, "7 samples"),
        (annotation("rectangle", [(0, 10, 20), (2, 29, 20)], axis=2), {}, "without traces"),
        (window(), {"kind": "generic"}, "without traces"),
        (window(), {"is_label": True}, "labels"),
        (annotation("ellipse", [(1, 10, 20), (1, 29, 99)], axis=0), {}, "of this ellipse"),
        (annotation("line", [(1, 10, 20), (1, 29, 99)], axis=0), {}, "of this line"),
    ],
)
def test_what_has_no_spectrum_says_why(item, change, words) -> None:
    with pytest.raises(AnnotationError, match=words):
        TraceWindow(item, survey(**change), 0)


def test_a_window_of_one_value_has_no_spectrum() -> None:
    info = survey()
    with pytest.raises(AnnotationError, match="do not vary"):
        spectrum(np.full(info.shape, 0.1, np.float32), window(), info)


def test_the_least_window_has_a_spectrum() -> None:
    info = survey()
    found = spectrum(waves(info, 25), window(last=(1, 29, 27)), info)
    assert found.n_samples == 8
    assert found.dominant == pytest.approx(62.5, rel=0.05)
