"""A Hub that knows some tokens, and the service before it, both on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from blustream_widget.core import hub_messages as hm
from blustream_widget.hub_service.desks import Desks
from blustream_widget.hub_service.hub_client import HubClient
from blustream_widget.hub_service.logins import Logins
from blustream_widget.hub_service.routes import HubRoutes
from blustream_widget.hub_service.settings import load_hub_settings

PREFIX = "/services/blustream/"
SCOPES = ["access:services!service=blustream", "read:users:name!user=bob"]
PLACE = "0123456789abcdef"


class FakeHub:
    """Tokens and codes of the Hub; `asked` counts how often it was."""

    def __init__(self) -> None:
        self.tokens = {
            "alice-server": {"name": "alice", "kind": "user", "scopes": []},
            "bob-oauth": {"name": "bob", "kind": "user", "scopes": SCOPES},
            "carol-oauth": {"name": "carol", "kind": "user", "scopes": ["read:users:name"]},
            "service": {"name": "cull", "kind": "service", "scopes": SCOPES},
        }
        self.codes = {"bob-code": "bob-oauth", "carol-code": "carol-oauth"}
        self.forms: list[dict[str, str]] = []
        self.asked = 0
        self.is_down = False

    def make_app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/hub/api/user", self._user)
        app.router.add_post("/hub/api/oauth2/token", self._token)
        return app

    async def _user(self, request: web.Request) -> web.Response:
        self.asked += 1
        kind, _, token = request.headers["Authorization"].partition(" ")
        assert kind == "token"
        if self.is_down:
            return web.Response(status=503)
        found = self.tokens.get(token)
        return web.Response(status=403) if found is None else web.json_response(found)

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.forms.append(form)
        token = self.codes.pop(form["code"], None)
        if token is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": token})


class HeardDesks(Desks):
    """Tells how many are open."""

    def __init__(self) -> None:
        super().__init__()
        self.n_open = 0
        self._changed = asyncio.Event()

    async def open(self, owner: str, key: str, socket: web.WebSocketResponse) -> None:
        self._count(1)
        try:
            await super().open(owner, key, socket)
        finally:
            self._count(-1)

    def _count(self, n: int) -> None:
        self.n_open += n
        self._changed.set()

    async def until(self, n: int) -> None:
        async with asyncio.timeout(10):
            while self.n_open != n:
                self._changed.clear()
                await self._changed.wait()


class Service:
    """The service, and what a test does with it."""

    def __init__(self, hub: FakeHub, logins: Logins, desks: HeardDesks, server: TestServer) -> None:
        self.hub, self.logins, self.desks = hub, logins, desks
        self.url = str(server.make_url(PREFIX))
        self.origin = str(server.make_url("/"))[:-1]

    async def register(self, token: str = "alice-server", place: str = PLACE) -> hm.Registered:
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                f"{self.url}register",
                json={"place": place},
                headers={"Authorization": f"token {token}"},
            ) as answer,
        ):
            assert answer.status == 200
            return hm.registered_decoder.decode(await answer.read())

    @asynccontextmanager
    async def browser(self, account: str = "bob") -> AsyncIterator[aiohttp.ClientSession]:
        """A browser, logged in as somebody, or as nobody."""
        jar = aiohttp.CookieJar(unsafe=True)  # it takes cookies of an address
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            if account:
                await self.log_in(http, f"{account}-code")
            yield http

    async def log_in(self, http: aiohttp.ClientSession, code: str) -> int:
        """Come back from the Hub with `code`; the status of the answer."""
        state = await self.begin(http)
        async with http.get(
            f"{self.url}oauth_callback",
            params={"code": code, "state": state},
            allow_redirects=False,
        ) as answer:
            return answer.status

    async def begin(self, http: aiohttp.ClientSession, desk: str = "0" * 24) -> str:
        """Begin to log in; returns the state that the Hub would send back."""
        async with http.get(f"{self.url}{desk}/enter", allow_redirects=False) as answer:
            assert answer.status == 302
            address = urlsplit(answer.headers["Location"])
        assert address.path == "/hub/api/oauth2/authorize"
        (state,) = parse_qs(address.query)["state"]
        return state

    @asynccontextmanager
    async def knock(
        self, http: aiohttp.ClientSession, desk: str, *, origin: str | None = None
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open the WebSocket of a guest's page."""
        headers = {"Origin": self.origin if origin is None else origin}
        async with http.ws_connect(f"{self.url}{desk}/ws", headers=headers) as socket:
            yield socket

    async def refusal(self, http: aiohttp.ClientSession, desk: str) -> str:
        """Code of the error that a guest is refused with."""
        async with self.knock(http, desk) as socket, asyncio.timeout(10):
            error = json.loads(await socket.receive_str())
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == 4403
        return error["code"]


@pytest.fixture
def clock():
    """Seconds that pass when a test says so."""

    class Clock:
        now_s = 1000.0

        def __call__(self) -> float:
            return self.now_s

    return Clock()


@pytest.fixture
async def service(clock) -> AsyncIterator[Service]:
    hub = FakeHub()
    async with TestServer(hub.make_app()) as hub_server, aiohttp.ClientSession() as http:
        settings = load_hub_settings(
            {
                "JUPYTERHUB_API_TOKEN": "secret",
                "JUPYTERHUB_API_URL": str(hub_server.make_url("/hub/api")),
                "JUPYTERHUB_CLIENT_ID": "service-blustream",
                "JUPYTERHUB_SERVICE_NAME": "blustream",
                "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
                "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:10101",
            }
        )
        client = HubClient(settings, http)
        logins = Logins(client, clock=clock)
        desks = HeardDesks()
        routes = HubRoutes(settings, client, logins=logins, desks=desks, recheck_s=0.05)
        async with TestServer(routes.make_app()) as server:
            yield Service(hub, logins, desks, server)
