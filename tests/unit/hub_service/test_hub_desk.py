"""A kernel's part: its ticket, the page for guests, and clear errors."""

from __future__ import annotations

import asyncio
import os
import queue

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from blustream_widget import hub_desk
from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.errors import HubServiceError, HubUnreachableError, ShareError
from blustream_widget.hub_desk import HubDesk, place_of, register
from blustream_widget.viewer import Viewer

PLACE = "0123456789abcdef"
SESSION = "0" * 32


@pytest.fixture(autouse=True)
def on_a_hub(monkeypatch, tmp_path):
    monkeypatch.setattr(hub_desk, "_tickets", hub_desk._Tickets())
    monkeypatch.setattr(hub_desk, "RETRY_S", (0.01,))
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "alice-server")
    monkeypatch.setenv("BLUSTREAM_RUNTIME_DIR", str(tmp_path / "r"))


class Told:
    """What a `HubDesk` says, in order."""

    def __init__(self):
        self.offers, self.pages = queue.Queue(), queue.Queue()

    def desk(self, service):
        config = Config(hub_service=service)
        return HubDesk(config, SESSION, self.offers.put, lambda *told: self.pages.put(told))


async def test_a_viewer_tells_its_server_and_its_page_where_guests_go(service):
    told = Told()
    desk = told.desk(service.url)
    assert desk.address("") == ""
    desk.open()
    offer = await asyncio.to_thread(told.offers.get, timeout=10)
    page, failure = await asyncio.to_thread(told.pages.get, timeout=10)
    assert (offer.session, offer.address, failure) == (SESSION, service.url, None)
    # Only a browser knows at which address the Hub is.
    assert desk.address("https://h/user/alice/blustream/guest") == ""
    assert desk.address(f"https://h{page}") == f"https://h{page}"
    desk.open()  # another server: the ticket is good there, too
    assert (await asyncio.to_thread(told.offers.get, timeout=10)).ticket == offer.ticket
    assert service.hub.asked == 1
    desk.renew()
    await asyncio.to_thread(told.offers.get, timeout=10)
    assert service.hub.asked == 2
    desk.close()


async def test_a_service_that_comes_late_is_found(service):
    token = service.hub.tokens.pop("alice-server")
    told = Told()
    desk = told.desk(service.url)
    desk.open()
    page, failure = await asyncio.to_thread(told.pages.get, timeout=10)
    assert (page, "does not know this user" in failure.message) == ("", True)
    with pytest.raises(ShareError, match="does not know this user"):
        desk.address("")
    service.hub.tokens["alice-server"] = token
    while not page:
        page, failure = await asyncio.to_thread(told.pages.get, timeout=10)
    assert failure is None
    assert desk.address(f"https://h{page}")
    desk.close()


async def test_each_wrong_case_is_one_clear_error(service, monkeypatch, unused_tcp_port):
    async def no_service(_request):
        return web.Response(text="<html>", status=200)

    other = web.Application()
    other.router.add_route("*", "/other/register", no_service)
    async with TestServer(other) as server:
        for address, kind, words in (
            (f"http://127.0.0.1:{unused_tcp_port}/x/", HubUnreachableError, "does not answer"),
            (str(server.make_url("/nothing/")), HubServiceError, "no service for guests .status"),
            (str(server.make_url("/other/")), HubServiceError, "there is no service for guests"),
            (service.url[:-1], HubServiceError, "is no address of a service"),
            ("ftp://h/", HubServiceError, "is no address of a service"),
        ):
            with pytest.raises(kind, match=words):
                await asyncio.to_thread(register, address, PLACE, "alice-server")
    with pytest.raises(HubServiceError, match="JUPYTERHUB_API_TOKEN is not set"):
        register(service.url, PLACE, "")


def test_servers_of_one_user_are_told_apart(monkeypatch, tmp_path):
    config = Config(runtime_dir=str(tmp_path / "a"))
    first = place_of(config)
    assert place_of(config) == first
    monkeypatch.setenv("JUPYTERHUB_SERVER_NAME", "gpu")
    assert place_of(config) != first
    assert place_of(Config(runtime_dir=str(tmp_path / "b"))) != place_of(config)


class Link:
    """Stands for the link: keeps what it is told."""

    def __init__(self):
        self.told = queue.Queue()

    def open_session(self, session, ref, patch, listener, palettes=()):
        self.session, self.listener = session, listener
        listener.on_message(lp.SessionOpened(session=session, token="t"))

    def tell(self, message):
        self.told.put(message)

    order = tell

    def close_session(self, session):
        pass


async def test_a_viewer_on_a_hub_with_the_service_gives_the_services_link(service, monkeypatch):
    monkeypatch.setenv("BLUSTREAM_HUB_SERVICE", service.url)
    link = Link()
    viewer = Viewer(np.zeros((4, 4, 4), "float32"), _link=link)
    try:
        shared = viewer.share()
        message = None
        while not isinstance(message, lp.OpenDesk):
            message = await asyncio.to_thread(link.told.get, timeout=10)
        page = f"https://hub.example{(await service.register(place=_place())).page}"
        # A page of before, which did not know of the service, cannot mislead anybody.
        link.listener.on_message(ls.Shared(session=link.session, page="https://h/blustream/guest"))
        with pytest.raises(ShareError, match="It is not known yet"):
            _ = shared.url
        link.listener.on_message(ls.Shared(session=link.session, page=page))
        assert shared.url.startswith(f"{page}#")
        monkeypatch.setenv("BLUSTREAM_GUEST_URL", "https://elsewhere/guest")
        assert shared.url.startswith("https://elsewhere/guest#")
    finally:
        viewer.close()


def _place():
    return place_of(Config(runtime_dir=os.environ["BLUSTREAM_RUNTIME_DIR"]))


def test_a_viewer_without_the_service_asks_nobody(monkeypatch):
    link = Link()
    viewer = Viewer(np.zeros((4, 4, 4), "float32"), _link=link)
    assert viewer._hub_page is None
    monkeypatch.setenv("BLUSTREAM_HUB_SERVICE", "http://127.0.0.1:1/services/blustream/")
    other = Viewer(np.zeros((4, 4, 4), "float32"), _link=Link())
    assert other._hub_page == ""  # its page makes no link that would lead elsewhere
    viewer.close()
    other.close()
