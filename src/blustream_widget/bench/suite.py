"""Which benchmarks there are. To add one: a module with the two functions, and a line here."""

from __future__ import annotations

import argparse
import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from blustream_widget.bench.numbers import Record

_BROWSER = ("playwright", "psutil")


class BenchModule(Protocol):
    """What the module of a benchmark has to offer. Its docstring is the description in `--help`."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add options beside the common `--json` and `--rounds`.

        `parser.set_defaults(rounds=…)` changes how often it is repeated (3 times if nobody says).
        """

    def run(self, arguments: argparse.Namespace) -> list[Record]:
        """Measure; `arguments.rounds` times over, so that the noise is known."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One sub-command of `blustream bench`.

    Parameters
    ----------
    name : str
    help : str
        One line.
    needs : tuple of str
        Packages of the extra "bench" that it cannot do without.
    """

    name: str
    help: str
    needs: tuple[str, ...] = ()

    def load(self) -> BenchModule:
        """Import `blustream_widget.bench.<name>`."""
        return cast(BenchModule, importlib.import_module(f"blustream_widget.bench.{self.name}"))


BENCHMARKS = (
    Benchmark("cloud", "a volume in S3 on loopback, from near and far", ("moto", "flask")),
    Benchmark("fanout", "one session with 1 to 100 viewers: cost, age, first picture", ("psutil",)),
    Benchmark("latency", "input event to displayed pixels, in Chromium, in JupyterLab", _BROWSER),
    Benchmark("network", "the same in slow, lossy and broken networks (emulated; root)", _BROWSER),
    Benchmark("read", "slices cold, warm and cached, drag, cancel, memory", ("zarr",)),
    Benchmark("render", "drawing a picture, encoding it, a stroke on labels", ("PIL", "psutil")),
    Benchmark("encode", "encoders and their settings: time, bytes, quality"),
    Benchmark("sfu", "age of frames at a viewer of Janus, and what publishing costs (root)"),
    Benchmark("slab", "slabs of cached bricks, at rest and in motion"),
    Benchmark("section", "oblique planes and fences of cached bricks, beside the slice"),
    Benchmark("stills", "lossless pictures: encode, bytes, decode in the browser", _BROWSER),
    Benchmark("startup", "running the cell to the first picture", _BROWSER),
    Benchmark("memory", "growth over ten thousand interactions", ("psutil",)),
    Benchmark("stress", "many, hostile, killed: who survives, and how fast", ("psutil",)),
    Benchmark("ways", "what one more viewer costs by each way to it", ("psutil",)),
    Benchmark("volumes", "writing the demo, and reading its slices"),
)
