"""`blustream bench` finds each benchmark by its name and gives all the same options."""

from __future__ import annotations

import argparse
import json
from types import SimpleNamespace

import pytest

from blustream_widget.bench import main as bench_main
from blustream_widget.bench.suite import BENCHMARKS, Benchmark
from blustream_widget.errors import MissingDependencyError


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda benchmark: benchmark.name)
def test_every_benchmark_has_a_description_and_its_own_options(benchmark: Benchmark) -> None:
    module = benchmark.load()
    module.add_arguments(argparse.ArgumentParser())
    assert module.__doc__
    assert callable(module.run)


def test_a_benchmark_gets_rounds_and_its_records_are_written(tmp_path, monkeypatch, capsys) -> None:
    module = SimpleNamespace(
        __doc__="Measures nothing.",
        add_arguments=lambda parser: parser.set_defaults(rounds=7),
        run=lambda arguments: [{"case": "nothing", "n": arguments.rounds}],
    )
    monkeypatch.setattr(bench_main, "BENCHMARKS", (Benchmark("nothing", "nothing"),))
    monkeypatch.setattr(Benchmark, "load", lambda self: module)
    path = tmp_path / "out.json"
    assert bench_main.main(["nothing", "--json", str(path)]) == 0
    assert json.loads(path.read_text())["results"] == [{"case": "nothing", "n": 7}]
    assert f"$ blustream bench nothing --json {path}" in capsys.readouterr().out


def test_a_missing_package_is_named_before_anything_starts(monkeypatch) -> None:
    monkeypatch.setattr(bench_main, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="latency needs playwright and psutil"):
        bench_main.main(["latency"])


def test_an_unknown_benchmark_is_an_error_that_lists_the_known(capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        bench_main.main(["speed"])
    assert "latency" in capsys.readouterr().err
