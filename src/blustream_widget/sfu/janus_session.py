"""A session at Janus that hears of events, with any number of handles of its plugins."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from blustream_widget.errors import SfuError, SfuUnreachableError
from blustream_widget.sfu.janus_api import (
    NO_SUCH_SESSION,
    REQUEST_TIMEOUT_S,
    ClosedError,
    JanusAddress,
    JanusError,
    JanusHttp,
    SilentError,
    id_of,
)
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

LOOK_S = 5.0
"""So often Janus is asked for a sign of life; after 60 s without it ends our session."""
LOST_S = 5.0
"""So long Janus may be silent; a network that comes back meanwhile changes nothing."""
CLOSED_S = 1.0
"""So long nobody may listen there: a proxy that is started anew changes nothing."""
_AGAIN_S = 0.25
_THINK_S = 5.0
"""So long a plugin may take to say what it thinks of a request."""
_POLL_TIMEOUT_S = 40.0  # Janus says after 30 s that nothing has happened
MISSED = "missed"
"""What each handle is told, as if by Janus, when something that Janus said may have got lost."""
_EVENTS = 10
_LATE_S = 60.0  # a handle that is made so late is still let go of
_CLOSE_TIMEOUT_S = 3.0


class Description(msgspec.Struct, frozen=True):
    """Offer or answer, as browsers have them."""

    type: Literal["offer", "answer"]
    sdp: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a plugin said, perhaps with a description."""

    data: dict[str, Any]
    description: Description | None = None


OnEvent = Callable[[dict[str, Any]], None]
"""Gets what Janus says unasked: "webrtcup", "hangup", "trickle", "event"; and MISSED."""


class JanusHandle:
    """One connection with a plugin, from `JanusSession.attach` to `detach`."""

    def __init__(self, session: JanusSession, number: str, on_event: OnEvent) -> None:
        self._session, self.number, self.on_event = session, number, on_event

    async def ask(self, body: dict[str, Any], description: Description | None = None) -> Said:
        """Ask the plugin, and wait for what it says, however long that takes it.

        Raises
        ------
        SfuError
        """
        message: dict[str, Any] = {"janus": "message", "body": body}
        if description is not None:
            message["jsep"] = {"type": description.type, "sdp": description.sdp}
        return await self._session.ask(self, message)

    async def trickle(self, candidate: dict[str, Any] | None) -> None:
        """Tell where the browser may be reached; None: nothing more comes."""
        await self._session.tell(
            self, {"janus": "trickle", "candidate": candidate or {"completed": True}}
        )

    async def detach(self) -> None:
        """End it, and its peer connection; never raises."""
        await self._session.forget(self)


