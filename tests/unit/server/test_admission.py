"""Who comes before the kernel, to a server that has taken a killed one's place."""

from __future__ import annotations

import msgspec
import pytest

from blustream_widget.config import Config
from blustream_widget.core import protocol as p
from blustream_widget.errors import SessionAwaitedError
from blustream_widget.server.admission import Visitor


class Hub:
    """A server's sessions, of which one is awaited."""

    def __init__(self) -> None:
        self.tokens = self
        self.config = Config(transports="websocket")
        self.waiting = []
        self.n_asked = 0

    def check(self, token):
        assert token == "known"
        return msgspec.json.decode(b'{"session": "s", "person": "", "role": "owner"}', type=Grant)

    def find(self, session, *, takes_up):
        assert takes_up
        self.n_asked += 1
        raise SessionAwaitedError("The server has begun anew and waits for the notebook.")

    def when_opened(self, session, call):
        assert session == "s"
        self.waiting.append(call)


class Grant(msgspec.Struct):
    session: str
    person: str
    role: str


class Page:
    """Keeps what it is told."""

    name = "websocket"

    def __init__(self) -> None:
        self.errors = []
        self.is_closed = False

    def send_text(self, data):
        self.errors.append(msgspec.json.decode(data)["code"])

    def close(self, code, reason):
        self.is_closed = True


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def page():
    return Page()


@pytest.fixture
def visitor(hub, page):
    visitor = Visitor(hub, page)
    visitor.receive(p.encode(p.Hello(token="known")))
    return visitor


def test_who_comes_before_the_kernel_waits_and_says_no_more(hub, page, visitor) -> None:
    visitor.receive(p.encode(p.Ping(n=1)))
    assert (page.errors, hub.n_asked, len(hub.waiting)) == ([], 1, 1)
    hub.waiting[0]()  # again there is none: it goes on waiting
    assert (page.errors, hub.n_asked, len(hub.waiting)) == ([], 2, 2)


def test_who_waits_in_vain_is_told_for_what(page, visitor) -> None:
    visitor.refuse_late()
    assert (page.errors, page.is_closed) == (["session-awaited"], True)


async def test_who_has_gone_meanwhile_is_not_let_in(hub, page, visitor) -> None:
    await visitor.leave()
    hub.waiting[0]()
    visitor.refuse_late()
    assert (page.errors, hub.n_asked) == ([], 1)
