"""The kernel's one connection to the server: patches out, state back, relayed browsers.

One thread with one asyncio loop serves all viewers of a kernel. It starts with the first session
and ends with the last, finds or starts the server, and takes sessions up again when the server was
replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

from blustream_widget.config import Config, load_config
from blustream_widget.core import link_protocol as lp
from blustream_widget.errors import BlustreamError, TransportError
from blustream_widget.runtime import start_thread

if TYPE_CHECKING:
    import aiohttp

    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeRef

logger = logging.getLogger(__name__)

_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class LinkListener(Protocol):
    """What a viewer hears from the server. All calls come on the link thread and must not block."""

    def on_message(self, message: lp.ToKernel) -> None:
        """Hear a message of this viewer's session."""

    def on_relay(self, channel: int, data: str | bytes) -> None:
        """Pass a message on to the browser that speaks through the comm as `channel`."""

    def on_link_error(self, error: BlustreamError) -> None:
        """Hear that the server could not be reached; the link goes on trying."""


class _Session:
    def __init__(self, opening: lp.OpenSession, listener: LinkListener) -> None:
        self.opening = opening
        self.listener = listener
        self.state: ViewState | None = None
        self.patch: dict[str, Any] = {}
        self.seq = 0


class Link:
    """Connection of this process to its server. Methods may be called from any thread.

    Parameters
    ----------
    config : Config, optional
        Default: from the environment.
    """

    def __init__(self, config: Config | None = None) -> None:
        self._config = config or load_config()
        # One lock, because any thread may start what only the loop may end.
        self._lock = threading.Lock()  # guards start and end of the thread, nothing else
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None  # noqa: TID251  a type, not a start
        self._sessions: dict[str, _Session] = {}
        self._channels: dict[int, str] = {}
        self._next_channel = 0
        self._openings = 0  # sessions asked for that the loop has not taken up yet
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._wake: asyncio.Event | None = None
        self._outbox: list[str] = []

    # -------------------------------------------------- any thread

    def open_session(
        self, session: str, ref: VolumeRef, patch: dict[str, Any], listener: LinkListener
    ) -> None:
        """Start a session; what comes of it goes to `listener`."""
        opening = lp.OpenSession(session=session, ref=ref, patch=patch)
        with self._lock:
            self._openings += 1
        self._post(lambda: self._open(_Session(opening, listener)))

    def close_session(self, session: str) -> None:
        """End a session. The thread ends when it was the last one."""
        self._post(lambda: self._close(session), start=False)

    def patch(self, session: str, patch: dict[str, Any], seq: int) -> None:
        """Change fields of a session's view; patches that were not sent yet are joined."""
        self._post(lambda: self._patch(session, patch, seq), start=False)

    def refresh(self, session: str) -> None:
        """Tell the worker that the shared array changed."""
        self._post(lambda: self._send(lp.RefreshVolume(session=session)), start=False)

    def renew_token(self, session: str) -> None:
        """Ask for a fresh token; it comes as `SessionToken`."""
        self._post(lambda: self._send(lp.RenewToken(session=session)), start=False)

    def open_relay(self, session: str) -> int:
        """Let a browser without a connection speak through this link; returns its channel."""
        with self._lock:
            self._next_channel += 1
            channel = self._next_channel
            self._channels[channel] = session
        self._post(lambda: self._send(lp.RelayOpen(session=session, channel=channel)), start=False)
        return channel

    def relay(self, channel: int, text: str) -> None:
        """Pass a browser's message on."""
        self._post(lambda: self._send(lp.RelayText(channel=channel, text=text)), start=False)

    def close_relay(self, channel: int) -> None:
        """Let go of a relayed browser."""
        self._channels.pop(channel, None)
        self._post(lambda: self._send(lp.RelayClose(channel=channel)), start=False)

    def join(self, timeout_s: float) -> bool:
        """Wait until the thread has ended (after the last `close_session`)."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def _post(self, call: Any, *, start: bool = True) -> None:  # Any: a callable without arguments
        with self._lock:
            if self._loop is None:
                if not start:
                    return
                self._loop = asyncio.new_event_loop()
                self._thread = start_thread(self._run, name="blustream-link", on_error=self._died)
            self._loop.call_soon_threadsafe(call)

    # -------------------------------------------------- link thread

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._serve())
        finally:
            with contextlib.suppress(Exception):
                loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def _died(self, exc: BaseException) -> None:
        logger.error("The link to the server ended: %s", exc, exc_info=exc)
        error = TransportError(f"The link to the server ended: {exc}.", hint="Restart the kernel.")
        with self._lock:
            self._loop = None
        for session in list(self._sessions.values()):
            session.listener.on_link_error(error)

    async def _serve(self) -> None:
        self._wake = asyncio.Event()
        attempt = 0
        while not self._finished():
            try:
                await self._connect_once()
                attempt = 0
            except BlustreamError as exc:
                self._tell_all(exc)
            except (TimeoutError, OSError) as exc:
                logger.info("The server is not reachable: %s", type(exc).__name__)
            if self._sessions or self._openings:
                await self._pause(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
                attempt += 1

    def _finished(self) -> bool:
        # Under the lock: a session that is opened now either is seen here or starts a new thread.
        with self._lock:
            if self._sessions or self._openings:
                return False
            self._loop = None
            return True

    async def _pause(self, seconds: float) -> None:
        assert self._wake is not None
        self._wake.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _connect_once(self) -> None:
        import aiohttp  # here: 0.2 s that `import blustream_widget` need not take

        from blustream_widget.server.discovery import find_or_start

        address = await asyncio.to_thread(find_or_start, self._config)
        connector = aiohttp.UnixConnector(path=str(address.socket_path))
        headers = {"Authorization": f"Bearer {address.secret}"}
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.ws_connect(
                "http://blustream/link", headers=headers, max_msg_size=0, heartbeat=20, compress=0
            ) as socket,
        ):
            self._socket = socket
            try:
                self._reopen_all()
                await self._exchange(socket)
            finally:
                self._socket = None
                self._drop_relays()

    async def _exchange(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        reader = asyncio.ensure_future(self._read(socket))
        try:
            while (self._sessions or self._openings) and not reader.done():
                assert self._wake is not None
                self._wake.clear()
                await self._flush(socket)
                waiting = asyncio.ensure_future(self._wake.wait())
                await asyncio.wait({reader, waiting}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
            await self._flush(socket)
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _flush(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        for name, session in self._sessions.items():
            if session.patch:
                message = lp.PatchState(session=name, patch=session.patch, seq=session.seq)
                session.patch = {}
                self._outbox.append(lp.encoder.encode(message).decode())
        texts, self._outbox = self._outbox, []
        for text in texts:
            await socket.send_str(text)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            data = message.data
            if isinstance(data, bytes):
                (channel,) = lp.RELAY_PREFIX.unpack_from(data)
                self._to_browser(channel, data[lp.RELAY_PREFIX.size :])
            elif isinstance(data, str):
                self._receive(lp.to_kernel_decoder.decode(data))

    def _receive(self, message: lp.ToKernel) -> None:
        if isinstance(message, lp.RelayText):
            self._to_browser(message.channel, message.text)
        elif isinstance(message, lp.RelayClose):
            self._to_browser(message.channel, "")
            self._channels.pop(message.channel, None)
        elif (session := self._sessions.get(message.session)) is not None:
            if isinstance(message, (lp.Mirror, lp.VolumeOpened)):
                session.state = message.state
            session.listener.on_message(message)

    def _to_browser(self, channel: int, data: str | bytes) -> None:
        session = self._sessions.get(self._channels.get(channel, ""))
        if session is not None:
            session.listener.on_relay(channel, data)

    def _drop_relays(self) -> None:
        for channel in list(self._channels):
            self._to_browser(channel, "")
        self._channels.clear()

    def _tell_all(self, error: BlustreamError) -> None:
        for session in list(self._sessions.values()):
            session.listener.on_link_error(error)

    def _reopen_all(self) -> None:
        self._outbox = []
        for session in self._sessions.values():
            opening = session.opening
            if session.state is not None:
                opening = lp.OpenSession(
                    session=opening.session, ref=opening.ref, state=session.state
                )
            self._outbox.append(lp.encoder.encode(opening).decode())

    def _open(self, session: _Session) -> None:
        with self._lock:
            self._openings -= 1
        self._sessions[session.opening.session] = session
        if self._socket is not None:
            self._send(session.opening)

    def _close(self, name: str) -> None:
        if self._sessions.pop(name, None) is not None:
            for channel in [c for c, s in self._channels.items() if s == name]:
                del self._channels[channel]
            self._send(lp.CloseSession(session=name))

    def _patch(self, name: str, patch: dict[str, Any], seq: int) -> None:
        session = self._sessions.get(name)
        if session is not None:
            session.patch.update(patch)
            session.seq = seq
            self._notify()

    def _send(self, message: lp.ToServer) -> None:
        if self._socket is not None:
            self._outbox.append(lp.encoder.encode(message).decode())
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None:
            self._wake.set()


_shared: Link | None = None
_shared_lock = threading.Lock()


def shared_link() -> Link:
    """Return the link of this process, made at first use."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Link()
        return _shared
