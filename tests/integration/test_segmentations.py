"""Labels over slices from a notebook through server and worker to a page, and back."""

from __future__ import annotations

import io

import av
import msgspec
import numpy as np
import psutil
import pytest

from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.label_edit import Stroke
from blustream_widget.errors import (
    StateError,
    VolumeFormatError,
    VolumeNotFoundError,
    VolumeWriteError,
)
from blustream_widget.render.colormaps import rgb_table
from blustream_widget.server_link import Link
from blustream_widget.testing.clients import connect_viewer
from blustream_widget.testing.server_process import running_server
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer

SHAPE = (20, 64, 96)
LABELS = np.zeros(SHAPE, np.uint8)
LABELS[5:15, 16:48, 24:72] = 3
LABELS[5:15, 20:30, 30:40] = 7


@pytest.fixture
def viewer(tmp_path):
    values = np.full(SHAPE, 0.5, np.float32)
    values[:, 0, 0] = 0.0
    values[:, 0, 1] = 1.0
    with running_server(tmp_path, worker="blustream_widget.worker", server_grace_s=60) as server:
        link = Link(server.config)
        viewer = Viewer(
            values,
            spacing=(2.0, 1.0, 1.0),
            axis=0,
            window=1.0,
            level=0.5,
            _link=link,
            interpolate=False,
        )
        viewer.server = server
        yield viewer
        viewer.close()
        assert link.join(10)


async def still(page, state):
    """Pixels of the exact picture of a state."""
    _, data = await page.frame(
        lambda h: h.flags & FrameFlags.STILL and h.revision >= state.revision
    )
    with av.open(io.BytesIO(data)) as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24").astype(int)


def check_statistics(salt):
    (first, second) = salt.statistics(channel=0)
    inside = LABELS == 3
    assert (first["label"], first["name"], first["count"]) == (3, "Salt", inside.sum())
    assert (first["volume"], first["unit"]) == (2.0 * inside.sum(), "voxel³")
    assert first["centre"] == pytest.approx(np.argwhere(inside).mean(axis=0))
    assert (first["mean"], first["sd"]) == (pytest.approx(0.5), pytest.approx(0.0, abs=1e-6))
    assert second["count"] == (LABELS == 7).sum()


async def test_labels_come_into_the_picture_and_obey_both_sides(viewer):
    values = LABELS.copy()
    salt = viewer.add_segmentation(values, "salt", opacity=0.25, names={3: "Salt"})
    assert salt.labels == {3: "Salt", 7: ""}
    check_statistics(salt)
    table = rgb_table("labels", reverse=False).astype(int)
    grey = int(rgb_table("grey", reverse=False)[512, 0])
    colored = (grey * 192 + table[3] * 64 + 128) >> 8
    async with connect_viewer(viewer.server.address, viewer._token._token) as page:
        told = await page.message(
            vm.Segmentations, lambda m: m.segmentations and m.segmentations[0].is_counted
        )
        assert [one.value for one in told.segmentations[0].labels] == [3, 7]
        await page.send(vm.ViewSync(seq=1, width_px=192, height_px=128))
        state = (await page.message(vm.State, lambda m: m.seq == 1)).state
        assert [look.name for look in state.segmentations] == ["salt"]
        shown = (await still(page, state) == colored).all(axis=-1)
        # 64 x 96 voxels fill 85 x 128 of 192 x 128 pixels.
        share = (LABELS[10] == 3).mean() * (128 * 64 / 96) / 192
        assert shown.mean() == pytest.approx(share, abs=0.01)
        await page.send(vm.Probe(n=1, voxel=(10, 25, 35)))
        assert (await page.message(vm.Value, lambda m: m.n == 1)).labels == (("salt", 7),)
        await check_both_sides(viewer, page, salt, colored)
        values[0, 0, 0] = 200
        salt.refresh()
        assert list(salt.labels) == [3, 7, 200]
        viewer.remove_segmentation("salt")
        await page.message(vm.State, lambda m: m.seq > 1 and not m.state.segmentations)


async def check_both_sides(viewer, page, salt, colored):
    look = salt.look
    hidden = msgspec.structs.replace(look, visible=False)
    await page.send(vm.ViewSync(seq=2, segmentations=(hidden,)))
    state = (await page.message(vm.State, lambda m: m.seq == 2)).state
    wait_until(lambda: not salt.visible, timeout_s=30, what="the trait")
    assert not (await still(page, state) == colored).all(axis=-1).any()
    other = msgspec.structs.replace(look, name="fault")
    await page.send(vm.ViewSync(seq=3, segmentations=(other,)))
    assert "no segmentation 'fault'" in (await page.message(p.Error)).message

    viewer.segmentations["salt"].visible = True
    state = (
        await page.message(
            vm.State,
            lambda m: m.state.segmentations == (look,) and m.state.revision > state.revision,
        )
    ).state
    faint = msgspec.structs.replace(look, opacities={3: 0.0})
    await page.send(vm.ViewSync(seq=4, segmentations=(faint,)))
    state = (await page.message(vm.State, lambda m: m.seq == 4)).state
    wait_until(lambda: salt.opacities == {3: 0.0}, timeout_s=30, what="the trait")
    assert not (await still(page, state) == colored).all(axis=-1).any()
    salt.opacities = {}
    await page.message(
        vm.State, lambda m: m.state.segmentations == (look,) and m.state.revision > state.revision
    )


