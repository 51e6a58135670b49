"""Cost of a picture: draw and encode, per colour map, axis and size. Prints a table and JSON.

python bench/render.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # as in the worker

import av  # noqa: E402  after the variables
import msgspec  # noqa: E402
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from blustream_widget.core.state import ViewState  # noqa: E402
from blustream_widget.core.types import Axis, Channel, Picture, SliceData, VolumeInfo  # noqa: E402
from blustream_widget.encode.encoder import StreamSettings  # noqa: E402
from blustream_widget.encode.h264 import H264Encoder  # noqa: E402
from blustream_widget.encode.probe import find_encoder  # noqa: E402
from blustream_widget.encode.profiles import PROFILES  # noqa: E402
from blustream_widget.encode.stills import JpegEncoder, PngEncoder  # noqa: E402
from blustream_widget.render.slice import SliceRenderer  # noqa: E402
from blustream_widget.render.view import plan_slice  # noqa: E402

N_SLICES = 30
REPEATS = 3

Record = dict[str, Any]  # as it goes to JSON


def seismic_slices(n: int, rows: int, columns: int) -> list[npt.NDArray[np.float32]]:
    """Sections through folded and faulted reflectors with noise, shape (columns, rows)."""
    rng = np.random.default_rng(1)
    time_axis = np.arange(-24, 25) * np.pi * 0.045
    ricker = (1 - 2 * time_axis**2) * np.exp(-(time_axis**2))
    series = rng.standard_normal(4 * rows) * (rng.random(4 * rows) < 0.25)
    trace = np.convolve(series, ricker, "same").astype(np.float32)
    x, z = np.arange(columns)[:, None], np.arange(rows)[None, :]
    sections = []
    for k in range(n):
        shift = 40 * np.sin(x / 90 + k / 60) + 18 * np.sin(x / 31 - k / 25)
        shift = shift + 22.0 * (x - 0.3 * columns - 0.4 * z - 0.7 * k > 0)
        position = np.clip(z + shift + rows, 0, 4 * rows - 2)
        lower = position.astype(np.intp)
        share = (position - lower).astype(np.float32)
        noise = 0.15 * rng.standard_normal((columns, rows)).astype(np.float32)
        sections.append(trace[lower] * (1 - share) + trace[lower + 1] * share + noise)
    return sections


def measure(body: Callable[[int], object]) -> tuple[float, float]:
    """Median CPU and wall time of `body(i)` in ms, over rounds of all slices, after one round."""
    for i in range(N_SLICES):
        body(i)
    cpu_ms, wall_ms = [], []
    for _ in range(REPEATS):
        cpu, wall = time.process_time(), time.perf_counter()
        for i in range(N_SLICES):
            body(i)
        cpu_ms.append((time.process_time() - cpu) / N_SLICES * 1e3)
        wall_ms.append((time.perf_counter() - wall) / N_SLICES * 1e3)
    return float(np.median(cpu_ms)), float(np.median(wall_ms))


def draw_cases() -> Iterator[tuple[str, int, ViewState]]:
    """Name, slice size in voxels, and view of each case."""
    base = ViewState(width_px=1280, height_px=720, window=4.0, level=0.0)
    change = msgspec.structs.replace
    for colormap in ("grey", "seismic"):
        mapped = change(base, colormap=colormap)
        yield f"{colormap} 512", 512, mapped
        yield f"{colormap} 512 blocks", 512, change(mapped, interpolate=False)
        yield f"{colormap} 512 zoom 3", 512, change(mapped, zoom=3.0)
        yield f"{colormap} 512 zoom 60", 512, change(mapped, zoom=60.0)
        yield f"{colormap} 512 time slice", 512, change(mapped, axis=2)
        yield f"{colormap} 1024", 1024, mapped
        yield f"{colormap} 512 1080p", 512, change(mapped, width_px=1920, height_px=1080)


def bench_draw() -> list[Record]:
    """Draw each case."""
    sections = {n: seismic_slices(6, n, n) for n in (512, 1024)}
    records = []
    for name, n, state in draw_cases():
        axis = Axis(name="", unit="", n=n, first=0, step=1, spacing=1)
        channel = Channel(name="", unit="", dtype="float32", value_min=-2, value_max=2)
        info = VolumeInfo(name="", kind="seismic", axes=(axis, axis, axis), channels=(channel,))
        renderer = SliceRenderer()
        data = [SliceData(s, state.axis, 0, 0, 0, (0, 0), 0, 1.0) for s in sections[n]]

        def draw(i: int) -> Picture:
            view = plan_slice(state, info)  # noqa: B023  called within the loop
            return renderer.draw(data[i % 6], view, state, info)  # noqa: B023

        cpu_ms, wall_ms = measure(draw)
        records.append({"case": f"draw {name}", "cpu_ms": cpu_ms, "wall_ms": wall_ms})
    return records


def pictures(colormap: str, *, rgb: bool = False) -> list[Picture]:
    """Pictures of consecutive slices, 1280 x 720."""
    axis = Axis(name="", unit="", n=512, first=0, step=1, spacing=1)
    channel = Channel(name="", unit="", dtype="float32", value_min=-2, value_max=2)
    info = VolumeInfo(name="", kind="seismic", axes=(axis, axis, axis), channels=(channel,))
    state = ViewState(colormap=colormap, width_px=1280, height_px=720, window=4.0, level=0.0)
    view, renderer = plan_slice(state, info), SliceRenderer()
    drawn = []
    for section in seismic_slices(N_SLICES, 512, 512):
        data = SliceData(section, 0, 0, 0, 0, (0, 0), 0, 1.0)
        picture = renderer.draw(data, view, state, info, space="rgb" if rgb else "bt709")
        drawn.append(own_copy(picture))
    return drawn


def own_copy(picture: Picture) -> Picture:
    """Copy a picture whose memory the renderer uses again."""
    return Picture(picture.pixels.copy(), picture.pixel_format, picture.width_px, picture.height_px)


def bench_encode() -> list[Record]:
    """Encode consecutive slices with each encoder that works, and as JPEG and PNG."""
    records = []
    settings = StreamSettings(1280, 720, 60, 20_000_000)
    working = find_encoder(settings=settings).encoder.name
    (profile,) = [p for p in PROFILES if p.name == working]
    for colormap in ("grey", "seismic"):
        video, stills = pictures(colormap), pictures(colormap, rgb=True)
        encoder, sizes, count = H264Encoder(profile, settings), [], iter(range(10**9))

        def encode(i: int) -> None:
            frame = encoder.encode(  # noqa: B023  called within the loop
                video[i],  # noqa: B023
                timestamp_90k=1500 * next(count),  # noqa: B023
                is_keyframe=False,
            )
            sizes.append(len(frame.data))  # noqa: B023

        cpu_ms, wall_ms = measure(encode)
        n_bytes = float(np.mean(sizes[1:]))
        records.append(
            {
                "case": f"{working} {colormap}",
                "cpu_ms": cpu_ms,
                "wall_ms": wall_ms,
                "bytes": n_bytes,
            }
        )
        for name, still in (("png", PngEncoder()), ("jpeg", JpegEncoder())):
            source = stills if name == "png" else [as_jpeg(p) for p in video]
            cpu_ms, wall_ms = measure(lambda i: still.encode(source[i]))  # noqa: B023
            n_bytes = float(len(still.encode(source[0])))
            records.append(
                {
                    "case": f"{name} {colormap}",
                    "cpu_ms": cpu_ms,
                    "wall_ms": wall_ms,
                    "bytes": n_bytes,
                }
            )
    return records


def as_jpeg(picture: Picture) -> Picture:
    """Call the same planes full range: the cost is the same."""
    return Picture(picture.pixels, "yuvj420p", picture.width_px, picture.height_px)


def machine() -> Record:
    """Say what the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "date": datetime.now(UTC).date().isoformat(),
        "command": " ".join(["python", *sys.argv]),
        "python": platform.python_version(),
        "av": av.__version__,
        "numpy": np.__version__,
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    about = machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    records = bench_draw() + bench_encode()
    for record in records:
        size = f"{record['bytes'] / 1000:8.1f} kB" if "bytes" in record else ""
        print(
            f"{record['case']:32s} {record['cpu_ms']:7.2f} ms cpu "
            f"{record['wall_ms']:7.2f} ms wall {size}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": about, "results": records}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
