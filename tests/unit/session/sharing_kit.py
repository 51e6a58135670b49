"""A session without a worker, and people who come to it by links."""

from __future__ import annotations

from contextlib import asynccontextmanager

from blustream_widget.config import Config
from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core.annotation import annotation
from blustream_widget.core.types import VolumeRef
from blustream_widget.session.session import Session
from blustream_widget.session.ties import Ties
from blustream_widget.testing.stubs import StubChannel

KEY, OTHER_KEY = "0" * 16, "1" * 16
CODE, OTHER_CODE = "c" * 32, "d" * 32
BOX = annotation("box", [(0, 0, 0), (1, 1, 1)], id="box")


class NoPool:
    async def take(self):
        raise AssertionError("no worker is needed here")


class Kernel:
    def __init__(self):
        self.heard = []

    def tell(self, message):
        self.heard.append(message)

    def last(self):
        return [m for m in self.heard if isinstance(m, ls.Shared)][-1]


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@asynccontextmanager
async def workerless_session(monkeypatch):
    """Run a session that never gets a worker."""
    made = Session(
        "f" * 32,
        VolumeRef(url="fake:"),
        config=Config(transports="websocket"),
        ice_servers=(),
        pool=NoPool(),
        ties=Ties(lambda _: None),
    )
    monkeypatch.setattr(made._supervisor, "start", lambda: None)
    yield made
    await made.close("test")


def share(session, key=KEY, code=CODE, *, role="viewer", expires_s=3600, max_viewers=20):
    session.sharing.receive_from_kernel(
        ls.OpenLink(
            session=session.id,
            id=key,
            code=code,
            role=role,
            expires_s=expires_s,
            max_viewers=max_viewers,
        )
    )


def enter(session, name="Mei Tan", code=CODE):
    """Come by a link; returns the viewer and what it is told."""
    let_in = []
    join = sm.Join(code=code, name=name, protocol=p.PROTOCOL_VERSION)
    session.sharing.redeem(join, let_in.append)
    (guest,) = let_in
    return come_again(session, guest.id)


def come_again(session, person):
    guest = session.sharing.admit(person)
    channel = StubChannel()
    return session.join(channel, p.Hello(token=""), role=guest.role, guest=guest), channel


def owner_of(session):
    channel = StubChannel()
    return session.join(channel, p.Hello(token=""), role="owner"), channel


def tell_people(session):
    """Do at once what the throttle does half a second later."""
    session.sharing._tell.close()
    session.sharing._send_people()


def says(viewer, message):
    viewer.receive(p.encode(message))


def manage(person, action):
    return sm.Manage(person=person, action=action)
