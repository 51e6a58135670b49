"""`blustream bench plot` draws what the records hold, with no background of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blustream_widget.bench.main import main
from blustream_widget.errors import BenchError


def write(path: Path, *results: dict[str, object]) -> str:
    path.write_text(json.dumps({"machine": {}, "results": results}))
    return str(path)


def test_each_kind_of_record_gets_its_chart(tmp_path: Path, capsys) -> None:
    files = [
        write(
            tmp_path / "render.json",
            {"case": "draw", "scene": "a section", "cpu_median_ms": 1.5},
            {"case": "draw and encode", "scene": "a section", "cpu_median_ms": 7.5},
        ),
        write(
            tmp_path / "encode.json",
            {
                "case": "setting",
                "motion": "scrolling",
                "setting": "in use",
                "cpu_median_ms": 7.0,
                "psnr_median_db": 27.0,
                "psnr_min_db": 23.0,
            },
        ),
        write(tmp_path / "startup.json", {"case": "import", "median_ms": 376.0, "noise_ms": 4.0}),
    ]
    assert main(["plot", *files, "--out", str(tmp_path / "images")]) == 0
    names = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert names == ["bench-draw-cost.png", "bench-encoder-settings.png", "bench-startup.png"]
    assert capsys.readouterr().out.count("wrote") == 3


def test_a_chart_is_readable_on_white_and_on_black(tmp_path: Path) -> None:
    file = write(tmp_path / "startup.json", {"case": "import", "median_ms": 3.0, "noise_ms": 1.0})
    main(["plot", file, "--out", str(tmp_path)])
    pixels = np.asarray(Image.open(tmp_path / "bench-startup.png").convert("RGBA")).astype(float)
    alpha = pixels[..., 3]
    assert (alpha == 0).mean() > 0.4
    grey = pixels[alpha == 255][:, :3].mean(axis=1)
    assert grey.min() > 60
    assert grey.max() < 200


def test_records_without_figures_are_an_error(tmp_path: Path) -> None:
    file = write(tmp_path / "odd.json", {"case": "nothing"})
    with pytest.raises(BenchError, match="nothing to draw"):
        main(["plot", file, "--out", str(tmp_path)])
