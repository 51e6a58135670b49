"""`blustream bench plot RESULTS… --out FOLDER`: charts of records, as pictures for the docs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from blustream_widget.bench.charts import CHARTS, medians
from blustream_widget.bench.numbers import Record
from blustream_widget.bench.report import load
from blustream_widget.errors import BenchError, MissingDependencyError

_DPI = 150


def main(argv: Sequence[str]) -> int:
    """Draw every chart that the records suffice for.

    Raises
    ------
    MissingDependencyError
        Matplotlib is not installed.
    BenchError
        A file holds no records, or no file holds any that can be drawn.
    """
    parser = argparse.ArgumentParser(prog="blustream bench plot", description=__doc__)
    parser.add_argument("results", type=Path, nargs="+", help="files that --json has written")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the pictures")
    arguments = parser.parse_args(argv)
    if find_spec("matplotlib") is None:
        raise MissingDependencyError(
            "blustream bench plot needs matplotlib.",
            hint='pip install "blustream-widget[bench]"',
        )
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = {path: load(path)[1] for path in arguments.results}
    drawn = draw(files, arguments.out)
    if not drawn:
        raise BenchError("These records hold nothing to draw.")
    for path in drawn:
        print(f"wrote {path}")
    return 0


def draw(files: dict[Path, list[Record]], folder: Path) -> list[Path]:
    """Draw the charts of all records together, and one of each file that no chart has used."""
    everything = [record for records in files.values() for record in records]
    figures = {name: chart(everything) for name, chart in CHARTS.items()}
    for path, records in files.items():
        if all(chart(records) is None for chart in CHARTS.values()):
            figures[path.stem] = medians(records)
    drawn = []
    for name, figure in figures.items():
        if figure is not None:
            path = folder / f"bench-{name}.png"
            figure.savefig(path, dpi=_DPI, transparent=True, metadata={"Software": None})
            drawn.append(path)
    return drawn
