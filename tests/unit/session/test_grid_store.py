"""Grids of horizons for another server."""

from __future__ import annotations

import asyncio

import numpy as np

from blustream_widget.core.horizon_grid import packed, samples_of
from blustream_widget.session import grid_store
from blustream_widget.session.grid_store import GridStore

GRIDS = {
    name: packed(np.add.outer(np.arange(9.0), np.arange(7.0)) * k)
    for k, name in enumerate(("first", "second", "third"), 1)
}


async def recovered(folder):
    store, read = GridStore(folder), asyncio.Event()
    store.recover()
    store.when_read(read.set)
    assert not read.is_set()
    await asyncio.wait_for(read.wait(), 30)
    return store


async def test_grids_outlive_their_server_but_for_one_that_is_damaged(tmp_path):
    store = GridStore(tmp_path)
    store.recover()
    for name, grid in GRIDS.items():
        store.put(name, grid)
    store.drop("third")
    await store.close()
    (tmp_path / "second").write_bytes((tmp_path / "second").read_bytes()[:-1])
    other = await recovered(tmp_path)
    assert np.array_equal(samples_of(other.get("first")), samples_of(GRIDS["first"]))
    assert other.get("second") is other.get("third") is None


async def test_the_oldest_go_from_the_disk_too(tmp_path, monkeypatch):
    monkeypatch.setattr(grid_store, "MOST_GRID_BYTES", 2 * len(GRIDS["third"].codes))
    store = GridStore(tmp_path)
    for name, grid in GRIDS.items():
        store.put(name, grid)
        await store.close()
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {name for name in GRIDS if store.get(name)}
    assert "third" in kept
    assert "first" not in kept
