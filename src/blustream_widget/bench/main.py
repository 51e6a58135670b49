"""`blustream bench`: one sub-command for each thing that is measured, and two for the records."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from blustream_widget.bench import compare, plot
from blustream_widget.bench.machine import machine_record
from blustream_widget.bench.report import publish
from blustream_widget.bench.suite import BENCHMARKS, Benchmark
from blustream_widget.errors import MissingDependencyError

_ROUNDS = 3
_TOOLS = {
    "compare": (compare.main, "what became slower between two files of records"),
    "plot": (plot.main, "charts of records, as pictures"),
}


def main(argv: Sequence[str]) -> int:
    """Run a benchmark, or compare records; returns the exit status.

    Raises
    ------
    MissingDependencyError
        Some benchmarks drive a browser or look at processes; the package itself does neither.
    """
    known = {benchmark.name: benchmark for benchmark in BENCHMARKS}
    if argv and argv[0] in known:
        return _measure(known[argv[0]], argv[1:])
    if argv and argv[0] in _TOOLS:
        return _TOOLS[argv[0]][0](argv[1:])
    _list_parser().parse_args(argv)
    return 2  # argparse has exited: what is not in the list is an error


def _list_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="blustream bench", description="Measure the viewer.")
    commands = parser.add_subparsers(required=True, metavar="WHAT")
    for benchmark in BENCHMARKS:
        commands.add_parser(benchmark.name, help=benchmark.help)
    for name, (_, help_text) in _TOOLS.items():
        commands.add_parser(name, help=help_text)
    return parser


def _measure(benchmark: Benchmark, argv: Sequence[str]) -> int:
    missing = [name for name in benchmark.needs if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"blustream bench {benchmark.name} needs {' and '.join(missing)}.",
            hint='pip install "blustream-widget[bench]" (no browser need be downloaded).',
        )
    module = benchmark.load()
    parser = argparse.ArgumentParser(
        prog=f"blustream bench {benchmark.name}", description=module.__doc__
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the records here")
    parser.add_argument("--rounds", type=int, help="times that it is repeated")
    parser.set_defaults(rounds=_ROUNDS)
    module.add_arguments(parser)
    arguments = parser.parse_args(argv)
    machine = machine_record(["blustream", "bench", benchmark.name, *argv])
    publish(machine, module.run(arguments), arguments.json)
    return 0
