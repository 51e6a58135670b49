"""Views that follow each other: whoever moves leads the others of its ties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.linking import Guide
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError


class Tied(Protocol):
    """A view, as a tie sees it."""

    id: str

    @property
    def state(self) -> ViewState:
        """What it shows."""

    @property
    def info(self) -> VolumeInfo | None:
        """None until its volume is open."""

    def follow(self, patch: dict[str, object]) -> None:
        """Change because another did; leads nobody."""


class Ties:
    """All ties of a server. Loop thread only.

    Parameters
    ----------
    find : callable
        The session of an id, or None.
    """

    def __init__(self, find: Callable[[str], Tied | None]) -> None:
        self._find = find
        self._ties: dict[str, lp.TieViews] = {}
        # By a view that could not follow, as it or who led was not open: who led last.
        self._missed: dict[str, str] = {}
        # With the volumes that a guide is made for: a worker may come to know more of its volume.
        self._guides: dict[tuple[str, str, str], tuple[VolumeInfo, VolumeInfo, Guide | None]] = {}

    def tie(self, message: lp.TieViews) -> None:
        """Take up a tie, in the place of the one of the same name."""
        self.untie(message.tie)
        self._ties[message.tie] = message
        if message.aligns and message.sessions:
            leader = self._find(message.sessions[0])
            if leader is not None:
                self.led(leader, None)

    def untie(self, tie: str) -> None:
        """Forget a tie, if there is one of that name."""
        self._ties.pop(tie, None)
        self._guides = {key: guide for key, guide in self._guides.items() if key[0] != tie}

    def forget(self, session_id: str) -> None:
        """Take a session that has ended out of all ties."""
        self._missed.pop(session_id, None)
        for name, tie in list(self._ties.items()):
            rest = tuple(other for other in tie.sessions if other != session_id)
            if len(rest) == len(tie.sessions):
                continue
            self.untie(name)
            if len(rest) > 1:
                self._ties[name] = msgspec.structs.replace(tie, sessions=rest)

    def opened(self, view: Tied) -> None:
        """Have a view whose volume has opened, and those that it should lead, catch up."""
        leader = self._find(self._missed.get(view.id, ""))
        if leader is not None and leader.info is not None:
            del self._missed[view.id]
            self.led(leader, None)
        waiting = [name for name, led_by in self._missed.items() if led_by == view.id]
        followers = [one for name in waiting if (one := self._find(name)) is not None]
        if any(follower.info is not None for follower in followers):
            for follower in followers:
                self._missed.pop(follower.id)
            self.led(view, None)

    def led(self, leader: Tied, before: ViewState | None) -> None:
        """Have the others follow `leader`, whom somebody moved from `before` to where it is.

        `before` None: they take over everything that they are tied in. Those who follow lead the
        views of their other ties in turn, but nobody is led twice, nor is the leader.
        """
        reached = {leader.id}
        steps: list[tuple[Tied, ViewState | None]] = [(leader, before)]
        while steps:
            mover, was = steps.pop(0)
            before_of: dict[str, tuple[Tied, ViewState]] = {}
            for tie in list(self._ties.values()):
                if mover.id not in tie.sessions:
                    continue
                for other in self._others(tie, reached):
                    before_of.setdefault(other.id, (other, other.state))
                    guide = self._guide(tie, mover, other)
                    if other.info is None or mover.info is None:
                        self._missed[other.id] = mover.id
                    if guide is not None:
                        other.follow(guide.patch(was, mover.state, other.state))
            reached.update(before_of)
            steps += [(other, old) for other, old in before_of.values() if other.state is not old]

    def _others(self, tie: lp.TieViews, reached: set[str]) -> list[Tied]:
        found = (self._find(other) for other in tie.sessions if other not in reached)
        return [other for other in found if other is not None]

    def _guide(self, tie: lp.TieViews, leader: Tied, follower: Tied) -> Guide | None:
        """None while a volume is not open, or has no place in common with the other."""
        if leader.info is None or follower.info is None:
            return None
        key = (tie.tie, leader.id, follower.id)
        known = self._guides.get(key)
        if known is None or known[0] is not leader.info or known[1] is not follower.info:
            known = (leader.info, follower.info, _made(leader.info, follower.info, tie))
            self._guides[key] = known
        return known[2]


def _made(leader: VolumeInfo, follower: VolumeInfo, tie: lp.TieViews) -> Guide | None:
    try:
        return Guide(leader, follower, tie.what)
    except StateError:
        return None  # the kernel refuses such a tie; here a volume has become another since
