"""Whether a TURN server gives this machine a relay, and why not: aiortc itself keeps silent."""

from __future__ import annotations

import asyncio
import time

from aioice import stun, turn
from aiortc.rtcicetransport import parse_stun_turn_uri

from blustream_widget.transport.ice_servers import IceServer, IceServers, relay_addresses

TIMEOUT_S = 5.0


async def first_relay_obstacle(servers: IceServers) -> str:
    """Why the one address that aiortc asks gives no relay; "" if it does, or if there is none."""
    for server in servers:
        for url in relay_addresses(server)[:1]:
            # aiortc has waited for it already: a browser waits for an answer.
            return await relay_obstacle(url, server, timeout_s=1.0)
    return ""


async def relay_obstacle(url: str, server: IceServer, *, timeout_s: float = TIMEOUT_S) -> str:
    """Ask for a relay at one of a server's addresses, and give it back.

    Parameters
    ----------
    url : str
        "turn:" or "turns:", as browsers take it.
    server : IceServer
        With its credentials.
    timeout_s : float

    Returns
    -------
    str
        Why there is none, as the end of a sentence that begins with the server; "" if there is.
    """
    username = str(server.get("username", ""))
    try:
        async with asyncio.timeout(timeout_s):
            await _borrow_relay(url, username, str(server.get("credential", "")))
    except stun.TransactionFailed as exc:
        return _refusal(exc.response, username)
    except (TimeoutError, stun.TransactionTimeout):
        return "does not answer"
    except OSError as exc:
        return f"cannot be reached: {exc.strerror or exc}"
    return ""


async def _borrow_relay(url: str, username: str, password: str) -> None:
    """Not by aioice's `create_turn_endpoint`: of that nobody learns when its socket is closed."""
    parsed = parse_stun_turn_uri(url)
    address = (parsed["host"], parsed["port"])
    is_udp = parsed["transport"] == "udp"
    client = (turn.TurnClientUdpProtocol if is_udp else turn.TurnClientTcpProtocol)(
        address,
        username=username,
        password=password,
        lifetime=turn.DEFAULT_ALLOCATION_LIFETIME,
        channel_refresh_time=turn.DEFAULT_CHANNEL_REFRESH_TIME,
    )
    client.receiver = end = _End()
    loop = asyncio.get_running_loop()
    if is_udp:
        await loop.create_datagram_endpoint(lambda: client, remote_addr=address)
    else:
        is_tls = parsed["scheme"] == "turns"
        await loop.create_connection(lambda: client, *address, ssl=is_tls or None)
    try:
        await client.connect()
        await client.delete()
    finally:
        client.transport.abort()
        await end.reached.wait()


class _End(asyncio.DatagramProtocol):
    """Hears when the socket is closed."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.reached.set()


def _refusal(response: stun.Message, username: str) -> str:
    code, reason = response.attributes.get("ERROR-CODE", (0, ""))
    said = f"refuses ({f'{code} {reason}'.rstrip(' .')})"
    # Credentials made of a shared secret begin with the time of their end.
    ends, _, _ = username.partition(":")
    if ends.isdecimal() and int(ends) < time.time():
        return f"{said}: the credentials have ended"
    return said
