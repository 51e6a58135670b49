"""Importing real files, and what happens when it goes wrong."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.types import PERCENTILES, VolumeRef
from blustream_widget.data import describe, open_source
from blustream_widget.data.importer import import_volume
from blustream_widget.data.reduce import half_times
from blustream_widget.errors import (
    ConfigError,
    VolumeFormatError,
    VolumeNotFoundError,
    VolumeWriteError,
)
from blustream_widget.testing.contracts.volume_source import all_keys, read_brick
from blustream_widget.testing.volumes import label_volume, ramp_volume, write_volume

SHAPE = (70, 41, 90)
AFFINE = np.array([[0, 0, -2.0, 90], [1.5, 0, 0, -60], [0, 1.0, 0, -30], [0, 0, 0, 1]])


def read_level(path, channel=0, lod=0):
    """A whole channel at one level, brick by brick."""
    source = open_source(VolumeRef(url=str(path)), Config())
    try:
        size = source.info.brick_size
        keys = all_keys(source, channel, lod)
        shape = [-(-n // (1 << lod)) for n in source.info.shape]
        level = np.empty(shape, source.info.channels[channel].dtype)
        for key in keys:
            brick = read_brick(source, key)
            corner = [i * size for i in key[2:]]
            level[tuple(slice(c, c + n) for c, n in zip(corner, brick.shape, strict=True))] = brick
        return source.info, level
    finally:
        source.close()


def leftovers(folder):
    return [path.name for path in folder.iterdir() if "partial" in path.name]


@pytest.mark.parametrize("codec", ["none", "rle", "zip"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
def test_every_level_of_an_imported_array_is_exact(tmp_path, codec, dtype):
    array = ramp_volume(SHAPE).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    import_volume(tmp_path / "a.npy", tmp_path / "a.vds", codec=codec, brick=32)
    for lod in range(3):
        info, level = read_level(tmp_path / "a.vds", lod=lod)
        np.testing.assert_array_equal(level, half_times(array, lod, is_label=False))
    assert info.n_lods == 3
    assert info.channels[0].dtype == array.dtype.name


@pytest.mark.parametrize(
    ("dtype", "stored"), [(np.int8, "float32"), (np.int16, "float32"), (np.int32, "float64")]
)
def test_signed_integers_come_out_right(tmp_path, dtype, stored):
    limits = np.iinfo(dtype)
    array = np.random.default_rng(0).integers(limits.min, limits.max, SHAPE, dtype, endpoint=True)
    array[0, 0, :2] = limits.min, limits.max
    np.save(tmp_path / "a.npy", array)
    info = import_volume(tmp_path / "a.npy", tmp_path / "a.vds")
    assert (info.channels[0].value_min, info.channels[0].value_max) == pytest.approx(
        (limits.min, limits.max)
    )
    info, level = read_level(tmp_path / "a.vds")
    assert info.channels[0].dtype == stored
    np.testing.assert_array_equal(level, array)


def test_nan_is_left_out_of_coarser_levels(tmp_path):
    array = ramp_volume(SHAPE)
    array[::2, 1::2] = np.nan
    array[:4] = np.nan
    np.save(tmp_path / "a.npy", array)
    info = import_volume(tmp_path / "a.npy", tmp_path / "a.vds", brick=32)
    assert info.channels[0].value_min == np.nanmin(array)
    _, level = read_level(tmp_path / "a.vds", lod=1)
    np.testing.assert_allclose(level, half_times(array, 1, is_label=False), rtol=1e-6)
    assert np.isnan(level[:2]).all()
    assert np.isfinite(level[2:]).all()


def test_wavelet_is_close_for_amounts_exact_for_labels(tmp_path):
    rng = np.random.default_rng(0)
    array = np.cumsum(rng.normal(size=SHAPE), axis=2).astype(np.float32)
    labels = label_volume(SHAPE)
    np.save(tmp_path / "a.npy", array)
    np.save(tmp_path / "l.npy", labels)
    import_volume(
        tmp_path / "a.npy", tmp_path / "a.vds", labels=tmp_path / "l.npy", codec="wavelet"
    )
    _, level = read_level(tmp_path / "a.vds")
    _, stored_labels = read_level(tmp_path / "a.vds", channel=1)
    assert np.abs(level - array).max() < 1e-3 * np.ptp(array)
    np.testing.assert_array_equal(stored_labels, labels)


def test_wavelet_refuses_nan_and_leaves_nothing(tmp_path):
    array = ramp_volume(SHAPE)
    array[50, 3, 3] = np.nan
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(VolumeFormatError, match=r"NaN.*zip"):
        import_volume(tmp_path / "a.npy", tmp_path / "a.vds", codec="wavelet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_colin_27_with_its_labels(tmp_path, mricron_data):
    target = tmp_path / "ch2.vds"
    info = import_volume(
        mricron_data / "ch2.nii.gz", target, labels=mricron_data / "aal.nii.gz", codec="zip"
    )
    voxels = np.asarray(nibabel.load(mricron_data / "ch2.nii.gz").dataobj)
    labels = np.asarray(nibabel.load(mricron_data / "aal.nii.gz").dataobj)
    assert (info.kind, info.world_unit) == ("medical", "mm")
    assert [axis.name for axis in info.axes] == ["sagittal", "coronal", "axial"]
    assert [(axis.first, axis.step, axis.unit) for axis in info.axes] == [
        (-90.0, 1.0, "mm"),
        (-125.0, 1.0, "mm"),
        (-71.0, 1.0, "mm"),
    ]
    amount, label = info.channels
    assert (amount.name, amount.dtype, amount.is_label) == ("ch2", "uint8", False)
    assert (label.name, label.dtype, label.is_label) == ("aal", "uint8", True)
    assert label.label_names[1] == "Precentral_L"
    assert len(label.label_names) == 116
    np.testing.assert_allclose(amount.percentiles, np.percentile(voxels, PERCENTILES), atol=1)
    for lod in range(info.n_lods):
        np.testing.assert_array_equal(
            read_level(target, 0, lod)[1], half_times(voxels, lod, is_label=False)
        )
        np.testing.assert_array_equal(
            read_level(target, 1, lod)[1], half_times(labels, lod, is_label=True)
        )


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti_keeps_its_place_in_the_patient_and_its_scale(tmp_path, name):
    array = np.random.default_rng(0).integers(-1000, 3000, SHAPE).astype(np.int16)
    image = nibabel.Nifti1Image(array, AFFINE)
    image.header.set_slope_inter(0.5, -10)
    nibabel.save(image, tmp_path / name)
    info = import_volume(tmp_path / name, tmp_path / "a.vds")
    np.testing.assert_allclose(np.reshape(info.affine, (4, 4)), AFFINE)
    assert [axis.name for axis in info.axes] == ["coronal", "axial", "sagittal"]
    assert [axis.spacing for axis in info.axes] == [1.5, 1.0, 2.0]
    assert (info.axes[2].first, info.axes[2].step) == (90.0, -2.0)
    opened, level = read_level(tmp_path / "a.vds")
    assert opened.affine == info.affine
    np.testing.assert_allclose(level, array * 0.5 - 10)


def test_labels_of_another_shape_or_place_are_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(ramp_volume(SHAPE), AFFINE), tmp_path / "a.nii")
    moved = AFFINE.copy()
    moved[0, 3] += 5
    nibabel.save(nibabel.Nifti1Image(label_volume(SHAPE), moved), tmp_path / "moved.nii")
    nibabel.save(nibabel.Nifti1Image(label_volume((9, 9, 9)), AFFINE), tmp_path / "small.nii")
    for labels, words in (("moved.nii", "affines differ"), ("small.nii", r"\(9, 9, 9\)")):
        with pytest.raises(VolumeFormatError, match=words):
            import_volume(tmp_path / "a.nii", tmp_path / "a.vds", labels=tmp_path / labels)


def test_fractions_are_not_labels(tmp_path):
    np.save(tmp_path / "a.npy", ramp_volume(SHAPE))
    np.save(tmp_path / "l.npy", ramp_volume(SHAPE) + 0.5)
    with pytest.raises(VolumeFormatError, match="fractional"):
        import_volume(tmp_path / "a.npy", tmp_path / "a.vds", labels=tmp_path / "l.npy")
    assert not (tmp_path / "a.vds").exists()


@pytest.mark.parametrize(
    ("name", "shape", "firsts", "step_ms"),
    [
        ("small.sgy", (5, 5, 50), (1, 20), 4.0),
        ("small_negative_il_xl.sgy", (5, 5, 50), (-5, -24), 4.0),
        ("tracecount512.sgy", (16, 32, 50), (0, 0), 4.0),
    ],
)
def test_segy_becomes_a_survey(tmp_path, seismic_zfp_data, name, shape, firsts, step_ms):
    info = import_volume(seismic_zfp_data / name, tmp_path / "s.vds")
    assert (info.kind, info.shape) == ("seismic", shape)
    assert [axis.name for axis in info.axes] == ["inline", "crossline", "sample"]
    assert (info.axes[0].first, info.axes[1].first) == firsts
    assert (info.axes[2].unit, info.axes[2].step) == ("ms", step_ms)
    assert [channel.name for channel in info.channels] == ["Amplitude"]
    assert leftovers(tmp_path) == []


def test_segy_samples_are_those_of_the_vds_that_others_wrote(tmp_path, seismic_zfp_data):
    import_volume(seismic_zfp_data / "small.sgy", tmp_path / "s.vds")
    info, foreign = read_level(seismic_zfp_data / "vds" / "small.vds")
    assert [channel.name for channel in info.channels] == ["Amplitude"]
    assert info.kind == "seismic"
    np.testing.assert_allclose(read_level(tmp_path / "s.vds")[1], foreign, rtol=1e-4)


def test_a_foreign_vds_is_described_and_imported(tmp_path, seismic_zfp_data):
    foreign = seismic_zfp_data / "vds" / "small.vds"
    text = describe(VolumeRef(url=str(foreign)))
    for words in (
        "seismic volume, 5 x 5 x 50",
        "inline: 5 from 1 to 5",
        "Amplitude: float32",
        "codec",
    ):
        assert words in text
    import_volume(foreign, tmp_path / "f.vds")
    np.testing.assert_array_equal(read_level(tmp_path / "f.vds")[1], read_level(foreign)[1])


@pytest.mark.parametrize(
    ("name", "words"),
    [("small-2d.sgy", "not a stacked 3-D volume"), ("small-4d.sgy", "not a stacked 3-D volume")],
)
def test_segy_that_is_no_stacked_volume_is_refused(tmp_path, seismic_zfp_data, name, words):
    with pytest.raises(VolumeFormatError, match=words):
        import_volume(seismic_zfp_data / name, tmp_path / "s.vds")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [2000, 9000])
def test_truncated_segy_is_refused(tmp_path, seismic_zfp_data, keep):
    broken = tmp_path / "b.sgy"
    broken.write_bytes((seismic_zfp_data / "small.sgy").read_bytes()[:keep])
    with pytest.raises(VolumeFormatError, match=r"b\.sgy"):
        import_volume(broken, tmp_path / "s.vds")
    assert [path.name for path in tmp_path.iterdir()] == ["b.sgy"]


def _nifti_bytes():
    return nibabel.Nifti1Image(ramp_volume(SHAPE), AFFINE).to_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nii", _nifti_bytes()[:5000]),
        ("a.nii", b"garbage" * 100),
        ("a.nii.gz", gzip.compress(_nifti_bytes())[:-4000]),
        ("a.nii.gz", b"garbage" * 100),
        ("a.npy", b"garbage" * 100),
        ("a.npz", b"PK garbage" * 100),
        ("a.sgy", b"garbage" * 1000),
        ("a.vds", b"HueDataStore" + b"garbage" * 100),
        ("a.vds", b"garbage" * 100),
    ],
)
def test_damaged_files_are_named_and_leave_nothing(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VolumeFormatError, match=name.replace(".", r"\.")) as caught:
        import_volume(tmp_path / name, tmp_path / "out.vds")
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_truncated_npy_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", ramp_volume(SHAPE))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[: len(content) // 2])
    with pytest.raises(VolumeFormatError, match=r"a\.npy"):
        import_volume(tmp_path / "a.npy", tmp_path / "a.vds")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((3, 3), np.float32), "2 axes"),
        (np.array([[[None]]]), "Python objects"),
        (np.full((3, 3, 3), np.nan), "no finite value"),
    ],
)
def test_npy_without_a_volume_is_refused(tmp_path, values, words):
    np.save(tmp_path / "a.npy", values, allow_pickle=True)
    with pytest.raises(VolumeFormatError, match=words):
        import_volume(tmp_path / "a.npy", tmp_path / "a.vds")


def test_four_dimensional_nifti_is_refused(tmp_path):
    nibabel.save(
        nibabel.Nifti1Image(np.zeros((4, 4, 4, 3), np.float32), AFFINE), tmp_path / "a.nii"
    )
    with pytest.raises(VolumeFormatError, match="a series"):
        import_volume(tmp_path / "a.nii", tmp_path / "a.vds")


def test_targets_that_cannot_be_written(tmp_path):
    source = tmp_path / "a.npy"
    np.save(source, ramp_volume((4, 4, 4)))
    with pytest.raises(VolumeNotFoundError):
        import_volume(tmp_path / "gone.npy", tmp_path / "a.vds")
    with pytest.raises(ConfigError, match=r"\.vds"):
        import_volume(source, tmp_path / "a.dat")
    with pytest.raises(VolumeWriteError, match="no folder"):
        import_volume(source, tmp_path / "gone" / "a.vds")
    with pytest.raises(ConfigError, match="codec"):
        import_volume(source, tmp_path / "a.vds", codec="jpeg")
    with pytest.raises(ConfigError, match="Bricks"):
        import_volume(source, tmp_path / "a.vds", brick=50)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_an_existing_target_is_kept_unless_told_otherwise(tmp_path):
    np.save(tmp_path / "a.npy", ramp_volume((4, 4, 4)))
    np.save(tmp_path / "b.npy", ramp_volume((4, 4, 4)) + 1)
    import_volume(tmp_path / "a.npy", tmp_path / "v.vds")
    with pytest.raises(VolumeWriteError, match="exists already"):
        import_volume(tmp_path / "b.npy", tmp_path / "v.vds")
    import_volume(tmp_path / "b.npy", tmp_path / "v.vds", overwrite=True)
    assert read_level(tmp_path / "v.vds")[1][0, 0, 0] == 1


def test_a_disk_without_room_is_found_before_writing(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", ramp_volume(SHAPE))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(VolumeWriteError, match="free"):
        import_volume(tmp_path / "a.npy", tmp_path / "a.vds")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_a_disk_that_fills_up_meanwhile_ends_the_import(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", ramp_volume(SHAPE))
    usage = shutil.disk_usage(tmp_path)
    free = iter([1 << 40, 1 << 40, 1 << 40, 1000])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=next(free)))
    with pytest.raises(VolumeWriteError, match="is full"):
        import_volume(tmp_path / "a.npy", tmp_path / "a.vds", brick=32)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


_FULL = """
import resource, sys
from blustream_widget.data.importer import import_volume
from blustream_widget.errors import VolumeWriteError
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
try:
    import_volume(sys.argv[1], sys.argv[2])
