"""The service's process from its start to its end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from blustream_widget._version import __version__
from blustream_widget.hub_service.hub_client import HubClient
from blustream_widget.hub_service.routes import HubRoutes
from blustream_widget.hub_service.settings import HubSettings

logger = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT_S = 2.0


def run_hub_service(settings: HubSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logger.info("blustream %s for guests at %s", __version__, settings.prefix)
    web.run_app(
        make_app(settings),
        host=settings.host,
        port=settings.port,
        print=None,
        access_log=None,  # its lines would hold tickets
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
    )


async def make_app(settings: HubSettings) -> web.Application:
    """Application with its client of the Hub, which is closed with it."""
    http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def close_client(_app: web.Application) -> AsyncIterator[None]:
        yield
        await http.close()

    app = HubRoutes(settings, HubClient(settings, http)).make_app()
    app.cleanup_ctx.append(close_client)
    return app
