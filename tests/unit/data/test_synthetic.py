import numpy as np
import pytest

from blustream_widget.data.synthetic import Synthetic
from blustream_widget.data.synthetic_geology import Fault

SHAPE = (96, 96, 160)


@pytest.fixture(scope="module")
def model():
    return Synthetic(SHAPE, seed=7)


def whole(model):
    return model.sample(slice(None), slice(None))


def test_a_trace_depends_on_its_place_only(model):
    everything = whole(model)
    part = model.sample(slice(37, 61), slice(18, 43))
    for whole_channel, channel in zip(everything, part, strict=True):
        np.testing.assert_array_equal(whole_channel[37:61, 18:43], channel)


def test_the_seed_decides(model):
    same = Synthetic(SHAPE, seed=7).sample(slice(0, 2), slice(0, 3))
    other = Synthetic(SHAPE, seed=8).sample(slice(0, 2), slice(0, 3))
    mine = model.sample(slice(0, 2), slice(0, 3))
    np.testing.assert_array_equal(same[0], mine[0])
    assert not np.array_equal(other[0], mine[0])


def test_labels_are_faults_by_number_and_salt(model):
    amplitude, faults, salt = whole(model)
    assert amplitude.dtype == np.float32
    assert set(np.unique(salt)) == {0, 1}
    assert set(np.unique(faults)) <= set(range(len(model.faults) + 1))
    assert len(np.unique(faults)) >= 4
    assert not (faults[salt == 1]).any()
    assert 0.001 < salt.mean() < 0.2
    assert 0.002 < (faults > 0).mean() < 0.15


def test_there_is_water_above_and_the_signal_decays(model):
    amplitude, _, _ = whole(model)
    water, shallow, deep = amplitude[..., :3], amplitude[..., 20:70], amplitude[..., 110:]
    assert water.std() < 0.5 * shallow.std()
    assert deep.std() < 0.9 * shallow.std()


def test_the_spectrum_is_seismic(model):
    amplitude, _, _ = whole(model)
    spectrum = np.abs(np.fft.rfft(amplitude[:, :, 16:], axis=2)).mean((0, 1))
    hz = np.fft.rfftfreq(SHAPE[2] - 16, 0.004)
    centre = (spectrum * hz).sum() / spectrum.sum()
    assert 15 < centre < 50


def test_neighbouring_traces_look_alike(model):
    amplitude, _, _ = whole(model)
    a, b = amplitude[:-1, :, 15:].ravel(), amplitude[1:, :, 15:].ravel()
    assert np.corrcoef(a, b)[0, 1] > 0.7


@pytest.mark.parametrize("throw", [6.0, 15.0])
def test_layers_are_offset_by_the_throw_of_the_fault(throw, monkeypatch):
    model = Synthetic((128, 128, 256), seed=3)
    fault = Fault((64.0, 64.0, 128.0), 0.0, np.deg2rad(80), throw, 500.0, 1e6, is_young=True)
    faulted, intact = model, Synthetic((128, 128, 256), seed=3)
    faulted.faults, intact.faults = (fault,), ()
    for each in (faulted, intact):
        quiet = (each._noise[0], each._noise[1])
        for tile in quiet:
            tile._tile = np.zeros_like(tile._tile)
    before = intact.sample(slice(100, 101), slice(20, 50))[0][0, :, 40:200]
    after = faulted.sample(slice(100, 101), slice(20, 50))[0][0]
    # Far on the downthrown side: the best fit of the intact section is deeper by the throw.
    fits = [
        np.corrcoef(before.ravel(), after[:, 40 + shift : 200 + shift].ravel())[0, 1]
        for shift in range(30)
    ]
    assert abs(int(np.argmax(fits)) - throw) <= 1
    assert max(fits) > 0.9


def test_the_throw_dies_out_along_strike():
    fault = Fault((50.0, 50.0, 50.0), 0.0, 1.0, 10.0, 40.0, 100.0)
    i0, i1 = np.array([[50.0]]), np.array([[50.0, 70.0, 90.0, 120.0]])
    throws = fault.throw_at(i0, i1)[0]
    assert throws[0] == pytest.approx(10.0)
    assert throws[0] > throws[1] > throws[2] == throws[3] == 0


def test_survey_numbers_and_coordinates(model):
    inline, crossline, sample = model.axes
    assert (inline.first, crossline.first, sample.unit, sample.step) == (1000, 2000, "ms", 4.0)
    survey = model.survey
    corner = [
        survey.origin[i] + 1000 * survey.inline_step[i] + 2000 * survey.crossline_step[i]
        for i in range(2)
    ]
    assert corner == pytest.approx([431955.09, 6348641.17])
