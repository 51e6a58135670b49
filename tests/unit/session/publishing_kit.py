"""A desk that publishes a session, with an SFU of the test."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from blustream_widget.config import Config
from blustream_widget.core.publishing import (
    Janus,
    StartPublishing,
    StopPublishing,
)
from blustream_widget.session.publishing import PublishDesk
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.fanout import Fanout

JANUS = Janus(url="http://127.0.0.1:8088/janus")


class FakePublisher:
    place = "mountpoint 1"

    def __init__(self, target, on_keyframe, mark="", *, error=None):
        self.mark = mark
        self.target, self.on_keyframe, self.error = target, on_keyframe, error
        self.frames = []
        self.is_behind, self.takes = False, True
        self.is_closed = False
        self.end = asyncio.get_running_loop().create_future()
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.n_silent = self.n_closed = 0  # so often the SFU does not answer at the end
        self.was_closed = asyncio.Event()

    async def open(self):
        await self.may_open.wait()
        if self.error is not None:
            raise self.error

    def send(self, frame):
        if self.takes:
            self.frames.append(frame.frame_no)
        return self.takes

    async def lost(self):
        return await self.end

    async def close(self):
        await self.may_close.wait()
        self.is_closed = True
        self.n_closed += 1
        self.was_closed.set()
        return self.n_closed > self.n_silent


class Scene:
    """A desk with one owner and one guest, whose SFUs are made by `next_one`."""

    def __init__(self, *, can_encode=True, sfu=""):
        self.made, self.told, self.asked, self.notes = [], [], [], []
        self.errors, self.failures = [], []
        self.changed = asyncio.Event()
        self.was_asked = asyncio.Event()
        self.fanout = Fanout(self.ask)
        self.owner = SimpleNamespace(role="owner", heard=[])
        self.guest = SimpleNamespace(role="viewer", heard=[])
        for viewer in (self.owner, self.guest):
            viewer.send = viewer.heard.append
        self.desk = PublishDesk(
            config=Config(sfu=sfu),
            fanout=self.fanout,
            kernel=SimpleNamespace(tell_published=self.tell, tell_error=self.failures.append),
            session_id="s",
            viewers=lambda: (self.owner, self.guest),
            can_encode=lambda: can_encode,
            on_change=lambda: None,
            note=self.notes.append,
            make=self.make,
        )

    def ask(self, stream):
        self.asked.append(stream)
        self.was_asked.set()

    def make(self, target, on_keyframe, mark):
        error = self.errors.pop(0) if self.errors else None
        publisher = FakePublisher(target, on_keyframe, mark, error=error)
        self.made.append(publisher)
        self.changed.set()
        return publisher

    def tell(self, status):
        self.told.append(status)
        self.changed.set()

    def start(self, n=1, to=JANUS, **more):
        message = StartPublishing(session="s", n=n, number=7, secret="a secret", to=to, **more)
        self.desk.receive(message)

    def stop(self, n=2):
        self.desk.receive(StopPublishing(session="s", n=n))

    async def until(self, phase, n_made=0):
        async with asyncio.timeout(5):
            while not (self.told and self.told[-1].status.phase == phase) or (
                len(self.made) < n_made
            ):
                self.changed.clear()
                await self.changed.wait()
        return self.told[-1].status

    def show(self, n, **flags):
        self.fanout.publish(make_frame(n, **flags))
