"""`blustream bench`: one sub-command for each thing that is measured."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from blustream_widget.errors import MissingDependencyError


def main(argv: Sequence[str]) -> int:
    """Run a benchmark; returns the exit status.

    Raises
    ------
    MissingDependencyError
        Benchmarks drive a browser and look at processes; the package itself does neither.
    """
    missing = [name for name in ("playwright", "psutil") if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"blustream bench needs {' and '.join(missing)}.",
            hint='pip install "blustream-widget[bench]" (no browser need be downloaded).',
        )
    arguments = _parser().parse_args(argv)
    return int(arguments.command(arguments, ["blustream", "bench", *argv]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="blustream bench", description="Measure the viewer.")
    commands = parser.add_subparsers(required=True, metavar="WHAT")
    latency = commands.add_parser(
        "latency", help="input event to displayed pixels, in Chromium, in JupyterLab"
    )
    latency.add_argument("--json", type=Path, help="write the records here")
    latency.add_argument("--steps", type=int, default=60, help="single steps per case (default 60)")
    latency.add_argument("--scrub", type=int, default=180, help="events per scrub (default 180)")
    latency.add_argument("--width", type=int, default=1280, help="picture in device pixels")
    latency.add_argument("--height", type=int, default=720)
    latency.add_argument("--transports", default="websocket,webrtc,comm")
    latency.add_argument("--kernels", default="idle,busy-python,busy-gil")
    latency.set_defaults(command=_latency)
    startup = commands.add_parser("startup", help="running the cell to the first picture")
    startup.add_argument("--json", type=Path, help="write the records here")
    startup.add_argument("--rounds", type=int, default=5)
    startup.set_defaults(command=_startup)
    volumes = commands.add_parser("volumes", help="writing the demo, and reading its slices")
    volumes.add_argument("--json", type=Path, help="write the records here")
    volumes.add_argument("--sizes", default="256,512", help="voxels per axis (default 256,512)")
    volumes.add_argument("--rounds", type=int, default=3)
    volumes.set_defaults(command=_volumes)
    return parser


def _volumes(arguments: argparse.Namespace, command: Sequence[str]) -> int:
    from blustream_widget.bench.machine import machine_record
    from blustream_widget.bench.report import publish
    from blustream_widget.bench.volumes import VolumesBench

    machine = machine_record(command)
    sizes = [int(size) for size in arguments.sizes.split(",")]
    publish(machine, VolumesBench(sizes, rounds=arguments.rounds).run(), arguments.json)
    return 0


def _startup(arguments: argparse.Namespace, command: Sequence[str]) -> int:
    from blustream_widget.bench.machine import machine_record
    from blustream_widget.bench.report import publish
    from blustream_widget.bench.startup import StartupBench

    machine = machine_record(command)
    publish(machine, StartupBench(rounds=arguments.rounds).run(), arguments.json)
    return 0


def _latency(arguments: argparse.Namespace, command: Sequence[str]) -> int:
    from blustream_widget.bench.latency import LatencyBench
    from blustream_widget.bench.machine import machine_record
    from blustream_widget.bench.report import publish

    machine = machine_record(command)
    bench = LatencyBench(
        size_px=(arguments.width, arguments.height),
        n_steps=arguments.steps,
        n_scrub=arguments.scrub,
    )
    results = bench.run(arguments.transports.split(","), arguments.kernels.split(","))
    publish(machine, results, arguments.json)
    return 0
