"""Both kinds of SFU keep the promises of the publisher contract.

Janus is the real one, at 127.0.0.1; what it gets is read from its own recording. LiveKit's SDK is
the real one; its server speaks as much of the protocol as is used. The SDK has no candidates at
127.0.0.1, so it needs a namespace.
"""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from aiortc.codecs.h264 import h264_depayload
from aiortc.rtp import RtpPacket
from livekit.protocol import models

from blustream_widget.config import Config
from blustream_widget.session.publishing import sfu_obstacle
from blustream_widget.sfu import Janus, LiveKit, janus, livekit
from blustream_widget.sfu.janus import JanusPublisher
from blustream_widget.sfu.livekit import LiveKitPublisher
from blustream_widget.testing import livekit_server
from blustream_widget.testing.contracts import publisher as suite
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.testing.janus_server import (
    ADMIN_KEY,
    API_SECRET,
    JanusServer,
    janus_obstacle,
)
from blustream_widget.testing.livekit_server import LiveKitServer
from blustream_widget.testing.namespaces import Namespace, namespace_obstacle

MOUNTPOINT, SECRET = 4711, "a secret of a mountpoint"


async def turn():
    """A frame's time at 100 frames a second: somebody draws on, whatever comes of it."""
    await asyncio.sleep(0.01)


class JanusHarness:
    def __init__(self, server, folder):
        self._server, self._folder = server, folder
        self._target = Janus(
            url=server.url,
            mountpoint=MOUNTPOINT,
            secret=SECRET,
            api_secret=API_SECRET,
            admin_key=ADMIN_KEY,
        )

    def publisher(self, on_keyframe, *, is_wrong=False):
        target = self._target
        if is_wrong:
            target = Janus(url=target.url, mountpoint=MOUNTPOINT, api_secret="a wrong secret")
        return JanusPublisher(target, on_keyframe)

    async def feed(self, publisher, n):
        path = self._folder / "what-came"
        media = [{"mid": "v", "filename": str(path)}]
        await self._ask(request="recording", action="start", media=media)
        frames, number = [], 0
        async with asyncio.timeout(suite.TIMEOUT_S):
            while len(frames) < n:  # it writes some kilobytes at a time
                publisher.send(make_frame(number, is_key=number == 0))
                number += 1
                await turn()
                frames = self._frames(path)
        await self._ask(request="recording", action="stop", media=[{"mid": "v"}])
        return frames

    def _frames(self, path):
        """Janus' own format: heads of 10 bytes that begin with MEET, and RTP packets."""
        data = path.with_suffix(".mjr").read_bytes()
        if len(data) < 10:
            return []
        at = 10 + int.from_bytes(data[8:10], "big")
        frames, parts = [], []
        while at + 10 <= len(data):
            assert data[at : at + 4] == b"MEET"
            end = at + 10 + int.from_bytes(data[at + 8 : at + 10], "big")
            if end > len(data):
                break
            packet = RtpPacket.parse(data[at + 10 : end])
            parts.append(h264_depayload(packet.payload))
            if packet.marker:
                frames.append(suite.nal_units(b"".join(parts)))
                parts = []
            at = end
        return frames

    async def is_there(self):
        return "info" in await self._ask(request="info")

    async def end_there(self):
        await self._ask(request="destroy")

    async def wish_for_keyframe(self):
        pytest.skip("Janus asks for its viewers only: see integration/test_sfu")

    async def stop(self):
        self._server.stop()

    async def start(self):
        self._server.start()

    async def _ask(self, **body):
        return await self._server.ask("streaming", body | {"id": MOUNTPOINT, "secret": SECRET})


class LiveKitHarness:
    def __init__(self, server):
        self._server = server

    def publisher(self, on_keyframe, *, is_wrong=False):
        target = LiveKit(
            url=self._server.url,
            room="survey",
            identity="view",
            api_key=livekit_server.API_KEY,
            api_secret="a wrong secret that is as long as LiveKit wants"
            if is_wrong
            else livekit_server.API_SECRET,
        )
        return LiveKitPublisher(target, on_keyframe)

    async def feed(self, publisher, n):
        units = self._server.inbox.items
        first = len(units)
        async with asyncio.timeout(suite.TIMEOUT_S):
            # Nothing leaves before the SDK is connected, and then it begins at a keyframe.
            while len(units) - first < n:
                publisher.send(make_frame(len(units) - first, is_key=len(units) == first))
                await turn()
        return [suite.nal_units(unit) for unit in units[first:]]

    async def is_there(self):
        return "view" in self._server.identities

    async def end_there(self):
        await self._server.remove_all(models.DisconnectReason.PARTICIPANT_REMOVED)

    async def wish_for_keyframe(self):
        await self._server.ask_for_keyframe()

    async def stop(self):
        await self._server.stop()

    async def start(self):
        await self._server.start()


@pytest.fixture(scope="module")
def running_janus(tmp_path_factory):
    if obstacle := janus_obstacle():
        pytest.skip(obstacle)
    with JanusServer(tmp_path_factory.mktemp("j")) as server:
        yield server


@pytest.fixture(scope="module")
def namespace():
    if obstacle := namespace_obstacle():
        pytest.skip(obstacle)
    with Namespace(f"bs-lk-{os.getpid()}") as made:
        if not made.add_network("10.78.0.1/24"):
            pytest.skip("this kernel has no veth")
        yield made


@pytest.fixture(params=["janus", "livekit"])
async def harness(request, tmp_path, monkeypatch):
    monkeypatch.setattr(janus, "LOOK_S", 0.05)
    monkeypatch.setattr(janus, "LOST_S", 0.2)
    monkeypatch.setattr(livekit, "LOST_S", 0.2)
    if request.param == "janus":
        yield JanusHarness(request.getfixturevalue("running_janus"), tmp_path)
        return
    with request.getfixturevalue("namespace").entered():
        async with LiveKitServer() as server:
            yield LiveKitHarness(server)


async def test_doctor_tries_the_sfu_of_the_settings(running_janus):
    setting = {"type": "janus", "url": running_janus.url, "api_secret": API_SECRET}
    config = Config(sfu=json.dumps(setting))
    assert "Give the admin_key" in await sfu_obstacle(config)
    config = Config(sfu=json.dumps(setting | {"admin_key": ADMIN_KEY}))
    assert await sfu_obstacle(config) == ""


CHECKS = [value for name, value in vars(suite).items() if name.startswith("check_")]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
async def test_publisher(harness, check):
    await check(harness)
