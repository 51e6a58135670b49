"""What a Janus may answer or tell about a call's room, and what is made of it."""

from __future__ import annotations

import asyncio
import traceback

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from blustream_widget.core.call_messages import Candidate
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.errors import SfuRefusedError, SfuUnreachableError
from blustream_widget.sfu import janus_session
from blustream_widget.sfu.janus_api import ClosedError, JanusHttp, SilentError
from blustream_widget.sfu.janus_session import JanusSession
from blustream_widget.sfu.media_room import LineEvents, Stream
from blustream_widget.sfu.videoroom import JanusRoom, end_rooms, new_name

VOICE = {"type": "audio", "mindex": 0, "mid": "0", "codec": "opus"}
JOINED = {"videoroom": "joined", "streams": [VOICE]}
ANSWER = {"type": "answer", "sdp": "v=0"}


class FakeJanus:
    """Answers requests as a test says, and tells what it puts into `events`.

    `says` has for a request what the plugin says, and a description; or the number of an error of
    Janus itself. In `polls`, a number is a status of HTTP.
    """

    def __init__(self):
        self.events = asyncio.Queue()
        self.asked, self.trickled, self.polls = [], [], []
        self.says = {"create": ({"videoroom": "created"}, None), "destroy": ({}, None)}
        self.says["joinandconfigure"] = (JOINED, ANSWER)
        self.is_mute = False
        # What is told next is lost, and its connection says no more.
        self.is_deaf, self.is_over = False, asyncio.Event()
        self.all_heard, self.attaches = asyncio.Event(), asyncio.Event()
        self.attaches.set()
        self._n = 100

    async def post(self, request):
        message = await request.json()
        if "body" in message:
            return await self._ask(message)
        if message["janus"] == "trickle":
            self.trickled.append(message["candidate"])
        if message["janus"] in ("attach", "detach"):
            self.asked.append(message["janus"])
            await self.attaches.wait()
        self._n += 1
        return web.json_response({"janus": "success", "data": {"id": self._n}})

    async def _ask(self, message):
        name = message["body"]["request"]
        self.asked.append(name)
        if isinstance(self.says[name], int):
            error = {"code": self.says[name], "reason": "no reason"}
            return web.json_response({"janus": "error", "error": error})
        data, description = self.says[name]
        if name in ("create", "destroy"):
            return web.json_response({"janus": "success", "plugindata": {"data": data}})
        event = {"janus": "event", "sender": self._n, "transaction": message["transaction"]}
        event |= {"plugindata": {"data": data}} | ({"jsep": description} if description else {})
        await self.events.put({"janus": "media"} if self.is_mute else event)
        return web.json_response({"janus": "ack"})

    async def poll(self, request):
        assert request.query["apisecret"] == "hidden"
        if self.polls:
            said = self.polls.pop(0)
            if isinstance(said, int):
                return web.Response(status=said, text="<html>")
            return web.json_response(said)
        if self.events.empty():
            self.all_heard.set()  # who asks again has taken what came before
        event = await self.events.get()
        if self.is_deaf:
            self.is_deaf = False
            await self.is_over.wait()
        return web.json_response([event])

    async def tell(self, *events):
        """Tell events about the newest handle, and wait until they were heard."""
        self.all_heard.clear()
        for event in events:
            await self.events.put({"sender": self._n} | event)
        async with asyncio.timeout(10):
            await self.all_heard.wait()


class Heard:
    def __init__(self):
        self.n_up = self.n_gone = 0
        self.candidates = []
        self.events = LineEvents(self._up, self._gone, self.candidates.append)

    def _up(self):
        self.n_up += 1

    def _gone(self):
        self.n_gone += 1


@pytest.fixture
async def fake():
    fake, app = FakeJanus(), web.Application()
    app.router.add_post("/{tail:.*}", fake.post)
    app.router.add_get("/{tail:.*}", fake.poll)
    async with TestServer(app, host="127.0.0.1") as server:
        fake.url = str(server.make_url("/janus"))
        yield fake
        fake.is_over.set()


