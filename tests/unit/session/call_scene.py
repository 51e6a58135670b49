"""A call with an SFU that is not there, and pages that do with it what pages do."""

from __future__ import annotations

import asyncio

from blustream_widget.core import call_messages as cm
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.errors import BlustreamError
from blustream_widget.session.call import CallRate, CallRoom
from blustream_widget.session.call_relay import CallRelay
from blustream_widget.session.voices import VoiceRate
from blustream_widget.testing.fake_media_room import SECRET, FakeSfu

OFFER = cm.Description(kind="offer", sdp="v=0\r\nm=audio 9\r\nm=video 9\r\n")
ANSWER = cm.Description(kind="answer", sdp="v=0\r\n")


class Page:
    """One connection of a person, which does with the SFU what a page does."""

    def __init__(self, person, role="viewer"):
        self.person, self.name, self.role, self.guest = person, person, role, None
        self.call_rate, self.voice_rate, self.round_trip_s = CallRate(), VoiceRate(), 0.0
        self.told = []
        self.n = self.n_answered = 0

    def send(self, message):
        self.told.append(message)

    def send_error(self, error: BlustreamError):
        self.told.append(error)

    def got(self, kind):
        return [message for message in self.told if isinstance(message, kind)]

    @property
    def call(self):
        return self.got(cm.Call)[-1]

    @property
    def seat(self):
        return self.call.seat

    @property
    def offers(self):
        """What it was offered by the SFU."""
        return [message for message in self.got(cm.CallMediaTold) if message.way == "down"]

    def tracks(self):
        """Whose voices and pictures it was offered last."""
        offers = self.offers
        return {(track.seat, track.kind) for track in offers[-1].tracks} if offers else set()


class Scene:
    """A call with an SFU that is not there."""

    def __init__(self, *, kept=None, mesh=2, people=5, pictures=2):
        self.sfu = FakeSfu()
        settings = CallSfu(
            url="http://fake", api_secret=SECRET, mesh=mesh, people=people, pictures=pictures
        )
        self.relay = CallRelay(settings, kept=kept, make=self.sfu.make, sweep=self.sfu.sweep)
        self.room = CallRoom(
            is_on=True, on_change=lambda: None, note=lambda *_: None, relay=self.relay
        )
        self.pages = {}

    @property
    def at_sfu(self):
        (room,) = self.sfu.rooms.values()
        return room

    def join(self, *people):
        for person in people:
            self.pages[person] = Page(person)
            self.room.receive(self.pages[person], cm.JoinCall())
        return [self.pages[person] for person in people]

    async def joined(self, *people):
        pages = self.join(*people)
        await settled()
        return pages

    async def publish(self, *pages):
        """Connect pages to the SFU, and answer what they are offered."""
        for page in pages:
            page.n += 1
            self.tell(page, OFFER)
            await settled()
            list(self.at_sfu.ups.values())[-1].come()
        await self.answered(*self.pages.values())

    def tell(self, page, signal, way="up"):
        self.room.receive(page, cm.CallMedia(n=page.n, way=way, signal=signal))

    async def answered(self, *pages):
        """Answer all that is offered, until nothing more is."""
        for _ in range(10):
            await settled()
            for page in pages:
                if page.n and len(page.offers) > page.n_answered:
                    page.n_answered = len(page.offers)
                    self.tell(page, ANSWER, "down")
        await settled()

    def show(self, page, *, camera):
        """Switch a page's camera on or off."""
        self.room.receive(page, cm.CallSound(muted=False, camera=camera))

    async def close(self):
        self.room.close()
        await self.relay.close()
        assert self.sfu.rooms == {}


async def settled():
    """Let tasks run until each waits for something."""
    for _ in range(30):
        await asyncio.sleep(0)


async def at_once(work, *args):
    return work(*args)
