"""Pictures that a kernel asks a real server for: while nobody looks, and while the view rests."""

import asyncio

import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.picture_messages import PictureTaken, TakePicture
from blustream_widget.encode.films import png_picture
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.fake_worker import read_barcode
from blustream_widget.testing.server_process import running_server


@pytest.fixture
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("s"), server_grace_s=60) as running:
        yield running


async def shown(kernel, session, n):
    """Ask for a picture, and read which slice it shows."""
    await kernel.send(TakePicture(session, n))
    async with asyncio.timeout(20):
        taken = await kernel.message(PictureTaken, lambda m: m.n == n)
    assert (taken.error, taken.panes) == ("", ())
    return read_barcode(png_picture(taken.png)[..., 0])


async def test_it_is_of_the_view_that_was_asked_for_last(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await kernel.message(lp.VolumeOpened)
        for n, idx in enumerate((3, 12), 1):  # while nobody looks
            await kernel.send(lp.PatchState(opened.session, {"slice_idx": idx}, n))
            assert await shown(kernel, opened.session, n) == idx
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame(lambda h: h.slice_idx == 12)
            for n in (3, 4):  # the second of a view that rests already
                assert await shown(kernel, opened.session, n) == 12
            await viewer.frame(lambda h: h.slice_idx == 12)