class JanusSession:
    """One session, from `open` to `close`. Loop thread only.

    Janus ends what it knows of a session that is silent for a minute: a server that is killed
    leaves no handle behind.

    Parameters
    ----------
    address : JanusAddress
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, address: JanusAddress, clock: Callable[[], float] = time.monotonic) -> None:
        self._http, self._clock = JanusHttp(address), clock
        self._number = ""
        self._handles: dict[str, JanusHandle] = {}
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._tasks = TaskSet()
        self._heard_s = clock()
        self._closed_s: float | None = None  # since when nobody listens
        self._poll: asyncio.Timeout | None = None
        self._n_polls = 0
        self._end: asyncio.Future[SfuError] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Begin it.

        Raises
        ------
        SfuError
        """
        self._number = id_of(await self._http.post("", {"janus": "create"}))
        self._heard()
        self._tasks.spawn(self._hear(), name="events of Janus")
        self._tasks.spawn(self._look(), name="looking after Janus")

    async def attach(self, plugin: str, on_event: OnEvent) -> JanusHandle:
        """Make a handle.

        Raises
        ------
        SfuError
        """
        making = self._tasks.spawn(self._attach(plugin, on_event), name="a handle of Janus")
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await asyncio.shield(making)
        except (asyncio.CancelledError, TimeoutError) as exc:
            # Nobody waits for it any more, and it may be made all the same.
            self._tasks.spawn(self._undo(making), name="end of a handle of Janus")
            if isinstance(exc, TimeoutError):
                raise SilentError("Janus makes no handle in time.") from exc
            raise

    async def _attach(self, plugin: str, on_event: OnEvent) -> JanusHandle:
        message = {"janus": "attach", "plugin": plugin}
        made = await self._http.post(f"/{self._number}", message, timeout_s=_LATE_S)
        number = id_of(made)
        handle = self._handles[number] = JanusHandle(self, number, on_event)
        return handle

    async def _undo(self, making: asyncio.Task[JanusHandle]) -> None:
        with contextlib.suppress(SfuError):
            await (await making).detach()

    async def lost(self) -> SfuError:
        """Wait until it is not there any more; returns why."""
        return await asyncio.shield(self._end)

    def lose(self, error: SfuError) -> None:
        """Take it as lost: nothing more is to be had of it."""
        if not self._end.done():
            self._end.set_result(error)
        for future in self._asked.values():
            if not future.done():
                future.set_exception(error)

    async def close(self) -> None:
        """End it, with all its handles, in three seconds at most; never raises."""
        try:
            await self._tasks.close()
            self.lose(SfuUnreachableError("The session at Janus has ended."))
            if self._number:
                with contextlib.suppress(SfuError, TimeoutError):
                    async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                        await self._http.post(f"/{self._number}", {"janus": "destroy"})
        finally:
            self._handles.clear()
            await self._http.close()

    # -------------------------------------------------- of handles

    async def ask(self, handle: JanusHandle, message: dict[str, Any]) -> Said:
        transaction = secrets.token_hex(8)
        future = self._asked[transaction] = asyncio.get_running_loop().create_future()
        n_polls = self._n_polls
        try:
            path = f"/{self._number}/{handle.number}"
            answer = await self._http.post(path, message, transaction=transaction)
            if answer["janus"] == "ack":  # what it thinks comes as an event
                async with asyncio.timeout(_THINK_S):
                    answer = await future
        except TimeoutError as exc:
            if n_polls == self._n_polls:
                self._hear_anew()
            raise SilentError("Janus takes a request, and does not answer it.") from exc
        finally:
            del self._asked[transaction]
            if not future.cancel() and not future.cancelled():
                future.exception()  # that it was lost was said by another error already
        return Said(self._http.data_of(answer), description_of(answer))

    async def tell(self, handle: JanusHandle, message: dict[str, Any]) -> None:
        await self._http.post(f"/{self._number}/{handle.number}", message)

    async def forget(self, handle: JanusHandle) -> None:
        if self._handles.pop(handle.number, None) is None or self._end.done():
            return
        with contextlib.suppress(SfuError, TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self.tell(handle, {"janus": "detach"})

    # -------------------------------------------------- what Janus says

    async def _hear(self) -> None:
        while not self._end.done():
            self._n_polls += 1
            try:
                async with asyncio.timeout(_POLL_TIMEOUT_S) as self._poll:
                    events = await self._http.events(self._number, _EVENTS)
            except TimeoutError:
                continue
            except SfuError as exc:
                self._failed(exc)
                await asyncio.sleep(_AGAIN_S)
                continue
            finally:
                self._poll = None
            self._heard()
            try:
                for event in events:
                    self._take(event)
            except Exception:  # whatever is wrong with it: who does not listen any more is lost
                logger.exception("What Janus says cannot be taken")
                self.lose(self._http.is_no_janus())

    def _hear_anew(self) -> None:
        """Take it that the poll's connection is dead: it heard nothing of what Janus had to say.

        Something on the way may forget a connection, and tells neither end; others go on.
        """
        poll, self._poll = self._poll, None
        if poll is None:
            return
        logger.info("Janus is not heard by the connection for its events: by another one now")
        poll.reschedule(asyncio.get_running_loop().time())
        for handle in tuple(self._handles.values()):
            handle.on_event({"janus": MISSED})

    async def _look(self) -> None:
        while not self._end.done():
            await asyncio.sleep(LOOK_S)
            try:
                await self._http.post(f"/{self._number}", {"janus": "keepalive"})
            except SfuError as exc:
                self._failed(exc)
            else:
                self._heard()

    def _heard(self) -> None:
        self._heard_s, self._closed_s = self._clock(), None

    def _failed(self, error: SfuError) -> None:
        now_s = self._clock()
        if isinstance(error, JanusError) and error.number == NO_SUCH_SESSION:
            self.lose(SfuUnreachableError("Janus was started anew."))
        elif not isinstance(error, SilentError) or now_s - self._heard_s > LOST_S:
            self.lose(error)
        elif isinstance(error, ClosedError):
            self._closed_s = now_s if self._closed_s is None else self._closed_s
            if now_s - self._closed_s > CLOSED_S:
                self.lose(error)

    def _take(self, event: dict[str, Any]) -> None:
        kind = event["janus"]
        if kind == "timeout":
            self.lose(SfuUnreachableError("Janus has ended our session."))
            return
        future = self._asked.get(str(event.get("transaction", "")))
        if kind == "event" and future is not None:
            if not future.done():
                future.set_result(event)
            return
        handle = self._handles.get(str(event.get("sender", "")))
        if handle is not None:
            handle.on_event(event)


def description_of(event: dict[str, Any]) -> Description | None:
    """Give the description in an answer or an event, if there is one that can be one."""
    try:
        return msgspec.convert(event["jsep"], Description)
    except (KeyError, msgspec.ValidationError):
        return None
