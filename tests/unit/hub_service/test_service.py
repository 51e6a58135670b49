"""The service before a Hub: who is let in, what there is, and what there is not."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie

import aiohttp
import pytest
from yarl import URL

from blustream_widget.core import link_protocol as lp
from blustream_widget.hub_service import desks as desks_module
from blustream_widget.hub_service import logins as logins_module
from blustream_widget.hub_service import routes as routes_module
from blustream_widget.hub_service.tickets import desk_of
from blustream_widget.server.uplink import Uplink

SESSION = "0" * 32
PLACE = "0123456789abcdef"


class Kernel:
    def __init__(self):
        self.heard = asyncio.Queue()

    def tell(self, message):
        self.heard.put_nowait(message)


async def echo(socket, account):
    async for message in socket:
        await socket.send_str(f"{account}: {message.data}")


@asynccontextmanager
async def sharing(service, serve=echo, **ticket):
    """Alice's server with its desk open; gives the desk's key and the uplink."""
    uplink, kernel = Uplink(serve), Kernel()
    known = await service.register(**ticket)
    uplink.offer(kernel, lp.OpenDesk(session=SESSION, address=service.url, ticket=known.ticket))
    uplink.shared(True)
    try:
        await service.desks.until(1)
        yield known.desk, uplink
    finally:
        await uplink.close()


async def answer_to(socket, text):
    async with asyncio.timeout(10):
        await socket.send_str(text)
        return await socket.receive_str()


async def test_a_guest_speaks_with_the_owners_server_as_whom_the_hub_knows(service):
    async with (
        sharing(service) as (desk, _),
        service.browser() as http,
        service.knock(http, desk) as socket,
    ):
        assert await answer_to(socket, "hello") == "bob: hello"
        await socket.send_bytes(b"\0" * 1000)
        assert (await socket.receive_str()).startswith("bob: b'")
    (form,) = service.hub.forms
    assert form["client_secret"] == "secret"
    assert len(form["code_verifier"]) >= 43  # RFC 7636


async def test_the_owners_end_of_a_visit_reaches_the_guest_with_its_reason(service):
    async def show_out(socket, _account):
        await socket.send_str("last words")
        await socket.close(code=4403, message=b"removed")

    async with (
        sharing(service, show_out) as (desk, _),
        service.browser() as http,
        service.knock(http, desk) as socket,
        asyncio.timeout(10),
    ):
        assert await socket.receive_str() == "last words"
        closed = await socket.receive()
    assert (socket.close_code, closed.extra) == (4403, "removed")


async def test_who_stops_sharing_is_not_there_for_new_guests_and_lets_old_ones_go_by_itself(
    service,
):
    async with (
        sharing(service) as (desk, uplink),
        service.browser() as http,
        service.knock(http, desk) as socket,
    ):
        assert await answer_to(socket, "1") == "bob: 1"
        uplink.shared(False)
        await service.desks.until(0)
        assert await service.refusal(http, desk) == "not-shared"
        assert await answer_to(socket, "2") == "bob: 2"  # the session closes it, with its reason
        uplink.shared(True)
        await service.desks.until(1)
        async with service.knock(http, desk) as again:
            assert await answer_to(again, "3") == "bob: 3"


async def test_only_who_the_hub_knows_and_lets_use_the_service_is_let_in(service):
    async with sharing(service) as (desk, _):
        async with service.browser("") as nobody:
            assert await service.refusal(nobody, desk) == "signed-out"
            # A code that the Hub did not give, and somebody without the scope.
            assert await service.log_in(nobody, "made-up") == 403
            assert await service.log_in(nobody, "carol-code") == 403
            assert await service.refusal(nobody, desk) == "signed-out"
        async with service.browser() as bob:
            assert await service.refusal(bob, "f" * 24) == "not-shared"


async def test_a_page_of_another_origin_cannot_use_a_guests_cookie(service):
    async with sharing(service) as (desk, _), service.browser() as http:
        for origin in ("https://evil.example", "null", ""):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with service.knock(http, desk, origin=origin):
                    pass
            assert refused.value.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):  # not a browser
            await http.ws_connect(f"{service.url}{desk}/ws")


async def test_a_login_ends_only_where_it_began(service):
    async with service.browser("") as bob, service.browser("") as eve:
        stolen = await service.begin(eve)
        callback = f"{service.url}oauth_callback"
        for http, state in ((bob, stolen), (bob, "x" * 22), (bob, ""), (eve, "../" + stolen)):
            query = {"code": "bob-code", "state": state}
            async with http.get(callback, params=query, allow_redirects=False) as answer:
                assert answer.status == 403
                assert "bob-code" not in await answer.text()
        assert not service.hub.forms  # the Hub was not even asked
        query = {"code": "bob-code", "state": stolen}
        async with eve.get(callback, params=query, allow_redirects=False) as answer:
            assert answer.status == 302
            assert answer.headers["Location"] == f"/services/blustream/{'0' * 24}/guest"


async def test_cookies_are_for_the_service_alone_and_hidden_from_pages(service):
    async with service.browser("") as http:
        for forwarded, is_secure in (("https", True), ("http", False)):
            headers = {"X-Forwarded-Proto": forwarded}
            url = f"{service.url}{'0' * 24}/enter"
            async with http.get(url, headers=headers, allow_redirects=False) as answer:
                (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
            assert cookie["path"] == "/services/blustream/"
            assert cookie["httponly"]
            assert cookie["samesite"] == "Lax"
            assert bool(cookie["secure"]) == is_secure


async def test_who_logs_out_of_the_hub_is_out_and_a_hub_that_restarts_shows_nobody_out(
    service, clock
):
    async with (
        sharing(service) as (desk, _),
        service.browser() as http,
        service.knock(http, desk) as socket,
    ):
        assert await answer_to(socket, "1") == "bob: 1"
        service.hub.is_down = True
        clock.now_s += logins_module.RECHECK_S + 1
        assert await answer_to(socket, "2") == "bob: 2"
        service.hub.is_down = False
        del service.hub.tokens["bob-oauth"]
        async with asyncio.timeout(10):
            error = json.loads(await socket.receive_str())
            await socket.receive()
        assert (error["code"], socket.close_code) == ("signed-out", 4403)
        assert await service.refusal(http, desk) == "signed-out"


async def test_a_hub_that_stays_away_is_not_believed_for_ever(service, clock):
    async with service.browser() as http:
        service.hub.is_down = True
        clock.now_s += logins_module.TRUST_S - 1
        assert await service.refusal(http, "0" * 24) == "not-shared"
        clock.now_s += 2
        assert await service.refusal(http, "0" * 24) == "signed-out"
        service.hub.is_down = False
        assert await service.refusal(http, "0" * 24) == "not-shared"
        clock.now_s += logins_module.LIFETIME_S
        assert await service.refusal(http, "0" * 24) == "signed-out"


async def test_the_page_asks_for_a_login_first_and_names_who_is_logged_in(service):
    service.hub.tokens["bob-oauth"]["name"] = 'b"><script>'
    url = f"{service.url}{'0' * 24}/guest"
    async with service.browser("") as http:
        async with http.get(url) as answer:
            text = await answer.text()
            assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert '<meta name="blustream-enter" content="enter">' in text
        await service.log_in(http, "bob-code")
        async with http.get(url) as answer:
            text = await answer.text()
        assert '<meta name="blustream-account" content="b&quot;&gt;&lt;script&gt;">' in text
        assert "enter" not in text
        kinds = {"guest.css": "css", "guest.js": "java", "voice.js": "java", "widget.js": "java"}
        for name, kind in kinds.items():
            async with http.get(f"{service.url}{'0' * 24}/{name}") as answer:
                assert answer.status == 200
                assert kind in answer.headers["Content-Type"]


@pytest.mark.parametrize(
    "path",
    [
        "{desk}/api/kernels",
        "{desk}/lab",
        "{desk}/ws/",
        "{desk}/ws/x",
        "{desk}/../api/kernels",
        "{desk}/%2e%2e/%2e%2e/user/alice/api/contents",
        "{desk}/guest/../ws/proxy/8888",
        "{desk}%2Fguest",
        "{desk}",
        "user/alice/",
        "alice/guest",
        "../../user/alice/api/kernels",
        "fetch/" + "x" * 32,
        "fetch/..",
        "static/../../../etc/passwd",
        "F" * 24 + "/guest",
        "0" * 25 + "/guest",
    ],
)
async def test_there_is_nothing_else(service, path):
    async with sharing(service) as (desk, _):
        target = f"/services/blustream/{path.format(desk=desk)}"
        async with service.browser() as http:
            cookies = http.cookie_jar.filter_cookies(URL(service.url)).output(header="", sep=";")
        # By hand: a client would tidy the path up.
        address = service.origin.removeprefix("http://")
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET {target} HTTP/1.1\r\nHost: {address}\r\nCookie:{cookies}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode())
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 404")


async def test_nothing_of_a_guests_request_reaches_the_owner(service):
    heads = []

    async def note(socket, account):
        heads.append((account, dict(socket._response.request_info.headers)))
        await echo(socket, account)

    async with sharing(service, note) as (desk, _), service.browser() as http:
        secret = {"Origin": service.origin, "Authorization": "token t", "X-Secret": "s"}
        url = f"{service.url}{desk}/ws?token=t"
        async with http.ws_connect(url, headers=secret) as socket:
            assert await answer_to(socket, "1") == "bob: 1"
    ((_, headers),) = heads
    assert not {"Authorization", "Cookie", "X-Secret", "Origin"} & set(headers)


async def test_a_ticket_is_for_users_of_this_hub_and_for_one_desk_of_theirs(service):
    async with aiohttp.ClientSession() as http:
        for token, body, status in (
            ("token made-up", {"place": PLACE}, 401),
            ("token service", {"place": PLACE}, 401),
            ("Bearer alice-server", {"place": PLACE}, 401),
            ("", {"place": PLACE}, 401),
            ("token alice-server", {"place": "../x"}, 400),
            ("token alice-server", {}, 400),
            ("token alice-server", {"place": PLACE, "x": "y" * 5000}, 413),
        ):
            async with http.post(
                f"{service.url}register", json=body, headers={"Authorization": token}
            ) as answer:
                assert answer.status == status, (token, body)
        for ticket in ("", "made-up", "alice-server"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(
                    f"{service.url}desk", headers={"Authorization": f"Bearer {ticket}"}
                )
            assert refused.value.status == 401
    known = await service.register()
    assert known.page == f"/services/blustream/{known.desk}/guest"
    assert known.desk == desk_of("alice", PLACE) != desk_of("bob", PLACE)


async def test_a_server_with_an_old_ticket_asks_its_kernel_for_another(service):
    uplink, kernel = Uplink(echo), Kernel()
    known = await service.register()
    offer = lp.OpenDesk(session=SESSION, address=service.url, ticket="old")
    uplink.offer(kernel, offer)
    uplink.shared(True)
    try:
        async with asyncio.timeout(10):
            assert await kernel.heard.get() == lp.RenewDesk(session=SESSION)
        new = lp.OpenDesk(session=SESSION, address=service.url, ticket=known.ticket)
        uplink.offer(kernel, new)
        await service.desks.until(1)
        uplink.forget(SESSION)  # its viewer was closed; others may still be shared
        assert service.desks.n_open == 1
    finally:
        await uplink.close()
    await service.desks.until(0)


async def test_a_server_that_began_anew_takes_its_desk_over(service):
    async def new(socket, _account):
        await socket.send_str("new")

    async with (
        sharing(service),
        sharing_again(service, new) as desk,
        service.browser() as http,
        service.knock(http, desk) as socket,
        asyncio.timeout(10),
    ):
        assert await socket.receive_str() == "new"


@asynccontextmanager
async def sharing_again(service, serve):
    known = await service.register()
    async with aiohttp.ClientSession() as http:
        uplink = Uplink(serve)
        headers = {"Authorization": f"Bearer {known.ticket}"}
        async with http.ws_connect(f"{service.url}desk", headers=headers) as desk:
            reading = asyncio.create_task(_fetch_all(uplink, http, service, desk))
            try:
                yield known.desk
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


async def _fetch_all(uplink, http, service, desk):
    offer = lp.OpenDesk(session=SESSION, address=service.url, ticket="")
    async for message in desk:
        uplink._hear(http, offer, message.data)


async def test_what_is_too_much_is_refused(service, monkeypatch):
    monkeypatch.setattr(desks_module, "MAX_GUESTS_OF_DESK", 2)
    monkeypatch.setattr(routes_module, "MAX_OF_ACCOUNT", 3)
    monkeypatch.setattr(desks_module, "MAX_DESKS_OF_OWNER", 1)
    async with sharing(service) as (desk, _), service.browser() as http:
        async with service.knock(http, desk) as one, service.knock(http, desk) as two:
            assert await answer_to(one, "1") == "bob: 1"
            assert await answer_to(two, "2") == "bob: 2"
            assert await service.refusal(http, desk) == "hub-full"
        known = await service.register(place="f" * 16)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(
                f"{service.url}desk", headers={"Authorization": f"Bearer {known.ticket}"}
            )
        assert refused.value.status == 503
        monkeypatch.setattr(routes_module, "MAX_SOCKETS", 1)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await service.refusal(http, desk)
        assert refused.value.status == 503


async def test_an_owners_server_that_does_not_come_is_one_error(service, monkeypatch):
    monkeypatch.setattr(desks_module, "FETCH_TIMEOUT_S", 0.05)
    known = await service.register()
    headers = {"Authorization": f"Bearer {known.ticket}"}
    async with (
        service.browser() as http,
        http.ws_connect(f"{service.url}desk", headers=headers),  # says nothing
    ):
        await service.desks.until(1)
        assert await service.refusal(http, known.desk) == "hub-unreachable"


async def test_a_message_that_is_too_long_ends_a_guests_visit(service):
    async with (
        sharing(service) as (desk, _),
        service.browser() as http,
        service.knock(http, desk) as socket,
        asyncio.timeout(10),
    ):
        assert await answer_to(socket, "1") == "bob: 1"
        await socket.send_str("x" * 70_000)
        while not socket.closed:
            await socket.receive()
        assert socket.close_code == 1009


def test_logins_are_bounded(clock):
    logins = logins_module.Logins(None, clock=clock)
    first = [logins.add("bob", f"t{n}") for n in range(logins_module.MAX_OF_ACCOUNT)]
    assert all(map(logins.find, first))
    newest = logins.add("bob", "t")
    assert logins.find(first[0]) is None
    assert logins.find(first[1])
    assert logins.find(newest).account == "bob"
    for n in range(logins_module.MAX_LOGINS):
        logins.add(f"u{n}", "t")
    assert len(logins._logins) == logins_module.MAX_LOGINS
    assert logins.find(newest) is None
