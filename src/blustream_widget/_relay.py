"""Browsers without a connection of their own, relayed through the widget's comm."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from blustream_widget.core.protocol import MAX_MESSAGE_BYTES
from blustream_widget.server_link import Link

Send = Callable[..., None]
"""`Widget.send(content, buffers=None)`."""


class Relay:
    """Map the browser's channel names to the link's channel numbers, both ways.

    Parameters
    ----------
    link : Link
    session : str
    send : callable
        Sends a custom message to every open page of the widget; pages pick theirs by channel.
    """

    def __init__(self, link: Link, session: str, send: Send) -> None:
        self._link = link
        self._session = session
        self._send = send
        self._channels: dict[str, int] = {}
        self._names: dict[int, str] = {}
        # ipykernel sends the answers of a comm to the shell whose message it handled last. A bare
        # thread would route them to the main shell, which a busy cell blocks.
        self._context = contextvars.copy_context()

    def on_browser(self, content: Any) -> None:
        """Take a custom message of a page; anything that is not a relay message is ignored."""
        if not isinstance(content, dict):
            return
        kind, name = content.get("kind"), content.get("channel")
        if not isinstance(name, str) or len(name) > 64:
            return
        self._context = contextvars.copy_context()
        if kind == "relay-open" and name not in self._channels:
            channel = self._link.new_channel(self._session)
            self._channels[name], self._names[channel] = channel, name
            self._link.open_relay(channel)  # may be answered at once, on another thread
        elif kind == "relay" and name in self._channels:
            text = content.get("text")
            if isinstance(text, str) and len(text) <= MAX_MESSAGE_BYTES:
                self._link.relay(self._channels[name], text)
        elif kind == "relay-close" and name in self._channels:
            channel = self._channels.pop(name)
            self._names.pop(channel, None)
            self._link.close_relay(channel)

    def on_server(self, channel: int, data: str | bytes) -> None:
        """Pass a message of the server to its page; "" means that the server let go."""
        name = self._names.get(channel)
        if name is None:
            return
        if isinstance(data, bytes):
            self._say({"kind": "relay-frame", "channel": name}, [data])
        elif data:
            self._say({"kind": "relay", "channel": name, "text": data})
        else:
            self._names.pop(channel, None)
            self._channels.pop(name, None)
            self._say({"kind": "relay-close", "channel": name})

    def _say(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        # copy(): a context can be entered by one thread at a time only.
        self._context.copy().run(self._send, content, buffers)
