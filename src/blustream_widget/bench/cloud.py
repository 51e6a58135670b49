"""A volume in S3 (moto on loopback) from near and far: opening, first coarse picture, sharp slice.

A proxy adds the round trip and counts requests. moto closes each connection after its answer, so
that every request pays a handshake that real storage does not ask for.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from blustream_widget.bench.numbers import Record, median, summarize
from blustream_widget.config import Config
from blustream_widget.core.types import SliceData, VolumeRef
from blustream_widget.data import SliceReader, open_source
from blustream_widget.data.synthetic import write_demo_volume
from blustream_widget.testing.slow_network import SlowNetwork
from blustream_widget.testing.storage import Storage, s3_storage

_ROUND_TRIPS_MS = (0, 20, 80, 200)
_BUDGET_BYTES = 512 << 20
_LIMIT_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench cloud`."""
    parser.add_argument("--size", type=int, default=256, help="voxels per side (default 256)")


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
        path = Path(folder) / "survey.vds"
        write_demo_volume(path, shape=(arguments.size,) * 3)
        with s3_storage() as storage, SlowNetwork(storage.target).running() as network:
            storage.upload(path, "survey")
            records = []
            for round_trip_ms in _ROUND_TRIPS_MS:
                network.round_trip_s = round_trip_ms / 1000
                records += _measure(
                    storage, network, arguments.size, round_trip_ms, rounds=arguments.rounds
                )
            return records


def _measure(
    storage: Storage, network: SlowNetwork, size: int, round_trip_ms: int, *, rounds: int
) -> list[Record]:
    steps: dict[str, list[tuple[float, int, int]]] = {}

    def note(case: str, begun_s: float) -> None:
        took_ms = (time.perf_counter() - begun_s) * 1000
        steps.setdefault(case, []).append((took_ms, len(network.exchanges), network.n_rounds()))

    for _ in range(rounds):
        ref = VolumeRef(url=storage.url("survey"), connection=storage.connection(network.port))
        network.forget()
        begun_s = time.perf_counter()
        source = open_source(ref, Config())
        note("open", begun_s)
        network.forget()
        news = threading.Event()
        begun_s = time.perf_counter()
        reader = SliceReader(source, budget_bytes=_BUDGET_BYTES, on_data=news.set)
        _read(reader, news, size // 2, _is_something)
        note("first coarse picture", begun_s)
        _read(reader, news, size // 2, _is_sharp)
        note("sharp slice, from the first request on", begun_s)
        reader.close()
        source.close()
    return [
        {"case": case, "size": f"{size}^3", "round_trip": f"{round_trip_ms} ms"}
        | summarize([[took_ms] for took_ms, _, _ in values], "ms")
        | {
            "requests_median_count": median([n for _, n, _ in values]),
            "rounds_median_count": median([n for _, _, n in values]),
        }
        for case, values in steps.items()
    ]


def _is_something(data: SliceData) -> bool:
    # Before anything has come it says a level that the volume has not.
    return data.progress > 0 or bool((data.values == data.values).any())


def _is_sharp(data: SliceData) -> bool:
    return data.progress >= 1 and data.coarsest_lod == 0


def _read(
    reader: SliceReader, news: threading.Event, idx: int, is_enough: Callable[[SliceData], bool]
) -> None:
    while True:
        news.clear()
        if is_enough(reader.read(0, idx, 0, 0)):
            return
        if not news.wait(_LIMIT_S):
            raise TimeoutError("Nothing more of the slice comes.")
