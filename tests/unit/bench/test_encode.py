"""`blustream bench encode` measures what works, and says why the rest does not."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from blustream_widget.bench import encode
from blustream_widget.bench.main import main
from blustream_widget.bench.motions import motions
from blustream_widget.bench.quality import psnr_db, ssim
from blustream_widget.encode.profiles import PROFILES


def noise(seed: int, size=(64, 64)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def test_equal_pictures_have_no_noise_and_are_similar() -> None:
    assert psnr_db(noise(1), noise(1), peak=255) == math.inf
    assert ssim(noise(1), noise(1), peak=255) == pytest.approx(1.0)


def test_psnr_is_20_db_for_an_error_of_a_tenth_of_the_peak() -> None:
    drawn = np.full((16, 16), 100, np.uint8)
    assert psnr_db(drawn, drawn + 22, peak=220) == pytest.approx(20.0)


def test_similarity_of_a_block_follows_the_published_formula() -> None:
    x, y = noise(1, (8, 8)), noise(2, (8, 8))
    a, b = x.astype(float), y.astype(float)
    c1, c2 = 2.55**2, 7.65**2
    covariance = ((a - a.mean()) * (b - b.mean())).mean()
    wanted = (2 * a.mean() * b.mean() + c1) * (2 * covariance + c2)
    wanted /= (a.mean() ** 2 + b.mean() ** 2 + c1) * (a.var() + b.var() + c2)
    assert ssim(x, y, peak=255) == pytest.approx(wanted, rel=1e-4)


def test_motions_go_there_and_back_without_a_cut() -> None:
    for motion in motions(64, 36):
        n = len(motion.pictures)
        steps = [
            np.abs(
                motion.picture(i).pixels.astype(int) - motion.picture(i + 1).pixels.astype(int)
            ).mean()
            for i in range(2 * n)
        ]
        assert max(steps) < (0.1 if n == 1 else 3 * (np.median(steps) + 1))
        assert (max(steps) > 0) == (motion.name != "static")


def test_every_encoder_is_measured_or_refused_with_a_reason(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(encode, "_SIZE", (160, 96))
    monkeypatch.setattr(encode, "_SIZES", ((160, 96),))
    path = tmp_path / "out.json"
    words = ["encode", "--pictures", "2", "--rounds", "2", "--parts", "encoders", "--json"]
    assert main([*words, str(path)]) == 0
    results = json.loads(path.read_text())["results"]
    by_encoder = {record["encoder"]: record for record in results}
    assert set(by_encoder) == {"mjpeg", *(profile.name for profile in PROFILES)}
    for name, record in by_encoder.items():
        assert name in record.get("not available", name)
        assert "not available" in record or record["psnr_median_db"] > 15
    assert "reference" in capsys.readouterr().out


def test_the_settings_that_are_tried_change_the_stream(monkeypatch) -> None:
    moved = motions(160, 96)[:1]
    monkeypatch.setattr(encode, "_SIZE", (160, 96))
    bench = encode.EncodeBench(n=4, rounds=1)
    records = list(bench._settings(moved))
    assert len({record["setting"] for record in records}) == len(records) > 12
    sizes = {record["setting"]: record["size_median_bytes"] for record in records}
    assert sizes["finest quantiser 22"] < sizes["no finest quantiser"]
