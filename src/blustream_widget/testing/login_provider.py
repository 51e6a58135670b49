"""An OpenID provider on loopback, at another site than the Hub that sends people to it."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blustream_widget.testing.lab import free_port
from blustream_widget.testing.waiting import wait_until

_CONFIG = """
from oauthenticator.generic import GenericOAuthenticator
c.JupyterHub.authenticator_class = GenericOAuthenticator
c.GenericOAuthenticator.client_id, c.GenericOAuthenticator.client_secret = "hub", "of-a-test"
c.GenericOAuthenticator.oauth_callback_url = {callback!r}
c.GenericOAuthenticator.authorize_url = {url!r} + "/auth"
c.GenericOAuthenticator.token_url = {url!r} + "/token"
c.GenericOAuthenticator.userdata_url = {url!r} + "/me"
c.GenericOAuthenticator.username_claim, c.GenericOAuthenticator.scope = "sub", ["openid"]
c.GenericOAuthenticator.login_service = "the other site"
"""


class LoginProvider:
    """Where it is; nobody is asked for a password that is right.

    Attributes
    ----------
    url : str
        "http://127.0.0.1:<port>": for a browser another site than a Hub at `hub.localhost`.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def config(self, hub_url: str) -> str:
        """Lines of jupyterhub_config.py for a Hub at `hub_url`, which ends with "/hub/"."""
        return _CONFIG.format(url=self.url, callback=f"{hub_url}oauth_callback")


@contextmanager
def login_provider(program: Path, hub_url: str) -> Iterator[LoginProvider]:
    """Run `program`, `tests/hub/login_provider.mjs`, for the length of the block."""
    port = free_port()
    provider = LoginProvider(f"http://127.0.0.1:{port}")
    process = subprocess.Popen(
        ["node", program.name, str(port), f"{hub_url}oauth_callback"],
        cwd=program.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(provider.url), timeout_s=30, what="the login's provider")
        yield provider
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/.well-known/openid-configuration", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
