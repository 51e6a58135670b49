"""What the kernel's environment says about cloud storage, as a part of a volume's reference.

It is read where the user sets it, also in a cell, and goes with the volume through the kernel's own
socket: server and workers are started without these variables. What is in files (profiles, service
accounts) and what a machine's role gives is found by the worker itself, where it is renewed too.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from blustream_widget.config import CLOUD_NAMES

_AWS_KEYS = {
    "AccessKeyId": ("AWS_ACCESS_KEY_ID",),
    "SecretKey": ("AWS_SECRET_ACCESS_KEY",),
    "SessionToken": ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
}


def words_of(connection: str) -> dict[str, str]:
    """Take a connection string apart; names in lower case. What has no "=" is left out."""
    parts = (part.partition("=") for part in connection.split(";"))
    return {name.strip().lower(): value.strip() for name, sep, value in parts if sep}


def with_environment(
    url: str, connection: str, environ: Mapping[str, str] | None = None
) -> tuple[str, dict[str, str]]:
    """Complete a connection string with the environment's credentials.

    Parameters
    ----------
    url : str
        Address of the volume; for a path nothing is added.
    connection : str
        What the user gave: it wins over the environment.
    environ : mapping, optional
        The process's own by default.

    Returns
    -------
    connection : str
        With keys, tokens, the account.
    environment : dict
        Variables that the worker needs besides: names of profiles, regions, files, roles.
    """
    env = os.environ if environ is None else environ
    scheme = urlsplit(url).scheme.lower() if "://" in url else ""
    names = {name: env[name] for name in CLOUD_NAMES.get(scheme, ()) if env.get(name)}
    if scheme == "s3":
        return _with_aws_keys(connection, env), names
    if scheme == "azure" and not connection:
        return _azure_connection(env), names
    return connection, names


def _with_aws_keys(connection: str, env: Mapping[str, str]) -> str:
    given = words_of(connection)
    if {"accesskeyid", "profile", "anonymous"} & given.keys() or not env.get("AWS_ACCESS_KEY_ID"):
        return connection
    added = []
    for word, variables in _AWS_KEYS.items():
        value = next((env[name] for name in variables if env.get(name)), "")
        if value:
            added.append(f"{word}={value}")
    return ";".join([*filter(None, [connection.strip(" ;")]), *added])


def _azure_connection(env: Mapping[str, str]) -> str:
    stored = _azure_settings(env)

    def setting(name: str) -> str:
        return env.get(f"AZURE_STORAGE_{name.upper()}") or stored.get(name, "")

    if setting("connection_string"):
        return setting("connection_string")
    account, key, sas = setting("account"), setting("key"), setting("sas_token")
    if not account:
        return ""
    endpoint = f"BlobEndpoint=https://{account}.blob.core.windows.net"
    if key:
        return (
            f"DefaultEndpointsProtocol=https;AccountName={account};AccountKey={key};"
            "EndpointSuffix=core.windows.net"
        )
    return f"{endpoint};SharedAccessSignature={sas.lstrip('?')}" if sas else endpoint


def _azure_settings(env: Mapping[str, str]) -> Mapping[str, str]:
    """Section [storage] of the configuration file of Azure's command line."""
    folder = Path(env.get("AZURE_CONFIG_DIR") or Path.home() / ".azure")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(folder / "config")
    except (configparser.Error, OSError, UnicodeError):
        return {}
    return parser["storage"] if parser.has_section("storage") else {}