@pytest.fixture
async def room(fake):
    fake.talks = []
    settings = CallSfu(url=fake.url, api_secret="hidden")
    made = JanusRoom(settings, new_name(), (), fake.talks.append)
    await made.open()
    yield made
    await made.close()


async def test_what_is_told_of_a_line_is_heard_and_nonsense_is_not(fake, room):
    heard = Heard()
    up = await room.publish("v=0", heard.events)
    assert up.streams == (Stream(up.streams[0].feed, "0", "audio"),)
    await fake.tell(
        {"janus": "webrtcup"},
        {"janus": "trickle", "candidate": {"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0}},
        {"janus": "trickle", "candidate": {"completed": True}},
        {"janus": "trickle", "candidate": 5},
        {"janus": "trickle"},
        {"janus": "event", "plugindata": {"data": {"videoroom": "talking", "id": 7}}},
        {"janus": "event", "jsep": "nonsense"},
        {"janus": "media", "sender": "nobody"},
        {"janus": "hangup", "reason": "DTLS alert"},
    )
    assert (heard.n_up, heard.n_gone, fake.talks) == (1, 1, [7])
    assert heard.candidates == [Candidate("c", "0", 0)]
    await up.close()
    await fake.tell({"janus": "hangup"})
    assert heard.n_gone == 1


async def test_where_a_page_is_reached_is_passed_on_in_janus_words(fake, room):
    up = await room.publish("v=0", Heard().events)
    await up.trickle(Candidate(candidate="c", sdp_mid="0", username_fragment="u"))
    await up.trickle(Candidate(candidate=""))
    assert fake.trickled == [{"candidate": "c", "sdpMid": "0"}, {"completed": True}]


NO_SESSION = {"janus": "error", "error": {"code": 458, "reason": "No such session"}}


@pytest.mark.parametrize("gone", [404, NO_SESSION])  # a poll's, and any other request's
async def test_a_silence_of_a_moment_is_no_loss_and_a_new_janus_is(fake, monkeypatch, gone):
    monkeypatch.setattr(janus_session, "_AGAIN_S", 0.0)
    settings = CallSfu(url=fake.url, api_secret="hidden")
    fake.polls = [502, {"janus": "keepalive"}, 429, gone]
    room = JanusRoom(settings, new_name(), (), lambda _: None)
    await room.open()
    async with asyncio.timeout(10):
        error = await room.lost()
    assert isinstance(error, SfuUnreachableError)
    assert "anew" in error.message
    await room.close()


async def test_a_janus_that_takes_requests_and_says_no_more_is_not_waited_for(
    fake, room, monkeypatch
):
    monkeypatch.setattr(janus_session, "_THINK_S", 0.01)
    fake.is_mute = True
    with pytest.raises(SilentError):
        await room.publish("v=0", Heard().events)


async def test_a_janus_that_has_ended_is_not_waited_for_as_a_silent_one_is(monkeypatch):
    monkeypatch.setattr(janus_session, "LOST_S", 3600.0)
    monkeypatch.setattr(janus_session, "CLOSED_S", 0.0)
    fake, app = FakeJanus(), web.Application()
    app.router.add_post("/{tail:.*}", fake.post)
    app.router.add_get("/{tail:.*}", fake.poll)
    async with TestServer(app, host="127.0.0.1", handler_cancellation=True) as server:
        session = JanusSession(CallSfu(url=str(server.make_url("/janus")), api_secret="hidden"))
        await session.open()
    async with asyncio.timeout(10):
        assert isinstance(await session.lost(), ClosedError)
    await session.close()


async def test_a_proxy_that_is_started_anew_in_a_second_changes_nothing(fake):
    now_s = 0.0
    session = JanusSession(CallSfu(url=fake.url, api_secret="hidden"), clock=lambda: now_s)
    await session.open()
    for now_s in (1.0, 1.9, 5.0, 5.9):
        session._failed(ClosedError("Nobody listens."))
        assert not session._end.done()
        if now_s == 1.9:
            session._heard()
    now_s = 6.1
    session._failed(ClosedError("Nobody listens."))
    assert "Nobody" in (await session.lost()).message
    await session.close()


async def test_a_poll_that_hears_nothing_any_more_is_begun_anew(fake, room, monkeypatch):
    there, coming = Heard(), Heard()
    await room.publish("v=0", there.events)
    await fake.tell({"janus": "webrtcup"})
    await room.publish("v=0", coming.events)
    fake.is_deaf = True
    monkeypatch.setattr(janus_session, "_THINK_S", 0.05)
    with pytest.raises(SilentError):
        await room.publish("v=0", Heard().events)
    monkeypatch.undo()
    await room.publish("v=0", Heard().events)
    # That it came up may have got lost; of who was there, nothing that its page does not see.
    assert (there.n_gone, coming.n_gone) == (0, 1)


async def test_a_poll_that_hears_something_else_is_not_begun_anew(fake, room, monkeypatch):
    coming = Heard()
    await room.publish("v=0", coming.events)
    monkeypatch.setattr(janus_session, "_THINK_S", 0.2)
    fake.is_mute = True  # all that comes is no answer
    with pytest.raises(SilentError):
        await room.publish("v=0", Heard().events)
    assert coming.n_gone == 0


async def test_a_room_that_janus_does_not_let_us_end_is_named_with_the_reason(fake, caplog):
    name = new_name()
    room = JanusRoom(CallSfu(url=fake.url, api_secret="hidden"), name, (), lambda _: None)
    await room.open()
    refusal = {"error_code": 433, "error": "Unauthorized (wrong secret)"}
    fake.says["destroy"] = (refusal, None)
    assert await room.close()  # no other try would be another one
    assert f"Room {name.number} of a call stays at Janus" in caplog.text
    assert "wrong secret" in caplog.text
    assert "hidden" not in caplog.text
    assert name.secret not in caplog.text


async def test_rooms_of_which_nothing_is_known_are_not_taken_as_ended(fake):
    fake.says["destroy"] = 458
    with pytest.raises(SfuUnreachableError, match="ended our session"):
        await end_rooms(CallSfu(url=fake.url, api_secret="hidden"), [new_name()])


async def test_a_room_that_is_gone_is_ended(fake, caplog):
    fake.says["destroy"] = ({"error_code": 426, "error": "No such room"}, None)
    await end_rooms(CallSfu(url=fake.url, api_secret="hidden"), [new_name()])
    assert caplog.text == ""


@pytest.mark.parametrize(
    "description", [None, {"type": "offer", "sdp": "v=0"}, {"type": "answer", "sdp": "x" * 300_000}]
)
async def test_what_no_browser_could_take_is_refused(fake, room, description):
    fake.says["joinandconfigure"] = (JOINED, description)
    with pytest.raises(SfuRefusedError, match="no answer"):
        await room.publish("v=0", Heard().events)


async def test_a_room_that_somebody_ended_is_lost_when_a_page_comes(fake, room):
    fake.says["joinandconfigure"] = ({"error_code": 426, "error": "No such room"}, None)
    with pytest.raises(SfuRefusedError, match="426"):
        await room.publish("v=0", Heard().events)
    assert "Somebody ended" in (await room.lost()).message


async def test_a_handle_that_is_made_for_nobody_any_more_is_let_go_of(fake, room):
    fake.asked.clear()
    fake.attaches.clear()
    publishing = asyncio.create_task(room.publish("v=0", Heard().events))
    async with asyncio.timeout(10):
        while not fake.asked:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.001)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        fake.attaches.set()
        while "detach" not in fake.asked:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.001)
    assert fake.asked == ["attach", "detach"]


