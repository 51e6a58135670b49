"""The Hub as an OAuth provider: who somebody is, and whether they may use the service."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec

from blustream_widget.errors import HubUnreachableError, SignInError
from blustream_widget.hub_service.settings import HubSettings

TIMEOUT = aiohttp.ClientTimeout(total=10.0)


class Account(msgspec.Struct, frozen=True):
    """Whom a token of the Hub belongs to, and what it is good for."""

    name: str
    kind: str = "user"
    scopes: tuple[str, ...] = ()


class _Token(msgspec.Struct, frozen=True):
    access_token: str


_Answer = TypeVar("_Answer", Account, _Token)


class HubClient:
    """Asks the Hub. Loop thread only.

    Parameters
    ----------
    settings : HubSettings
    http : aiohttp.ClientSession
    """

    def __init__(self, settings: HubSettings, http: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._http = http

    def authorize_url(self, state: str, verifier: str) -> str:
        """Address at which a browser logs in, to come back with `state` and a code."""
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.callback_url,
            "response_type": "code",
            "state": state,
            # RFC 7636: Hubs before 6.0 take no notice of it.
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self._settings.authorize_url}?{urlencode(query)}"

    async def token_for(self, code: str, verifier: str) -> str:
        """Exchange what a browser came back with for a token of its user.

        Raises
        ------
        SignInError
            The Hub does not take it.
        HubUnreachableError
        """
        form = {
            "client_id": self._settings.client_id,
            "client_secret": self._settings.api_token,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.callback_url,
            "code_verifier": verifier,
        }
        status, body = await self._ask("POST", "/oauth2/token", data=form)
        if status >= 400:
            raise SignInError("The Hub did not confirm the login.", hint="Open the link again.")
        return self._read(body, _Token).access_token

    async def account_of(self, token: str) -> Account | None:
        """Return whose token it is; None if it is nobody's (any more).

        Raises
        ------
        HubUnreachableError
        """
        headers = {"Authorization": f"token {token}"}
        status, body = await self._ask("GET", "/user", headers=headers)
        if status in (401, 403, 404):
            return None
        return self._read(body, Account)

    def may_enter(self, account: Account) -> bool:
        """Whether the Hub lets them use the service."""
        return not self._settings.access_scopes.isdisjoint(account.scopes)

    async def _ask(self, method: str, path: str, **options: Any) -> tuple[int, bytes]:
        url = self._settings.api_url + path
        try:
            async with self._http.request(
                method, url, timeout=TIMEOUT, allow_redirects=False, **options
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise HubUnreachableError("The Hub does not answer.", hint="Try again.") from exc
        if answer.status >= 500:
            raise HubUnreachableError(f"The Hub answers with status {answer.status}.")
        return answer.status, body

    @staticmethod
    def _read(body: bytes, kind: type[_Answer]) -> _Answer:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError as exc:
            raise HubUnreachableError("The Hub's answer cannot be read.") from exc
