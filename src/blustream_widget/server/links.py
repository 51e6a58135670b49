"""One kernel's link: its sessions' messages, and the browsers it relays."""

from __future__ import annotations

import logging
from typing import TypeAlias

import msgspec

from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core.picture_messages import TakePicture
from blustream_widget.core.publishing import StartPublishing, StopPublishing
from blustream_widget.errors import (
    BlustreamError,
    PeerClosedError,
    ProtocolError,
    SessionError,
)
from blustream_widget.server.admission import Visitor
from blustream_widget.server.hub import Hub
from blustream_widget.session.kernel_process import KernelProcess
from blustream_widget.session.segmentations import OfKernel
from blustream_widget.session.session import Session
from blustream_widget.transport.outbox import Outbox
from blustream_widget.transport.relay import RelayChannel
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

MAX_RELAYS = 64

OfSession: TypeAlias = (
    lp.PutPalette
    | lp.PatchState
    | la.EditItems
    | la.MeasureItem
    | la.TrackHorizon
    | la.WantHorizon
    | lp.StartRecording
    | lp.StopRecording
    | lp.ReplayStatus
    | lp.ReplaySaid
    | TakePicture
    | StartPublishing
    | StopPublishing
    | lp.RefreshVolume
    | lp.CloseSession
    | lp.RenewToken
    | ls.OfSharing
    | OfKernel
)


_Unwrapped: TypeAlias = (
    OfSession
    | lp.OpenSession
    | lp.OpenDesk
    | lp.TieViews
    | lp.UntieViews
    | lp.Confirm
    | lp.RelayOpen
    | lp.RelayText
    | lp.RelayClose
)


class _Head(msgspec.Struct):
    """What can be read of a message whose other fields are not as they should be."""

    t: str
    session: str


_head_decoder = msgspec.json.Decoder(_Head)


