"""The benchmarks that need a server and workers run to their end, small."""

from __future__ import annotations

import json

from blustream_widget.bench.main import main


def test_memory_is_looked_at_over_interactions_that_all_change_the_picture(tmp_path) -> None:
    path = tmp_path / "out.json"
    assert main(["memory", "--interactions", "40", "--json", str(path)]) == 0
    records = {r["process"]: r for r in json.loads(path.read_text())["results"]}
    assert set(records) == {"server", "worker"}
    assert all(r["n"] == 10 and 20 < r["median_mb"] < 2000 for r in records.values())


def test_everybody_who_behaves_survives_stress_and_nothing_is_left(tmp_path) -> None:
    path = tmp_path / "out.json"
    words = ["stress", "--sessions", "2", "--viewers", "3", "--openings", "2", "--rounds", "1"]
    assert main([*words, "--json", str(path)]) == 0
    records = json.loads(path.read_text())["results"]
    assert len(records) == 5
    assert all(r["median_ms"] > 0 and r["workers_left"] <= 1 for r in records)
