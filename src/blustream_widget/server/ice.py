"""STUN and TURN servers from the settings, checked before anybody gets them."""

from __future__ import annotations

import re

import msgspec

from blustream_widget.config import Config, load_config
from blustream_widget.errors import ConfigError
from blustream_widget.transport.ice_servers import IceServers, relay_addresses

# RFC 7064 and 7065, without IPv6 addresses, which aiortc does not read (their names are fine).
_ADDRESS = re.compile(
    r"(stuns?:[^?:\s]+(:\d{1,5})?|turns?:[^?:\s]+(:\d{1,5})?(\?transport=(udp|tcp))?)"
)


class _IceServer(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    urls: str | list[str]
    username: str = ""
    credential: str = ""


def load_settings() -> tuple[Config, IceServers]:
    """Read a server's settings from the environment, and check all of them.

    Raises
    ------
    ConfigError
    """
    config = load_config()
    servers = parse_ice_servers(config.ice_servers)
    if config.ice_relay_only and not any(map(relay_addresses, servers)):
        raise ConfigError(
            "BLUSTREAM_ICE_RELAY_ONLY is set, and BLUSTREAM_ICE_SERVERS has no TURN server.",
            hint='For example: [{"urls": "turn:turn.example.org:3478"}].',
        )
    if config.turn_lifetime_s <= 0:
        raise ConfigError("BLUSTREAM_TURN_LIFETIME_S must be positive.")
    return config, servers


def parse_ice_servers(text: str) -> IceServers:
    """Read `BLUSTREAM_ICE_SERVERS`, a JSON list of RTCIceServer objects.

    Raises
    ------
    ConfigError
        Says what is wrong, without repeating credentials.
    """
    if not text:
        return ()
    try:
        servers = msgspec.json.decode(text, type=list[_IceServer])
    except msgspec.MsgspecError as exc:
        raise ConfigError(
            f"BLUSTREAM_ICE_SERVERS cannot be read: {exc}.",
            hint='For example: [{"urls": "stun:stun.example.org:3478"}].',
        ) from exc
    for server in servers:
        urls = [server.urls] if isinstance(server.urls, str) else server.urls
        for url in urls:
            if not _ADDRESS.fullmatch(url):
                raise ConfigError(
                    f"BLUSTREAM_ICE_SERVERS has the address {url!r}.",
                    hint="For example: stun:stun.example.org, turns:192.0.2.7:443?transport=tcp.",
                )
    return tuple(msgspec.to_builtins(server) for server in servers)