def test_labels_that_cannot_be_are_refused_and_change_nothing(viewer, tmp_path):
    np.save(tmp_path / "small.npy", np.zeros((20, 64, 95), np.uint8))
    np.save(tmp_path / "halves.npy", np.full(SHAPE, 0.5))
    np.save(tmp_path / "fault.npy", LABELS)
    refused = [
        ((LABELS[:, :, 1:],), {}, StateError, "the shape"),
        ((LABELS * 0.5,), {}, VolumeFormatError, "whole numbers"),
        ((tmp_path / "small.npy",), {}, StateError, "20 x 64 x 95"),
        ((tmp_path / "halves.npy",), {}, VolumeFormatError, "whole numbers"),
        ((tmp_path / "nothing.npy",), {}, VolumeNotFoundError, "no file"),
        ((LABELS,), {"style": "dots"}, StateError, "style"),
        ((LABELS,), {"colors": {99: "red"}}, StateError, "no label 99"),
        ((LABELS,), {"opacities": {99: 0.5}}, StateError, "no label 99"),
        ((LABELS,), {"opacities": {3: 2.0}}, StateError, "opacity of label 3"),
        ((), {"channel": "salt"}, StateError, "no channel"),
        ((), {"channel": 0}, StateError, "not marked as labels"),
    ]
    for given, fields, kind, part in refused:
        with pytest.raises(kind, match=part):
            viewer.add_segmentation(*given, **fields)
        assert len(viewer.segmentations) == 0
    fault = viewer.add_segmentation(tmp_path / "fault.npy")
    assert viewer.segmentations["fault"] is fault
    salt = viewer.new_segmentation("salt")  # whose label 1 is told apart
    assert (fault.first_color, salt.first_color) == (0, 126)
    viewer.remove_segmentation("salt")
    with pytest.raises(StateError, match="already"):
        viewer.add_segmentation(LABELS, "fault")
    wrong = {"opacity": 2.0, "style": "dots", "hidden": [99], "colors": {99: 1}, "first_color": -1}
    for name, value in [*wrong.items(), ("opacities", {3: float("nan")}), ("opacities", {99: 0.5})]:
        with pytest.raises(StateError):
            setattr(fault, name, value)
    assert (fault.opacity, fault.style, fault.hidden, fault.colors) == (0.5, "fill", (), {})
    assert fault.opacities == {}
    with pytest.raises(StateError, match="There are: fault"):
        viewer.segmentations["salt"]

    viewer.server.process.kill()
    fault.hidden = {7}
    fault.opacities = {3: 0.25, 7: 1}
    assert fault.opacities == {3: 0.25}
    assert fault.statistics(channel=0)[0]["count"] == (LABELS == 3).sum()  # by the new server
    wait_until(
        lambda: viewer._current().segmentations == (fault.look,) and fault.look.hidden == (7,),
        timeout_s=30,
        what="the state that was given back",
    )


async def test_labels_are_painted_from_both_sides_and_outlive_their_worker(viewer, tmp_path):
    mine = viewer.new_segmentation("mine", {1: "salt"}, opacity=1.0)
    assert mine.paint((10, 32, 48), 8, 1, axis=0) > 0
    inside = np.hypot(*(np.indices((64, 96)) - np.array([32, 48])[:, None, None])) <= 8
    assert np.array_equal(
        mine.to_array() == 1, [inside if i == 10 else inside * 0 for i in range(20)]
    )
    assert mine.statistics()[0]["count"] == inside.sum()
    refused = [
        (lambda: mine.paint((10, 32, 48), float("nan"), 1), "radius"),
        (lambda: mine.paint((10, 32, float("nan")), 8, 1), "finite"),
        (lambda: mine.paint((10, 32, 48), 8, 77), "no label 77"),
        (lambda: mine.paint([(1, 1, 1)] * 10**6, 8, 1), "2000 places"),
        (lambda: mine.fill((99, 0, 0), 1), "outside"),
        (lambda: mine.smooth(2, 3.0), "label 2"),
    ]
    for act, words in refused:
        with pytest.raises(StateError, match=words):
            act()
    assert mine.statistics()[0]["count"] == inside.sum()

    async with connect_viewer(viewer.server.address, viewer._token._token) as page:
        await page.send(vm.ViewSync(seq=1, width_px=96, height_px=64, axis=0))
        state = (await page.message(vm.State, lambda m: m.seq == 1)).state
        colour = rgb_table("labels", reverse=False).astype(int)[1]
        shown = (await still(page, state) == colour).all(axis=-1)
        await page.send(
            p.EditLabels(seq=1, name="mine", edit=Stroke(points=((10, 32, 48),), radius=4, label=0))
        )
        told = await page.message(p.LabelsEdited, lambda m: m.seq == 1)
        assert told.can_undo
        _, data = await page.frame(
            lambda h: h.flags & FrameFlags.STILL and h.frame_no > told.frame_no
        )
        with av.open(io.BytesIO(data)) as file:
            picture = next(file.decode(video=0)).to_ndarray(format="rgb24").astype(int)
        assert shown.sum() - (picture == colour).all(axis=-1).sum() == pytest.approx(
            told.n_voxels, abs=40
        )
    for pid in psutil.Process(viewer.server.process.pid).children():
        pid.kill()
    assert mine.undo() == told.n_voxels  # the owner's, whichever page or notebook it was made in
    assert mine.statistics()[0]["count"] == inside.sum()

    mine.save(tmp_path / "mine.vds")
    with pytest.raises(VolumeWriteError, match="exists"):
        mine.save(tmp_path / "mine.vds")
    again = viewer.add_segmentation(tmp_path / "mine.vds", "again")
    assert again.labels == {1: "salt"}
    assert np.array_equal(again.to_array(), mine.to_array())
