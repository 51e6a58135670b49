"""Questions about voxels: answered in a thread of their own, the newest of each, and called off."""

from __future__ import annotations

import threading

import msgspec
import numpy as np
import pytest

from blustream_widget.core.annotation import annotation
from blustream_widget.core.horizon import Gate
from blustream_widget.core.horizon_grid import packed, samples_of
from blustream_widget.core.types import Axis, Channel
from blustream_widget.core.worker_protocol import (
    MeasuredVoxels,
    MeasureVoxels,
    SnappedVoxel,
    SnapVoxel,
    TrackVoxels,
)
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.memory_info import array_info
from blustream_widget.data.trace_spectrum import mean_amplitude
from blustream_widget.data.voxels import ReadCancelledError
from blustream_widget.processing.horizon import snap, track_volume
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker import measuring
from blustream_widget.worker.measuring import Lanes, Measurer

BOX = annotation("box", [(0, 0, 0), (9, 9, 69)], id="box")


class Gated(MemorySource):
    """Delivers when it is told to; asked without end, it says for which brick."""

    def __init__(self, values):
        channel = Channel("v", "HU", "float32", 0, 1)
        super().__init__(array_info(values.shape, (channel,)), (values,))
        self.held = None

    def request_brick(self, key, done, *, prefetch=False):
        if self.held is None:
            return super().request_brick(key, done, prefetch=prefetch)
        self.held.append((key, done))
        return self

    def cancel(self):
        pass

    def deliver(self):
        held, self.held = self.held, None
        for key, done in held:
            super().request_brick(key, done)


class Sink:
    def __init__(self):
        self.messages = []

    def send(self, message):
        self.messages.append(message)

    def wait(self, condition):
        def found():
            return [m for m in list(self.messages) if condition(m)]

        return wait_until(found, timeout_s=10, what="an answer")[0]

    def done(self, n):
        message = self.wait(lambda m: getattr(m, "measurement", None) and m.measurement.done)
        assert message.measurement.n == n
        return message.measurement


@pytest.fixture
def source():
    return Gated(np.random.default_rng(1).normal(0, 1, (70, 10, 70)).astype(np.float32))


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def measurer(source, sink):
    measurer = Measurer(source, sink)
    yield measurer
    measurer.close()


def ask(n=1, item=BOX, **fields):
    return MeasureVoxels(owner="1", n=n, item=item, channel=0, **fields)


WINDOW = annotation("rectangle", [(20, 1, 5), (20, 8, 64)], axis=0, id="window")


@pytest.fixture
def survey(source):
    """The same voxels as a survey of 4 ms."""
    time = Axis(name="sample", unit="ms", n=70, first=0, step=4.0, spacing=1)
    axes = (*source.info.axes[:2], time)
    info = msgspec.structs.replace(source.info, kind="seismic", axes=axes)
    return MemorySource(info, source.channels)


@pytest.mark.parametrize("want", [("spectrum",), ("spectrum", "statistics")])
def test_a_spectrum_comes_alone_and_with_the_numbers_of_the_same_voxels(survey, sink, want):
    measurer = Measurer(survey, sink)
    measurer.take([ask(item=WINDOW, want=want)])
    found = sink.done(1)
    assert (found.spectrum.n_traces, found.spectrum.n_samples) == (8, 60)
    expected, _ = mean_amplitude(survey.channels[0][20, 1:9, 5:65])
    assert found.spectrum.amplitude == pytest.approx(expected, rel=1e-12)
    assert found.spectrum.step == pytest.approx(1 / 0.240)
    assert (found.statistics is None) == (want == ("spectrum",))
    assert found.no_spectrum == ""
    measurer.close()


def test_what_has_no_spectrum_has_its_numbers_all_the_same(source, sink, measurer):
    measurer.take([ask(item=WINDOW, want=("geometry", "statistics", "spectrum"))])
    found = sink.done(1)
    assert found.error == ""
    assert found.statistics.count == 480
    assert found.spectrum is None
    assert "without traces" in found.no_spectrum


def test_a_window_with_a_gap_in_every_trace_says_so(survey, sink):
    survey.channels[0][20, :, 30] = np.nan
    measurer = Measurer(survey, sink)
    measurer.take([ask(item=WINDOW, want=("spectrum",))])
    assert "at every sample" in sink.done(1).no_spectrum
    measurer.close()


def test_geometry_comes_at_once_and_numbers_when_all_voxels_were_read(source, sink, measurer):
    source.held = []
    measurer.take([ask()])
    first = sink.wait(lambda m: isinstance(m, MeasuredVoxels)).measurement
    assert (first.done, first.statistics) == (False, None)
    assert first["volume"] == pytest.approx(9 * 9 * 69)
    wait_until(lambda: source.held, timeout_s=10, what="a request")
    assert len(sink.messages) == 1
    source.deliver()
    found = sink.done(1)
    assert found.statistics.count == 7000
    inside = source.channels[0][:10].astype(float)
    assert found.statistics.mean == pytest.approx(inside.mean(), rel=1e-12)


