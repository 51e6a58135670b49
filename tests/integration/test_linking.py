"""Linked viewers in Python: whoever is set leads, also after the server was replaced."""

from __future__ import annotations

import json
import os
import signal

import nibabel
import numpy as np
import pytest

from blustream_widget import StateError, link
from blustream_widget.server_link import Link
from blustream_widget.testing.server_process import running_server
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer


@pytest.fixture
def viewers(tmp_path):
    """Viewers of a volume of 2 mm voxels, one of 3 mm that begins 12 mm later, and an array."""
    for name, size_mm, n, first_mm in (("two", 2.0, 40, 0.0), ("three", 3.0, 20, 12.0)):
        affine = np.diag([size_mm, size_mm, size_mm, 1.0])
        affine[:3, 3] = first_mm
        values = np.zeros((n, n, n), np.float32)
        nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / f"{name}.nii")
    with running_server(
        tmp_path, worker="blustream_widget.worker", server_grace_s=60, session_grace_s=60
    ) as server:
        kernel = Link(server.config)
        made = [
            Viewer(tmp_path / "two.nii", _link=kernel),
            Viewer(tmp_path / "three.nii", _link=kernel),
            Viewer(np.zeros((7, 8, 9), np.float32), _link=kernel),
        ]
        yield server, *made
        for viewer in made:
            viewer.close()
        assert kernel.join(10)
        pid = json.loads(server.files.info.read_text())["pid"]
        if pid != server.process.pid:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not server.files.socket.exists(), timeout_s=10, what="its end")


def wait_equal(viewer, name, value):
    wait_until(
        lambda: getattr(viewer, name) == value,
        timeout_s=30,
        what=lambda: f"{name} is {value}, not {getattr(viewer, name)}",
    )


def test_whoever_is_set_leads_until_the_link_ends(viewers):
    _, two, three, _ = viewers
    two.crosshair_idx = (10, 12, 14)
    both = link(two, three)
    wait_equal(three, "crosshair_idx", (3, 4, 5))  # 20, 24 and 28 mm, to the nearest 3 mm
    two.crosshair_idx = (39, 0, 15)
    wait_equal(three, "crosshair_idx", (19, 0, 6))  # 78 mm is beyond its last voxel, 0 before it
    three.axis, three.zoom = "coronal", 2.0
    wait_equal(two, "axis", "coronal")
    wait_equal(two, "zoom", pytest.approx(2.0 * 40 * 2 / (20 * 3)))
    assert two.crosshair_idx == (39, 0, 15)
    two.crosshair_idx, three.crosshair_idx = (9, 9, 9), (6, 6, 6)  # the last one leads
    wait_equal(two, "crosshair_idx", (15, 15, 15))
    assert two.window != 7.0
    both.unlink()
    both.unlink()
    assert (both.viewers, two._tied, three._tied) == ((), [], [])
    three.crosshair_idx = (1, 1, 1)
    link(three, two, what="window")
    three.window = 8.0
    wait_equal(two, "window", 8.0)
    assert two.crosshair_idx == (15, 15, 15)


def test_links_outlive_the_server_and_viewers_that_are_closed(viewers):
    server, two, three, array = viewers
    both = link(two, three)
    colours = link(two, three, array, what=("window", "colormap"))
    own = array.add_colormap(["#000000", "#123456", "#ffffff"])
    array.colormap, array.window = own, 7.0
    for viewer in (two, three):
        wait_equal(viewer, "colormap", own)
        wait_equal(viewer, "window", 7.0)

    server.process.kill()
    three.crosshair_idx = (8, 6, 6)  # told to the server that takes its place
    wait_equal(two, "crosshair_idx", (18, 15, 15))
    wait_equal(three, "crosshair_idx", (8, 6, 6))

    array.close()
    assert colours.viewers == (two, three)
    assert [held["what"] for held in two._tied] == [list(both.what), ["window", "colormap"]]
    again = link(three, two, what="window")
    assert (both.viewers, colours.viewers) == ((), ())  # the same ones anew: it replaces both
    assert again.viewers == (three, two)


def test_what_cannot_be_linked_is_one_error_that_says_what_can(viewers):
    _, two, _, array = viewers
    with pytest.raises(StateError, match="no coordinates in common") as caught:
        link(two, array)
    assert "what=('window', 'colormap')" in caught.value.hint
    with pytest.raises(StateError, match="what = 'zoom'") as caught:
        link(two, array, what="zoom")
    assert "camera" in caught.value.hint
    for wrong in ((two,), (two, two), (two, "three.nii")):
        with pytest.raises(StateError):
            link(*wrong, what="window")
    array.close()
    with pytest.raises(StateError, match="closed"):
        link(two, array, what="window")
    assert two._tied == []
