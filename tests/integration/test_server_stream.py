"""A viewer's whole way: kernel opens, viewer joins, state changes, frames come."""

import asyncio
import itertools

import av
import numpy as np
import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.colormaps import COLOR_LEVELS
from blustream_widget.core.frame_header import HEADER_BYTES, FrameFlags, FrameHeader
from blustream_widget.core.palettes import FIRST_OWN_IDX, OwnMap
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.fake_worker import read_barcode
from blustream_widget.testing.server_process import running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("s"), server_grace_s=60) as running:
        yield running


def decode_h264(units):
    codec = av.CodecContext.create("h264", "r")
    frames = []
    for unit in units:
        frames += codec.decode(av.Packet(unit))
    return [np.asarray(f.to_ndarray(format="gray")) for f in frames + codec.decode(None)]


def video(viewer):
    return [f for f in viewer.frames if not f[0].flags & FrameFlags.STILL]


async def test_a_viewer_sees_the_slice_it_asked_for(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame()
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=11))
            await viewer.frame(lambda h: h.slice_idx == 11)
            pictures = decode_h264(data for _, data in video(viewer))
    assert read_barcode(pictures[-1]) == 11


async def test_the_first_frame_is_a_keyframe(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            header, _ = await viewer.frame()
    assert header.flags & FrameFlags.KEY


async def test_at_rest_a_still_comes_and_then_nothing(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame(lambda h: bool(h.flags & FrameFlags.STILL))
            n = len(viewer.frames)
            for _ in range(20):
                await viewer.round_trip()
    assert len(viewer.frames) == n


async def test_what_the_kernel_asked_first_is_what_is_shown_first(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open(patch={"axis": 2, "slice_idx": 5})
        volume = await kernel.message(lp.VolumeOpened)
        async with connect_viewer(server.address, opened.token) as viewer:
            header, _ = await viewer.frame()
    assert (volume.state.axis, volume.state.slice_idx[2]) == (2, 5)
    assert (header.axis, header.slice_idx) == (2, 5)


async def test_a_wrong_wish_at_opening_is_told_and_the_volume_opens_all_the_same(server):
    async with connect_kernel(server.address) as kernel:
        await kernel.open(patch={"axis": 7})
        error = await kernel.message(lp.SessionError)
        await kernel.message(lp.VolumeOpened)
    assert error.code == "state"
    assert not error.fatal


async def test_the_state_that_the_viewer_hears_names_its_newest_message(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome, lambda m: m.info is not None)
            await viewer.send(vm.WindowLevel(seq=3, window=20.0, level=7.0))
            state = await viewer.message(vm.State, lambda m: m.seq == 3)
    assert (state.state.window, state.state.level) == (20.0, 7.0)


async def test_an_older_message_that_comes_late_does_not_undo_a_newer_one(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome, lambda m: m.info is not None)
            await viewer.send(vm.ChangeSlice(seq=6, slice_idx=9))
            await viewer.send(vm.ChangeSlice(seq=5, slice_idx=2))
            await viewer.send(vm.ZoomPan(seq=4, zoom=2.0, pan=(0.5, 0.5)))
            state = await viewer.message(vm.State, lambda m: m.state.zoom == 2.0)
    assert state.state.slice_idx[0] == 9


async def test_an_invalid_change_is_told_to_its_sender_only_and_changes_nothing(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with (
            connect_viewer(server.address, opened.token) as sender,
            connect_viewer(server.address, opened.token) as other,
        ):
            await sender.message(p.Welcome, lambda m: m.info is not None)
            await other.message(p.Welcome, lambda m: m.info is not None)
            await sender.send(vm.ChangeSlice(seq=1, slice_idx=16))
            error = await sender.message(p.Error)
            await other.round_trip()
            states = [m for m in sender.inbox.items + other.inbox.items if isinstance(m, vm.State)]
            errors = [m for m in other.inbox.items if isinstance(m, p.Error)]
    assert error.code == "state"
    assert "0 to 15" in f"{error.message} {error.hint}"
    assert (states, errors) == ([], [])


async def test_a_change_by_one_viewer_reaches_the_other_and_the_kernel(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with (
            connect_viewer(server.address, opened.token) as sender,
            connect_viewer(server.address, opened.token) as other,
        ):
            await other.message(p.Welcome, lambda m: m.info is not None)
            await sender.message(p.Welcome, lambda m: m.info is not None)
            await sender.send(vm.ChangeSlice(seq=1, slice_idx=3))
            await other.message(vm.State, lambda m: m.state.slice_idx[0] == 3 and m.seq == 0)
            await other.frame(lambda h: h.slice_idx == 3)
            await kernel.message(lp.Mirror, lambda m: m.state.slice_idx[0] == 3)


async def test_a_patch_of_the_kernel_moves_the_picture_and_is_acknowledged(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame()
            patch = lp.PatchState(session=opened.session, patch={"slice_idx": 4}, seq=17)
            await kernel.send(patch)
            await viewer.frame(lambda h: h.slice_idx == 4)
            mirror = await kernel.message(lp.Mirror, lambda m: m.seq == 17)
    assert mirror.state.slice_idx[0] == 4


async def test_a_wrong_patch_of_the_kernel_is_told_and_acknowledged(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await kernel.message(lp.VolumeOpened)
        patch = lp.PatchState(session=opened.session, patch={"colormap": "no such"}, seq=2)
        await kernel.send(patch)
        error = await kernel.message(lp.SessionError)
        await kernel.message(lp.Mirror, lambda m: m.seq == 2)
    assert (error.code, error.fatal) == ("state", False)
    assert "no such" in error.message


async def test_a_map_of_the_kernels_reaches_every_viewer_before_a_state_names_it(server):
    palette = OwnMap(name="user-00c0ffee", title="mine", colors=bytes(3 * COLOR_LEVELS))
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome, lambda m: m.info is not None)
            named = {"session": opened.session, "patch": {"colormap": palette.name}}
            await kernel.send(lp.PatchState(**named, seq=1))
            error = await kernel.message(lp.SessionError)
            assert palette.name in error.message
            await kernel.send(lp.PutPalette(session=opened.session, palette=palette))
            await kernel.send(lp.PatchState(**named, seq=2))
            await viewer.message(vm.State, lambda m: m.state.colormap == palette.name)
            told = [m for m in viewer.inbox.items if isinstance(m, vm.SetPalette | vm.State)]
            assert told[0] == vm.SetPalette(palette=palette, idx=FIRST_OWN_IDX)
            async with connect_viewer(server.address, opened.token) as late:
                await late.message(vm.SetPalette, lambda m: m.palette == palette)


async def test_the_mirror_comes_at_most_five_times_a_second_and_ends_with_the_newest(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome, lambda m: m.info is not None)
            start_s = asyncio.get_running_loop().time()
            for seq in range(1, 101):
                await viewer.send(vm.WindowLevel(seq=seq, window=float(seq), level=0.0))
                await viewer.round_trip()
            await kernel.message(lp.Mirror, lambda m: m.state.window == 100.0)
            took_s = asyncio.get_running_loop().time() - start_s
            mirrors = [m for m in kernel.inbox.items if isinstance(m, lp.Mirror)]
    assert mirrors[-1].state.window == 100.0
    # The opening itself accounts for three more at most.
    assert len(mirrors) <= took_s / 0.2 + 4


async def test_the_value_of_a_voxel_is_answered_to_who_asked(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome, lambda m: m.info is not None)
            await viewer.send(vm.Probe(n=8, voxel=(1, 2, 3)))
            value = await viewer.message(vm.Value)
    assert (value.n, value.voxel, value.value) == (8, (1, 2, 3), 10203.0)


async def test_a_voxel_outside_the_volume_is_refused(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome, lambda m: m.info is not None)
            await viewer.send(vm.Probe(n=8, voxel=(16, 0, 0)))
            error = await viewer.message(p.Error)
    assert error.code == "state"


async def test_the_picture_has_the_size_that_the_viewer_asked_for_before_it_opened(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.send(vm.ViewSync(seq=1, width_px=321, height_px=200))
            header, _ = await viewer.frame(lambda h: h.width_px == 320)
    assert header.height_px == 200


async def test_jpeg_viewers_get_jpeg_and_others_do_not(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with (
            connect_viewer(server.address, opened.token, pictures=("jpeg",)) as old,
            connect_viewer(server.address, opened.token) as new,
        ):
            header, picture = await old.frame()
            await new.frame()
            await old.send(vm.ChangeSlice(seq=1, slice_idx=13))
            await old.frame(lambda h: h.slice_idx == 13)
            await new.frame(lambda h: h.slice_idx == 13)
    assert picture.startswith(b"\xff\xd8")
    assert header.flags & FrameFlags.JPEG
    assert all(h.flags & FrameFlags.JPEG for h, _ in video(old))
    assert not any(h.flags & FrameFlags.JPEG for h, _ in new.frames)


async def test_a_hidden_viewer_gets_no_frames_until_it_looks_again(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame()
            await viewer.send(p.Stream(path="socket", visible=False))
            await viewer.round_trip()
            n = len(viewer.frames)
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=1))
            await viewer.send(vm.ChangeSlice(seq=2, slice_idx=2))
            await viewer.message(vm.State, lambda m: m.seq == 2)
            assert len(viewer.frames) == n
            await viewer.send(p.Stream(path="socket", visible=True))
            await viewer.frame(lambda h: h.slice_idx == 2)
    later = viewer.frames[n:]
    assert [h.slice_idx for h, _ in later][:1] == [2]
    assert later[0][0].flags & FrameFlags.KEY


async def test_a_viewer_who_acknowledges_nothing_is_not_drawn_for(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome, lambda m: m.info is not None)
            # Of several frames, that the one that came quickest tells the round trip: on a busy
            # machine one alone says that the way is long, and more frames may be on it.
            for seq in range(1, 9):
                await viewer.send(vm.ChangeSlice(seq=seq, slice_idx=seq % 2))
                await viewer.frame(lambda h, seq=seq: h.revision >= seq)
            await viewer.frame(lambda h: h.revision >= 8 and bool(h.flags & FrameFlags.STILL))
            viewer.acknowledges = False
            start = len(viewer.frames)
            for seq in range(9, 33):
                await viewer.send(vm.ChangeSlice(seq=seq, slice_idx=seq % 8))
                await viewer.round_trip()
            unread = viewer.frames[start:]
            viewer.acknowledges = True
            await viewer.send(p.Ack(frame_no=max(h.frame_no for h, _ in viewer.frames)))
            await viewer.frame(lambda h: h.revision >= 32)
    assert len(unread) <= 8


async def test_a_viewer_that_falls_behind_gets_a_keyframe_and_the_others_every_frame(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with (
            connect_viewer(server.address, opened.token) as quick,
            connect_viewer(server.address, opened.token) as slow,
        ):
            await quick.frame()
            await slow.frame()
            slow.acknowledges = False
            for seq in range(1, 15):
                await quick.send(vm.ChangeSlice(seq=seq, slice_idx=seq))
                await quick.frame(lambda h, seq=seq: h.slice_idx == seq)
            held = [h.frame_no for h, _ in video(slow)]
            slow.acknowledges = True
            await slow.send(p.Ack(frame_no=held[-1]))
            await slow.frame(lambda h: h.slice_idx == 14 and bool(h.flags == FrameFlags.KEY))
            units = video(slow)
            numbers = [h.frame_no for h, _ in units]
            gaps = [b for a, b in itertools.pairwise(units) if b[0].frame_no != a[0].frame_no + 1]
            pictures = decode_h264(data for _, data in units)
    assert len(held) < 14
    assert numbers == sorted(numbers)
    assert all(h.flags & FrameFlags.KEY for h, _ in gaps if not _is_after_still(slow, h))
    assert read_barcode(pictures[-1]) == 14


def _is_after_still(viewer, header):
    """Stills have numbers of the same sequence."""
    stills = {h.frame_no for h, _ in viewer.frames if h.flags & FrameFlags.STILL}
    return header.frame_no - 1 in stills


async def test_a_renewed_token_is_another_one_and_joins_as_owner(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await kernel.send(lp.RenewToken(session=opened.session))
        renewed = await kernel.message(lp.SessionToken)
        async with connect_viewer(server.address, renewed.token) as viewer:
            welcome = await viewer.message(p.Welcome)
    assert renewed.token != opened.token
    assert welcome.role == "owner"


async def test_a_relayed_viewer_sees_and_changes_as_any_other(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await kernel.send(lp.RelayOpen(session=opened.session, channel=4))

        async def say(message):
            text = p.encode(message).decode()
            await kernel.send(lp.RelayText(channel=4, text=text))

        await say(p.Hello(token=opened.token, transport="comm"))
        await kernel.message(lp.RelayText)
        await say(vm.ChangeSlice(seq=1, slice_idx=7))
        _, data = await kernel.message(
            tuple, lambda f: f[0] == 4 and FrameHeader.unpack(f[1]).slice_idx == 7
        )
        await kernel.send(lp.RelayClose(channel=4))
        await kernel.message(lp.Mirror, lambda m: m.viewers == 0 and m.state.slice_idx[0] == 7)
    assert len(data) > HEADER_BYTES


async def test_what_the_viewer_measured_is_in_the_mirror(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame()
            report = p.Report(transport="websocket", displayed_fps=58.0, latency_ms=21.0)
            await viewer.send(report)
            mirror = await kernel.message(lp.Mirror, lambda m: m.displayed_fps == 58.0)
    assert (mirror.transport, mirror.latency_ms, mirror.encoder) == ("websocket", 21.0, "libx264")
