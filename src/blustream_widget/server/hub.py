"""All sessions of the server, from a kernel's wish to their end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.share_messages import Join, Joined
from blustream_widget.core.types import VolumeRef
from blustream_widget.errors import (
    BlustreamError,
    NoLinkError,
    ProtocolError,
    SessionAwaitedError,
    SessionFullError,
    SessionNotFoundError,
)
from blustream_widget.server.left_calls import LeftCalls
from blustream_widget.server.left_sessions import LeftSessions
from blustream_widget.server.lifetime import Lifetime
from blustream_widget.server.runtime_files import sweep
from blustream_widget.server.taken_orders import TakenOrders
from blustream_widget.server.tokens import LIFETIME_S, TokenIssuer
from blustream_widget.server.uplink import Uplink
from blustream_widget.session.guests import Guest, no_link
from blustream_widget.session.kernel_port import Kernel
from blustream_widget.session.kernel_process import KernelProcess
from blustream_widget.session.session import Session
from blustream_widget.session.shown_view import ShownView
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
        self._awaited = LeftSessions(kept)
        self._token_lifetime_s = token_lifetime_s
        self._renewal: asyncio.TimerHandle | None = None
        self.tokens = TokenIssuer(key)
        self._ice_servers = ice_servers
        self._pool = pool
        self._lifetime = lifetime
        self._sessions: dict[str, Session] = {}
        self._graces: dict[str, asyncio.TimerHandle] = {}
        # Of sessions without their kernel: its process, if it may only be held up in a call.
        self._held_up: dict[str, KernelProcess] = {}
        self._tasks = TaskSet()
        # Who waits for a session that a former server left.
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self.orders = TakenOrders()
        self.ties = Ties(self._view_of)
        # Set when there is somebody who serves guests that come through it.
        self.uplink: Uplink | None = None
        self._left_calls = LeftCalls(config, kept, self._sessions.__contains__)
        self._left_calls.begin()

    def _view_of(self, session_id: str) -> ShownView | None:
        session = self._sessions.get(session_id)
        return None if session is None else session.view

    def find(self, session_id: str, *, takes_up: bool = False) -> Session:
        """Return a running session.

        `takes_up`: one that a former server left is opened, if that needs no kernel.

        Raises
        ------
        SessionAwaitedError
            A former server left it, and its kernel has not come to take it up yet.
        SessionNotFoundError
        """
        session = self._sessions.get(session_id)
        if session is None and session_id in self._awaited:
            session = self._take_up(session_id) if takes_up else None
            if session is not None:
                return session
            raise SessionAwaitedError(
                "The server has begun anew and waits for the notebook, which is busy.",
                hint="Only the notebook can open this volume: it has the data, or the key.",
            )
        if session is None:
            raise SessionNotFoundError(
                "The session has ended.", hint="Run the cell again to open the volume again."
            )
        return session

    def open(
        self, message: lp.OpenSession, kernel: Kernel, process: KernelProcess | None = None
    ) -> None:
        """Start a session for `kernel`, or give it back one that still runs."""
        session = self._sessions.get(message.session)
        is_new = session is None
        if session is None:
            try:
                session = self._make(message.session, message.ref)
            except BlustreamError as exc:
                kernel.tell(_error(message.session, exc, fatal=True))
                return
        self._cancel_grace(message.session)
        self._is_back(process)
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
        else:
            session.view.catch_up(message.state)
        session.attach(kernel, process)
        if self._renewal is None:
            self._renew_later()
        for resume in self._waiting.pop(session.id, ()):
            resume()

    def _take_up(self, session_id: str) -> Session | None:
        """Open a session that a former server left, unless only its kernel can."""
        volume = self._awaited.volume(session_id)
        if volume is None or volume.ref is None:
            return None
        try:
            session = self._make(session_id, volume.ref)
        except BlustreamError as exc:
            logger.info("Session %.8s waits for its kernel: %s", session_id, exc.code)
            return None
        logger.info("Session %.8s is shown before its kernel has come", session_id)
        session.take_up(volume)
        self._await_kernel(session_id, volume.kernel)
        if self._renewal is None:
            self._renew_later()
        return session

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

    def redeem(
        self,
        join: Join,
        then: Callable[[Joined], None],
        refuse: Callable[[BlustreamError], None],
        *,
        account: str = "",
    ) -> None:
        """Exchange the code of a link for a token of the session that it leads to.

        `account` is whom JupyterHub knows them as: that is their name, whatever they say.
        `refuse` hears why there is none: NoLinkError, LinkExpiredError, LinkFullError,
        SharingEndedError, SessionAwaitedError.
        """
        if account:
            join = msgspec.structs.replace(join, name=account)
        try:
            self._redeem(join, then, account)
        except NoLinkError as exc:
            if self._awaited:
                coming = self._redeem_left(join, then, refuse, account)
                self._tasks.spawn(coming, name="guest of a session left behind")
            else:
                refuse(exc)
        except BlustreamError as exc:
            refuse(exc)

    async def _redeem_left(
        self,
        join: Join,
        then: Callable[[Joined], None],
        refuse: Callable[[BlustreamError], None],
        account: str,
    ) -> None:
        """Open the one session left behind that the link leads to, if there is one."""
        session_id = await self._awaited.find(join.code)
        try:
            if session_id is not None:
                self.find(session_id, takes_up=True)
            self._redeem(join, then, account)
        except BlustreamError as exc:
            refuse(exc)

    def _redeem(self, join: Join, then: Callable[[Joined], None], account: str) -> None:
        for session in self._sessions.values():
            with contextlib.suppress(NoLinkError):
                let_in = partial(self._let_in, session.id, then)
                session.sharing.redeem(join, let_in, account=account)
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
            session.kernel.tell_token(self.owner_token(session.id))
        if self._sessions:
            self._renew_later()
            if self._kept is not None:
                self._tasks.spawn(self._sweep(self._kept), name="sweep")

    async def _sweep(self, kept: Path) -> None:
        await asyncio.to_thread(sweep, kept, set(self._sessions))

    def close(self, session_id: str, reason: str, *, keeps: bool = False) -> None:
        """End a session in the background; `keeps`: its kernel may open it again."""
        session = self._sessions.pop(session_id, None)
        if self._awaited.discard(session_id) and not keeps:
            self._tasks.spawn(self._remove(session_id), name="session left behind")
        self._cancel_grace(session_id)
        self.ties.forget(session_id)
        if self.uplink is not None:
            self.uplink.forget(session_id)
        self._links_changed()
        if session is not None:
            self._tasks.spawn(self._end(session, reason, keeps), name="session end")

    async def _remove(self, session_id: str) -> None:
        assert self._kept is not None
        await asyncio.to_thread(shutil.rmtree, self._kept / session_id, ignore_errors=True)

    def kernel_gone(self, kernel: Kernel, held_up: KernelProcess | None = None) -> None:
        """Give the sessions of a kernel whose link broke some time to be taken up again.

        `held_up` is its process if the link broke because that has not answered for long.
        """
        for session in self._sessions.values():
            session.kernel.detach(kernel)
            if not session.kernel.is_attached and session.id not in self._graces:
                self._await_kernel(session.id, held_up)

    def _await_kernel(self, session_id: str, held_up: KernelProcess | None) -> None:
        if held_up is not None:
            self._held_up[session_id] = held_up
        self._graces[session_id] = asyncio.get_running_loop().call_later(
            self.config.session_grace_s, self._give_up, session_id
        )

    def _give_up(self, session_id: str) -> None:
        process = self._held_up.get(session_id)
        if process is not None and process.is_alive:
            self._await_kernel(session_id, process)  # a call may take minutes
        else:
            self.close(session_id, "its kernel is gone")

    def _is_back(self, process: KernelProcess | None) -> None:
        """Take note that a kernel can speak: it comes for its other sessions now, or never."""
        self._held_up = {name: one for name, one in self._held_up.items() if one != process}

    async def close_all(self, reason: str) -> None:
        """End all sessions, and wait."""
        if self._renewal is not None:
            self._renewal.cancel()
        self._awaited = LeftSessions(None)  # nobody opens one of them now
        await self._left_calls.close()
        for session_id in list(self._sessions):
            self.close(session_id, reason, keeps=True)
        await self._tasks.wait()
        if self.uplink is not None:
            await self.uplink.close()
        await self._pool.close()

    def _make(self, session_id: str, ref: VolumeRef) -> Session:
        if not _SESSION_ID.fullmatch(session_id):
            raise ProtocolError("A session's id has 32 hex digits.")
        if sum(map(bool, (ref.url, ref.array, ref.series))) != 1:
            raise ProtocolError("A volume is given by an address, an array or a series of them.")
        if len(self._sessions) >= MAX_SESSIONS:
            self._make_room()
        session = Session(
            session_id,
            ref,
            config=self.config,
            ice_servers=self._ice_servers,
            pool=self._pool,
            ties=self.ties,
            kept=None if self._kept is None else self._kept / session_id,
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
        longest = min(unseen, key=lambda session: session.audience.unseen_since_s)
        reason = "nobody looked at it, and another volume needed its place"
        self.close(longest.id, reason, keeps=True)

    def _cancel_grace(self, session_id: str) -> None:
        self._held_up.pop(session_id, None)
        timer = self._graces.pop(session_id, None)
        if timer is not None:
            timer.cancel()

    async def _end(self, session: Session, reason: str, keeps: bool) -> None:
        try:
            await session.close(reason, keeps=keeps)
        finally:
            self._lifetime.leave()


def _error(session_id: str, error: BlustreamError, *, fatal: bool) -> lp.SessionError:
    return lp.SessionError(
        session=session_id, code=error.code, message=error.message, hint=error.hint, fatal=fatal
    )
