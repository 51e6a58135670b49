"""Has a kernel's server be found through JupyterHub's service for guests; a part of sharing.

The kernel shows the service the token that the Hub gave it, which says whose kernel it is, and gets
a ticket for the server. The token goes nowhere else.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from blustream_widget._version import __version__
from blustream_widget.config import Config, runtime_dir
from blustream_widget.core import hub_messages as hm
from blustream_widget.core import link_protocol as lp
from blustream_widget.errors import HubServiceError, HubUnreachableError, ShareError
from blustream_widget.runtime import start_thread

TIMEOUT_S = 10.0
RETRY_S = (1.0, 5.0, 15.0, 60.0)
MAX_ANSWER_BYTES = 64 * 1024
FRESH_S = 3600.0
"""Viewers of one kernel share a ticket for so long, unless it is refused."""

Told = Callable[[str, HubServiceError | None], None]


class HubDesk:
    """One viewer's part in it. Methods return at once; any thread.

    Parameters
    ----------
    config : Config
        With `hub_service`.
    session : str
    tell : callable
        Sends a message to the server.
    told : callable
        Gets the page for guests when it is known, and "" with the error when it cannot be; on a
        thread of this class.
    """

    def __init__(
        self, config: Config, session: str, tell: Callable[[lp.OpenDesk], None], told: Told
    ) -> None:
        self._service = config.hub_service
        self._place = place_of(config)
        self._session = session
        self._tell, self._told = tell, told
        self._lock = threading.Lock()  # guards the start and end of the thread
        self._is_running = False
        self._is_asked = False
        self._is_closed = threading.Event()
        self._known: hm.Registered | None = None
        self._failure: HubServiceError | None = None

    def open(self) -> None:
        """Tell a server that came where the service is."""
        with self._lock:
            self._is_asked = True
            if not self._is_running and not self._is_closed.is_set():
                self._is_running = True
                start_thread(self._run, name="blustream-hub-desk")

    def renew(self) -> None:
        """Get another ticket: this one was refused."""
        _tickets.forget(self._service, self._known)
        self.open()

    def close(self) -> None:
        """Try no more."""
        self._is_closed.set()

    def address(self, told_by_page: str) -> str:
        """Return where guests go; "" as long as no page has told at which address the Hub is.

        Raises
        ------
        ShareError
            The service does not do its part.
        """
        known, failure = self._known, self._failure
        if known is None and failure is not None:
            raise ShareError(
                f"Guests cannot reach this view through JupyterHub: {failure.message}",
                hint=failure.hint or "Ask the operators of the Hub.",
            )
        if known is None:
            return ""
        if "://" in known.page:
            return known.page
        return told_by_page if told_by_page.endswith(known.page) else ""

    def _run(self) -> None:
        attempt = 0
        while True:
            with self._lock:
                if not self._is_asked or self._is_closed.is_set():
                    self._is_running = False
                    return
                self._is_asked = False
            try:
                known = _tickets.get(self._service, self._place)
            except HubServiceError as exc:
                self._failure = exc
                self._told("", exc)
                self._is_asked = True
                self._is_closed.wait(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                attempt += 1
                continue
            self._known, self._failure = known, None
            self._tell(
                lp.OpenDesk(session=self._session, address=self._service, ticket=known.ticket)
            )
            self._told(known.page, None)


def place_of(config: Config) -> str:
    """Name this user's server: others of the same user, or of another version, are others."""
    name = os.environ.get("JUPYTERHUB_SERVER_NAME", "")
    return hashlib.sha256(f"{name}\0{runtime_dir(config)}\0{__version__}".encode()).hexdigest()[:16]


class _Tickets:
    """Those of this process, by service. Blocks; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # one kernel asks once, however many viewers it has
        self._known: dict[str, tuple[hm.Registered, float]] = {}

    def get(self, service: str, place: str) -> hm.Registered:
        with self._lock:
            known, since_s = self._known.get(service, (None, 0.0))
            if known is None or time.monotonic() - since_s > FRESH_S:
                known = register(service, place, os.environ.get("JUPYTERHUB_API_TOKEN", ""))
                self._known[service] = known, time.monotonic()
            return known

    def forget(self, service: str, registered: hm.Registered | None) -> None:
        with self._lock:
            if self._known.get(service, (None, 0.0))[0] == registered:
                self._known.pop(service, None)


_tickets = _Tickets()


def register(service: str, place: str, token: str) -> hm.Registered:
    """Ask the service for a ticket. Blocks for up to some `TIMEOUT_S`.

    Parameters
    ----------
    service : str
        Its address, with "/" at the end.
    place : str
    token : str
        Of the Hub, for this user.

    Raises
    ------
    HubServiceError
        Says why there is none.
    """
    if not token:
        raise HubServiceError(
            "JUPYTERHUB_API_TOKEN is not set.", hint="BLUSTREAM_HUB_SERVICE is for JupyterHub only."
        )
    url = urlsplit(service)
    if url.scheme not in ("http", "https") or not url.hostname or not url.path.endswith("/"):
        raise HubServiceError(
            f"BLUSTREAM_HUB_SERVICE={service!r} is no address of a service.",
            hint='It looks like "http://127.0.0.1:10101/services/blustream/".',
        )
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname, url.port, timeout=TIMEOUT_S)
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    try:
        # Redirects are not followed: the token is for this address alone.
        connection.request(
            "POST", f"{url.path}register", hm.encoder.encode(hm.Register(place)), headers
        )
        answer = connection.getresponse()
        body = answer.read(MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as exc:
        raise HubUnreachableError(
            f"Its service for guests at {service} does not answer ({type(exc).__name__}).",
            hint="Ask the operators of the Hub whether it runs.",
        ) from exc
    finally:
        connection.close()
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise HubServiceError(f"Its service for guests at {service} does not know this user.")
    try:
        if answer.status != HTTPStatus.OK:
            raise msgspec.DecodeError(f"status {answer.status}")
        return hm.registered_decoder.decode(body)
    except msgspec.MsgspecError as exc:
        raise HubServiceError(
            f"At {service} there is no service for guests ({exc}).",
            hint="Ask the operators of the Hub: blustream hub-service is to run there, and its path"
            " begins with the Hub's base_url.",
        ) from exc
