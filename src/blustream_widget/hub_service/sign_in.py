"""Logging in: what a browser carries from here to the Hub and back is in a cookie that is signed.

Nothing is kept here of who has only begun, so nobody can fill this process without a login.
"""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import jwt
from aiohttp import web

from blustream_widget.core.hub_messages import DESK_KEY
from blustream_widget.errors import SignInError
from blustream_widget.hub_service.hub_client import HubClient
from blustream_widget.hub_service.logins import LIFETIME_S, Login, Logins

COOKIE = "blustream-hub"
STATE_COOKIE = "blustream-hub-state-{}"
STATE_LIFETIME_S = 600
_ALGORITHM = "HS256"
_AUDIENCE = "blustream-sign-in"
_STATE = re.compile(r"[A-Za-z0-9_-]{22}")


class SignIn:
    """The way to the Hub and back. Loop thread only.

    Parameters
    ----------
    hub : HubClient
    logins : Logins
    prefix : str
        Path of the service, for its cookies.
    """

    def __init__(self, hub: HubClient, logins: Logins, prefix: str) -> None:
        self._hub = hub
        self.logins = logins
        self._prefix = prefix
        self._key = secrets.token_bytes(32)

    def login_of(self, request: web.Request) -> Login | None:
        """Return who makes a request."""
        return self.logins.find(request.cookies.get(COOKIE, ""))

    def begin(self, request: web.Request, desk: str) -> web.Response:
        """Send a browser to the Hub; it comes back for the page of `desk`."""
        state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        claims = {
            "aud": _AUDIENCE,
            "exp": int(time.time() + STATE_LIFETIME_S),
            "state": state,
            "verifier": verifier,
            "desk": desk,
        }
        answer = _redirect(self._hub.authorize_url(state, verifier))
        signed = jwt.encode(claims, self._key, algorithm=_ALGORITHM)
        self._set(request, answer, STATE_COOKIE.format(state[:8]), signed, STATE_LIFETIME_S)
        return answer

    async def finish(self, request: web.Request) -> web.Response:
        """Take a browser back that was at the Hub, and send it to the page it came for.

        Raises
        ------
        SignInError
            It did not begin here, or the Hub says no.
        HubUnreachableError
        """
        state = request.query.get("state", "")
        if not _STATE.fullmatch(state):
            raise _not_begun()
        name = STATE_COOKIE.format(state[:8])
        claims = self._claims(request.cookies.get(name, ""))
        if not secrets.compare_digest(str(claims["state"]), state):
            raise _not_begun()
        token = await self._hub.token_for(request.query.get("code", ""), str(claims["verifier"]))
        account = await self._hub.account_of(token)
        if account is None or account.kind != "user":
            raise SignInError("The Hub does not say who you are.", hint="Open the link again.")
        if not self._hub.may_enter(account):
            raise SignInError(
                f"The Hub does not let {account.name} use this service.",
                hint="Ask its operators for the scope access:services!service=… of the service.",
            )
        answer = _redirect(f"{self._prefix}{claims['desk']}/guest")
        answer.del_cookie(name, path=self._prefix)
        self._set(request, answer, COOKIE, self.logins.add(account.name, token), int(LIFETIME_S))
        return answer

    def _claims(self, signed: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                signed,
                self._key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["exp", "aud", "state", "verifier", "desk"]},
            )
        except jwt.InvalidTokenError as exc:
            raise _not_begun() from exc
        assert re.fullmatch(DESK_KEY, claims["desk"])  # signed by us
        return claims

    def _set(
        self, request: web.Request, answer: web.Response, name: str, value: str, max_age_s: int
    ) -> None:
        # Of what a browser could say about itself nothing makes its own cookie less safe.
        is_https = request.headers.get("X-Forwarded-Proto", request.scheme).startswith("https")
        answer.set_cookie(
            name,
            value,
            path=self._prefix,
            max_age=max_age_s,
            httponly=True,
            samesite="Lax",
            secure=is_https,
        )


def _redirect(address: str) -> web.Response:
    headers = {"Location": address, "Cache-Control": "no-store"}
    return web.Response(status=302, headers=headers)


def _not_begun() -> SignInError:
    return SignInError(
        "This login did not begin here, or took too long.", hint="Open the link again."
    )