class KernelLink:
    """The server's side of one link.

    Parameters
    ----------
    hub : Hub
    outbox : Outbox
        Of the link's WebSocket; `close` closes it.
    process : KernelProcess or None
        The kernel's, where that can be known.
    """

    def __init__(self, hub: Hub, outbox: Outbox, process: KernelProcess | None = None) -> None:
        self._process = process
        self._hub = hub
        self._outbox = outbox
        self._visitors: dict[int, Visitor] = {}
        self._tasks = TaskSet()

    def tell(self, message: lp.ToKernel) -> None:
        """Queue a message to the kernel."""
        try:
            self._outbox.put_text(lp.encoder.encode(message))
        except PeerClosedError:
            logger.warning("A kernel has stopped reading; its link is closed")
            self._outbox.close()

    def receive(self, text: str) -> None:
        """Take a message of the kernel. Never raises."""
        try:
            message = lp.to_server_decoder.decode(text)
        except msgspec.MsgspecError as exc:
            # A kernel of another version: its message is skipped, the rest of the link works.
            logger.warning("A kernel sent a message that is not one: %s", type(exc).__name__)
            self._answer_unreadable(text, exc)
            return
        if not isinstance(message, lp.Order):
            self._try(message)
        elif self._hub.orders.take(message.kernel, message.n):
            self._try(message.what)

    def _try(self, message: _Unwrapped) -> None:
        """Take a message; a fault of ours in it is not the end of the kernel's other viewers."""
        try:
            self._take(message)
        except Exception as exc:
            what = type(message).__name__
            logger.exception("A kernel's %s failed", what)
            if (session := getattr(message, "session", "")) != "":
                error = lp.SessionError(
                    session=session,
                    code=SessionError.code,
                    message=f"The server failed to take {what}: {type(exc).__name__}.",
                    hint="Its log has the details; the viewer goes on without it.",
                )
                self.tell(error)

    def _take(self, message: _Unwrapped) -> None:
        match message:
            case lp.OpenSession():
                self._hub.open(message, self, self._process)
            case lp.RelayOpen() | lp.RelayText() | lp.RelayClose():
                self._receive_relayed(message)
            case lp.TieViews():
                self._hub.ties.tie(message)
            case lp.UntieViews(tie=tie):
                self._hub.ties.untie(tie)
            case lp.Confirm(n=n):
                self.tell(lp.Confirmed(n=n))
            case lp.OpenDesk():
                self._hub.offer_desk(self, message)
            case _:
                self._receive_for_session(message)

    async def close(self, *, is_held_up: bool = False) -> None:
        """Let go of everything that depends on the link.

        `is_held_up`: it broke because the kernel has not answered for long.
        """
        self._hub.kernel_gone(self, self._process if is_held_up else None)
        for channel in list(self._visitors):
            self._relay_ended(channel)
        await self._tasks.wait()

    def _answer_unreadable(self, text: str, exc: msgspec.MsgspecError) -> None:
        """Tell who waits for a session that it will not open."""
        try:
            head = _head_decoder.decode(text)
        except msgspec.MsgspecError:
            return
        if head.t == "open":
            error = lp.SessionError(
                session=head.session,
                code=ProtocolError.code,
                message=f"The server cannot read what the viewer asks for: {exc}.",
                hint="Restart the kernel, so that it is of the server's version.",
                fatal=True,
            )
            self.tell(error)

    def _receive_relayed(self, message: lp.RelayOpen | lp.RelayText | lp.RelayClose) -> None:
        match message:
            case lp.RelayOpen(channel=channel):
                self._open_relay(channel)
            case lp.RelayText(channel=channel, text=relayed):
                if (visitor := self._visitors.get(channel)) is not None:
                    visitor.receive(relayed)
            case lp.RelayClose(channel=channel):
                self._relay_ended(channel)

    def _receive_for_session(self, message: OfSession) -> None:
        if isinstance(message, lp.CloseSession):  # also of one that a former server left
            self._hub.close(message.session, "the viewer was closed")
            self.tell(lp.SessionClosed(session=message.session))
            return
        session = self._session_of(message)
        if session is None:
            return
        match message:
            case lp.PutPalette(palette=palette):
                session.put_palette(palette)
            case lp.PatchState(patch=patch, seq=seq):
                session.view.patch_by_kernel(patch, seq)
            case la.EditItems():
                session.annotations.edit_by_kernel(message)
            case la.MeasureItem() | la.TrackHorizon() | la.WantHorizon():
                session.markup.measure_by_kernel(message)
            case lp.RefreshVolume():
                session.refresh()
            case lp.RenewToken():
                token = self._hub.owner_token(session.id)
                self.tell(lp.SessionToken(session=session.id, token=token))
            case lp.StartRecording() | lp.StopRecording() | lp.ReplayStatus() | lp.ReplaySaid():
                _record(session, message)
            case _:
                _receive_for_part(session, message)

    def _session_of(self, message: OfSession) -> Session | None:
        """Find the session that a message is for; tell the kernel if it has ended."""
        try:
            return self._hub.find(message.session)
        except BlustreamError as exc:
            error = lp.SessionError(
                session=message.session, code=exc.code, message=exc.message, hint=exc.hint
            )
            self.tell(error)
            return None

    def _open_relay(self, number: int) -> None:
        if len(self._visitors) >= MAX_RELAYS or number in self._visitors:
            self.tell(lp.RelayClose(channel=number))
            return
        channel = RelayChannel(self._outbox, number, lambda: self._relay_ended(number))
        self._visitors[number] = Visitor(self._hub, channel)

    def _relay_ended(self, number: int) -> None:
        visitor = self._visitors.pop(number, None)
        if visitor is not None:
            self._outbox.drop_frames(channel=number)
            self._tasks.spawn(visitor.leave(), name="relayed viewer end")


def _record(
    session: Session,
    message: lp.StartRecording | lp.StopRecording | lp.ReplayStatus | lp.ReplaySaid,
) -> None:
    if isinstance(message, lp.ReplayStatus | lp.ReplaySaid):
        session.outlets.replaying.receive_of_kernel(message)
    elif session.recording.receive_of_kernel(message):
        session.sharing.recorded(None, on=isinstance(message, lp.StartRecording))


def _receive_for_part(
    session: Session,
    message: ls.OfSharing | TakePicture | StartPublishing | StopPublishing | OfKernel,
) -> None:
    match message:
        case (
            ls.OpenLink()
            | ls.StopSharing()
            | ls.StayOut()
            | ls.ManagePerson()
            | ls.NoteExport()
            | ls.NameOwner()
            | ls.SetCalls()
        ):
            session.sharing.receive_from_kernel(message)
        case TakePicture():
            session.pictures.receive(message)
        case StartPublishing() | StopPublishing():
            session.publishing.receive(message)
        case _:
            session.segmentations.receive(message)
