"""Arrays in shared memory: one copy, private, and gone with their owner."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blustream_widget import shared
from blustream_widget.errors import VolumeFormatError
from blustream_widget.shared import SharedSegment, remove_abandoned

_KILLED = """
import numpy as np, os
from blustream_widget.shared import SharedSegment
segment = SharedSegment(np.zeros((2, 2, 2), np.float32))
print(segment.ref.path, flush=True)
os.kill(os.getpid(), 9)
"""


def test_the_file_is_private_and_goes_with_close() -> None:
    segment = SharedSegment(np.ones((2, 3, 4), np.float32))
    path = Path(segment.ref.path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    segment.close()
    segment.close()
    assert not path.exists()


def test_other_byte_orders_and_strides_arrive_as_plain_arrays() -> None:
    array = np.arange(24, dtype=">i2").reshape(2, 3, 4)[:, ::-1]
    segment = SharedSegment(array)
    ref = segment.ref
    seen = np.memmap(ref.path, dtype=ref.dtype, mode="r", shape=ref.shape)
    np.testing.assert_array_equal(seen, array)
    assert seen.dtype.isnative
    segment.close()


def test_what_a_killed_kernel_left_is_removed_and_a_living_one_s_is_not() -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED], capture_output=True, text=True, check=False
    )
    left = Path(killed.stdout.strip())
    assert left.exists()
    living = SharedSegment(np.zeros((2, 2, 2), np.float32))
    assert not left.exists()
    remove_abandoned()
    assert Path(living.ref.path).exists()
    living.close()


_FORKED = """
import numpy as np, os, signal, sys
from blustream_widget.shared import SharedSegment
segment = SharedSegment(np.zeros((2, 2, 2), np.float32))
if os.fork() == 0:
    segment.close()
    assert os.path.exists(segment.ref.path)
    print(segment.ref.path, flush=True)
    sys.stdin.read()
    os._exit(0)
os.wait3(os.WNOHANG)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_forked_child_neither_removes_the_parent_s_segment_nor_keeps_it_alive() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _FORKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    path = Path(process.stdout.readline().strip())
    remove_abandoned()
    assert path.exists()
    process.kill()
    process.wait(10)
    remove_abandoned()  # the child, which still reads its standard input, holds no lock
    assert not path.exists()
    process.stdin.close()
    process.stdout.read()
    process.stdout.close()


def _is_mapped(segment: SharedSegment) -> bool:
    return segment.ref.path in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("end", [SharedSegment.close, SharedSegment.release])
def test_the_memory_is_given_back_in_this_process_as_well(end) -> None:
    array = np.ones((2, 3, 4), np.float32)
    owners = sys.getrefcount(array)
    segment = SharedSegment(array)
    assert _is_mapped(segment)
    end(segment)
    assert not _is_mapped(segment)
    assert not Path(segment.ref.path).exists()
    segment.close()
    assert sys.getrefcount(array) == owners


def test_what_was_released_comes_back_with_the_array_s_newest_values() -> None:
    array = np.ones((2, 3, 4), np.float32)
    segment = SharedSegment(array)
    assert not segment.restore()
    segment.release()
    array[1, 2, 3] = 7
    segment.copy()
    assert segment.restore()
    seen = np.memmap(segment.ref.path, dtype=segment.ref.dtype, mode="r", shape=segment.ref.shape)
    assert seen[1, 2, 3] == 7
    segment.close()
    assert not segment.restore()


def test_an_array_larger_than_the_memory_is_refused_before_it_is_copied(monkeypatch) -> None:
    huge = np.lib.stride_tricks.as_strided(
        np.zeros(1, np.float32), (1 << 14, 1 << 14, 1 << 12), (0, 0, 0)
    )
    with pytest.raises(VolumeFormatError, match="GB of shared memory"):
        SharedSegment(huge)


def test_no_room_at_the_copy_leaves_no_file(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(shared, "shared_folder", lambda: tmp_path)

    def no_room(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(VolumeFormatError, match="No space left"):
        SharedSegment(np.zeros((2, 2, 2), np.float32))
    assert list(tmp_path.iterdir()) == []
