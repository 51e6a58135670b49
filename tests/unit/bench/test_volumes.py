"""`blustream bench volumes` measures every case along every axis, also of a small volume."""

from __future__ import annotations

import json

from blustream_widget.bench.main import main


def test_every_case_is_measured_along_every_axis(tmp_path, capsys) -> None:
    path = tmp_path / "out.json"
    assert main(["volumes", "--sizes", "128", "--rounds", "1", "--json", str(path)]) == 0
    written = json.loads(path.read_text())
    results = written["results"]
    assert written["machine"]["command"].startswith("blustream bench volumes")
    whole = [r["case"] for r in results if r["axis"] is None]
    assert whole == ["write the demo", "open", "open to first coarse picture"]
    per_axis = {r["case"] for r in results if r["axis"]}
    assert len(per_axis) == 4
    assert {(r["case"], r["axis"]) for r in results if r["axis"]} == {
        (case, axis) for case in per_axis for axis in ("inline", "crossline", "sample")
    }
    assert all(r["n"] > 0 and 0 < r["min_ms"] <= r["median_ms"] <= r["max_ms"] for r in results)
    assert results[0]["peak_mb"] > 20
    assert "128³" in capsys.readouterr().out
