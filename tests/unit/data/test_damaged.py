"""Files of nonsense: one typed error that names the file, and no memory for what is not there."""

import gzip
import io
import struct
import zipfile

import nibabel
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.types import VolumeRef
from blustream_widget.data import arrays, open_source
from blustream_widget.data.importer import import_volume
from blustream_widget.errors import VolumeFormatError
from blustream_widget.testing.volumes import ramp_volume

SHAPE = (20, 21, 22)
DIM, VOX_OFFSET = 40, 108  # offsets of fields in a NIfTI-1 header


def npy_header(shape, descr="<f4"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def archive(*members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as target:
        for n, content in enumerate(members):
            target.writestr(f"arr_{n}.npy", content)
    return file.getvalue()


def damaged_archive():
    file = io.BytesIO()
    np.savez_compressed(file, ramp_volume(SHAPE))
    content = bytearray(file.getvalue())
    content[2000:2400] = b"\xff" * 400
    return bytes(content)


def nifti(**fields):
    content = bytearray(nibabel.Nifti1Image(ramp_volume(SHAPE), np.eye(4)).to_bytes())
    if "dim" in fields:
        struct.pack_into("<4h", content, DIM, 3, *fields["dim"])
    if "vox_offset" in fields:
        struct.pack_into("<f", content, VOX_OFFSET, fields["vox_offset"])
    return bytes(content)


CASES = {
    "absurd.npz": archive(npy_header((1 << 19, 1 << 19, 1 << 19))),
    "promise.npz": archive(npy_header((100, 100, 100)) + bytes(100)),
    "damaged.npz": damaged_archive(),
    "plane.npz": archive(npy_header((10, 10)) + bytes(400)),
    "text.npz": archive(b"not an array"),
    "absurd.npy": npy_header((1 << 20, 1 << 20, 1 << 20)) + bytes(100),
    "negative.npy": npy_header((10, -10, 10)) + bytes(4000),
    "objects.npy": npy_header((2, 2, 2), "|O") + bytes(64),
    "negative.nii": nifti(dim=(20, -21, 22)),
    "offset.nii": nifti(vox_offset=1e30),
    "endless.nii": nifti(vox_offset=float("inf")),
    "absurd.nii": nifti(dim=(32000, 32000, 32000)),
    "offset.nii.gz": gzip.compress(nifti(vox_offset=1e30)),
    "nan.nii": nibabel.Nifti1Image(np.full(SHAPE, np.nan, np.float32), np.eye(4)).to_bytes(),
    "nan.npy": npy_header((2, 2, 2)) + np.full(8, np.nan, np.float32).tobytes(),
}


@pytest.fixture(params=CASES)
def damaged(request, tmp_path):
    path = tmp_path / request.param
    path.write_bytes(CASES[request.param])
    return path


def test_opening_a_damaged_file_names_it_and_the_cure(damaged):
    with pytest.raises(VolumeFormatError) as caught:
        open_source(VolumeRef(url=str(damaged)), Config())
    assert damaged.name in caught.value.message
    assert caught.value.hint


def test_importing_a_damaged_file_names_it_and_leaves_nothing(damaged):
    with pytest.raises(VolumeFormatError) as caught:
        import_volume(damaged, damaged.parent / "out.vds")
    assert damaged.name in str(caught.value)
    assert list(damaged.parent.iterdir()) == [damaged]


def test_an_archive_larger_than_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "_MOST_IN_MEMORY_BYTES", 10_000)
    np.savez(tmp_path / "large.npz", ramp_volume(SHAPE))
    with pytest.raises(VolumeFormatError, match=r"(?s)large\.npz.*numpy\.save"):
        open_source(VolumeRef(url=str(tmp_path / "large.npz")), Config())


def test_an_archive_may_hold_other_things_beside_the_volume(tmp_path):
    np.savez(tmp_path / "a.npz", volume=ramp_volume(SHAPE), affine=np.eye(4))
    source = open_source(VolumeRef(url=str(tmp_path / "a.npz")), Config())
    assert source.info.shape == SHAPE
    source.close()
