"""The thread of lossless pictures."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np

from blustream_widget.core.types import Picture
from blustream_widget.worker import still as still_module
from blustream_widget.worker.still import StillThread


def test_a_picture_that_cannot_be_drawn_does_not_end_those_after_it(monkeypatch, caplog):
    def draw(_self, scene, _space):
        if scene.is_bad:
            raise MemoryError("no room for it")
        return Picture(np.zeros((8, 8, 3), np.uint8), "rgb24", 8, 8)

    def scene(*, is_bad: bool):
        made = SimpleNamespace(is_bad=is_bad)
        made.shows = lambda other: other is made
        return made

    monkeypatch.setattr(still_module.Compositor, "draw", draw)
    done = threading.Semaphore(0)
    thread = StillThread(done.release)
    bad, good = scene(is_bad=True), scene(is_bad=False)
    thread.want(bad)
    assert done.acquire(timeout=30)
    assert not len(thread.find(bad))  # as one that is too large
    thread.want(good)
    assert done.acquire(timeout=30)
    assert len(thread.find(good))
    thread.close()
    assert "MemoryError" in caplog.text
