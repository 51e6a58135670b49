"""Edits of labels through a killed server."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest

from blustream_widget.server_link import Link
from blustream_widget.testing.server_process import running_server
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer

SHAPE = (40, 64, 96)


@pytest.fixture
def viewer(tmp_path):
    values = np.random.default_rng(1).normal(0, 1, SHAPE).astype(np.float32)
    with running_server(tmp_path, worker="blustream_widget.worker", server_grace_s=60) as server:
        link = Link(server.config)
        viewer = Viewer(values, _link=link)
        viewer.server = server
        yield viewer
        viewer.close()
        assert link.join(10)
        wait_until(
            lambda: not list(server.files.kept.glob("*/*")), timeout_s=30, what="an empty folder"
        )


def test_edits_outlive_a_killed_server_and_a_damaged_store_is_one_word(viewer):
    mine = viewer.new_segmentation("mine", {1: "salt", 2: "shale"})
    mine.paint((20, 32, 48), 8, 1)
    first = mine.to_array()
    mine.paint((20, 32, 30), 8, 2)
    second = mine.to_array()
    viewer.server.process.kill()
    assert np.array_equal(mine.to_array(), second)
    mine.undo()  # of an edit of the server that is gone
    assert np.array_equal(mine.to_array(), first)
    assert mine.statistics()[0]["count"] == (first == 1).sum()

    (path,) = viewer.server.files.kept.glob("*/labels")
    data = bytearray(path.read_bytes())
    data[-1] ^= 0xFF
    path.write_bytes(data)
    pid = json.loads(viewer.server.files.info.read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    assert not mine.to_array().any()
    wait_until(lambda: viewer.error is not None, timeout_s=30, what="the word")
    assert "damaged" in str(viewer.error)
    assert mine.paint((20, 32, 48), 3, 1) > 0
