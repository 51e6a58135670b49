"""The slice copy of a VDS: written whole or not at all, used only for the file it was made of."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from blustream_widget.cli import main
from blustream_widget.config import Config
from blustream_widget.core.types import VolumeRef
from blustream_widget.data import SliceReader, open_source
from blustream_widget.data.optimize import write_slice_copy
from blustream_widget.data.source import TiledSource, TileKey
from blustream_widget.errors import (
    ConfigError,
    VolumeAccessError,
    VolumeFormatError,
    VolumeNotFoundError,
    VolumeWriteError,
)
from blustream_widget.testing.volumes import label_volume, ramp_volume, write_volume

SHAPE = (70, 290, 300)


@pytest.fixture
def volume(tmp_path):
    """A VDS, and its two channels."""
    arrays = [ramp_volume(SHAPE), label_volume(SHAPE)]
    write_volume(tmp_path / "survey.vds", *arrays, labels=(1,))
    return tmp_path / "survey.vds", arrays


def open_path(path, **options):
    return open_source(VolumeRef(url=str(path)), Config(**options))


def read_whole(source, axis, slice_idx, channel):
    news = threading.Event()
    reader = SliceReader(source, budget_bytes=1 << 28, on_data=news.set)
    try:
        while (data := reader.read(axis, slice_idx, channel, 0)).progress < 1:
            assert news.wait(10)
            news.clear()
        return data.values
    finally:
        reader.close()


class Counted:
    """Counts what is asked of a source for LOD0."""

    def __init__(self, source):
        self._source, self.info, self.tile_size = source, source.info, source.tile_size
        self.n_bricks = self.n_tiles = 0

    def request_brick(self, key, done, *, prefetch=False):
        self.n_bricks += key.lod == 0
        return self._source.request_brick(key, done, prefetch=prefetch)

    def request_tile(self, key, done, *, prefetch=False):
        self.n_tiles += 1
        return self._source.request_tile(key, done, prefetch=prefetch)

    def close(self):
        self._source.close()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("channel", [0, 1])
def test_slices_come_exactly_from_the_copy_and_no_brick_is_read(volume, axis, channel):
    path, arrays = volume
    assert write_slice_copy(path) == path.with_name("survey.slices.vds")
    source = Counted(open_path(path))
    for slice_idx in (0, 33, SHAPE[axis] - 1):
        np.testing.assert_array_equal(
            read_whole(source, axis, slice_idx, channel),
            np.take(arrays[channel], slice_idx, axis=axis),
        )
    assert source.n_bricks == 0
    assert source.n_tiles >= 3
    source.close()


def test_tiles_are_clipped_and_cannot_be_written_to(volume):
    path, arrays = volume
    write_slice_copy(path)
    source, answers, arrived = open_path(path), [], threading.Event()

    def take(key, result):
        answers.append(result)
        arrived.set()

    source.request_tile(TileKey(0, 2, 5, 0, 1, 256), take)
    assert arrived.wait(10)
    np.testing.assert_array_equal(answers[0], arrays[0][:, 256:, 5])
    assert not answers[0].flags.writeable
    for wrong in (
        TileKey(2, 2, 5, 0, 1, 256),
        TileKey(0, 3, 5, 0, 1, 256),
        TileKey(0, 2, 300, 0, 1, 256),
        TileKey(0, 2, 5, 1, 1, 256),
        TileKey(0, 2, 5, 0, -1, 256),
        TileKey(0, 2, 5, 0, 1, 128),
    ):
        with pytest.raises(ValueError, match="TileKey"):
            source.request_tile(wrong, take)
    source.close()
    source.close()
    arrived.clear()
    source.request_tile(TileKey(0, 2, 5, 0, 1, 256), take)
    assert arrived.wait(10)
    assert answers[1] is None


def test_a_copy_of_an_older_file_is_not_used_and_written_anew(volume, capsys):
    path, arrays = volume
    write_slice_copy(path)
    write_volume(path, arrays[0] + 1, arrays[1], labels=(1,))
    source = open_path(path)
    assert source.tile_size == 0
    np.testing.assert_array_equal(read_whole(source, 0, 5, 0), arrays[0][5] + 1)
    source.close()
    main(["info", str(path)])
    assert "has changed since" in capsys.readouterr().out
    write_slice_copy(path)
    source = open_path(path)
    assert source.tile_size == 256
    np.testing.assert_array_equal(read_whole(source, 0, 5, 0), arrays[0][5] + 1)
    source.close()


def test_info_tells_of_the_copy_and_a_second_run_has_nothing_to_do(volume, capsys):
    path, _ = volume
    assert main(["optimize", str(path)]) == 0
    out = capsys.readouterr().out
    assert "writing 0.09 GB" in out
    assert "wrote" in out
    assert main(["optimize", str(path)]) == 0
    assert "up to date" in capsys.readouterr().out
    assert main(["info", str(path)]) == 0
    assert "LOD0 from survey.slices.vds" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["empty", "truncated", "other", "not-a-copy"])
def test_a_copy_that_is_of_no_use_is_told_of_and_the_bricks_are_read(volume, damage):
    path, arrays = volume
    copy = write_slice_copy(path)
    whole = copy.read_bytes()
    if damage == "empty":
        copy.write_bytes(b"")
    elif damage == "truncated":
        copy.write_bytes(whole[: len(whole) // 2])
    elif damage == "other":
        write_volume(path, arrays[0][:60], arrays[1][:60], labels=(1,))
    else:
        copy.write_bytes(path.read_bytes())
    source = open_path(path)
    assert isinstance(source, TiledSource)
    assert source.tile_size == 0
    assert "survey.slices.vds" in source.slices_note
    np.testing.assert_array_equal(read_whole(source, 0, 5, 0), arrays[0][5])
    source.close()


def test_a_copy_that_links_out_of_the_allowed_folders_is_not_used(volume, tmp_path):
    path, _ = volume
    inside = tmp_path / "inside"
    inside.mkdir()
    copy = write_slice_copy(path)
    path.rename(inside / "survey.vds")
    (inside / "survey.slices.vds").symlink_to(copy)
    source = open_path(inside / "survey.vds", volume_roots=str(inside))
    assert source.tile_size == 0
    source.close()


def test_the_copy_itself_is_no_volume(volume):
    path, _ = volume
    copy = write_slice_copy(path)
    for use in (open_path, write_slice_copy):
        with pytest.raises(VolumeFormatError, match="slices of another file"):
            use(copy)


@pytest.mark.parametrize(
    ("name", "error", "match"),
    [
        ("s3://bucket/volume", ConfigError, "cloud"),
        ("no.vds", VolumeNotFoundError, r"no\.vds"),
        ("text.vds", VolumeFormatError, r"text\.vds is not a VDS"),
        ("a.npy", ConfigError, "is not a .vds file"),
        (".", VolumeFormatError, "is a folder"),
    ],
)
def test_wrong_input_is_one_clear_error(tmp_path, monkeypatch, capsys, name, error, match):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.vds").write_text("not a volume")
    np.save(tmp_path / "a.npy", ramp_volume((4, 4, 4)))
    with pytest.raises(error, match=match):
        write_slice_copy(name)
    assert main(["optimize", name]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.glob("*.slices.vds"))


def test_a_full_disk_is_found_before_the_work_begins(volume, monkeypatch):
    path, _ = volume
    monkeypatch.setattr("shutil.disk_usage", lambda folder: _Usage)
    with pytest.raises(VolumeWriteError, match=r"needs 0\.09 GB, free are 0\.05 GB"):
        write_slice_copy(path)


class _Usage:
    free = 50_000_000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error(volume):
    path, _ = volume
    path.parent.chmod(0o500)
    try:
        with pytest.raises((VolumeWriteError, VolumeAccessError)):
            write_slice_copy(path)
    finally:
        path.parent.chmod(0o700)


def test_a_file_that_changes_meanwhile_gets_no_copy(volume):
    path, _ = volume

    def touch(share, line):
        os.utime(path, ns=(1, 1))

    with pytest.raises(VolumeWriteError, match="was changed"):
        write_slice_copy(path, progress=touch)
    assert [file.name for file in path.parent.iterdir()] == ["survey.vds"]


_KILLED = """
import os, signal, sys
from blustream_widget.data.optimize import write_slice_copy
def die(share, line):
    if share > 0.5:
        os.kill(os.getpid(), int(sys.argv[2]))
write_slice_copy(sys.argv[1], progress=die)
"""


def test_a_killed_run_leaves_no_copy_and_the_next_one_cleans_up(volume):
    path, _ = volume
    arguments = [sys.executable, "-c", _KILLED, str(path), str(int(signal.SIGKILL))]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert not path.with_name("survey.slices.vds").exists()
    assert len(list(path.parent.iterdir())) == 2
    write_slice_copy(path)
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "survey.slices.vds",
        "survey.vds",
    ]


_STOPPED = """
import os, signal, sys
from blustream_widget.cli import main
from blustream_widget.progress import ProgressBar
ProgressBar.show = lambda self, share, what="": share > 0.5 and os.kill(os.getpid(), signal.SIGTERM)
sys.exit(main(["optimize", sys.argv[1]]))
"""


def test_a_run_that_is_ended_removes_what_it_wrote(volume):
    path, _ = volume
    arguments = [sys.executable, "-c", _STOPPED, str(path)]
    answer = subprocess.run(arguments, check=False, capture_output=True, text=True)
    assert answer.returncode == 130
    assert answer.stderr == "blustream: stopped\n"
    assert [file.name for file in path.parent.iterdir()] == ["survey.vds"]
