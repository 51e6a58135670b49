"""Many people open the same link at the same time, as at the beginning of a lecture."""

import asyncio

import pytest

from blustream_widget.bench.fanout_receivers import Tally, connect
from blustream_widget.core import view_messages as vm
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.server_process import running_server

N_JOINING = 40


@pytest.fixture
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("s"), ice_loopback=True) as running:
        yield running


@pytest.mark.parametrize("transport", ["websocket", "webrtc"])
async def test_all_who_join_at_once_get_in_and_the_pictures_of_others_go_on(server, transport):
    tally, before = Tally(), []
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open("fake:512x8x8")
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame()

            async def move():
                for seq in range(1, 512):
                    await viewer.send(vm.ChangeSlice(seq=seq, slice_idx=seq))
                    await viewer.frame(lambda h, seq=seq: h.slice_idx == seq)
                    before.append(seq)

            moving = asyncio.create_task(move())
            async with asyncio.timeout(50):
                joined = await asyncio.gather(
                    *(
                        connect(server.files, opened.token, transport, tally)
                        for _ in range(N_JOINING)
                    )
                )
            n_before = len(before)
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)
            for leave in joined:
                leave()
    assert len(tally.join_ms) == N_JOINING
    assert n_before > 2
