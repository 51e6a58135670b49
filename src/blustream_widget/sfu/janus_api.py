"""Janus' JSON over HTTP: what is said, what may be answered, and what is made of it."""

from __future__ import annotations

import errno
import secrets
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec

from blustream_widget.errors import SfuRefusedError, SfuUnreachableError

REQUEST_TIMEOUT_S = 5.0
UNAUTHORIZED, NO_SUCH_SESSION, NO_SUCH_HANDLE = 403, 458, 459
_MAX_ANSWER_BYTES = 1 << 20
_NOT_FOUND, _TOO_MANY = 404, 429
_PLUGIN_UNAUTHORIZED = 457  # of the streaming plugin


class JanusAddress(Protocol):
    """Where a Janus is, and what it asks of its clients."""

    @property
    def url(self) -> str: ...
    @property
    def api_secret(self) -> str: ...
    @property
    def token(self) -> str: ...


class JanusError(SfuRefusedError):
    """An error that Janus or its plugin answered with."""

    def __init__(self, number: int, reason: str) -> None:
        hint = ""
        if number == UNAUTHORIZED:
            hint = "Give the api_secret or the token that this Janus asks for."
        elif number == _PLUGIN_UNAUTHORIZED:
            hint = "Give the admin_key of its streaming plugin, and the mountpoint's own secret."
        elif "admin_key" in reason:
            hint = "Give the admin_key of its plugin."
        super().__init__(f"Janus refuses: {reason} ({number}).", hint=hint)
        self.number = number


class SilentError(SfuUnreachableError):
    """Janus did not answer this time."""


class ClosedError(SilentError):
    """Nobody listens there: Janus has ended, or has not begun."""


class JanusHttp:
    """Requests to one Janus, each with what that asks of its clients.

    Parameters
    ----------
    address : JanusAddress
        A `Janus` or a `CallSfu`.
    """

    def __init__(self, address: JanusAddress) -> None:
        self._url = address.url.rstrip("/")
        self._host = urlsplit(address.url).netloc.rpartition("@")[2]
        self._identity = {"apisecret": address.api_secret} if address.api_secret else {}
        self._identity |= {"token": address.token} if address.token else {}
        # No bound of its own: who asks bounds how much is asked at a time.
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def post(
        self,
        path: str,
        message: dict[str, Any],
        *,
        transaction: str = "",
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> dict[str, Any]:
        """Say something; returns what is answered at once.

        Raises
        ------
        JanusError
            Janus answers that it cannot, or does not want to.
        SilentError
            Nothing came within `timeout_s`, five seconds unless others are given; `ClosedError`
            where that is because nobody listens.
        SfuRefusedError
            What answers is no Janus.
        """
        message = message | self._identity | {"transaction": transaction or secrets.token_hex(8)}
        try:
            async with self._http.post(
                self._url + path,
                json=message,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,  # our secrets are for this host alone
            ) as response:
                text, status = await _text_of(response), response.status
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise self._is_silent(exc) from None
        answer: dict[str, Any] = self._checked(self._decode(text, status, dict))
        return answer

    async def events(self, session: str, most: int) -> list[dict[str, Any]]:
        """Wait for what Janus tells a session: up to `most`; none after half a minute.

        Who waits bounds it, as a connection may be dead without a sign of it.

        Raises
        ------
        JanusError, SilentError, SfuRefusedError
        """
        query = urlencode({"maxev": most} | self._identity)
        try:
            async with self._http.get(
                f"{self._url}/{session}?{query}",
                timeout=aiohttp.ClientTimeout(total=None),
                allow_redirects=False,
            ) as response:
                text, status = await _text_of(response), response.status
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise self._is_silent(exc) from None
        if status == _NOT_FOUND:  # all that Janus says of a session that it does not know
            raise JanusError(NO_SUCH_SESSION, "No such session")
        answer = self._decode(text, status, list[dict[str, Any]] | dict[str, Any])
        events = answer if isinstance(answer, list) else [answer]
        return [self._checked(event) for event in events]

    def data_of(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Give what a plugin said in an answer or an event.

        Raises
        ------
        JanusError, SfuRefusedError
        """
        try:
            data = answer["plugindata"]["data"]
            if "error_code" in data:
                raise JanusError(int(data["error_code"]), str(data.get("error", ""))[:200])
        except (KeyError, TypeError, ValueError) as exc:
            raise self.is_no_janus() from exc
        return dict(data)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    def is_no_janus(self) -> SfuRefusedError:
        """Say that what answers does not speak as Janus does."""
        return SfuRefusedError(
            f"What answers at {self._host} does not speak as Janus does.",
            hint='Its address ends with its base path: "http://host:8088/janus".',
        )

    def _decode(self, text: bytes, status: int, kind: Any) -> Any:
        if status >= 500 or status == _TOO_MANY:  # a proxy in front of it: Janus says 200
            raise SilentError(
                f"Janus at {self._host} does not answer: HTTP {status}.",
                hint="Is it running behind that proxy?",
            )
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError as exc:
            raise self.is_no_janus() from exc

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        try:
            error = answer.get("error", {}) if answer["janus"] == "error" else {}
            number, reason = int(error.get("code", 0)), str(error.get("reason", ""))[:200]
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise self.is_no_janus() from exc
        if error:
            raise JanusError(number, reason)
        return answer

    def _is_silent(self, error: Exception) -> SilentError:
        is_closed = isinstance(error, OSError) and error.errno == errno.ECONNREFUSED
        return (ClosedError if is_closed else SilentError)(
            f"Janus at {self._host} does not answer: {_reason_of(error)}.",
            hint="Is it running, and its HTTP API switched on at this address?",
        )


async def _text_of(response: aiohttp.ClientResponse) -> bytes:
    text = await response.content.read(_MAX_ANSWER_BYTES)
    while not response.content.at_eof() and len(text) < _MAX_ANSWER_BYTES:
        text += await response.content.read(_MAX_ANSWER_BYTES - len(text))
    return text


def _reason_of(error: Exception) -> str:
    """Say why, without the client's own words: they name the address, with secrets in its query."""
    if isinstance(error, TimeoutError):
        return f"nothing came within {REQUEST_TIMEOUT_S:.0f} s"
    if isinstance(error, aiohttp.ClientResponseError):
        return "what came is no HTTP"
    said = error.strerror if isinstance(error, OSError) else None
    return said or type(error).__name__


def host_and_port(url: str) -> tuple[str, int]:
    """Give where the HTTP API at an address is.

    Raises
    ------
    SfuRefusedError
        It is not the address of one.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise SfuRefusedError(
            "The address of Janus is not that of an HTTP API.",
            hint='For example "https://sfu.example.org:8089/janus".',
        )
    return parts.hostname, port or (443 if parts.scheme == "https" else 80)


def id_of(answer: dict[str, Any]) -> str:
    """Give the number of a session or a handle that was made."""
    try:
        return str(int(answer["data"]["id"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise SfuRefusedError("Janus' answer names no session.") from exc
