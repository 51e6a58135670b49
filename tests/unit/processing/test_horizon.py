"""Picks snap to events that are known by formula, and spread over what belongs together."""

from __future__ import annotations

import numpy as np
import pytest

from blustream_widget.data.synthetic import Synthetic
from blustream_widget.data.synthetic_signal import layered_trace, look_up, reflectivity
from blustream_widget.errors import ProcessingError
from blustream_widget.processing.horizon import EVENTS, Gate, snap, track_line, track_volume

SHAPE = (60, 50, 128)


def wave(place: float, n: int = 64) -> np.ndarray:
    """A cosine with a peak at `place`, 10 samples long."""
    return np.cos(2 * np.pi * (np.arange(n) - place) / 10)


@pytest.mark.parametrize("place", [20.0, 20.3, 20.5, 20.77])
@pytest.mark.parametrize(
    ("event", "offset"), [("peak", 0.0), ("trough", 5.0), ("rising", -2.5), ("falling", 2.5)]
)
def test_a_pick_snaps_between_the_samples(place, event, offset):
    found = snap(wave(place), place + offset + 1.4, event)
    assert found == pytest.approx(place + offset, abs=0.02)


def test_the_nearest_is_taken_and_none_is_none():
    trace = wave(20.0)
    assert snap(trace, 24.5, "peak", reach=6) == pytest.approx(20.0)
    assert snap(trace, 25.5, "peak", reach=6) == pytest.approx(30.0)
    assert np.isnan(snap(trace, 25.0, "peak", reach=3))
    assert np.isnan(snap(np.zeros(64), 20.0))
    assert np.isnan(snap(np.full(64, np.nan), 20.0))


@pytest.fixture(scope="module")
def layers():
    """Layers of the demo's kind under a fold that is known: (volume, depth of layer 0)."""
    rng = np.random.default_rng(4)
    table = layered_trace(reflectivity(rng, 700), 30.0)
    i, j = np.ogrid[: SHAPE[0], : SHAPE[1]]
    depth = 6 * np.sin(i / 11) + 4 * np.cos(j / 9) + 0.05 * i
    layer = np.arange(SHAPE[2]) + 300 - depth[:, :, None]
    return look_up(table, layer.astype(np.float32)), depth


def strongest(trace: np.ndarray, event: str) -> int:
    inner = trace[40:90]
    return 40 + int(np.argmax(inner if event == "peak" else -inner))


@pytest.mark.parametrize("event", ["peak", "trough"])
def test_a_seed_spreads_along_its_layer_over_the_whole_volume(layers, event):
    volume, depth = layers
    sample = strongest(volume[30, 25], event)
    found = track_volume(volume, [(30, 25, sample)], Gate(event=event))
    expected = depth - depth[30, 25] + found.samples[30, 25]
    assert found.n_picked == SHAPE[0] * SHAPE[1]
    assert np.abs(found.samples - expected).max() < 0.35  # the table has eighths of a sample
    assert np.abs(found.samples - expected).mean() < 0.08
    assert found.likeness.min() > 0.7


@pytest.mark.parametrize("event", EVENTS)
def test_along_an_inline(layers, event):
    volume, depth = layers
    peak = strongest(volume[10, 5], "peak")
    start = snap(volume[10, 5], peak, event, reach=12)
    found = track_line(volume[10], (5, start), Gate(event=event))
    expected = depth[10] - depth[10, 5] + start
    assert np.abs(found.samples[0] - expected).max() < 0.35


def test_it_stops_at_a_fault_and_goes_on_from_a_seed_behind_it(layers):
    volume, _ = layers
    faulted = volume.copy()
    faulted[:, 30:] = np.roll(volume[:, 30:], 17, axis=2)
    sample = strongest(volume[30, 10], "peak")
    one = track_volume(faulted, [(30, 10, sample)])
    assert np.isfinite(one.samples[:, :30]).all()
    assert np.isnan(one.samples[:, 30:]).all()
    behind = one.samples[30, 29] + 17
    both = track_volume(faulted, [(30, 10, sample), (30, 31, behind)], Gate(reach=4.0))
    assert np.isfinite(both.samples).all()


def test_it_stops_where_there_are_no_data(layers):
    volume, _ = layers
    holed = volume.copy()
    holed[20:40, 20:30] = np.nan
    found = track_volume(holed, [(5, 5, strongest(volume[5, 5], "peak"))])
    assert np.isnan(found.samples[20:40, 20:30]).all()
    assert found.n_picked == SHAPE[0] * SHAPE[1] - 200


def test_the_seabed_of_the_demo_survey_is_found_where_the_formula_has_it():
    model = Synthetic((64, 64, 256))
    amplitude = model.sample(slice(0, 64), slice(0, 64))[0]
    i, j = np.arange(64.0, dtype=np.float32)[:, None], np.arange(64.0, dtype=np.float32)[None]
    seabed = 0.06 * 256 + model._seabed.at(i, j)
    found = track_volume(amplitude, [(32, 32, float(seabed[32, 32]))], Gate(min_likeness=0.5))
    assert found.n_picked == 64 * 64
    assert np.abs(found.samples - seabed).max() < 1.0
    assert np.abs(found.samples - seabed).mean() < 0.4


@pytest.mark.parametrize("seed", [(60, 0, 5.0), (0, -1, 5.0), (0, 0, 128.0), (0, 0, float("nan"))])
def test_a_seed_outside_is_an_error(layers, seed):
    with pytest.raises(ProcessingError, match="outside"):
        track_volume(layers[0], [seed])


def test_a_seed_without_an_event_is_an_error():
    with pytest.raises(ProcessingError, match="no peak"):
        track_volume(np.zeros((4, 4, 32)), [(1, 1, 5.0)])
    with pytest.raises(ProcessingError, match="event"):
        Gate(event="ridge")  # type: ignore[arg-type]


def test_the_amplitude_is_that_of_the_volume_where_the_horizon_lies(layers):
    volume, _ = layers
    found = track_volume(volume, [(30, 25, strongest(volume[30, 25], "peak"))])
    i, j = np.argwhere(np.isfinite(found.samples))[100]
    at = found.samples[i, j]
    expected = np.interp(at, np.arange(volume.shape[2]), volume[i, j])
    assert found.amplitude[i, j] == pytest.approx(expected)
    assert np.array_equal(np.isfinite(found.amplitude), np.isfinite(found.samples))


def test_following_tells_how_far_it_is_and_ends_when_that_raises(layers):
    volume, _ = layers
    seed = (30, 25, strongest(volume[30, 25], "peak"))
    told = []
    found = track_volume(volume, [seed], on_round=told.append)
    assert told == sorted(told)
    assert told[-1] == found.n_picked

    def stop(n_picked):
        told.append(n_picked)
        raise InterruptedError

    told.clear()
    with pytest.raises(InterruptedError):
        track_volume(volume, [seed], on_round=stop)
    assert len(told) == 1


def test_a_layer_of_the_survey_is_found_where_its_model_has_it():
    model = Synthetic((48, 48, 64))
    volume = model.sample(slice(None), slice(None))[0]
    sample = snap(volume[12, 12], 13, reach=6)
    found = track_volume(volume, [(12, 12, sample)], Gate(min_likeness=0.5)).samples
    known = model.layer_through((12, 12, sample))
    assert known[12, 12] == pytest.approx(sample, abs=0.1)
    off = np.abs(found - known)
    assert np.isfinite(off).mean() > 0.8
    assert np.nanmedian(off) < 1