async def test_a_handle_that_is_made_too_late_is_let_go_of(fake, room, monkeypatch):
    monkeypatch.setattr(janus_session, "REQUEST_TIMEOUT_S", 0.05)
    fake.asked.clear()
    fake.attaches.clear()
    with pytest.raises(SilentError, match="in time"):
        await room.publish("v=0", Heard().events)
    monkeypatch.undo()
    fake.attaches.set()
    async with asyncio.timeout(10):
        while "detach" not in fake.asked:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.001)
    assert fake.asked == ["attach", "detach"]


async def test_a_listener_that_fails_loses_the_room_and_does_not_deafen_it(fake, room, caplog):
    await room.publish("v=0", LineEvents(lambda: {}["bug"], lambda: None, lambda _: None))
    await fake.events.put({"sender": fake._n, "janus": "webrtcup"})
    async with asyncio.timeout(10):
        await room.lost()
    assert "cannot be taken" in caplog.text


@pytest.mark.parametrize(
    "event",
    [
        {"janus": "event", "plugindata": []},
        {"janus": "event", "plugindata": {"data": {"videoroom": "talking", "id": "x"}}},
        {"janus": 5, "sender": {}},
    ],
)
async def test_events_of_no_janus_lose_it_or_are_nothing_and_do_not_deafen(fake, room, event):
    heard = Heard()
    await room.publish("v=0", heard.events)
    losing = asyncio.create_task(room.lost())
    await fake.events.put({"sender": fake._n} | event)
    await fake.events.put({"sender": fake._n, "janus": "webrtcup"})
    async with asyncio.timeout(10):
        while not (heard.n_up or losing.done()):  # noqa: ASYNC110 - either may be
            await asyncio.sleep(0.001)
    losing.cancel()


