"""Calls of more than six, through a real Janus: all hear all, whatever happens to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import aiohttp
import pytest

from blustream_widget.core import call_messages as cm
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.session import call_media
from blustream_widget.testing.caller import caller
from blustream_widget.testing.clients import connect_kernel
from blustream_widget.testing.janus_server import (
    ADMIN_KEY,
    API_SECRET,
    JanusServer,
    janus_obstacle,
)
from blustream_widget.testing.namespaces import Namespace, namespace_obstacle
from blustream_widget.testing.server_process import (
    FAKE_WORKER,
    ServerProcess,
    running_server,
)

OBSTACLE = janus_obstacle() or namespace_obstacle()
pytestmark = pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE or "there can be one")
CODE, LINK = "g" * 32, "a" * 16
FIRST_HZ, APART_HZ = 400.0, 150.0


@pytest.fixture(scope="module")
def namespace():
    """A network of its own: Janus has no candidates at 127.0.0.1, whatever its settings."""
    with Namespace(f"bs-call-{os.getpid()}") as made:
        if not made.add_network("10.80.0.1/24"):
            pytest.skip("this kernel has no veth")
        yield made


@pytest.fixture
def janus(namespace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("j")
    command = namespace.command()
    with JanusServer(folder, plugin="videoroom", command=command, ice_interface="d0") as server:
        yield server


@pytest.fixture
def server(namespace, janus, tmp_path_factory):
    secrets = {"api_secret": API_SECRET, "admin_key": ADMIN_KEY}
    setting = {"type": "janus", "url": janus.url, "people": 9} | secrets
    settings = {"transports": "websocket", "call_sfu": json.dumps(setting)}
    with (
        namespace.entered(),
        running_server(tmp_path_factory.mktemp("s"), server_grace_s=60, **settings) as running,
    ):
        yield running


@asynccontextmanager
async def people(server, n):
    """A shared view with so many guests; the first is not in the call yet, nor is the last."""
    async with connect_kernel(server.address) as kernel, AsyncExitStack() as stack:
        opened = await kernel.open()
        link = {"id": LINK, "code": CODE, "role": "viewer", "max_viewers": 20}
        await kernel.send(ls.OpenLink(session=opened.session, expires_s=3600.0, **link))
        await kernel.message(ls.Shared, lambda m: bool(m.links))
        callers = [
            await stack.enter_async_context(
                caller(server.address, CODE, f"Guest {k}", FIRST_HZ + k * APART_HZ)
            )
            for k in range(n)
        ]
        yield kernel, opened, callers
        with contextlib.suppress(ConnectionError):  # of a server that was killed
            await kernel.send(lp.CloseSession(session=opened.session))


async def all_hear_all(callers):
    """Each hears the tone of each of the others, and nobody else."""
    for listener in callers:
        for other in callers:
            if other is listener:
                continue

            def is_heard(listener=listener, other=other):
                hz = listener.hears(other.seat)
                return hz is not None and abs(hz - other.hz) < APART_HZ / 4

            await listener.until(is_heard, f"{other.hz} Hz")


async def enter(callers):
    for one in callers:
        await one.join()
        await one.until(lambda one=one: one.called is not None or one.refusal, "an answer")


async def rooms_at(janus):
    async with aiohttp.ClientSession() as http:

        async def post(path, **message):
            message |= {"apisecret": API_SECRET, "transaction": "of a test"}
            async with http.post(janus.url + path, json=message) as response:
                return await response.json(content_type=None)

        session = f"/{(await post('', janus='create'))['data']['id']}"
        plugin = "janus.plugin.videoroom"
        handle = (await post(session, janus="attach", plugin=plugin))["data"]["id"]
        body = {"request": "list", "admin_key": ADMIN_KEY}
        answer = await post(f"{session}/{handle}", janus="message", body=body)
        await post(session, janus="destroy")
        return [room["num_participants"] for room in answer["plugindata"]["data"]["list"]]


async def no_room_is_left(janus):
    async with asyncio.timeout(30):
        while await rooms_at(janus):  # noqa: ASYNC110 - Janus tells nobody of it
            await asyncio.sleep(0.1)


async def test_nine_people_hear_each_other_and_a_tenth_has_no_place(namespace, janus, server):
    with namespace.entered():
        async with people(server, 10) as (_kernel, _opened, callers):
            await enter(callers[:6])
            assert [c.called.sfu for c in callers[:6]] == [0] * 6
            assert await rooms_at(janus) == []
            await enter(callers[6:])
            assert "takes 9 people" in callers[9].refusal
            nine = callers[:9]
            await all_hear_all(nine)
            await nine[0].leave()
            await all_hear_all(nine[1:])
            assert await rooms_at(janus) == [8]
        await no_room_is_left(janus)


def mutated(random, sdp):
    """An offer with a few lines that are gone, twice there, or other ones."""
    lines = sdp.split("\r\n")
    for _ in range(random.randint(1, 6)):
        at = random.randrange(1, len(lines))
        change = random.randrange(4)
        if change == 0:
            del lines[at]
        elif change == 1:
            lines.insert(at, lines[at])
        elif change == 2:
            lines[at] = lines[at][: random.randint(0, len(lines[at]))]
        else:
            lines[at] = "".join(random.choice((c, c, c, "\x7f", "9", ":")) for c in lines[at])
    return "\r\n".join(lines)[: cm.SDP_CHARS]


async def test_what_a_hostile_page_tells_janus_ends_with_that_page(namespace, janus, server):
    random = Random(20)
    with namespace.entered():
        async with people(server, 7) as (_kernel, _opened, callers):
            await enter(callers)
            await all_hear_all(callers[:3])
            eve = callers[6]
            offer = eve.offered
            await eve.leave()
            eve.is_deaf = True  # nothing answers but what is sent here
            await eve.join()
            await eve.until(lambda: eve.called is not None, "a seat")
            for n in range(1, 8):
                hostile = cm.Description(kind="offer", sdp=mutated(random, offer))
                await eve.viewer.send(cm.CallMedia(n=n, way="up", signal=hostile))
                for text in ("", "candidate:", "x" * 1024, "candidate:1 1 udp 1 ::1 9 typ host"):
                    where = cm.Candidate(candidate=text, sdp_mid="no such", sdp_m_line_index=9)
                    await eve.viewer.send(cm.CallMedia(n=n, way="up", signal=where))
                    await eve.viewer.send(cm.CallMedia(n=n, way="down", signal=where))
                answer = cm.Description(kind="answer", sdp=mutated(random, offer))
                await eve.viewer.send(cm.CallMedia(n=n, way="down", signal=answer))
                await eve.viewer.round_trip()
            for one in callers[:6]:
                one.packets.clear()  # what is heard from now on
            await all_hear_all(callers[:3])
            assert janus.is_running
            await eve.leave()
        await no_room_is_left(janus)


async def test_a_nervous_camera_costs_the_others_one_answer_a_second(namespace, janus, server):
    loop = asyncio.get_running_loop()
    with namespace.entered():
        async with people(server, 8) as (_kernel, _opened, callers):
            await enter(callers)
            await all_hear_all([callers[0], callers[7]])
            *others, nervous = callers
            before, began_s = [len(one.answers) for one in others], loop.time()
            for k in range(16):
                await nervous.show(camera=k % 2 == 0)
                await asyncio.sleep(0.2)  # as fast as a hand is
            lasted_s = loop.time() - began_s
            most = lasted_s / call_media.AGREE_S + call_media.AT_ONCE + 1  # one is from before
            for one, n_before in zip(others, before, strict=True):
                assert 0 < len(one.answers) - n_before <= most
            await nervous.show(camera=True)
            for one in others:  # and how it is in the end comes all the same
                await one.until(lambda one=one: nervous.seat in one.pictures, "a camera")
            assert [one.refusal for one in callers] == [""] * 8
            await all_hear_all([callers[0], callers[7]])
        await no_room_is_left(janus)


async def test_when_janus_is_killed_all_are_told_and_hear_each_other_when_it_is_back(
    namespace, janus, server
):
    with namespace.entered():
        async with people(server, 7) as (_kernel, _opened, callers):
            await enter(callers)
            await all_hear_all(callers[:3])
            janus.stop()
            for one in callers:
                await one.until(lambda one=one: one.called.trouble, "a word")
                assert (one.called.sfu, one.called.mesh) == (0, False)
            janus.start()
            for one in callers:
                await one.until(lambda one=one: one.called.sfu == 2, "another room")
                assert one.called.trouble == ""
            await all_hear_all(callers[:3])
            assert await rooms_at(janus) == [7]
        await no_room_is_left(janus)


@pytest.mark.parametrize("comes", [True, False], ids=["with its kernel", "without a kernel"])
async def test_the_room_that_a_killed_server_left_is_ended_by_the_next_one(
    namespace, janus, server, comes
):
    with namespace.entered():
        async with people(server, 7) as (_kernel, opened, callers):
            await enter(callers)
            assert len(await rooms_at(janus)) == 1
            server.process.kill()
            server.wait_until_ended()
        assert len(await rooms_at(janus)) == 1
        next_one = ServerProcess(server.config, FAKE_WORKER)
        try:
            async with AsyncExitStack() as stack:
                if comes:
                    kernel = await stack.enter_async_context(connect_kernel(next_one.address))
                    await kernel.open(session=opened.session)
                await no_room_is_left(janus)
        finally:
            next_one.process.terminate()
            next_one.wait_until_ended()
