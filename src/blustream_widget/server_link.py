"""The kernel's one connection to the server: patches out, state back, relayed browsers.

One thread with one asyncio loop serves all viewers of a kernel. It starts with the first session
and ends with the last, finds or starts the server, and takes sessions up again when the server was
replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import selectors
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from blustream_widget.config import Config, load_config
from blustream_widget.core import link_labels as ll
from blustream_widget.core import link_protocol as lp
from blustream_widget.errors import BlustreamError, SessionNotFoundError, TransportError
from blustream_widget.link_orders import Behind, Orders
from blustream_widget.link_session import LinkListener, LinkSession
from blustream_widget.link_socket import LinkSocket
from blustream_widget.runtime import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from blustream_widget.core.palettes import Palette
    from blustream_widget.core.segmentation import SegmentationSource
    from blustream_widget.core.types import VolumeRef

logger = logging.getLogger(__name__)

_RETRY_S = (0.1, 0.3, 0.5, 1.0, 2.0, 5.0)
_CLOSE_S = 5.0
"""For so long a server is looked for that has not confirmed the end of a session."""


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
        self._sessions: dict[str, LinkSession] = {}
        self._asked: dict[str, LinkSession] = {}  # that the loop has not taken up yet
        # That are closed here, until when a server is to be told so (monotonic, s).
        self._closing: dict[str, float] = {}
        self._channels: dict[int, str] = {}
        self._next_channel = 0
        self._orders = Orders()
        self._socket = LinkSocket(self._receive, self._to_browser)
        self._descriptors: list[int] = []  # of the loop
        _links.add(self)

    # -------------------------------------------------- any thread

    def open_session(
        self,
        session: str,
        ref: VolumeRef,
        patch: dict[str, Any],
        listener: LinkListener,
        palettes: tuple[Palette, ...] = (),
    ) -> None:
        """Start a session; what comes of it goes to `listener`. `patch` may name the `palettes`."""
        opening = lp.OpenSession(session=session, ref=ref, patch=patch, palettes=palettes)
        with self._lock:
            self._asked[session] = LinkSession(opening, listener)
        self._post(lambda: self._open(session))

    def reopen_session(self, session: str) -> None:
        """Have the server try again to open a session's volume."""
        self._post(lambda: self._reopen(session), start=False)

    def close_session(self, session: str) -> None:
        """End a session. The thread ends when it was the last one."""
        if not self._post(lambda: self._close(session), start=False):
            self._sessions.pop(session, None)

    def patch(self, session: str, patch: dict[str, Any], seq: int) -> None:
        """Change fields of a session's view; patches that were not sent yet are joined."""
        self._post(lambda: self._patch(session, patch, seq), start=False)

    def put_palette(self, session: str, palette: Palette) -> None:
        """Tell the server a colour map or a style of labels, before the patch that names it."""
        self._post(lambda: self._put_palette(session, palette), start=False)

    def keep_segmentation(self, session: str, source: SegmentationSource) -> None:
        """Have labels opened again by another server: they are open in this one."""
        self._post(lambda: self._keep_segmentation(session, source), start=False)

    def remove_segmentation(self, session: str, name: str) -> None:
        """Take labels away, here too."""
        self._post(lambda: self._remove_segmentation(session, name), start=False)

    def refresh(self, session: str) -> None:
        """Tell the worker that the shared array changed."""
        self.order(lp.RefreshVolume(session=session))

    def tell(self, message: lp.ToServer) -> None:
        """Send a message that may be lost: `SessionOpened` says when to send it again.

        For what has an answer that somebody waits for, or is known here for as long as it holds.
        """
        self._post(lambda: self._socket.send(message), start=False)

    def order(self, message: lp.OfOrder) -> None:
        """Have something done once: sent until a server confirms it, in whatever connection."""
        self._post(lambda: self._order(message), start=False)

    def tie(self, message: lp.TieViews) -> None:
        """Have views follow each other, also in a server that takes this one's place.

        What was set in one of them before counts as set before, and what is set after as after.
        """
        self._post(lambda: self._tie(message), start=False)

    def untie(self, tie: str) -> None:
        """Let the views of a tie go their own ways."""
        self._post(lambda: self._untie(tie), start=False)

    def renew_token(self, session: str) -> None:
        """Ask for a fresh token; it comes as `SessionToken`."""
        self._post(lambda: self._socket.send(lp.RenewToken(session=session)), start=False)

    def new_channel(self, session: str) -> int:
        """Give the number for a browser that will speak through this link."""
        with self._lock:
            self._next_channel += 1
            self._channels[self._next_channel] = session
            return self._next_channel

    def open_relay(self, channel: int) -> None:
        """Let a browser without a connection speak; it is sent away while there is no server."""
        self._post(lambda: self._open_relay(channel), start=False)

    def relay(self, channel: int, text: str) -> None:
        """Pass a browser's message on."""
        self._post(lambda: self._socket.send(lp.RelayText(channel=channel, text=text)), start=False)

    def close_relay(self, channel: int) -> None:
        """Let go of a relayed browser."""
        self._channels.pop(channel, None)
        self._post(lambda: self._socket.send(lp.RelayClose(channel=channel)), start=False)

    def join(self, timeout_s: float) -> bool:
        """Wait until the thread has ended (after the last `close_session`)."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def forget_parent(self) -> None:
        """Begin anew in a forked child: thread, connection and sessions are the parent's."""
        _of_parent.append((self._loop, self._thread, self._socket))
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for descriptor in (*self._descriptors, *self._socket.descriptors):
            # Not closed: the copies of the parent's objects believe that the number is theirs.
            os.dup2(null, descriptor, inheritable=False)
        os.close(null)
        self.__init__(self._config)  # type: ignore[misc]  # all of it, the lock as well

    def _post(self, call: Callable[[], None], *, start: bool = True) -> bool:
        with self._lock:
            if self._loop is None:
                if not start:
                    return False
                # Its own selector, so that a forked child can let go of it.
                selector = selectors.DefaultSelector()
                self._descriptors = [selector.fileno()] if hasattr(selector, "fileno") else []
                self._loop = asyncio.SelectorEventLoop(selector)
                self._thread = start_thread(self._run, name="blustream-link")
            self._loop.call_soon_threadsafe(call)
            return True

    # -------------------------------------------------- link thread

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._serve())
        except Exception as exc:
            # Before the loop is closed: until then, what is asked of it is lost, but not an error.
            logger.exception("The link to the server ended")
            self._died(exc)
        finally:
            with contextlib.suppress(Exception):
                loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def _died(self, exc: Exception) -> None:
        error = TransportError(f"The link to the server ended: {exc}.", hint="Restart the kernel.")
        with self._lock:
            # What was asked of the dead loop is lost; the next session starts another one.
            self._loop = None
            self._sessions |= self._asked
            self._asked = {}
            self._channels = {}
        self._tell_all(error)

    async def _serve(self) -> None:
        self._socket.begin()
        attempt = 0
        while not self._finished():
            try:
                await self._connect_once()
                attempt = 0
            except BlustreamError as exc:
                self._tell_all(exc)
            except (TimeoutError, OSError) as exc:
                logger.info("The server is not reachable: %s", type(exc).__name__)
            except Exception as exc:
                logger.exception("The connection to the server failed")
                self._tell_all(TransportError(f"The connection to the server failed: {exc}."))
            if self._is_needed:
                await self._socket.pause(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
                attempt += 1

    @property
    def _has_sessions(self) -> bool:
        return bool(self._sessions or self._asked)

    @property
    def _is_needed(self) -> bool:
        now_s = time.monotonic()
        self._closing = {name: end_s for name, end_s in self._closing.items() if now_s < end_s}
        return self._has_sessions or bool(self._closing)

    def _finished(self) -> bool:
        # Under the lock: a session that is opened now either is seen here or starts a new thread.
        with self._lock:
            if self._is_needed:
                return False
            self._loop = None
            return True

    async def _connect_once(self) -> None:
        from blustream_widget.server import discovery

        # No server is started only to hear that nothing is wanted of it.
        if self._has_sessions:
            address = await asyncio.to_thread(discovery.find_or_start, self._config)
        elif (found := await asyncio.to_thread(discovery.find_server, self._config)) is not None:
            address = found
        else:
            return
        async with self._socket.connected(address):
            try:
                self._reopen_all()
                await self._socket.exchange(
                    self._unsent,
                    is_needed=lambda: self._is_needed,
                    look_again_s=lambda: _CLOSE_S if self._closing else None,
                )
            finally:
                self._drop_relays()

    def _unsent(self) -> Iterator[lp.ToServer]:
        for session in self._sessions.values():
            yield from session.take_unsent()
        if (question := self._orders.question()) is not None:
            yield question

    def _receive(self, message: lp.ToKernel) -> None:
        if isinstance(message, lp.RelayText):
            self._to_browser(message.channel, message.text)
        elif isinstance(message, lp.RelayClose):
            self._to_browser(message.channel, "")
            self._channels.pop(message.channel, None)
        elif isinstance(message, lp.SessionClosed):
            self._closing.pop(message.session, None)
            self._socket.notify()
        elif isinstance(message, lp.Confirmed):
            self._orders.confirmed(message.n)
        elif (session := self._sessions.get(message.session)) is not None:
            if isinstance(message, lp.SessionError) and message.code == SessionNotFoundError.code:
                # The server has let go of it, to make room: here is all that it needs.
                self._reopen(message.session)
                return
            session.heard(message)
            _tell(session.listener.on_message, message)

    def _to_browser(self, channel: int, data: str | bytes) -> None:
        session = self._sessions.get(self._channels.get(channel, ""))
        if session is not None:
            _tell(session.listener.on_relay, channel, data)

    def _drop_relays(self) -> None:
        for channel in list(self._channels):
            self._to_browser(channel, "")
        self._channels.clear()

    def _tell_all(self, error: BlustreamError) -> None:
        for session in list(self._sessions.values()):
            _tell(session.listener.on_link_error, error)

    def _reopen_all(self) -> None:
        for name in self._closing:
            self._socket.put(lp.CloseSession(session=name))
        for name in self._sessions:
            self._reopen(name)
        for order, behind in self._orders.again():
            self._put_changes(behind)
            self._socket.put(order)

    def _reopen(self, name: str) -> None:
        session = self._sessions.get(name)
        if session is None:
            return
        session.is_known = session.is_known or self._socket.is_open
        self._socket.send(session.reopening())
        for tie in self._orders.ties_of(name):
            self._socket.send(tie)

    def _put_changes(self, behind: Behind) -> None:
        """Tell the first changes of some sessions."""
        for name, last in behind.items():
            if (session := self._sessions.get(name)) is not None:
                for message in session.take_unsent(last):
                    self._socket.put(message)

    def _open(self, name: str) -> None:
        with self._lock:
            session = self._asked.pop(name, None)
        if session is None:
            return
        self._sessions[name] = session
        self._closing.pop(name, None)
        if self._socket.is_open:
            session.is_known = True
            self._socket.send(session.opening)

    def _close(self, name: str) -> None:
        session = self._sessions.pop(name, None)
        if session is not None:
            if session.is_known:  # kept: the connection may have broken unnoticed
                self._closing[name] = time.monotonic() + _CLOSE_S
            for channel in [c for c, s in self._channels.items() if s == name]:
                del self._channels[channel]
            self._socket.send(lp.CloseSession(session=name))
        self._orders.forget(name)

    def _order(self, message: lp.OfOrder) -> None:
        self._socket.send(self._orders.add(message))

    def _tie(self, message: lp.TieViews) -> None:
        members = {name: one for name, one in self._sessions.items() if name in message.sessions}
        sealed = {name: session.seal() for name, session in members.items()}
        behind = {name: last for name, last in sealed.items() if last is not None}
        order = self._orders.tie(message, behind)
        if self._socket.is_open:
            self._put_changes(behind)
        self._socket.send(order)

    def _untie(self, name: str) -> None:
        if (order := self._orders.untie(name)) is not None:
            self._socket.send(order)

    def _open_relay(self, channel: int) -> None:
        session = self._channels.get(channel)
        if session is None:
            return
        if self._socket.is_open:
            self._socket.send(lp.RelayOpen(session=session, channel=channel))
        else:
            # The page tries again by itself; what it said meanwhile would be lost.
            self._to_browser(channel, "")
            self._channels.pop(channel, None)

    def _patch(self, name: str, patch: dict[str, Any], seq: int) -> None:
        session = self._sessions.get(name)
        if session is not None:
            session.add(patch, seq)
            # Of linked views the one that was set last leads: it is told of last.
            self._sessions[name] = self._sessions.pop(name)
            self._socket.notify()

    def _put_palette(self, name: str, palette: Palette) -> None:
        session = self._sessions.get(name)
        if session is not None:
            session.put(palette)
            self._socket.send(lp.PutPalette(session=name, palette=palette))

    def _keep_segmentation(self, name: str, source: SegmentationSource) -> None:
        session = self._sessions.get(name)
        if session is not None:
            session.put_segmentation(source)

    def _remove_segmentation(self, name: str, segmentation: str) -> None:
        session = self._sessions.get(name)
        if session is not None:
            session.drop_segmentation(segmentation)
            self._order(ll.RemoveSegmentation(session=name, name=segmentation))


def _tell(call: Callable[..., None], *arguments: Any) -> None:
    """Call a listener; what goes wrong in one viewer is not the others' end."""
    try:
        call(*arguments)
    except Exception:
        logger.exception("A viewer failed to take a message of the server")


_links: weakref.WeakSet[Link] = weakref.WeakSet()
_of_parent: list[Any] = []  # Any: whatever must not be finalised in a forked child
_shared: Link | None = None
_shared_lock = threading.Lock()


def shared_link() -> Link:
    """Return the link of this process, made at first use."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Link()
        return _shared


def _after_fork() -> None:
    global _shared_lock
    _shared_lock = threading.Lock()
    for link in list(_links):
        link.forget_parent()


os.register_at_fork(after_in_child=_after_fork)
