"""Who is logged in at the service: by a cookie that only this process understands."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from blustream_widget.errors import HubUnreachableError
from blustream_widget.hub_service.hub_client import HubClient

LIFETIME_S = 12 * 3600.0
RECHECK_S = 60.0
"""The Hub is asked so often whether a login is still good."""
TRUST_S = 300.0
"""A login is taken for good no longer than this without the Hub's word."""
MAX_LOGINS = 4096
MAX_OF_ACCOUNT = 16


@dataclass(slots=True, eq=False)
class Login:
    """One browser of a user. `token` allows nothing but to ask the Hub whose it is."""

    account: str
    token: str
    until_s: float
    known_s: float


class Logins:
    """Logins by cookie; the oldest ones make room. Loop thread only.

    Parameters
    ----------
    hub : HubClient
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, hub: HubClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._clock = clock
        self._logins: OrderedDict[str, Login] = OrderedDict()

    def add(self, account: str, token: str) -> str:
        """Take note of a login that the Hub has just confirmed; returns its cookie."""
        of_account = [key for key, login in self._logins.items() if login.account == account]
        for key in of_account[: max(0, len(of_account) + 1 - MAX_OF_ACCOUNT)]:
            del self._logins[key]
        while len(self._logins) >= MAX_LOGINS:
            self._logins.popitem(last=False)
        cookie = secrets.token_urlsafe(32)
        now_s = self._clock()
        self._logins[cookie] = Login(account, token, now_s + LIFETIME_S, now_s)
        return cookie

    def find(self, cookie: str) -> Login | None:
        """Return the login of a cookie, as far as is known here."""
        login = self._logins.get(cookie)
        return login if login is not None and self._clock() < login.until_s else None

    async def is_good(self, login: Login) -> bool:
        """Whether the Hub still knows the user, has them logged in, and lets them in here."""
        now_s = self._clock()
        if now_s >= login.until_s:
            return False
        if now_s - login.known_s < RECHECK_S:
            return True
        try:
            account = await self._hub.account_of(login.token)
        except HubUnreachableError:
            # A Hub that is started anew must not show everybody out.
            return now_s - login.known_s < TRUST_S
        if account is None or account.name != login.account or not self._hub.may_enter(account):
            login.until_s = now_s
            return False
        login.known_s = now_s
        return True
