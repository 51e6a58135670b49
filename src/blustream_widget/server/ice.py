"""STUN and TURN servers from the settings, checked before anybody gets them."""

from __future__ import annotations

import msgspec

from blustream_widget.config import Config, load_config
from blustream_widget.errors import ConfigError
from blustream_widget.session.rtc_path import IceServers


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
    return config, parse_ice_servers(config.ice_servers)


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
            if not url.startswith(("stun:", "stuns:", "turn:", "turns:")):
                raise ConfigError(
                    f"BLUSTREAM_ICE_SERVERS has the address {url!r}.",
                    hint="It must begin with stun:, turn: or turns:.",
                )
    return tuple(msgspec.to_builtins(server) for server in servers)
