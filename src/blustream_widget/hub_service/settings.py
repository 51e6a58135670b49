"""What JupyterHub tells a service that it manages, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from blustream_widget.errors import ConfigError

_NEEDED = (
    "JUPYTERHUB_API_TOKEN",
    "JUPYTERHUB_API_URL",
    "JUPYTERHUB_CLIENT_ID",
    "JUPYTERHUB_SERVICE_PREFIX",
    "JUPYTERHUB_SERVICE_URL",
)


class HubSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service is, and where the Hub is.

    Parameters
    ----------
    host : str
        Address that the service listens on.
    port : int
    prefix : str
        Path below which all of it lies at the Hub's proxy, with "/" at both ends.
    api_url : str
        Of the Hub, as this process reaches it; without "/" at the end.
    api_token : str
        Of the service; it serves as the secret of its OAuth client alone.
    client_id : str
    authorize_url : str
        Where browsers log in: an address, or a path on their own.
    callback_url : str
        Where they come back.
    access_scopes : frozenset of str
        Who has one of them may use the service.
    public_url : str
        Of the service, as browsers reach it; "" = at whatever address they reach the Hub.
    """

    host: str
    port: int
    prefix: str
    api_url: str
    api_token: str
    client_id: str
    authorize_url: str
    callback_url: str
    access_scopes: frozenset[str]
    public_url: str = ""


def load_hub_settings(environ: Mapping[str, str] | None = None, *, host: str = "") -> HubSettings:
    """Read `JUPYTERHUB_*` variables; `host` overrides the address to listen on.

    Raises
    ------
    ConfigError
        The Hub has not started this process, or not as a service with an address.
    """
    env = os.environ if environ is None else environ
    missing = [name for name in _NEEDED if not env.get(name)]
    if missing:
        raise ConfigError(
            f"{missing[0]} is not set: this is no service of a JupyterHub.",
            hint="Name it with a url and this command in c.JupyterHub.services (docs/hub.md).",
        )
    if env.get("JUPYTERHUB_SSL_KEYFILE"):
        raise ConfigError(
            "The Hub encrypts its inner connections (internal_ssl), which this service does not.",
            hint="Leave c.JupyterHub.internal_ssl off.",
        )
    address = urlsplit(env["JUPYTERHUB_SERVICE_URL"])
    if address.scheme != "http" or not address.hostname or not address.port:
        raise ConfigError(
            f"The service's url {env['JUPYTERHUB_SERVICE_URL']!r} is not http://HOST:PORT.",
            hint="Give it so in c.JupyterHub.services.",
        )
    prefix = _ended(env["JUPYTERHUB_SERVICE_PREFIX"])
    hub = env.get("JUPYTERHUB_HOST", "") + _ended(env.get("JUPYTERHUB_BASE_URL", "/")) + "hub/"
    name = env.get("JUPYTERHUB_SERVICE_NAME", "blustream")
    return HubSettings(
        host=host or address.hostname,
        port=address.port,
        prefix=prefix,
        api_url=env["JUPYTERHUB_API_URL"].rstrip("/"),
        api_token=env["JUPYTERHUB_API_TOKEN"],
        client_id=env["JUPYTERHUB_CLIENT_ID"],
        authorize_url=f"{hub}api/oauth2/authorize",
        callback_url=env.get("JUPYTERHUB_OAUTH_CALLBACK_URL") or f"{prefix}oauth_callback",
        access_scopes=_scopes(env.get("JUPYTERHUB_OAUTH_ACCESS_SCOPES", ""), name),
        public_url=_public(env, prefix),
    )


def _ended(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"


def _scopes(text: str, name: str) -> frozenset[str]:
    try:
        told: Any = msgspec.json.decode(text) if text else ()
        return msgspec.convert(told, frozenset[str]) or frozenset(_of_service(name))
    except msgspec.MsgspecError as exc:
        raise ConfigError(f"JUPYTERHUB_OAUTH_ACCESS_SCOPES is no list of scopes: {exc}.") from exc


def _of_service(name: str) -> tuple[str, str]:
    return "access:services", f"access:services!service={name}"


def _public(env: Mapping[str, str], prefix: str) -> str:
    """Where browsers find the service, as far as the Hub knows: it does with subdomains."""
    if url := env.get("JUPYTERHUB_PUBLIC_URL", ""):
        return _ended(url)
    callback = urlsplit(env.get("JUPYTERHUB_OAUTH_CALLBACK_URL", ""))
    return f"{callback.scheme}://{callback.netloc}{prefix}" if callback.netloc else ""
