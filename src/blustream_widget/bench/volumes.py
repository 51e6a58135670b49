"""Writing the demo volume, and reading its slices, beside a memory map of the same numbers."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.config import Config
from blustream_widget.core.types import Samples, VolumeRef
from blustream_widget.data import SliceReader, VolumeSource, open_source
from blustream_widget.data.openvds_source import OpenVdsSource

_BUDGET_BYTES = 1 << 30
_LIMIT_S = 30.0
_N_CACHED = 12  # within one half of a brick layer: nothing is read ahead meanwhile
_FRAME_S = 0.033
_AXES = ("inline", "crossline", "sample")
# A process of its own: its memory is the writer's alone. VmHWM begins anew with the program,
# what getrusage says does not.
_WRITE = """
import json, sys, time
from pathlib import Path
from blustream_widget.data.synthetic import write_demo_volume
n = int(sys.argv[2])
start_s = time.perf_counter()
write_demo_volume(Path(sys.argv[1]), shape=(n, n, n))
seconds = time.perf_counter() - start_s
status = Path("/proc/self/status").read_text()
peak_kb = int(status.split("VmHWM:")[1].split()[0])
print(json.dumps({"ms": 1000 * seconds, "peak_mb": peak_kb / 1024}))
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench volumes`."""
    parser.add_argument("--sizes", default="256,512", help="voxels per axis (default 256,512)")


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    sizes = [int(size) for size in arguments.sizes.split(",")]
    return VolumesBench(sizes, rounds=arguments.rounds).run()


class VolumesBench:
    """One volume of each size: written, opened, and cut along every axis.

    Parameters
    ----------
    sizes : sequence of int
        Voxels along each axis.
    rounds : int
        Openings, and layers crossed, of each volume.
    """

    def __init__(self, sizes: Sequence[int], *, rounds: int) -> None:
        self._sizes = sizes
        self._rounds = rounds

    def run(self) -> list[Record]:
        """Measure. All files lie in the page cache: this is the software, not the disk."""
        records = []
        with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
            for size in self._sizes:
                path = Path(folder) / f"demo-{size}.vds"
                records += [_write(path, size), *_read(path, size, self._rounds)]
                path.unlink()
        return records


def _write(path: Path, size: int) -> Record:
    command = [sys.executable, "-c", _WRITE, str(path), str(size)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(answer.stdout)
    return {
        **_record(size, "write the demo", "", [found["ms"]]),
        "peak_mb": round(found["peak_mb"]),
        "file_mb": round(path.stat().st_size / 1e6),
    }


def _read(path: Path, size: int, rounds: int) -> list[Record]:
    opened, first = zip(*(_open_once(path) for _ in range(rounds)), strict=True)
    records = [
        _record(size, "open", "", opened),
        _record(size, "open to first coarse picture", "", first),
    ]
    source = open_source(VolumeRef(url=str(path)), Config())
    try:
        raw = _memory_map(source, path.with_suffix(".raw"))
        for axis, name in enumerate(_AXES):
            records += _read_axis(source, size, axis, name, rounds)
            mapped = [_ms(raw.take, i, axis) for i in _cached_slices(size)]
            records.append(_record(size, "slice of a memory map, cached", name, mapped))
        del raw  # unmapped
        path.with_suffix(".raw").unlink()
    finally:
        source.close()
    return records


class _Eye:
    """A reader, and somebody who waits for what it shows."""

    def __init__(self, source: VolumeSource) -> None:
        self._news = threading.Event()
        self.reader = SliceReader(source, budget_bytes=_BUDGET_BYTES, on_data=self._news.set)

    def wait(self, axis: int, index: int, *, coarse: bool = False) -> None:
        """Read until the slice is whole, or until some level fills it."""
        end_s = time.monotonic() + _LIMIT_S
        while time.monotonic() < end_s:
            data = self.reader.read(axis, index, 0, 0)
            if data.progress >= 1 or (coarse and np.isfinite(data.values).all()):
                return
            self._news.wait(1.0)
            self._news.clear()
        raise TimeoutError(f"Slice {index} of axis {axis} is not whole after {_LIMIT_S} s.")


def _open_once(path: Path) -> tuple[float, float]:
    start_s = time.perf_counter()
    source = open_source(VolumeRef(url=str(path)), Config())
    opened_ms = 1000 * (time.perf_counter() - start_s)
    eye = _Eye(source)
    eye.wait(0, source.info.shape[0] // 2, coarse=True)
    first_ms = 1000 * (time.perf_counter() - start_s)
    eye.reader.close()
    source.close()
    return opened_ms, first_ms


def _read_axis(source: VolumeSource, size: int, axis: int, name: str, rounds: int) -> list[Record]:
    brick = source.info.brick_size
    eye = _Eye(source)
    eye.wait(axis, size // 2)
    cached = [_ms(eye.wait, axis, i) for i in _cached_slices(size)]
    eye.reader.close()
    pause = threading.Event()
    layers = range(brick, min(size, brick * (1 + rounds)), brick)
    jumped, scrubbed = [], []
    for edge in layers:
        eye = _Eye(source)
        jumped.append(_ms(eye.wait, axis, edge))
        eye.reader.close()
    for edge in layers:
        eye = _Eye(source)
        for index in range(edge - brick // 2 - 2, edge):
            eye.wait(axis, index)
            pause.wait(_FRAME_S)  # a hand that turns the wheel: the next layer is read meanwhile
        scrubbed.append(_ms(eye.wait, axis, edge))
        eye.reader.close()
    return [
        _record(size, "slice, cached", name, cached),
        _record(size, "into a layer, jumped", name, jumped),
        _record(size, "into a layer, scrubbed at 30 slices/s", name, scrubbed),
    ]


def _cached_slices(size: int) -> range:
    return range(size // 2 + 1, size // 2 + 1 + _N_CACHED)


def _memory_map(source: VolumeSource, path: Path) -> Samples:
    """Write the first channel as plain numbers, slab by slab, and map them."""
    assert isinstance(source, OpenVdsSource)
    shape = source.info.shape
    with path.open("wb") as file:
        for first in range(0, shape[0], source.info.brick_size):
            last = min(first + source.info.brick_size, shape[0])
            block = source.read_block(
                0, (slice(first, last), slice(0, shape[1]), slice(0, shape[2]))
            )
            block.tofile(file)
    return np.memmap(path, np.dtype(source.info.channels[0].dtype), mode="r", shape=shape)


def _ms(action: Callable[..., object], *arguments: object) -> float:
    start_s = time.perf_counter()
    action(*arguments)
    return 1000 * (time.perf_counter() - start_s)


def _record(size: int, case: str, axis: str, values_ms: Sequence[float]) -> Record:
    return {
        "volume": f"{size}³",
        "case": case,
        "axis": axis or None,
        **summarize([values_ms], "ms"),
        "min_ms": min(values_ms),
        "max_ms": max(values_ms),
    }
