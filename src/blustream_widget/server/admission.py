"""Who may join: the first message of a viewer's connection, on whatever channel it came."""

from __future__ import annotations

import logging

from blustream_widget.core import protocol as p
from blustream_widget.core.share_messages import Join, Joined
from blustream_widget.errors import (
    BlustreamError,
    ProtocolError,
    SessionAwaitedError,
    SessionNotFoundError,
    TokenError,
)
from blustream_widget.server.hub import Hub
from blustream_widget.session.session import Session
from blustream_widget.session.viewer import Viewer
from blustream_widget.transport.channel import Channel

logger = logging.getLogger(__name__)

HELLO_TIMEOUT_S = 5.0
CLOSE_REFUSED = 4403
CLOSE_NO_SESSION = 4404


class Visitor:
    """A connection that may become a viewer: refused, or in a session until it ends.

    Parameters
    ----------
    hub : Hub
    channel : Channel
    account : str
        Whom JupyterHub knows the visitor as; "" if they did not come through its service.
    """

    def __init__(self, hub: Hub, channel: Channel, *, account: str = "") -> None:
        self._hub = hub
        self._channel = channel
        self._account = account
        self._session: Session | None = None
        self._viewer: Viewer | None = None
        self._has_token = False
        self._is_gone = False
        # While a hello waits for its session's kernel: what is said if that does not come.
        self._awaits: SessionAwaitedError | None = None

    def receive(self, data: bytes | str) -> None:
        """Take a text message: the hello first, everything else after it. Never raises."""
        if self._viewer is not None:
            self._viewer.receive(data)
            return
        if self._awaits is not None or self._is_gone:
            return
        try:
            self._join(p.decode_viewer(data))
        except BlustreamError as exc:
            self.refuse(exc)

    def refuse_late(self) -> None:
        """Refuse who has not joined in time."""
        if self._viewer is None and not self._is_gone:
            self.refuse(self._awaits or TokenError("No hello came in time."))

    def refuse(self, error: BlustreamError) -> None:
        """Say why, and close."""
        logger.info("A viewer was refused: %s", error.code)
        message = p.Error(code=error.code, message=error.message, hint=error.hint, fatal=True)
        self._channel.send_text(p.encode(message))
        is_gone = isinstance(error, SessionNotFoundError)
        self._channel.close(CLOSE_NO_SESSION if is_gone else CLOSE_REFUSED, error.code)

    async def leave(self) -> None:
        """Take note that the connection is gone."""
        self._is_gone = True
        if self._session is not None and self._viewer is not None:
            await self._session.leave(self._viewer)

    def _join(self, message: p.ViewerMessage) -> None:
        if not isinstance(message, p.Hello | Join):
            raise TokenError("The first message must be a hello with a token.")
        if message.protocol != p.PROTOCOL_VERSION:
            raise ProtocolError(
                f"The page speaks protocol {message.protocol}, the server {p.PROTOCOL_VERSION}.",
                hint="Reload the page.",
            )
        if self._channel.name not in self._hub.config.transports.split(","):
            raise ProtocolError(f"The transport {self._channel.name} is switched off.")
        if isinstance(message, Join):
            self._redeem(message)
            return
        grant = self._hub.tokens.check(message.token)
        try:
            session = self._hub.find(grant.session, takes_up=True)
        except SessionAwaitedError as exc:
            # Its kernel comes in a moment, and a page that were refused would have to ask again.
            self._awaits = exc
            self._hub.when_opened(grant.session, lambda: self._resume(message))
            return
        guest = session.sharing.admit(grant.person) if grant.person else None
        self._viewer = session.join(self._channel, message, role=grant.role, guest=guest)
        self._session = session

    def _resume(self, message: p.Hello) -> None:
        self._awaits = None
        if not self._is_gone:
            try:
                self._join(message)
            except BlustreamError as exc:
                self.refuse(exc)

    def _redeem(self, message: Join) -> None:
        """Give a guest a token, once on a connection; the hello may follow on it."""
        if self._has_token:
            raise ProtocolError("A connection joins only once.")
        self._has_token = True

        def tell(joined: Joined) -> None:
            self._channel.send_text(p.encode(joined))

        def refuse(error: BlustreamError) -> None:
            if not self._is_gone:
                self.refuse(error)

        self._hub.redeem(message, tell, refuse, account=self._account)
