"""The real server and worker over a slow, lossy or broken network, seen by a viewer in Python."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager

import numpy as np
import pytest

from blustream_widget.bench.barcode import barcode_volume
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.types import VolumeRef
from blustream_widget.testing.clients import connect_kernel, connect_through, connect_viewer
from blustream_widget.testing.emulated_network import bridge, emulated_network
from blustream_widget.testing.emulator import Conditions
from blustream_widget.testing.namespaces import namespace_obstacle
from blustream_widget.testing.rtc_client import rtc_client
from blustream_widget.testing.server_process import running_server

OBSTACLE = namespace_obstacle()
pytestmark = pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE or "networks can be emulated")

SIZE = {"width_px": 1280, "height_px": 720}
SLOW = Conditions(rtt_ms=20, rate_bps=2e6)
N_SLICES = 60


@pytest.fixture(scope="module")
def network():
    with emulated_network() as made:
        yield made


@pytest.fixture(scope="module")
def server(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("n")
    with (
        network.server.entered(),
        running_server(folder, worker="blustream_widget.worker", server_grace_s=60) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def url(network, server):
    with bridge(network, server.address.socket_path) as address:
        yield address


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    path = tmp_path_factory.mktemp("v") / "noise.npy"
    np.save(path, barcode_volume((N_SLICES, 320, 180)))
    return path


@pytest.fixture(autouse=True)
def good_network(network):
    network.set(Conditions(rtt_ms=2))
    with network.browser.entered():
        yield


@asynccontextmanager
async def session(server, volume):
    async with connect_kernel(server.address) as kernel:
        patch = {"axis": 0, "slice_idx": 0, "colormap": "grey"}
        yield await kernel.open(ref=VolumeRef(url=str(volume), kind="seismic"), patch=patch)


@asynccontextmanager
async def joined(url, token):
    async with connect_through(url, token) as viewer:
        await viewer.message(p.Welcome, lambda m: m.info is not None)
        await viewer.send(vm.ViewSync(seq=1, **SIZE))
        await viewer.frame(lambda h: is_still(h) and h.width_px == SIZE["width_px"])
        yield viewer


def is_still(header):
    return bool(header.flags & FrameFlags.STILL)


def is_small(header):
    return not is_still(header) and header.width_px < SIZE["width_px"]


async def scrub(viewer, numbers, *, first_seq=2, send=None):
    """Ask for slices 60 times a second, whether pictures follow or not."""
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    for n, number in enumerate(numbers):
        message = vm.ChangeSlice(seq=first_seq + n, slice_idx=number)
        await (viewer.send(message) if send is None else send(message))
        await asyncio.sleep(max(begin_s + n / 60 - loop.time(), 0))


def there_and_back(seconds):
    up = [*range(N_SLICES), *range(N_SLICES - 2, 0, -1)]
    return [up[n % len(up)] for n in range(int(60 * seconds))]


async def test_on_a_slow_link_pictures_get_smaller_and_the_viewer_is_told_why(
    server, network, url, volume
):
    async with session(server, volume) as opened, joined(url, opened.token) as viewer:
        network.set(SLOW)
        # A busy machine draws few pictures, and what the link carries is seen after a few dozen.
        for n in range(5):
            viewer.frames.clear()
            await scrub(viewer, [*there_and_back(3), 42], first_seq=2 + 1000 * n)
            shown, _ = await viewer.frame(lambda h: h.slice_idx == 42 and not is_still(h))
            if shown.width_px < SIZE["width_px"]:
                break
        status = await viewer.message(p.Status, lambda m: m.held_back != "")
        still, _ = await viewer.frame(lambda h: h.slice_idx == 42 and is_still(h))
    assert shown.width_px < SIZE["width_px"]
    assert re.fullmatch(r".+ size.*: the link carries [\d.]+ Mbit/s", status.held_back)
    assert (still.width_px, still.height_px) == (SIZE["width_px"], SIZE["height_px"])
    assert viewer.n_parts > 2


async def test_pictures_that_are_too_old_are_never_drawn(server, network, url, volume):
    async with session(server, volume) as opened, joined(url, opened.token) as viewer:
        network.set(SLOW)
        begin = len(viewer.frames)
        asked = [*there_and_back(2), 42]
        await scrub(viewer, asked)
        await viewer.frame(lambda h: h.slice_idx == 42 and is_still(h))
    video = [h for h, _ in viewer.frames[begin:] if not is_still(h)]
    assert len(video) < len(asked)
    assert [h.frame_no for h in video] == sorted(h.frame_no for h in video)


async def test_a_still_on_its_way_makes_room_for_a_newer_picture(server, network, url, volume):
    async with session(server, volume) as opened, joined(url, opened.token) as viewer:
        network.set(Conditions(rtt_ms=20, rate_bps=1e6))
        await scrub(viewer, there_and_back(1.5))
        await scrub(viewer, [30], first_seq=1000)
        n_before = viewer.n_parts
        await viewer.inbox.until(
            lambda: (viewer.n_parts > n_before + 1) or None, "parts of a still"
        )
        await viewer.send(vm.ChangeSlice(seq=1001, slice_idx=31))
        await viewer.frame(lambda h: h.slice_idx == 31 and not is_still(h))
        stills = {h.slice_idx for h, _ in viewer.frames if is_still(h)}
    assert 30 not in stills


async def test_one_slow_viewer_does_not_set_the_rate_for_everybody(server, network, url, volume):
    async with (
        session(server, volume) as opened,
        joined(url, opened.token) as slow,
        connect_viewer(server.address, opened.token) as quick,
    ):
        await quick.frame()
        network.set(Conditions(rtt_ms=20, rate_bps=0.7e6))
        begin = len(slow.frames)
        await scrub(quick, [*there_and_back(4), 42])
        await quick.frame(lambda h: h.slice_idx == 42 and is_still(h))
        await slow.frame(lambda h: h.slice_idx == 42 and is_small(h))
        status = await slow.message(p.Status, lambda m: "your link carries" in m.held_back)
        small = next(h for h, _ in slow.frames[begin:] if is_small(h))
        at_once = [h for h, _ in quick.frames if h.slice_idx == 42]
    assert "size: your link carries" in status.held_back
    assert {h.width_px for h in at_once} == {SIZE["width_px"]}
    assert small.flags & FrameFlags.KEY


async def test_webrtc_carries_pictures_through_delay_and_loss(server, network, url, volume):
    async with (
        session(server, volume) as opened,
        joined(url, opened.token) as viewer,
        rtc_client() as rtc,
    ):
        await viewer.send(p.RtcOffer(sdp=await rtc.offer(is_loopback=False)))
        await rtc.accept((await viewer.message(p.RtcAnswer)).sdp)
        await rtc.opened()
        await viewer.send(p.Stream(path="webrtc"))
        network.set(Conditions(rtt_ms=80, loss=0.01))
        await scrub(viewer, [*there_and_back(2), 42])
        still, _ = await viewer.frame(lambda h: h.slice_idx == 42 and is_still(h))
        pictures = [item for item in rtc.inbox.items if isinstance(item, tuple)]
    assert still.slice_idx == 42
    assert len(pictures) > 10  # how many of the 120 a busy machine shows is no matter here


async def test_where_udp_is_blocked_the_socket_serves(server, network, url, volume):
    network.set(Conditions(rtt_ms=20, has_udp=False))
    async with (
        session(server, volume) as opened,
        joined(url, opened.token) as viewer,
        rtc_client() as rtc,
    ):
        await viewer.send(p.RtcOffer(sdp=await rtc.offer(is_loopback=False)))
        await rtc.accept((await viewer.message(p.RtcAnswer)).sdp)
        await scrub(viewer, [*there_and_back(1), 42])
        await viewer.frame(lambda h: h.slice_idx == 42 and not is_still(h))
        state = rtc.connection.connectionState
    assert state in ("new", "connecting")
