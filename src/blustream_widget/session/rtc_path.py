"""A viewer's WebRTC connection from its offer to its end, beside the socket it always keeps."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from blustream_widget.core.protocol import RtcOffer
from blustream_widget.errors import BlustreamError, IceFailedError
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.ice_servers import IceServers
from blustream_widget.transport.tasks import TaskSet
from blustream_widget.transport.turns import Turn, Turns

if TYPE_CHECKING:
    from blustream_widget.transport.webrtc import RtcPeer

logger = logging.getLogger(__name__)

# Connected, but the browser never switched to it: two streams for nothing.
TRIAL_S = 10.0

AT_ONCE, LONGEST_TURN_S = 8, 0.1
"""Connections of a session that are made at the same time. Each takes some 6 ms of processor (keys,
certificates) in steps, between which frames leave: of eight, not of hundreds. Whoever is far away
waits for the network most of the time, and holds nobody up: 400 begin within five seconds."""

PATIENCE_S = 5.0
"""A page gives its offer up after eight seconds, and makes another one ten seconds later."""


def rtc_turns() -> Turns:
    """Give turns to one session's new connections."""
    return Turns(AT_ONCE, LONGEST_TURN_S)


class RtcPath:
    """At most one `RtcPeer` at a time; a new offer replaces it.

    Parameters
    ----------
    ice_servers : callable
        What this server may use now.
    turns : Turns
        Of all whose connections are made; pictures go by the sockets meanwhile.
    loopback : bool
    relay_only : bool
    send_header : callable
        Sends a frame's header over the viewer's link.
    on_text : callable
        Text from the data channel.
    on_change : callable
        The peer in use changed: (old or None, new or None). Called when it connects or ends.
    on_keyframe_wanted : callable
    """

    def __init__(
        self,
        *,
        ice_servers: Callable[[], IceServers],
        turns: Turns,
        loopback: bool,
        relay_only: bool = False,
        send_header: Callable[[EncodedFrame], None],
        on_text: Callable[[bytes], None],
        on_change: Callable[[RtcPeer | None, RtcPeer | None], None],
        on_keyframe_wanted: Callable[[], None],
    ) -> None:
        self._ice_servers = ice_servers
        self._turns = turns
        self._turn: Turn | None = None
        self._n_offers = 0  # and of those that were given up
        self._loopback = loopback
        self._relay_only = relay_only
        self._send_header = send_header
        self._on_text = on_text
        self._on_change = on_change
        self._on_keyframe_wanted = on_keyframe_wanted
        self._tasks = TaskSet()
        self._peer: RtcPeer | None = None
        self._is_connected = False
        self._trial: asyncio.TimerHandle | None = None

    @property
    def peer(self) -> RtcPeer | None:
        """The connection that frames go by, if any."""
        return self._peer if self._is_connected else None

    @property
    def is_connected(self) -> bool:
        """Whether frames can go this way."""
        return self._is_connected

    def offer(
        self,
        offer: RtcOffer,
        reply: Callable[[str], None],
        refuse: Callable[[BlustreamError], None],
    ) -> None:
        """Answer the browser's offer in the background, through one of the two callables."""
        self.drop()
        answer = self._answer_in_turn(self._n_offers, offer, reply, refuse)
        self._tasks.spawn(answer, name="webrtc answer")

    def taken_over(self) -> None:
        """Take note that the browser shows what comes this way."""
        self._end_trial()

    def set_visible(self, is_visible: bool) -> None:
        """Pause the video while nobody looks."""
        if self._peer is not None:
            self._peer.set_visible(is_visible)

    def restart(self) -> None:
        """Go on at a keyframe: the browser cannot decode from here."""
        if self._peer is not None:
            self._peer.restart()

    def drop(self) -> None:
        """End the connection in the background; an offer that waits is not answered any more."""
        self._n_offers += 1
        self._end_peer()

    def begin_anew(self) -> None:
        """End a connection whose pictures build on others than those that come now.

        One that is being made has had none: it goes on.
        """
        if self._is_connected:
            self._end_peer()

    def _end_peer(self) -> None:
        peer, self._peer = self._peer, None
        self._end_trial()
        self._end_turn()
        if peer is not None:
            if self._is_connected:
                self._is_connected = False
                self._on_change(peer, None)
            self._tasks.spawn(peer.close(), name="webrtc close")

    async def close(self) -> None:
        """End the connection and wait for it."""
        peer, self._peer = self._peer, None
        self._end_trial()
        await self._tasks.close()
        self._end_turn()
        if peer is not None:
            if self._is_connected:
                self._is_connected = False
                self._on_change(peer, None)
            await peer.close()

    async def _answer_in_turn(
        self,
        number: int,
        offer: RtcOffer,
        reply: Callable[[str], None],
        refuse: Callable[[BlustreamError], None],
    ) -> None:
        def refuse_it(error: BlustreamError) -> None:
            if number == self._n_offers:  # else it was given up, or another one followed
                refuse(error)

        asked_s = asyncio.get_running_loop().time()
        turn = await self._turns.take()
        if number != self._n_offers:
            turn.end()
            return
        # aiortc takes 0.3 s to import: in a thread, so that other viewers' pictures go on.
        webrtc = await asyncio.to_thread(
            importlib.import_module, "blustream_widget.transport.webrtc"
        )
        if number != self._n_offers:
            turn.end()
        elif asyncio.get_running_loop().time() - asked_s > PATIENCE_S:
            turn.end()
            refuse(IceFailedError("Too many people join at the same time for WebRTC."))
        else:
            await self._answer(turn, webrtc.RtcPeer, offer, reply, refuse_it)

    async def _answer(
        self,
        turn: Turn,
        make_peer: type[RtcPeer],
        offer: RtcOffer,
        reply: Callable[[str], None],
        refuse: Callable[[BlustreamError], None],
    ) -> None:
        self._turn = turn
        peer = make_peer(
            ice_servers=self._ice_servers(),
            loopback=self._loopback,
            relay_only=self._relay_only,
            on_text=self._on_text,
            on_state=lambda state: self._state_changed(peer, state),
            on_keyframe_wanted=self._on_keyframe_wanted,
            takes_encoded=offer.takes_encoded,
            send_header=self._send_header if offer.headers_by_link else None,
        )
        self._peer = peer
        try:
            answer = await peer.answer(offer.sdp)
        except BlustreamError as exc:
            logger.info("A WebRTC offer was refused: %s", exc)
            if self._peer is peer:
                self._end_peer()
            refuse(exc)
            return
        if self._peer is peer:
            reply(answer)
            await peer.warn_of_relay()

    def _state_changed(self, peer: RtcPeer, state: Literal["connected", "closed"]) -> None:
        if peer is not self._peer:
            return
        self._end_turn()
        if state == "connected":
            self._is_connected = True
            self._trial = asyncio.get_running_loop().call_later(TRIAL_S, self.drop)
            self._on_change(None, peer)
        else:
            self.drop()

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.end()

    def _end_trial(self) -> None:
        if self._trial is not None:
            self._trial.cancel()
            self._trial = None
