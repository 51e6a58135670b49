"""A VDS that opens, with bricks in its middle that cannot be read."""

import threading

import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.types import VolumeRef
from blustream_widget.data import SliceReader, open_source
from blustream_widget.errors import BrickReadError
from blustream_widget.testing.volumes import write_volume

SHAPE = (64, 96, 128)
BRICK = 32


@pytest.fixture
def damaged(tmp_path):
    """A Zip VDS (which notices damage) of noise, with some bytes of its middle overwritten."""
    values = np.random.default_rng(3).normal(size=SHAPE).astype(np.float32)
    path = tmp_path / "damaged.vds"
    write_volume(path, values, codec="zip", brick_size=BRICK)
    with path.open("r+b") as file:
        for share in (0.35, 0.4, 0.45):
            file.seek(int(share * path.stat().st_size))
            file.write(b"\xa5" * 64)
    return path, values


def test_slices_show_the_rest_and_one_error_is_told(damaged):
    path, values = damaged
    source, news = open_source(VolumeRef(url=str(path)), Config()), threading.Event()
    reader = SliceReader(source, budget_bytes=1 << 26, on_data=news.set)
    errors, n_wrong = set(), 0
    for slice_idx in range(8, SHAPE[0], 16):
        while (data := reader.read(0, slice_idx, 0, 0)).progress < 1:
            assert news.wait(10)
            news.clear()
        errors.add(reader.error)
        tiles = (data.values == values[slice_idx]).reshape(3, BRICK, 4, BRICK)
        n_wrong += 12 - int(tiles.all((1, 3)).sum())
        assert np.isfinite(data.values).all(), "coarser values stand in the gaps"
    assert 1 <= n_wrong <= 12, "most of the volume is whole"
    assert len(errors - {None}) == 1
    assert isinstance(reader.error, BrickReadError)
    assert "damaged.vds" in reader.error.message
    reader.close()
    source.close()
