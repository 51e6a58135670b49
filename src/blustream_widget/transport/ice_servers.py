"""Which STUN and TURN servers somebody is told of, and with which credentials."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import TypeAlias

from blustream_widget.config import Config

IceServer: TypeAlias = Mapping[str, str | list[str]]
IceServers: TypeAlias = tuple[IceServer, ...]


def ice_servers_for(
    who: str,
    servers: IceServers,
    config: Config,
    *,
    is_guest: bool = False,
    now_s: float | None = None,
) -> IceServers:
    """Give a viewer's browser, or this server, what it may use now.

    A TURN server without credentials in the settings gets some that are good for
    `config.turn_lifetime_s` seconds, made of `config.turn_secret`. Credentials that are in the
    settings last for ever: guests are not told of servers that have them.

    Parameters
    ----------
    who : str
        In the user name of the credentials, by which the TURN server's log tells people apart.
    servers : IceServers
        As they are in the settings.
    config : Config
    is_guest : bool
    now_s : float, optional
        Seconds since 1970; None: now.

    References
    ----------
    "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00), as coturn's
    `use-auth-secret` and others take it.
    """
    given: list[IceServer] = []
    for server in servers:
        if "credential" in server:
            if not is_guest:
                given.append(server)
        elif relay_addresses(server) and config.turn_secret:
            expires_s = (time.time() if now_s is None else now_s) + config.turn_lifetime_s
            username = f"{int(expires_s)}:{who}"
            digest = hmac.new(config.turn_secret.encode(), username.encode(), hashlib.sha1)
            credential = base64.b64encode(digest.digest()).decode()
            given.append({**server, "username": username, "credential": credential})
        else:
            given.append(server)
    return tuple(given)


def relay_addresses(server: IceServer) -> list[str]:
    """Addresses of one entry of the settings at which it is asked for relays."""
    urls = server["urls"]
    return [url for url in ([urls] if isinstance(urls, str) else urls) if url.startswith("turn")]
