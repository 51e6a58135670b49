"""A kernel's link in a test's hand: no thread, no socket, and the server is the test."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.types import VolumeRef
from blustream_widget.server_link import Link


class Listener:
    def __init__(self) -> None:
        self.relayed: list[tuple[int, str | bytes]] = []

    def on_message(self, message: lp.ToKernel) -> None:
        pass

    def on_relay(self, channel: int, data: str | bytes) -> None:
        self.relayed.append((channel, data))

    def on_link_error(self, error: Exception) -> None:
        raise AssertionError(error)


class Kernel(Link):
    """A link without a thread: what is posted happens at once."""

    def __init__(self) -> None:
        super().__init__(Config())
        self.listener = Listener()

    def _post(self, call: Any, *, start: bool = True) -> bool:
        call()
        return True

    def views(self, n: int) -> list[str]:
        names = [uuid.uuid4().hex for _ in range(n)]
        for name in names:
            self.open_session(name, VolumeRef(url="fake:1"), {}, self.listener)
        return names

    def connect(self) -> list[lp.ToServer]:
        """Make the connection anew; gives what goes out over it."""
        self.connect_only()
        return self.sent()

    def connect_only(self) -> None:
        """Make the connection anew; nothing goes out yet."""
        self._socket._socket = object()  # type: ignore[assignment]  # whether there is one counts
        self._socket._outbox = []
        self._reopen_all()

    def break_off(self) -> None:
        self._socket._socket = None
        self._drop_relays()

    def sent(self) -> list[lp.ToServer]:
        """Take what goes out now; of orders, what is to be done."""
        sent = [lp.to_server_decoder.decode(text) for text in self.sent_texts()]
        return [one.what if isinstance(one, lp.Order) else one for one in sent]

    def sent_texts(self) -> list[str]:
        """Take what goes out now, as text."""
        texts: list[str] = []

        class Socket:
            async def send_str(self, text: str) -> None:
                texts.append(text)

        # Of the socket, the part that it needs.
        flushing = self._socket._flush(Socket(), self._unsent)  # type: ignore[arg-type]
        with contextlib.suppress(StopIteration):
            flushing.send(None)  # it waits for nothing: no loop is needed
        return texts

    def hear(self, *messages: lp.ToKernel) -> None:
        for message in messages:
            self._receive(message)

    def confirm(self, sent: list[lp.ToServer]) -> None:
        """Be the server that has taken all of it."""
        for message in sent:
            if isinstance(message, lp.Confirm):
                self._receive(lp.Confirmed(n=message.n))
