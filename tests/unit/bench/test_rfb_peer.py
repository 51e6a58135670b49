"""The yardstick that others use draws what is asked of it, and is missed in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blustream_widget.bench.barcode import barcode_volume, shown_number
from blustream_widget.bench.latency import LatencyBench
from blustream_widget.bench.rfb_peer import SliceDrawer
from blustream_widget.errors import BlustreamError


@pytest.fixture
def drawer(tmp_path: Path) -> SliceDrawer:
    path = tmp_path / "barcode.npy"
    np.save(path, barcode_volume((12, 64, 64)))
    return SliceDrawer(str(path), slice_idx=3, size_px=(320, 200))


def test_the_picture_shows_the_number_of_its_slice(drawer: SliceDrawer) -> None:
    assert drawer.draw().shape == (200, 320, 3)
    assert shown_number(drawer.draw()) == 3
    assert drawer.turn(200)
    assert shown_number(drawer.draw()) == 5


def test_the_wheel_ends_at_the_last_slice(drawer: SliceDrawer) -> None:
    assert drawer.turn(10_000)
    assert drawer.slice_idx == 11
    assert not drawer.turn(100)
    assert drawer.turn(-10_000)
    assert drawer.slice_idx == 0


def test_without_it_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    bench = LatencyBench(size_px=(1280, 720), n_steps=1, n_scrub=1, rounds=1)
    with pytest.raises(BlustreamError, match="jupyter_rfb is not installed") as no:
        bench.run(["websocket", "jupyter-rfb"], ["idle"])
    assert "blustream-widget[bench]" in str(no.value.hint)
