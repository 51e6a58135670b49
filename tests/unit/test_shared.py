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
