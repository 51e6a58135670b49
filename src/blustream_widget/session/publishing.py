"""A session's pictures at an SFU: who may send them there, when, and who is told."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

from blustream_widget.config import Config
from blustream_widget.core.publishing import (
    Janus,
    LiveKit,
    PublishState,
    PublishStatus,
    StartPublishing,
    StopPublishing,
    Target,
)
from blustream_widget.errors import BlustreamError, SfuError, SfuUnreachableError
from blustream_widget.session.left_behind import FIRST_PAUSE_S, LONGEST_PAUSE_S, LeftBehind
from blustream_widget.session.publish_tap import PublishTap
from blustream_widget.session.told_again import told_again
from blustream_widget.transport.fanout import Fanout
from blustream_widget.transport.tasks import TaskSet

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.viewer import Viewer
    from blustream_widget.sfu.publisher import OnKeyframe, Publisher

logger = logging.getLogger(__name__)

_target_decoder: msgspec.json.Decoder[Target] = msgspec.json.Decoder(Target)


class PublishDesk:
    """Begins and ends the publishing of one session. Loop thread only.

    Parameters
    ----------
    config : Config
    fanout : Fanout
        What goes through it is published.
    kernel : KernelPort
    session_id : str
    viewers : callable
        Gives those who look now.
    can_encode : callable
        Whether there is H.264 to publish; True while that is not known.
    on_change : callable
        Other pictures are wanted than before.
    note : callable
        Gets what is to be in the audit's record.
    make : callable, optional
        Makes a publisher for a target, with the mark of the wish; for tests.
    """

    def __init__(
        self,
        *,
        config: Config,
        fanout: Fanout,
        kernel: KernelPort,
        session_id: str,
        viewers: Callable[[], Iterable[Viewer]],
        can_encode: Callable[[], bool],
        on_change: Callable[[], None],
        note: Callable[[str], None],
        make: Callable[[Target, OnKeyframe, str], Publisher] | None = None,
    ) -> None:
        self._config, self._fanout, self._kernel = config, fanout, kernel
        self._session_id = session_id
        self._viewers, self._can_encode = viewers, can_encode
        self._on_change, self._note = on_change, note
        self._make = make or make_publisher
        self._tap: PublishTap | None = None
        self._told = PublishState()
        self._refusal: PublishState | None = None  # of the kernel's newest wish
        self._kernel_n = 0
        self._tasks = TaskSet()
        self._running: asyncio.Task[BlustreamError] | None = None
        self._is_closed = False
        self._is_ending = self._was_there = False
        # The last one whose end the SFU has not heard of, while the next ones may take its place.
        self._unclosed: tuple[Hashable, Publisher] | None = None
        self._left_behind = LeftBehind()

    @property
    def is_on(self) -> bool:
        """Whether the view is published, or is about to be."""
        return self._running is not None

    @property
    def takes_pictures(self) -> bool:
        """Whether pictures are wanted for it."""
        return self._tap is not None

    # -------------------------------------------------- wishes

    def receive(self, message: StartPublishing | StopPublishing) -> None:
        """Do what the kernel wishes; the answer bears its number. Nobody else may wish for it.

        What is told twice, as may be when a link comes again, is answered twice and done once.
        """
        if message.n <= self._kernel_n:
            self.attach_kernel()
            return
        self._kernel_n, self._refusal = message.n, None
        if isinstance(message, StopPublishing):
            self._stop()
            return
        try:
            if self._running is not None:
                raise SfuError(
                    f"The view is published already, to {self._told.sfu}.",
                    hint="viewer.unpublish() ends that.",
                )
            if not self._can_encode():
                raise SfuError(
                    "There is no H.264 encoder on this machine, and nothing else is published.",
                    hint="`blustream doctor` says what was tried.",
                )
            target = completed(message.to or target_of(self._config), message)
        except BlustreamError as exc:
            self._refusal = _with(self._told, exc)
            self._tell_kernel(self._refusal)
            return
        # What was published before its server ended is tried again, too.
        self._was_there = message.again
        self._tell(PublishState(phase="starting", sfu=_name_of(target)))
        self._running = self._tasks.spawn(
            self._publish(target, mark_of(message)), name="publishing"
        )
        self._running.add_done_callback(self._ended)

    def _stop(self) -> None:
        if self._running is None:
            self._tell(PublishState())
        elif not self._is_ending:
            self._is_ending = True
            self._running.cancel()

    async def close(self) -> None:
        """Take the view away from the SFU, when the session ends."""
        self._stop()
        self._is_closed = True
        await self._tasks.wait()
        await self._left_behind.close()

    # -------------------------------------------------- what runs

    async def _publish(self, target: Target, mark: str) -> BlustreamError:
        """Be at the SFU, again and again; returns why that is of no use any more."""
        pause_s, is_noted = FIRST_PAUSE_S, False
        # Its secret may be another one: only who left it there can end it.
        if not await self._left_behind.clear(_place_of(target)):
            return SfuUnreachableError(
                f"{_name_of(target)} does not answer, and may still have what was published there.",
                hint="It is taken away when it answers again: try it then.",
            )
        while True:
            publisher = self._make(target, self._want_keyframe, mark)
            try:
                await publisher.open()
                if not is_noted:
                    self._note(f"published to {_name_of(target)}")
                self._was_there, is_noted, pause_s = True, True, FIRST_PAUSE_S
                self._unclosed = None  # this one has taken its place
                error: BlustreamError = await self._feed(publisher, target)
            except BlustreamError as exc:
                error = exc
            finally:
                self._untap()
                await self._close(publisher, _place_of(target))
            if not (self._was_there and isinstance(error, SfuUnreachableError)):
                return error
            logger.warning("Session %.8s is not published: %s", self._session_id, error.code)
            self._tell(_with(PublishState(phase="waiting", sfu=_name_of(target)), error))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _close(self, publisher: Publisher, place: Hashable) -> None:
        """Have it closed to the end, also where an end is wished for meanwhile."""
        closing = self._tasks.spawn(publisher.close(), name="unpublishing")
        try:
            await asyncio.shield(closing)
        finally:
            if not await closing:
                self._unclosed = place, publisher

    async def _feed(self, publisher: Publisher, target: Target) -> SfuError:
        self._tap = PublishTap(publisher, self._fanout)
        self._fanout.add(self._tap, sets_pace=False)
        self._tell(PublishState(phase="on", sfu=_name_of(target), place=publisher.place))
        self._on_change()
        return await publisher.lost()

    def _untap(self) -> None:
        tap, self._tap = self._tap, None
        if tap is not None:
            tap.close()
            self._fanout.remove(tap)
            self._on_change()

    def _ended(self, task: asyncio.Task[BlustreamError]) -> None:
        self._running, self._is_ending = None, False
        unclosed, self._unclosed = self._unclosed, None
        if unclosed is not None and not self._is_closed:
            self._left_behind.keep(*unclosed)
        error: BlustreamError | None = None
        if task.cancelled():
            pass  # it was wished for, and what was there is taken away
        elif (failure := task.exception()) is not None:
            error = SfuError(f"Publishing failed: {type(failure).__name__}.")
        else:
            error = task.result()
        self._tell(PublishState() if error is None else _with(PublishState(), error))
        if self._was_there:
            self._note("published no more")
            if error is not None:  # nobody waits for an answer, and nobody wished for the end
                logger.warning("Session %.8s is published no more: %s", self._session_id, error)
                self._kernel.tell_error(error)

    def _want_keyframe(self) -> None:
        if self._tap is not None:
            self._tap.want_keyframe()

    # -------------------------------------------------- telling

    def welcome(self, viewer: Viewer) -> None:
        """Tell somebody who comes whether the view is published; nothing if it is not."""
        if self._told.phase != "off":
            viewer.send(_for(viewer, self._told))

    def attach_kernel(self) -> None:
        """Tell a kernel that came (again) what it may not have heard, and how publishing is."""
        for status in told_again(self._told, self._refusal):
            self._tell_kernel(status)

    def _tell(self, status: PublishState) -> None:
        self._told = status
        for viewer in self._viewers():
            viewer.send(_for(viewer, status))
        self._tell_kernel(status)

    def _tell_kernel(self, status: PublishState) -> None:
        self._kernel.tell_published(PublishStatus(self._session_id, self._kernel_n, status))


def make_publisher(target: Target, on_keyframe: OnKeyframe, mark: str) -> Publisher:
    """Give the publisher for a target, not opened yet; `mark` is of the wish."""
    if isinstance(target, Janus):
        from blustream_widget.sfu.janus import JanusPublisher

        return JanusPublisher(target, on_keyframe, mark)
    from blustream_widget.sfu.livekit import LiveKitPublisher

    return LiveKitPublisher(target, on_keyframe)


async def sfu_obstacle(config: Config) -> str:
    """Why nothing can be published where the settings say; "" if it can. Tries it."""
    try:
        wish = StartPublishing(
            session="",
            n=0,
            number=secrets.randbelow((1 << 53) - 1) + 1,
            secret=secrets.token_urlsafe(24),
        )
        publisher = make_publisher(completed(target_of(config), wish), lambda: None, mark_of(wish))
        try:
            await publisher.open()
        finally:
            await publisher.close()
    except BlustreamError as exc:
        return f"{exc.message} {exc.hint}".strip()
    return ""


def target_of(config: Config) -> Target:
    """Read the setting that says where views are published.

    Raises
    ------
    SfuError
        There is none, or it cannot be read.
    """
    if not config.sfu:
        raise SfuError(
            "This server's settings name no SFU.",
            hint="viewer.publish(Janus(url=...)), or set BLUSTREAM_SFU before the server starts.",
        )
    try:
        return _target_decoder.decode(config.sfu)
    except msgspec.MsgspecError as exc:
        # Not what is wrong with it: that may be a part of a secret.
        raise SfuError(
            "BLUSTREAM_SFU cannot be read.", hint='For example {"type": "janus", "url": "http://…"}'
        ) from exc


def completed(target: Target, message: StartPublishing) -> Target:
    """Give a target whose mountpoint, or participant, is named."""
    if isinstance(target, LiveKit):
        identity = target.identity or f"blustream-{message.number}"
        return msgspec.structs.replace(target, identity=identity)
    return msgspec.structs.replace(
        target,
        mountpoint=target.mountpoint or message.number,
        secret=target.secret or message.secret,
    )


def mark_of(message: StartPublishing) -> str:
    """Give what is the same for all tries of one wish, also of the next server; no secret."""
    return f"blustream {hashlib.sha256(message.secret.encode()).hexdigest()[:32]}"


def _place_of(target: Target) -> Hashable:
    """Give what is the same for two that would be one mountpoint, or one participant."""
    if isinstance(target, Janus):
        return target.url, target.mountpoint
    return target.url, target.room, target.identity


def _name_of(target: Target) -> Literal["Janus", "LiveKit"]:
    return "Janus" if isinstance(target, Janus) else "LiveKit"


def _for(viewer: Viewer, status: PublishState) -> PublishState:
    if viewer.role == "owner":
        return status
    return msgspec.structs.replace(status, place="", message="", hint="")


def _with(status: PublishState, error: BlustreamError) -> PublishState:
    return msgspec.structs.replace(status, code=error.code, message=error.message, hint=error.hint)
