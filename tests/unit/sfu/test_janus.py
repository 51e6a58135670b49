"""What a Janus, and a proxy in front of it, may answer, and what is made of it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from blustream_widget.errors import SfuUnreachableError
from blustream_widget.sfu import Janus, janus
from blustream_widget.sfu.janus import JanusPublisher

HANG_UP = 0
MARK = "of a wish"


class FakeJanus:
    """Answers the plugin's requests as a test says, in turn, then that all is well.

    An answer is the plugin's number of an error, a proxy's status, or `HANG_UP`.
    """

    def __init__(self):
        self.answers, self.asked = {}, []
        self.created, self.info = [], {"id": 7}
        self.may_answer = asyncio.Event()  # what is asked of the plugin is answered while it is set
        self.may_answer.set()
        self.was_asked = asyncio.Event()

    async def answer(self, request):
        message = await request.json()
        data = {"stream": {"ports": [{"port": 9, "rtcp_port": 9}]}}
        if "body" in message:
            name = message["body"]["request"]
            self.asked.append(name)
            self.was_asked.set()
            await self.may_answer.wait()
            if name == "create":
                self.created.append(message["body"])
            data["info"] = self.info
            said = self.answers.get(name, [])
            if said:
                number = said.pop(0)
                if number == HANG_UP:
                    request.transport.close()
                if number >= 500:
                    return web.Response(status=number, text="<html>Bad gateway</html>")
                data = {"error_code": number, "error": "No."}
        answer = {"janus": "success", "data": {"id": 5}, "plugindata": {"data": data}}
        return web.json_response(answer)


@pytest.fixture
async def fake():
    fake, app = FakeJanus(), web.Application()
    app.router.add_post("/{tail:.*}", fake.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        fake.url = str(server.make_url("/janus"))
        yield fake


def publisher_of(fake, **more):
    return JanusPublisher(Janus(url=fake.url, mountpoint=7, secret="s", **more), lambda: None, MARK)


async def test_a_proxy_that_answers_for_a_janus_that_is_not_there_is_silence(fake, monkeypatch):
    monkeypatch.setattr(janus, "LOOK_S", 0.0)
    publisher = publisher_of(fake)
    await publisher.open()
    fake.answers["info"] = [502, 503, 458]  # and then it was started anew
    error = await publisher.lost()
    assert (type(error), fake.asked.count("info")) == (SfuUnreachableError, 3)
    await publisher.close()


async def test_a_mountpoint_whose_making_was_not_answered_is_taken_away(fake):
    fake.answers["create"] = [HANG_UP]
    publisher = publisher_of(fake)
    with pytest.raises(SfuUnreachableError):
        await publisher.open()
    await publisher.close()
    assert fake.asked == ["create", "destroy"]


async def test_one_that_was_refused_is_not(fake):
    fake.answers["create"] = [457]
    publisher = publisher_of(fake)
    with pytest.raises(janus.SfuRefusedError, match="457"):
        await publisher.open()
    await publisher.close()
    assert fake.asked == ["create"]


async def test_what_is_left_behind_is_replaced_also_when_it_is_gone_meanwhile(fake):
    fake.answers = {"create": [456], "destroy": [455]}
    publisher = publisher_of(fake, replace=True)
    await publisher.open()
    await publisher.close()
    assert fake.asked == ["create", "destroy", "create", "destroy"]


async def test_what_an_earlier_try_left_is_replaced(fake):
    first = publisher_of(fake)
    await first.open()
    fake.info["metadata"] = fake.created[0]["metadata"]
    fake.answers = {"create": [456]}
    second = publisher_of(fake)
    await second.open()
    assert fake.asked == ["create", "create", "info", "destroy", "create"]
    for publisher in (first, second):
        await publisher.close()


@pytest.mark.parametrize("metadata", [{}, {"metadata": "of another wish"}, {"metadata": ""}])
@pytest.mark.parametrize("mark", [MARK, ""])
async def test_what_is_somebody_else_s_stays(fake, metadata, mark):
    fake.info |= metadata
    fake.answers = {"create": [456]}
    publisher = JanusPublisher(Janus(url=fake.url, mountpoint=7, secret="s"), lambda: None, mark)
    with pytest.raises(janus.SfuRefusedError, match="456"):
        await publisher.open()
    await publisher.close()
    assert fake.asked == ["create", "info"]


@pytest.mark.parametrize("replace", [False, True])
async def test_a_janus_without_ports_may_have_some_later(fake, replace):
    fake.answers = {"create": [456, 456], "info": [455], "destroy": [455]}
    publisher = publisher_of(fake, replace=replace)
    with pytest.raises(SfuUnreachableError, match="456"):
        await publisher.open()
    await publisher.close()
    assert fake.asked == ["create", *["info"] * (not replace), "destroy", "create"]


@pytest.mark.parametrize("answer", [HANG_UP, 503, 458])
async def test_what_a_silent_janus_still_has_is_taken_away_by_another_try(fake, answer):
    publisher = publisher_of(fake)
    await publisher.open()
    fake.answers["destroy"] = [answer]
    assert await publisher.close() is False
    assert await publisher.close() is True
    assert await publisher.close() is True
    assert fake.asked == ["create", "destroy", "destroy"]


@pytest.mark.parametrize("answer", [455, 457])
async def test_what_is_gone_or_somebody_else_s_is_not_tried_again(fake, answer):
    publisher = publisher_of(fake)
    await publisher.open()
    fake.answers["destroy"] = [answer]
    assert await publisher.close() is True
    assert fake.asked == ["create", "destroy"]


async def test_a_close_that_nobody_waits_for_any_longer_keeps_no_connection(fake, monkeypatch):
    made = []

    make = aiohttp.ClientSession

    def keep(**more):
        made.append(make(**more))
        return made[-1]

    monkeypatch.setattr(aiohttp, "ClientSession", keep)
    publisher = publisher_of(fake)
    await publisher.open()
    for _ in range(2):  # with the connection of `open`, and with another one
        fake.was_asked.clear()
        fake.may_answer.clear()
        closing = asyncio.create_task(publisher.close())
        async with asyncio.timeout(5):
            await fake.was_asked.wait()
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        fake.may_answer.set()
    assert [http.closed for http in made] == [True, True]
    assert await publisher.close() is True
