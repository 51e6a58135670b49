"""Other values over slices from a notebook through server and worker to a page, and back."""

from __future__ import annotations

import io

import av
import msgspec
import numpy as np
import pytest

from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.overlay import MAX_OVERLAYS
from blustream_widget.errors import StateError, VolumeNotFoundError
from blustream_widget.render.colormaps import rgb_table
from blustream_widget.server_link import Link
from blustream_widget.testing.clients import connect_viewer
from blustream_widget.testing.server_process import running_server
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer

SHAPE = (20, 64, 96)
VALUES = np.zeros(SHAPE, np.float32)
VALUES[5:15, 16:48, 24:72] = 8.0
VALUES[5:15, :, :12] = np.nan


@pytest.fixture
def viewer(tmp_path):
    shown = np.full(SHAPE, 0.5, np.float32)
    shown[:, 0, 0] = 0.0
    shown[:, 0, 1] = 1.0
    with running_server(tmp_path, worker="blustream_widget.worker", server_grace_s=60) as server:
        link = Link(server.config)
        viewer = Viewer(shown, axis=0, window=1.0, level=0.5, _link=link, interpolate=False)
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


async def test_arrays_of_two_grids_meet_by_their_affines(viewer):
    affine = np.diag([2.0, 1.0, 1.0, 1.0])
    coarse = affine @ np.diag([1.0, 2.0, 2.0, 1.0])
    coarse[:3, 3] = (affine @ [0, 0.5, 0.5, 1])[:3]
    placed = Viewer(
        np.zeros(SHAPE, np.float32), affine=affine, _link=viewer._link, axis=0, interpolate=False
    )
    try:
        assert [axis.name for axis in placed.info.axes] == ["sagittal", "coronal", "axial"]
        half = np.full((SHAPE[0], SHAPE[1] // 2, SHAPE[2] // 2), 8, np.float32)
        with pytest.raises(StateError, match="affine="):
            placed.add_overlay(half, "pet")
        pet = placed.add_overlay(half, "pet", affine=coarse)
        assert pet.channel.value_max == 8
        placed.add_segmentation(half.astype(np.uint8), "half", affine=coarse)
        coarse[0, 3] = 1e6
        with pytest.raises(StateError, match="nowhere"):
            placed.add_overlay(half, "away", affine=coarse)
        assert (list(placed.overlays), list(placed.segmentations)) == (["pet"], ["half"])
    finally:
        placed.close()


async def test_an_overlay_comes_into_the_picture_and_obeys_both_sides(viewer):
    pet = viewer.add_overlay(VALUES, "pet", opacity=0.25, threshold=1.0)
    assert (pet.colormap, pet.window, pet.level, pet.channel.value_max) == ("viridis", 8, 4, 8)
    top = rgb_table("viridis", reverse=False)[-1].astype(int)
    grey = int(rgb_table("grey", reverse=False)[512, 0])
    colored = (grey * 192 + top * 64 + 128) >> 8
    async with connect_viewer(viewer.server.address, viewer._token._token) as page:
        told = await page.message(vm.Segmentations, lambda m: m.segmentations)
        assert told.segmentations[0].channel.value_max == 8.0
        await page.send(vm.ViewSync(seq=1, width_px=192, height_px=128))
        state = (await page.message(vm.State, lambda m: m.seq == 1)).state
        assert state.overlays == (pet.look,)
        shown = (await still(page, state) == colored).all(axis=-1)
        # 64 x 96 voxels fill 85 x 128 of 192 x 128 pixels.
        share = (VALUES[10] == 8).mean() * (128 * 64 / 96) / 192
        assert shown.mean() == pytest.approx(share, abs=0.01)
        for n, (voxel, value) in enumerate([((10, 25, 35), 8.0), ((10, 1, 1), None)], start=1):
            await page.send(vm.Probe(n=n, voxel=voxel))
            answer = await page.message(vm.Value, lambda m, n=n: m.n == n)
            assert answer.overlays == (("pet", value),)
        hidden = msgspec.structs.replace(pet.look, visible=False)
        await page.send(vm.ViewSync(seq=2, overlays=(hidden,)))
        state = (await page.message(vm.State, lambda m: m.seq == 2)).state
        wait_until(lambda: not pet.visible, timeout_s=30, what="the trait")
        assert not (await still(page, state) == colored).all(axis=-1).any()
        await page.send(vm.ViewSync(seq=3, overlays=(msgspec.structs.replace(hidden, name="ct"),)))
        assert "no overlay 'ct'" in (await page.message(p.Error)).message
        viewer.overlays["pet"].visible = True
        pet.colormap = ["black", "#ff0000"]
        await page.message(
            vm.State, lambda m: m.state.overlays == (pet.look,) and m.seq == 3 and pet.visible
        )
        viewer.remove_overlay("pet")
        await page.message(vm.State, lambda m: m.seq == 3 and not m.state.overlays)


def test_overlays_that_cannot_be_are_refused_and_change_nothing(viewer, tmp_path):
    np.save(tmp_path / "small.npy", np.zeros((20, 64, 95), np.float32))
    refused = [
        ((VALUES[:, :, 1:],), {}, StateError, "the shape"),
        ((tmp_path / "small.npy",), {}, StateError, "20 x 64 x 95"),
        ((tmp_path / "nothing.npy",), {}, VolumeNotFoundError, "no file"),
        ((VALUES,), {"window": float("nan"), "level": 0.0}, StateError, "window"),
        ((VALUES,), {"opacity": -0.5}, StateError, "opacity"),
        ((VALUES,), {"mode": "dissolve"}, StateError, "mode"),
        ((VALUES,), {"colormap": "mauve"}, StateError, "colour map"),
        ((), {"channel": "similarity"}, StateError, "no channel"),
        ((), {}, StateError, "Nothing was given"),
    ]
    for given, fields, kind, part in refused:
        with pytest.raises(kind, match=part):
            viewer.add_overlay(*given, **fields)
        assert len(viewer.overlays) == 0
    viewer.add_segmentation(np.ones(SHAPE, np.uint8), "salt")
    with pytest.raises(StateError, match="segmentation 'salt' already"):
        viewer.add_overlay(VALUES, "salt")
    first = viewer.add_overlay(channel="ARRAY", mode="swipe", split=0.25)  # without case
    assert (first.name, first.opacity, first.split) == ("array", 1.0, 0.25)
    for n in range(1, MAX_OVERLAYS):
        viewer.add_overlay(VALUES, f"overlay {n}")
    with pytest.raises(StateError, match=f"{MAX_OVERLAYS} overlays"):
        viewer.add_overlay(VALUES, "one more")
    bad = [("opacity", 2.0), ("window", 0.0), ("threshold", float("nan")), ("period_s", 0.1)]
    for name, value in bad:
        with pytest.raises(StateError):
            setattr(first, name, value)
    first.colormap = "hot_r"
    assert (first.colormap, first.reverse, first.mode) == ("hot", True, "swipe")

    viewer.server.process.kill()
    first.split = 0.75
    wait_until(
        lambda: (
            [one.split for one in viewer._current().overlays] == [0.75, 0.5, 0.5, 0.5]
            and viewer.worker == "ready"
        ),
        timeout_s=30,
        what="the state that was given back",
    )