async def test_lines_that_cannot_be_read_are_refused(fake, room):
    fake.says["joinandconfigure"] = ({"videoroom": "joined", "streams": [5]}, ANSWER)
    with pytest.raises(SfuRefusedError, match="no line"):
        await room.publish("v=0", Heard().events)


async def test_no_secret_is_in_what_is_said_of_an_error(fake, monkeypatch):
    settings = CallSfu(url="http://127.0.0.1:9/janus", api_secret="hidden", token="hidden")
    room = JanusRoom(settings, new_name(), (), lambda _: None)
    with pytest.raises(SfuUnreachableError) as raised:
        await room.open()
    await room.close()
    assert "hidden" not in f"{raised.value} {raised.value.__cause__}"


async def test_no_secret_is_in_what_is_said_of_an_answer_that_is_no_http(caplog):
    async def nonsense(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"nonsense\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/janus"
    http = JanusHttp(CallSfu(url=url, api_secret="hidden", token="hidden"))
    for request in (http.events("1", 1), http.post("", {"janus": "create"})):
        with pytest.raises(SilentError, match="no HTTP") as raised:
            await request
        assert "hidden" not in "".join(traceback.format_exception(raised.value))
    await http.close()
    server.close()


async def test_secrets_are_told_to_no_other_address():
    told = []

    async def elsewhere(request):
        told.append(request.path)
        return web.json_response({"janus": "success"})

    async def redirect(request):
        raise web.HTTPTemporaryRedirect(f"/other?{request.query_string}")

    app = web.Application()
    app.router.add_route("*", "/other", elsewhere)
    app.router.add_route("*", "/{tail:.*}", redirect)
    async with TestServer(app, host="127.0.0.1") as server:
        http = JanusHttp(CallSfu(url=str(server.make_url("/janus")), api_secret="hidden"))
        for request in (http.events("1", 1), http.post("", {"janus": "create"})):
            with pytest.raises(SfuRefusedError, match="does not speak"):
                await request
        await http.close()
    assert told == []


async def test_an_address_that_is_none_is_said(fake):
    room = JanusRoom(CallSfu(url="janus.example.org"), new_name(), (), lambda _: None)
    with pytest.raises(SfuRefusedError, match="HTTP API"):
        await room.open()
    await room.close()
