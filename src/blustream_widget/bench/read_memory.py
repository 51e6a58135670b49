"""What a process that scrolls through a volume grows to: run as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from blustream_widget.bench.read_eye import Eye, Look
from blustream_widget.bench.read_volumes import BenchVolume
from blustream_widget.data.grid import Shape
from blustream_widget.runtime import use_one_heap

_STRIDE = 24  # more than two slices of each brick layer, on every axis


def resident_mb(volume: BenchVolume, folder: Path, budget_mb: int) -> tuple[float, float]:
    """Scroll through all of a volume with a cache of a size.

    Returns
    -------
    tuple of float
        Resident memory of the process when the volume was open, and the largest after that; MB
        of 2**20 bytes. Pages of the file that lie in the operating system's cache do not count.
    """
    arguments = [str(folder), "x".join(map(str, volume.shape)), volume.codec, str(budget_mb)]
    command = [sys.executable, "-m", "blustream_widget.bench.read_memory", *arguments]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    before_mb, most_mb = json.loads(answer.stdout)
    return float(before_mb), float(most_mb)


def _scroll(folder: Path, shape: Shape, codec: str, budget_mb: int) -> None:
    source = BenchVolume(folder, shape, codec).open()
    before_mb = most_mb = _rss_mb()
    eye = Eye(source, budget_bytes=budget_mb << 20)
    for _ in range(2):
        for axis in range(3):
            for slice_idx in range(0, shape[axis], _STRIDE):
                eye.see(Look(axis), slice_idx)
                most_mb = max(most_mb, _rss_mb())
    eye.close()
    source.close()
    print(json.dumps([before_mb, most_mb]))


def _rss_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    use_one_heap()  # as a worker does
    sizes = sys.argv[2].split("x")
    _scroll(
        Path(sys.argv[1]),
        (int(sizes[0]), int(sizes[1]), int(sizes[2])),
        sys.argv[3],
        int(sys.argv[4]),
    )
