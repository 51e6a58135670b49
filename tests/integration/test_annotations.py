"""Annotations through server and worker: what a notebook, two pages and a killed server make."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest

from blustream_widget.annotations import annotation
from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core.annotation_messages import (
    AnnotationEdits,
    DragPoint,
    EditAnnotations,
    Measure,
    Measurement,
    PutItem,
)
from blustream_widget.errors import AnnotationError, ProcessingError
from blustream_widget.processing.horizon import Gate, track_volume
from blustream_widget.server_link import Link
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.server_process import running_server
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer


async def test_two_pages_and_a_kernel_share_edits_and_measurements(tmp_path):
    point = annotation("point", (1, 1, 1), id="a")
    with running_server(tmp_path, server_grace_s=60) as server:
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open()
            await kernel.message(lp.VolumeOpened)
            async with (
                connect_viewer(server.address, opened.token) as one,
                connect_viewer(server.address, opened.token) as two,
            ):
                await one.message(AnnotationEdits, lambda m: m.reset)
                await two.message(p.Welcome, lambda m: m.info is not None)
                await one.send(EditAnnotations(seq=1, edits=(PutItem(point),)))
                await one.send(EditAnnotations(seq=2, edits=(DragPoint("a", 0, (2.0, 3.0, 4.0)),)))
                await two.message(AnnotationEdits, lambda m: m.revision == 2)
                heard = await kernel.message(
                    la.Annotations,
                    lambda m: any(
                        isinstance(e, PutItem) and e.item.points[0] == (2.0, 3.0, 4.0)
                        for e in m.edits.edits
                    ),
                )
                await two.send(Measure(n=5, id="a", want=("statistics",)))
                measured = await two.message(Measurement, lambda m: m.done)
                await two.send(Measure(n=6, id="nothing"))
                error = await two.message(p.Error)
                await two.send(EditAnnotations(seq=1, edits=(DragPoint("a", 0, (99, 0, 0)),)))
                refused = await two.message(p.Error, lambda m: "outside" in m.message)
    assert heard.edits.edits[0].item.author == "owner"
    assert (measured.n, measured.statistics.count) == (5, 1)
    assert (error.code, refused.code) == ("annotation", "annotation")


@pytest.fixture
def viewer(tmp_path):
    values = np.random.default_rng(3).normal(0, 1, (40, 90, 70)).astype(np.float32)
    with running_server(
        tmp_path, worker="blustream_widget.worker", server_grace_s=60, session_grace_s=60
    ) as server:
        link = Link(server.config)
        viewer = Viewer(values, spacing=(2.0, 1.0, 0.5), unit="mV", _link=link)
        viewer.server, viewer.array = server, values
        yield viewer
        viewer.close()
        assert link.join(10)
        pid = json.loads(server.files.info.read_text())["pid"]
        if pid != server.process.pid:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not server.files.socket.exists(), timeout_s=10, what="its end")


def test_a_notebook_measures_full_resolution_voxels_and_outlives_its_server(viewer):
    box = viewer.annotations.add("box", [(3, 4, 5), (30, 80, 60)], label="window")
    found = viewer.measure(box, bins=32)
    inside = viewer.array[3:31, 4:81, 5:61].astype(np.float64)
    assert found["volume"] == pytest.approx(54 * 76 * 27.5)
    assert found.statistics.count == inside.size
    assert found.statistics.mean == pytest.approx(inside.mean(), rel=1e-9)
    assert found.statistics.median == pytest.approx(np.median(inside), rel=1e-12)
    assert found.statistics.unit == "mV"
    assert len(found.statistics.histogram) == 32
    line = viewer.annotations.add("profile", [(7, 10, 20), (7, 40, 20)])
    assert line.measure().profile.values == tuple(viewer.array[7, 10:41, 20].astype(float))
    point = annotation("point", (7, 8, 9))  # not one of the viewer's
    assert viewer.measure(point).value == float(viewer.array[7, 8, 9])
    tie = [(3, 0, 0), (3, 5, 5), (3, 5, 0), (3, 0, 5)]
    with pytest.raises(AnnotationError, match="crosses itself"):
        viewer.measure(viewer.annotations.add("polygon", tie, axis=0))
    assert viewer.undo()
    assert [item.kind for item in viewer.annotations] == ["box", "profile"]
    check_a_horizon_is_followed(viewer)

    heard = []
    viewer.observe(heard.append, "annotations")
    viewer.server.process.kill()
    box.label = "kept"
    assert viewer.measure(box).statistics.count == inside.size  # by the new server's worker
    assert [item.label for item in viewer.annotations] == ["kept", ""]
    viewer.annotations = []
    assert len(viewer.annotations) == 0
    assert viewer.undo()
    assert [item.label for item in viewer.annotations] == ["kept", ""]
    assert [len(change["what"].removed) for change in heard] == [0, 2, 0]


def check_a_horizon_is_followed(viewer):
    gate = Gate(min_likeness=0.3)
    horizon = viewer.track_horizon([(7, 10, 20.0)], gate)
    expected = track_volume(viewer.array, [(7, 10, 20.0)], gate)
    assert np.allclose(horizon.samples, expected.samples, atol=1e-5, equal_nan=True)
    assert horizon.n_picked > 1
    shown = viewer.annotations.add("horizon", [(7, 10, 20.0)], axis=0)
    viewer.track_horizon(shown, gate)
    assert shown.grid
    same = viewer.horizon(shown).samples
    assert np.allclose(same, horizon.samples, atol=1 / 128, equal_nan=True)
    assert viewer.undo()
    with pytest.raises(ProcessingError, match="Nothing was followed"):
        viewer.horizon(shown)
    shown.remove()
    with pytest.raises(ProcessingError, match="cannot be read at once"):
        viewer.track_horizon([(7, 10, 20.0)], span=3)
