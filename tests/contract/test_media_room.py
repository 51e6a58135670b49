"""Rooms for calls keep the promises of their contract: at a real Janus, and the fake one."""

from __future__ import annotations

import asyncio
import json
import os

import msgspec
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from blustream_widget.config import Config
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.errors import SfuUnreachableError
from blustream_widget.session.call_relay import call_sfu_obstacle
from blustream_widget.sfu import janus_session
from blustream_widget.sfu.media_room import LineEvents
from blustream_widget.sfu.videoroom import JanusRoom, end_rooms
from blustream_widget.testing import fake_media_room
from blustream_widget.testing.caller import Tone
from blustream_widget.testing.contracts import media_room as suite
from blustream_widget.testing.fake_media_room import FakeSfu
from blustream_widget.testing.janus_server import (
    ADMIN_KEY,
    API_SECRET,
    JanusServer,
    janus_obstacle,
)
from blustream_widget.testing.namespaces import Namespace, namespace_obstacle


class AiortcPage:
    """A page that is connected for good, and says this."""

    def __init__(self, voice=AudioStreamTrack):
        self.connections = []
        self._voice = voice

    def _connection(self):
        self.connections.append(RTCPeerConnection(RTCConfiguration(iceServers=[])))
        return self.connections[-1]

    async def offer(self):
        self._up = self._connection()
        self._up.addTrack(self._voice())
        self._up.addTransceiver("video", direction="sendonly")
        await self._up.setLocalDescription(await self._up.createOffer())
        return self._up.localDescription.sdp

    async def take_answer(self, sdp):
        await self._up.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def answer(self, offer):
        down = getattr(self, "_down", None) or self._connection()
        self._down = down
        await down.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        await down.setLocalDescription(await down.createAnswer())
        return down.localDescription.sdp


class JanusHarness:
    def __init__(self, server):
        self._server = server
        self._pages, self.talks = [], asyncio.Queue()
        self.settings = CallSfu(url=server.url, api_secret=API_SECRET, admin_key=ADMIN_KEY)

    def room(self, name, *left, is_wrong=False):
        changes = {"api_secret": "a wrong secret"} if is_wrong else {}
        settings = msgspec.structs.replace(self.settings, **changes)
        return JanusRoom(settings, name, left, self.talks.put_nowait)

    def page(self, *voice):
        self._pages.append(AiortcPage(*voice))
        return self._pages[-1]

    async def connected(self, up):
        pass  # they see to it themselves

    async def names(self):
        answer = await self._ask(request="list", admin_key=ADMIN_KEY)
        return {room["room"] for room in answer["list"]}

    async def end_there(self, name):
        await self._ask(request="destroy", room=name.number, secret=name.secret)

    async def stop(self):
        self._server.stop()

    async def start(self):
        self._server.start()

    async def close(self):
        connections = [each for page in self._pages for each in page.connections]
        await asyncio.gather(*(each.close() for each in connections))

    async def _ask(self, **body):
        return await self._server.ask("videoroom", body)


class FakePage:
    async def offer(self):
        return "v=0\r\nm=audio 9\r\nm=video 9\r\n"

    async def take_answer(self, sdp):
        assert sdp.startswith("v=0")

    async def answer(self, offer):
        return offer.sdp


class FakeHarness:
    def __init__(self):
        self._sfu = FakeSfu()

    def room(self, name, *left, is_wrong=False):
        secret = "a wrong secret" if is_wrong else fake_media_room.SECRET
        settings = CallSfu(url="http://fake", api_secret=secret)
        return self._sfu.make(settings, name, left, lambda _: None)

    def page(self):
        return FakePage()

    async def connected(self, up):
        up.come()

    async def names(self):
        return set(self._sfu.rooms)

    async def end_there(self, name):
        self._sfu.end(name)

    async def stop(self):
        self._sfu.stop()

    async def start(self):
        self._sfu.start()


@pytest.fixture(scope="module")
def namespace():
    if obstacle := janus_obstacle() or namespace_obstacle():
        pytest.skip(obstacle)
    with Namespace(f"bs-room-{os.getpid()}") as made:
        if not made.add_network("10.82.0.1/24"):
            pytest.skip("this kernel has no veth")
        yield made


@pytest.fixture(scope="module")
def running_janus(namespace, tmp_path_factory):
    folder, command = tmp_path_factory.mktemp("j"), namespace.command()
    with JanusServer(folder, plugin="videoroom", command=command, ice_interface="d0") as server:
        yield server


@pytest.fixture(params=["janus", "fake"])
async def harness(request, monkeypatch):
    monkeypatch.setattr(janus_session, "LOOK_S", 0.2)
    monkeypatch.setattr(janus_session, "LOST_S", 0.2)
    if request.param == "fake":
        yield FakeHarness()
        return
    server = request.getfixturevalue("running_janus")
    with request.getfixturevalue("namespace").entered():
        made = JanusHarness(server)
        yield made
        await made.close()


async def test_a_room_that_was_left_behind_is_ended(harness):
    if isinstance(harness, FakeHarness):
        pytest.skip("the fake is asked for that in unit tests")
    left = harness.room(suite.ONE)
    await left.open()
    await end_rooms(harness.settings, [suite.ONE])
    assert await harness.names() == set()
    await end_rooms(harness.settings, [suite.ONE])
    await left.close()


async def test_janus_says_who_talks_and_not_who_is_silent(harness):
    if isinstance(harness, FakeHarness):
        pytest.skip("the fake hears nothing")
    room = harness.room(suite.ONE)
    await room.open()
    ups = []
    for voice in (AudioStreamTrack, lambda: Tone(440.0)):
        page = harness.page(voice)
        events = LineEvents(lambda: None, lambda: None, lambda _: None)
        ups.append(await room.publish(await page.offer(), events))
        await page.take_answer(ups[-1].answer)
    async with asyncio.timeout(suite.TIMEOUT_S):
        talking = await harness.talks.get()
    assert talking == ups[1].streams[0].feed
    await room.close()


async def test_a_janus_that_was_started_anew_is_known_as_such(harness, monkeypatch):
    if isinstance(harness, FakeHarness):
        pytest.skip("the fake is started anew in unit tests")
    monkeypatch.setattr(janus_session, "LOST_S", 60.0)  # it is no silence that is noticed
    room = harness.room(suite.ONE)
    await room.open()
    await harness.stop()
    await harness.start()
    async with asyncio.timeout(suite.TIMEOUT_S):
        error = await room.lost()
    assert isinstance(error, SfuUnreachableError)
    assert "anew" in error.message
    await room.close()


async def test_doctor_tries_the_sfu_of_calls(running_janus, namespace):
    setting = {"type": "janus", "url": running_janus.url, "api_secret": API_SECRET}
    with namespace.entered():
        obstacle = await call_sfu_obstacle(Config(call_sfu=json.dumps(setting)))
        assert "Give the admin_key" in obstacle
        good = Config(call_sfu=json.dumps(setting | {"admin_key": ADMIN_KEY}))
        assert await call_sfu_obstacle(good) == ""


CHECKS = [value for name, value in vars(suite).items() if name.startswith("check_")]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
async def test_media_room(harness, check):
    await check(harness)
