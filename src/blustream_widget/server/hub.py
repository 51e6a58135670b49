"""All sessions of the server, from a kernel's wish to their end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.share_messages import Join, Joined
from blustream_widget.errors import (
    BlustreamError,
    NoLinkError,
    ProtocolError,
    SessionAwaitedError,
    SessionFullError,
    SessionNotFoundError,
)
from blustream_widget.server.lifetime import Lifetime
from blustream_widget.server.runtime_files import sweep
from blustream_widget.server.tokens import LIFETIME_S, TokenIssuer
from blustream_widget.server.uplink import Uplink
from blustream_widget.session.guests import Guest, no_link
from blustream_widget.session.kernel_port import Kernel
from blustream_widget.session.session import Session
from blustream_widget.session.session_store import FILE_NAME
from blustream_widget.session.ties import Ties
from blustream_widget.session.workers import WorkerPool
from blustream_widget.transport.ice_servers import IceServers
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

MAX_SESSIONS = 64
_SESSION_ID = re.compile(r"[0-9a-f]{32}")


class Hub:
    """Sessions by id, the workers they share, and the tokens to join them. Loop thread only.

    Parameters
    ----------
    config : Config
    ice_servers : tuple of mappings
    pool : WorkerPool
    lifetime : Lifetime
    token_lifetime_s : float
        Kernels get a fresh token every third of it.
    kept : Path or None
        Folder of what sessions leave for another server, should this one end before them.
    key : bytes, optional
        Secret of the tokens; None: a new one.
    """

    def __init__(
        self,
        config: Config,
        *,
        ice_servers: IceServers,
        pool: WorkerPool,
        lifetime: Lifetime,
        token_lifetime_s: float = LIFETIME_S,
        kept: Path | None = None,
        key: bytes | None = None,
    ) -> None:
        self.config = config
        self._kept = kept
        self._awaited = _left_in(kept)
        self._token_lifetime_s = token_lifetime_s
        self._renewal: asyncio.TimerHandle | None = None
        self.tokens = TokenIssuer(key)
        self._ice_servers = ice_servers
        self._pool = pool
        self._lifetime = lifetime
        self._sessions: dict[str, Session] = {}
        self._graces: dict[str, asyncio.TimerHandle] = {}
        self._tasks = TaskSet()
        # Who waits for a session that a former server left.
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self.ties = Ties(self._sessions.get)
        # Set when there is somebody who serves guests that come through it.
        self.uplink: Uplink | None = None

    def find(self, session_id: str) -> Session:
        """Return a running session.

        Raises
        ------
        SessionAwaitedError
            A former server left it, and its kernel has not come to take it up yet.
        SessionNotFoundError
        """
        session = self._sessions.get(session_id)
        if session is None and session_id in self._awaited:
            raise SessionAwaitedError("The server has begun anew and waits for the notebook.")
        if session is None:
            raise SessionNotFoundError(
                "The session has ended.", hint="Run the cell again to open the volume again."
            )
        return session

    def open(self, message: lp.OpenSession, kernel: Kernel) -> None:
        """Start a session for `kernel`, or give it back one that still runs."""
        session = self._sessions.get(message.session)
        is_new = session is None
        if session is None:
            try:
                session = self._make(message)
            except BlustreamError as exc:
                kernel.tell(_error(message.session, exc, fatal=True))
                return
        self._cancel_grace(message.session)
        kernel.tell(
            lp.SessionOpened(
                session=session.id,
                token=self.owner_token(session.id),
                annotations_revision=session.annotations.known_revision,
            )
        )
        for palette in message.palettes:
            session.put_palette(palette)
        session.segmentations.restore(message.segmentations)
        if is_new:
            session.open(message.patch, message.state)
        session.attach(kernel)
        if self._renewal is None:
            self._renew_later()
        for resume in self._waiting.pop(session.id, ()):
            resume()

    def when_opened(self, session_id: str, call: Callable[[], None]) -> None:
        """Have `call` called, once, when a kernel has opened the session."""
        self._waiting.setdefault(session_id, []).append(call)

    def offer_desk(self, kernel: Kernel, message: lp.OpenDesk) -> None:
        """Hear where JupyterHub's service for guests is."""
        if self.uplink is not None and message.session in self._sessions:
            self.uplink.offer(kernel, message)

    def _links_changed(self) -> None:
        if self.uplink is not None:
            self.uplink.shared(any(x.sharing.is_shared for x in self._sessions.values()))

    def owner_token(self, session_id: str) -> str:
        """Token for the notebook's own browser."""
        return self.tokens.issue(session_id, "owner", lifetime_s=self._token_lifetime_s)

    def redeem(self, join: Join, then: Callable[[Joined], None]) -> None:
        """Exchange the code of a link for a token of the session that it leads to.

        Raises
        ------
        NoLinkError, LinkExpiredError, LinkFullError, SharingEndedError
        """
        for session in self._sessions.values():
            with contextlib.suppress(NoLinkError):
                session.sharing.redeem(join, partial(self._let_in, session.id, then))
                return
        raise no_link()

    def _let_in(self, session_id: str, then: Callable[[Joined], None], guest: Guest) -> None:
        expires_ms = guest.link.expires_ms
        lifetime_s = expires_ms / 1000 - time.time()
        token = self.tokens.issue(session_id, guest.role, lifetime_s=lifetime_s, person=guest.id)
        then(Joined(token=token, expires_ms=expires_ms))

    def _renew_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._renewal = loop.call_later(self._token_lifetime_s / 3, self._renew_tokens)

    def _renew_tokens(self) -> None:
        # Unasked: a page whose kernel is busy cannot ask, and its connection may break any time.
        self._renewal = None
        for session in self._sessions.values():
            session.tell_token(self.owner_token(session.id))
        if self._sessions:
            self._renew_later()
            if self._kept is not None:
                self._tasks.spawn(self._sweep(self._kept), name="sweep")

    async def _sweep(self, kept: Path) -> None:
        await asyncio.to_thread(sweep, kept, set(self._sessions))

    def close(self, session_id: str, reason: str, *, keeps: bool = False) -> None:
        """End a session in the background; `keeps`: its kernel may open it again."""
        session = self._sessions.pop(session_id, None)
        self._awaited.discard(session_id)
        self._cancel_grace(session_id)
        self.ties.forget(session_id)
        if self.uplink is not None:
            self.uplink.forget(session_id)
        self._links_changed()
        if session is not None:
            self._tasks.spawn(self._end(session, reason, keeps), name="session end")

    def kernel_gone(self, kernel: Kernel) -> None:
        """Give the sessions of a kernel whose link broke some time to be taken up again."""
        for session in self._sessions.values():
            session.detach(kernel)
            if not session.has_kernel and session.id not in self._graces:
                loop = asyncio.get_running_loop()
                self._graces[session.id] = loop.call_later(
                    self.config.session_grace_s, self._give_up, session.id
                )

    def _give_up(self, session_id: str) -> None:
        self.close(session_id, "its kernel is gone")

    async def close_all(self, reason: str) -> None:
        """End all sessions, and wait."""
        if self._renewal is not None:
            self._renewal.cancel()
        for session_id in list(self._sessions):
            self.close(session_id, reason, keeps=True)
        await self._tasks.wait()
        if self.uplink is not None:
            await self.uplink.close()
        await self._pool.close()

    def _make(self, message: lp.OpenSession) -> Session:
        if not _SESSION_ID.fullmatch(message.session):
            raise ProtocolError("A session's id has 32 hex digits.")
        if sum(map(bool, (message.ref.url, message.ref.array, message.ref.series))) != 1:
            raise ProtocolError("A volume is given by an address, an array or a series of them.")
        if len(self._sessions) >= MAX_SESSIONS:
            self._make_room()
        session = Session(
            message.session,
            message.ref,
            config=self.config,
            ice_servers=self._ice_servers,
            pool=self._pool,
            ties=self.ties,
            kept=None if self._kept is None else self._kept / message.session,
        )
        self._sessions[session.id] = session
        session.sharing.on_links = self._links_changed
        self._links_changed()  # it may be one that a former server shared
        self._awaited.discard(session.id)
        self._lifetime.enter()
        logger.info("Session %.8s opened", session.id)
        return session

    def _make_room(self) -> None:
        """End the session that nobody has looked at for longest; its kernel can open it again.

        Raises
        ------
        SessionFullError
            If all of them are looked at.
        """
        unseen = [session for session in self._sessions.values() if not session.is_seen]
        if not unseen:
            raise SessionFullError(
                f"{MAX_SESSIONS} volumes are open and shown, and no more are allowed.",
                hint="Close some viewers: viewer.close().",
            )
        longest = min(unseen, key=lambda session: session.unseen_since_s)
        reason = "nobody looked at it, and another volume needed its place"
        self.close(longest.id, reason, keeps=True)

    def _cancel_grace(self, session_id: str) -> None:
        timer = self._graces.pop(session_id, None)
        if timer is not None:
            timer.cancel()

    async def _end(self, session: Session, reason: str, keeps: bool) -> None:
        try:
            await session.close(reason, keeps=keeps)
        finally:
            self._lifetime.leave()


def _left_in(kept: Path | None) -> set[str]:
    """Sessions that a former server left."""
    if kept is None or not kept.is_dir():
        return set()
    return {folder.name for folder in kept.iterdir() if (folder / FILE_NAME).exists()}


def _error(session_id: str, error: BlustreamError, *, fatal: bool) -> lp.SessionError:
    return lp.SessionError(
        session=session_id, code=error.code, message=error.message, hint=error.hint, fatal=fatal
    )
