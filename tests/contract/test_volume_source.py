from pathlib import Path

import nibabel
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.time_axis import time_axis
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.data import open_source
from blustream_widget.data.remote import RemoteSource
from blustream_widget.testing.contracts.volume_source import OpenedVolume, VolumeSourceContract
from blustream_widget.testing.formula_source import FormulaSource
from blustream_widget.testing.volumes import (
    label_volume,
    ramp_volume,
    write_series,
    write_volume,
)

SHAPE = (40, 67, 90)


class TestVds(VolumeSourceContract):
    @pytest.fixture(params=["none", "zip", "rle"])
    def opened(self, request, tmp_path):
        arrays = [ramp_volume(SHAPE), label_volume(SHAPE)]
        path = tmp_path / "ramp.vds"
        write_volume(path, *arrays, labels=(1,), codec=request.param)
        source = open_source(VolumeRef(url=str(path)), Config())
        yield OpenedVolume(source, arrays)
        source.close()


class TestRemote(VolumeSourceContract):
    @pytest.fixture
    def opened(self, tmp_path):
        arrays = [ramp_volume(SHAPE), label_volume(SHAPE)]
        path = tmp_path / "ramp.vds"
        write_volume(path, *arrays, labels=(1,))
        source = RemoteSource(lambda: open_source(VolumeRef(url=str(path)), Config()))
        yield OpenedVolume(source, arrays)
        source.close()


class TestSharedArray(VolumeSourceContract):
    @pytest.fixture(params=["<f4", ">f4", "<i2", "|u1", "<f8"])
    def opened(self, request, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
        array = ramp_volume(SHAPE).astype(request.param)
        path = tmp_path / "blustream-segment"
        array.tofile(path)
        shared = SharedArray(path=str(path), shape=SHAPE, dtype=request.param)
        source = open_source(VolumeRef(array=shared), Config())
        yield OpenedVolume(source, [array])
        source.close()


class TestNifti(VolumeSourceContract):
    @pytest.fixture(params=["v.nii", "v.nii.gz"])
    def opened(self, request, tmp_path: Path):
        array = ramp_volume(SHAPE, np.int16)
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / request.param)
        source = open_source(VolumeRef(url=str(tmp_path / request.param)), Config())
        yield OpenedVolume(source, [array])
        source.close()


class TestNumpy(VolumeSourceContract):
    @pytest.fixture(params=["v.npy", "v.npz"])
    def opened(self, request, tmp_path: Path):
        array = ramp_volume(SHAPE)
        path = tmp_path / request.param
        if path.suffix == ".npy":
            np.save(path, array)
        else:
            np.savez(path, array)
        source = open_source(VolumeRef(url=str(path)), Config())
        yield OpenedVolume(source, [array])
        source.close()


def series_of(n_steps, shape=(20, 67, 33), dtype=np.float32):
    """Series whose value says step and place, so that a wrong axis gives a wrong number."""
    step = np.arange(n_steps, dtype=dtype).reshape(-1, 1, 1, 1)
    return (1000 * step + ramp_volume(shape, np.int16) % 1000).astype(dtype)


class TestNiftiSeries(VolumeSourceContract):
    @pytest.fixture(params=["v.nii.gz"])
    def opened(self, request, tmp_path: Path):
        array = series_of(3, dtype=np.int16)
        image = nibabel.Nifti1Image(np.moveaxis(array, 0, -1), np.eye(4))
        nibabel.save(image, tmp_path / request.param)
        source = open_source(VolumeRef(url=str(tmp_path / request.param)), Config())
        yield OpenedVolume(source, [array])
        source.close()


class TestNumpySeries(VolumeSourceContract):
    @pytest.fixture(params=[None, -2])
    def opened(self, request, tmp_path: Path):
        array = series_of(3)
        np.save(tmp_path / "v.npy", np.moveaxis(array, 0, request.param or 0))
        ref = VolumeRef(url=str(tmp_path / "v.npy"), time_axis=request.param)
        source = open_source(ref, Config())
        yield OpenedVolume(source, [array])
        source.close()


class TestSeriesOfVds(VolumeSourceContract):
    @pytest.fixture
    def opened(self, tmp_path: Path):
        # More steps than are held open, and two channels in each.
        arrays = [series_of(6), series_of(6) % 7]
        steps = []
        for step in range(6):
            path = tmp_path / f"{step}.vds"
            write_volume(path, *(array[step] for array in arrays))
            steps.append(VolumeRef(url=str(path)))
        source = open_source(VolumeRef(series=tuple(steps)), Config())
        yield OpenedVolume(source, arrays)
        source.close()


class TestVdsOfFourDimensions(VolumeSourceContract):
    @pytest.fixture
    def opened(self, tmp_path: Path):
        arrays = [series_of(3), series_of(3) % 7]
        write_series(tmp_path / "4d.vds", *arrays, times=time_axis(3))
        source = open_source(VolumeRef(url=str(tmp_path / "4d.vds")), Config())
        yield OpenedVolume(source, arrays)
        source.close()


class TestFormula(VolumeSourceContract):
    @pytest.fixture
    def opened(self):
        source = FormulaSource(SHAPE, brick_size=16)
        yield OpenedVolume(source, [source.array()])
        source.close()