def test_a_newer_question_about_the_same_calls_the_older_one_off(source, sink, measurer):
    source.held = []
    measurer.take([ask(1)])
    wait_until(lambda: source.held, timeout_s=10, what="a request")
    smaller = msgspec.structs.replace(BOX, points=((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    measurer.take([ask(2, smaller)])
    source.deliver()
    assert sink.done(2).statistics.count == 8


def test_what_is_called_off_is_not_answered(source, sink, measurer):
    source.held = []
    measurer.take([ask(1), ask(2, annotation("point", (1, 2, 3), id="p"))])
    wait_until(lambda: source.held, timeout_s=10, what="a request")
    measurer.take([ask(1, cancel=True)])
    source.deliver()
    found = sink.done(2)
    assert found.value == float(source.channels[0][1, 2, 3])


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (
            ask(item=annotation("polygon", [(1, 0, 0), (1, 5, 5), (1, 5, 0), (1, 0, 5)], axis=0)),
            "crosses itself",
        ),
        (ask(want=("statistics",), item=annotation("line", [(0, 0, 0), (1, 1, 1)])), "encloses"),
        (msgspec.structs.replace(ask(), channel=3), "no channel"),
    ],
)
def test_what_cannot_be_measured_is_said_in_words(sink, measurer, question, words):
    measurer.take([question])
    assert words in sink.done(1).error


def test_a_horizon_is_that_of_the_whole_volume(source, sink, measurer):
    gate = Gate(min_likeness=0.2, reach=4.0)
    measurer.take([TrackVoxels("kernel", 3, ((30.2, 4.0, 33.0),), 0, gate)])
    grid = sink.wait(lambda m: getattr(m, "grid", None) and m.grid.done).grid
    expected = track_volume(source.channels[0], [(30, 4, 33.0)], gate)
    assert grid.error == ""
    samples = np.frombuffer(grid.samples, "<f4").reshape(grid.shape)
    assert np.allclose(samples, expected.samples, atol=1e-5, equal_nan=True)
    assert expected.n_picked > 1


@pytest.mark.parametrize(
    ("seed", "span", "words"),
    [
        ((30.0, 4.0, 33.0), 2, "at once"),
        ((5.0, 4.0, 33.0), 9, ""),
        ((69.5, 9.5, 33.0), 9, ""),  # on the volume's edge
    ],
)
def test_a_horizon_stays_within_its_span(sink, measurer, seed, span, words):
    measurer.take([TrackVoxels("kernel", 1, (seed,), 0, Gate(min_likeness=-1), span=span)])
    grid = sink.wait(lambda m: getattr(m, "grid", None) and m.grid.done).grid
    assert words in grid.error
    if not words:
        samples = np.frombuffer(grid.samples, "<f4")
        assert np.nanmin(samples) >= 33 - span - 1
        assert np.nanmax(samples) <= 33 + span + 1


def test_a_section_is_followed_alone_and_added_to_what_was_there(source, sink, measurer):
    before = np.full((70, 10), np.nan)
    before[5, :] = 11.0
    gate = Gate(min_likeness=-1, reach=4.0)
    seeds = ((30.0, 4.0, 33.0), (2.0, 4.0, 33.0))
    question = TrackVoxels("1", 3, seeds, 0, gate, line=(0, 30), onto=packed(before), packs=True)
    measurer.take([question])
    grid = sink.wait(lambda m: getattr(m, "grid", None) and m.grid.done).grid
    found = samples_of(grid.packed)
    expected = track_volume(source.channels[0][30:31], [(0, 4, 33.0)], gate)
    assert np.allclose(found[30], expected.samples[0], atol=1 / 128, equal_nan=True)
    assert np.allclose(found[5], 11.0)
    assert np.isfinite(found).sum() == 10 + expected.n_picked
    measurer.take([msgspec.structs.replace(question, n=4, line=(1, 9))])
    assert "No pick lies" in sink.wait(lambda m: m.grid.n == 4 and m.grid.done).grid.error


@pytest.mark.parametrize(
    ("place", "sample"), [((30.2, 4.0, 33.0), 33.0), ((69.5, 9.5, 0.0), 0.0), ((0, 0, 69.5), 69.0)]
)
def test_a_pick_snaps_on_its_trace(source, sink, measurer, place, sample):
    i, j = min(round(place[0]), 69), min(round(place[1]), 9)
    measurer.take([SnapVoxel("1", 2, place, 0, Gate(reach=5.0))])
    answer = sink.wait(lambda m: isinstance(m, SnappedVoxel)).answer
    expected = snap(source.channels[0][i, j], sample, "peak", reach=5.0)
    assert answer.sample == (pytest.approx(expected) if np.isfinite(expected) else None)


def test_a_pick_outside_is_refused(sink, measurer):
    measurer.take([SnapVoxel("1", 2, (30, 4, 500), 0)])
    answer = sink.wait(lambda m: isinstance(m, SnappedVoxel)).answer
    assert (answer.sample, "outside" in answer.error) == (None, True)


def test_a_pick_does_not_wait_for_what_is_being_followed_which_ends_when_called_off(
    source, sink, monkeypatch
):
    """The following is held in its rounds; a pick is answered meanwhile; then it is called off."""
    is_in_rounds, may_go_on, ends = threading.Event(), threading.Event(), []
    follow = measuring.track

    def held(reader, info, question, on_progress):
        def slowly(share):
            on_progress(share)
            if share > 0.7:  # all voxels are there
                is_in_rounds.set()
                assert may_go_on.wait(10)

        try:
            return follow(reader, info, question, slowly)
        except ReadCancelledError:
            ends.append(question.n)
            raise

    monkeypatch.setattr(measuring, "track", held)
    lanes = Lanes(source, sink)
    question = TrackVoxels("1", 3, ((30.0, 4.0, 33.0),), 0, Gate(min_likeness=-1))
    lanes.take([question])
    assert is_in_rounds.wait(10)
    lanes.take([SnapVoxel("1", 4, (30, 4, 33), 0)])
    sink.wait(lambda m: isinstance(m, SnappedVoxel))
    lanes.take([msgspec.structs.replace(question, cancel=True)])
    may_go_on.set()
    wait_until(lambda: ends, timeout_s=10, what="the end of the following")
    assert [m for m in sink.messages if not isinstance(m, SnappedVoxel)] == []
    lanes.close()
