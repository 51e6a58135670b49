"""`blustream bench render` draws every scene, and its reference draws the same picture."""

from __future__ import annotations

import json

import numpy as np

from blustream_widget.bench import large_edits, strokes
from blustream_widget.bench.main import main
from blustream_widget.bench.render import rgb_detour
from blustream_widget.bench.scenes import scenes
from blustream_widget.render.slice import SliceRenderer

_CASES = tuple(
    strokes.Labels((8, 80, 90), is_array=is_array, ball=ball)
    for is_array, ball in ((False, 0.0), (False, 20.0), (True, 0.0))
)


def test_every_scene_is_drawn_encoded_and_written(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(strokes, "CASES", _CASES)
    path = tmp_path / "out.json"
    words = ["render", "--width", "160", "--height", "90", "--pictures", "1", "--rounds", "2"]
    assert main([*words, "--json", str(path)]) == 0
    results = json.loads(path.read_text())["results"]
    drawn = [r["scene"] for r in results if r["case"] == "draw"]
    assert len(set(drawn)) == len(drawn) >= 9
    assert drawn == [r["scene"] for r in results if r["case"] == "draw and encode"]
    units = [r["scene"] for r in results if r["case"] == "newest state to access unit"]
    assert len(units) == 6
    assert sum("over it" in scene for scene in units) == 2
    painted = [r for r in results if r["case"] == "stroke to access unit"]
    assert [r["scene"] for r in painted] == [str(case) for case in _CASES]
    assert all(r["grown_median_mb"] is not None for r in painted)
    assert all(r["cpu_noise_ms"] is not None and r["wall_median_ms"] > 0 for r in results)
    assert "RGB detour (reference)" in capsys.readouterr().out


def test_every_tool_is_used_taken_back_and_used_again(tmp_path, monkeypatch) -> None:
    labels = strokes.Labels((40, 80, 90))
    monkeypatch.setattr(large_edits, "CASES", (labels,))
    path = tmp_path / "out.json"
    words = ["render", "--large-edits", "--width", "160", "--height", "90", "--pictures", "1"]
    assert main([*words, "--rounds", "1", "--json", str(path)]) == 0
    results = json.loads(path.read_text())["results"]
    tools = [tool.name for tool in large_edits.tools(labels.shape)]
    assert [(r["case"], r["scene"]) for r in results] == [
        (f"{kind} to access unit", f"{labels}, {tool}")
        for tool in tools
        for kind in ("edit", "undo", "redo")
    ]
    assert all(r["wall_median_ms"] > 0 and r["found_median_ms"] > 0 for r in results)
    assert all(int(r["bricks"]) > 0 for r in results)


def test_the_reference_draws_the_same_picture() -> None:
    scene = next(s for s in scenes(640, 360) if s.name.endswith("seismic"))
    ours = scene.draw(SliceRenderer(), 0).pixels[:360].astype(float)
    reference = rgb_detour(scene, 0)[:360].astype(float)
    assert np.abs(ours - reference).mean() < 3
    assert ours.std() > 10
