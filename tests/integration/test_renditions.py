"""Several viewers of one session: one encode for all, a smaller one for whose network is slow."""

import asyncio
from contextlib import asynccontextmanager

from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.server_process import running_server

SECONDS_A_FRAME = 0.4


@asynccontextmanager
async def slow_link(viewer):
    """Have each frame take its time to the viewer: it is acknowledged when it would be there."""
    viewer.acknowledges = False

    async def acknowledge():
        done = -1
        while True:
            header, _ = await viewer.frame(lambda h, done=done: h.frame_no > done)
            done = header.frame_no
            await asyncio.sleep(SECONDS_A_FRAME)
            await viewer.send(p.Ack(frame_no=done))

    task = asyncio.create_task(acknowledge())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def sizes(viewer):
    return {h.width_px for h, _ in viewer.frames if not h.flags & FrameFlags.STILL}


async def scroll(viewer, until):
    """Move the view, picture by picture, until something has come about."""
    seq = 0
    async with asyncio.timeout(40):
        while not until():
            seq += 1
            await viewer.send(vm.ChangeSlice(seq=seq, slice_idx=seq))
            await viewer.frame(lambda h, idx=seq: h.slice_idx == idx)


async def test_a_slow_viewer_gets_a_smaller_stream_and_the_others_one_and_the_same(tmp_path):
    with running_server(tmp_path, server_grace_s=60) as server:
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open("fake:9999x8x8", patch={"width_px": 1280, "height_px": 720})
            async with (
                connect_viewer(server.address, opened.token) as quick,
                connect_viewer(server.address, opened.token) as other,
                connect_viewer(server.address, opened.token) as slow,
            ):
                for viewer in (quick, other, slow):
                    await viewer.frame()
                async with slow_link(slow):
                    await scroll(quick, until=lambda: len(sizes(slow)) > 1)
                    told = await slow.message(p.Status, lambda s: "your link" in s.held_back)
            last = quick.frames[-1][0].frame_no
            pairs = [
                {h.frame_no: data for h, data in viewer.frames if h.frame_no < last}
                for viewer in (quick, other)
            ]
            first_small = next(h for h, _ in slow.frames if h.width_px < 1280)
    assert sizes(quick) == sizes(other) == {1280}
    common = pairs[0].keys() & pairs[1].keys()
    assert len(common) > 5
    assert all(pairs[0][n] == pairs[1][n] for n in common)
    assert first_small.flags & FrameFlags.KEY
    assert "size" in told.held_back
