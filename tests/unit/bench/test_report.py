"""Benchmark figures are printed with their machine and written for the next run."""

from __future__ import annotations

import json

from blustream_widget.bench.machine import machine_record
from blustream_widget.bench.report import publish, table


def test_a_table_has_all_columns_and_marks_what_was_not_measured() -> None:
    text = table([{"case": "step", "median_ms": 31.25}, {"case": "scrub", "displayed_fps": 58.04}])
    lines = text.splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == [
        "case",
        "median_ms",
        "displayed_fps",
    ]
    assert "31.2" in lines[2]
    assert lines[3].split("|")[2].strip() == "-"


def test_the_record_is_json_with_machine_command_and_date(tmp_path, capsys) -> None:
    machine = machine_record(["blustream", "bench", "latency"])
    publish(machine, [{"case": "step"}], tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["results"] == [{"case": "step"}]
    assert written["machine"]["cores"] >= 1
    assert "blustream bench latency" in capsys.readouterr().out