except VolumeWriteError as exc:
    print("refused:", exc)
"""


def test_a_write_that_fails_is_an_error_and_leaves_nothing(tmp_path):
    np.save(tmp_path / "a.npy", ramp_volume(SHAPE))
    result = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "a.npy"), str(tmp_path / "a.vds")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stdout.startswith("refused: a.vds cannot be written"), result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_progress_rises_to_one_and_may_end_the_import(tmp_path):
    np.save(tmp_path / "a.npy", ramp_volume(SHAPE))
    shares = []
    import_volume(
        tmp_path / "a.npy",
        tmp_path / "a.vds",
        brick=32,
        progress=lambda share, _: shares.append(share),
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 3

    def stop(share, line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_volume(tmp_path / "a.npy", tmp_path / "b.vds", progress=stop)
    assert not (tmp_path / "b.vds").exists()
    assert leftovers(tmp_path) == []


_KILLED = """
import sys
from pathlib import Path
from blustream_widget.data.importer import import_volume

def progress(share, line):
    if share > 0.3:
        print("writing", flush=True)
        sys.stdin.readline()

import_volume(sys.argv[1], sys.argv[2], brick=32, progress=progress)
"""


def test_a_killed_import_leaves_no_file_and_the_next_one_cleans_up(tmp_path):
    source, target = tmp_path / "a.npy", tmp_path / "a.vds"
    np.save(source, ramp_volume(SHAPE))
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(source), str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"writing\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not target.exists()
    assert len(leftovers(tmp_path)) == 1
    import_volume(source, target, brick=32)
    assert leftovers(tmp_path) == []
    np.testing.assert_array_equal(read_level(target)[1], ramp_volume(SHAPE))


def test_a_vds_with_a_flipped_byte_in_a_brick_says_so(tmp_path):
    path = tmp_path / "z.vds"
    array = np.random.default_rng(0).normal(size=(64, 64, 64)).astype(np.float32)
    write_volume(path, array, codec="zip")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = os.urandom(64)
    path.write_bytes(content)
    from blustream_widget.errors import BrickReadError
    from blustream_widget.testing.contracts.volume_source import Receiver

    source = open_source(VolumeRef(url=str(path)), Config())
    receiver = Receiver()
    keys = [key for lod in range(source.info.n_lods) for key in all_keys(source, 0, lod)]
    for key in keys:
        source.request_brick(key, receiver)
    answers = receiver.take(len(keys))
    source.close()
    failed = [result for _, result in answers if isinstance(result, BrickReadError)]
    assert len(failed) >= 1
    assert "z.vds" in str(failed[0])


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_truncated_vds_is_refused(tmp_path, share):
    path = tmp_path / "t.vds"
    write_volume(path, ramp_volume(SHAPE))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(VolumeFormatError, match=r"t\.vds"):
        open_source(VolumeRef(url=str(path)), Config())


def test_user_words_win(tmp_path):
    path = tmp_path / "w.vds"
    write_volume(path, ramp_volume((8, 9, 10)))
    ref = VolumeRef(
        url=str(path),
        name="mine",
        kind="generic",
        unit="m/s",
        spacing=(1, 2, 3),
        axis_names=("a", "b", "c"),
    )
    source = open_source(ref, Config())
    info = source.info
    source.close()
    assert (info.name, info.kind, info.channels[0].unit) == ("mine", "generic", "m/s")
    assert [(axis.name, axis.spacing) for axis in info.axes] == [("a", 1), ("b", 2), ("c", 3)]


def test_segy_is_not_opened_but_the_way_is_told(seismic_zfp_data):
    with pytest.raises(VolumeFormatError, match=r"blustream import small\.sgy small\.vds"):
        open_source(VolumeRef(url=str(seismic_zfp_data / "small.sgy")), Config())


@pytest.mark.parametrize("url", ["/gone/v.vds", "s3://", "foo://v.vds"])
def test_unreadable_addresses_are_volume_errors(url):
    from blustream_widget.errors import VolumeError

    with pytest.raises(VolumeError):
        open_source(
            VolumeRef(url=url, connection="Region=x;AccessKeyId=k;SecretKey=secret"), Config()
        )


def test_exit_with_requests_in_flight_is_clean(tmp_path):
    path = tmp_path / "e.vds"
    write_volume(path, ramp_volume((96, 96, 96)), codec="zip")
    code = f"""
from blustream_widget.config import Config
from blustream_widget.core.types import VolumeRef
from blustream_widget.data import SliceReader, open_source
source = open_source(VolumeRef(url={str(path)!r}), Config())
SliceReader(source, budget_bytes=1 << 26, on_data=lambda: None).read(0, 3, 0, 0)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0


def test_the_paths_are_paths_or_text(tmp_path):
    np.save(tmp_path / "a.npy", ramp_volume((4, 4, 4)))
    assert import_volume(str(tmp_path / "a.npy"), Path(tmp_path / "a.vds")).name == "a.vds"
