"""The kernel's link to a real server: it opens, joins, heals, relays and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from functools import partial
from typing import Any, TypeVar

import pytest

from blustream_widget import server_link as link_module
from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.core.types import VolumeRef
from blustream_widget.errors import BlustreamError, TransportError
from blustream_widget.link_session import LinkSession
from blustream_widget.server import discovery
from blustream_widget.server_link import Link
from blustream_widget.testing.server_process import FAKE_WORKER, running_server
from blustream_widget.testing.waiting import wait_until

T = TypeVar("T")
URL = "fake:16x24x32"


class Listener:
    """Keeps what a viewer would hear."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.relayed: list[tuple[int, str | bytes]] = []
        self.errors: list[BlustreamError] = []

    def on_message(self, message: lp.ToKernel) -> None:
        self.heard.append(message)

    def on_relay(self, channel: int, data: str | bytes) -> None:
        self.relayed.append((channel, data))

    def on_link_error(self, error: BlustreamError) -> None:
        self.errors.append(error)

    def wait(self, kind: type[T], condition=lambda _message: True, *, n: int = 1) -> T:
        """Wait for the n-th message of a kind that meets a condition."""

        def found() -> list[T]:
            matches = [m for m in list(self.heard) if isinstance(m, kind) and condition(m)]
            return matches[n - 1 :]

        return wait_until(found, timeout_s=15, what=f"{kind.__name__} {n}")[0]


class Open:
    """A session of a link."""

    def __init__(self, link: Link, url: str = URL, listener: Listener | None = None, **patch: Any):
        self.id = uuid.uuid4().hex
        self.link = link
        self.listener = listener or Listener()
        self._seq = 0
        link.open_session(self.id, VolumeRef(url=url), patch, self.listener)

    def patch(self, **patch: Any) -> int:
        self._seq += 1
        self.link.patch(self.id, patch, self._seq)
        return self._seq

    def shows(self, slice_idx: int, *, axis: int = 0) -> lp.Mirror:
        return self.listener.wait(
            lp.Mirror,
            lambda m: (
                m.seq >= self._seq and m.state.axis == axis and m.state.slice_idx[axis] == slice_idx
            ),
        )

    def close(self) -> None:
        self.link.close_session(self.id)


@pytest.fixture
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("s"), server_grace_s=60, session_grace_s=1
    ) as running:
        yield running


@pytest.fixture
def link(server, monkeypatch):
    # A server that is started in the place of the first one has the same workers.
    monkeypatch.setattr(
        discovery, "find_or_start", partial(discovery.find_or_start, worker_module=FAKE_WORKER)
    )
    link = Link(server.config)
    yield link
    for session in list(link._sessions):
        link.close_session(session)
    assert link.join(10)


def test_a_volume_is_opened_with_what_was_asked_for(link) -> None:
    session = Open(link, slice_idx=3)
    assert session.listener.wait(lp.SessionOpened).token
    opened = session.listener.wait(lp.VolumeOpened)
    assert opened.info.shape == (16, 24, 32)
    assert opened.state.slice_idx[0] == 3


def test_patches_arrive_in_the_end_as_the_newest_values(link) -> None:
    session = Open(link)
    session.listener.wait(lp.VolumeOpened)
    for index in range(12):
        session.patch(slice_idx=index)
    session.patch(zoom=2.0)
    assert session.shows(11).state.zoom == 2.0


def test_an_index_belongs_to_the_axis_of_its_moment(link) -> None:
    session = Open(link)
    session.listener.wait(lp.VolumeOpened)
    session.patch(slice_idx=13)
    session.patch(axis=2)
    session.patch(slice_idx=31)
    assert session.shows(31, axis=2).state.slice_idx == (13, 12, 31)


def test_what_is_wrong_is_told_to_its_viewer_alone(link) -> None:
    good, bad = Open(link), Open(link, "fake:missing")
    error = bad.listener.wait(lp.SessionError)
    assert (error.code, error.fatal) == ("volume-not-found", True)
    good.listener.wait(lp.VolumeOpened)
    assert not [m for m in good.listener.heard if isinstance(m, lp.SessionError)]


def test_sessions_are_taken_up_again_when_the_server_was_killed(link, server) -> None:
    session = Open(link)
    session.listener.wait(lp.VolumeOpened)
    session.patch(axis=1, zoom=3.0)
    session.patch(slice_idx=7)
    session.shows(7, axis=1)
    server.process.kill()
    again = session.listener.wait(lp.VolumeOpened, n=2)
    assert (again.state.axis, again.state.slice_idx[1], again.state.zoom) == (1, 7, 3.0)
    assert session.listener.wait(lp.SessionOpened, n=2).token
    # Numbers go on: what the new server says is not taken for old.
    session.listener.heard.clear()
    session.patch(slice_idx=9)
    session.shows(9, axis=1)
    _end(link, session, server)


def test_a_change_that_the_killed_server_never_confirmed_is_not_lost(link, server) -> None:
    session = Open(link)
    session.listener.wait(lp.VolumeOpened)
    session.shows(8)
    server.process.suspend()
    session.patch(slice_idx=14)
    session.patch(level=0.25)
    server.process.kill()
    assert session.shows(14).state.level == 0.25
    _end(link, session, server)


def test_a_close_that_went_into_a_broken_connection_is_told_once_more(
    tmp_path, monkeypatch
) -> None:
    # As after a call that held the interpreter for so long that the server has given up the link.
    monkeypatch.setattr(link_module, "_CLOSE_S", 30.0)
    with running_server(tmp_path, server_grace_s=60, session_grace_s=600) as server:
        link = Link(server.config)
        session = Open(link)
        session.listener.wait(lp.VolumeOpened)
        kept = server.files.kept / session.id
        wait_until(kept.exists, timeout_s=30, what="what is kept of the session")

        def breaks_and_closes() -> None:
            assert link._socket._socket is not None
            link._socket._socket.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            link._close(session.id)

        assert link._post(breaks_and_closes, start=False)
        assert link.join(30)
        wait_until(lambda: not kept.exists(), timeout_s=30, what="the session's end")


def test_a_close_that_nobody_is_there_to_hear_starts_no_server(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(link_module, "_CLOSE_S", 0.3)
    with running_server(tmp_path, server_grace_s=60, standby_s=0) as server:
        link = Link(server.config)
        session = Open(link)
        session.listener.wait(lp.VolumeOpened)

        def nobody(*_: object) -> None:
            raise AssertionError("a server was started")

        monkeypatch.setattr(discovery, "find_or_start", nobody)

        def killed_and_closes() -> None:
            server.process.kill()
            link._close(session.id)

        assert link._post(killed_and_closes, start=False)
        assert link.join(30)
        assert session.listener.errors == []


def _end(link: Link, session: Open, server: Any) -> None:
    """End the server that took the place of the fixture's."""
    pid = json.loads(server.files.info.read_text())["pid"]
    session.close()
    assert link.join(10)
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not server.files.socket.exists(), timeout_s=10, what="its end")


def test_a_session_that_the_server_let_go_is_opened_again_when_it_is_asked_for(link) -> None:
    session = Open(link)
    session.listener.wait(lp.VolumeOpened)
    session.patch(slice_idx=5)
    session.shows(5)
    # As at the server's limit: the session ends, and this side is not told.
    link._post(lambda: link._socket.send(lp.CloseSession(session=session.id)))
    session.listener.heard.clear()
    link.renew_token(session.id)
    assert session.listener.wait(lp.SessionOpened).token
    assert session.listener.wait(lp.VolumeOpened).state.slice_idx[0] == 5


def test_a_page_is_relayed_both_ways(link) -> None:
    session = Open(link)
    token = session.listener.wait(lp.SessionOpened).token
    channel = link.new_channel(session.id)
    link.open_relay(channel)
    link.relay(channel, p.encode(p.Hello(token=token, transport="comm")).decode())
    relayed = session.listener.relayed
    welcome = wait_until(lambda: relayed[:1], timeout_s=10, what="the welcome")[0]
    assert (welcome[0], '"role":"owner"' in str(welcome[1])) == (channel, True)
    frame = wait_until(
        lambda: [d for _, d in list(relayed) if isinstance(d, bytes)], timeout_s=10, what="a frame"
    )[0]
    assert FrameHeader.unpack(frame).slice_idx == 8
    link.close_relay(channel)
    session.listener.wait(lp.Mirror, lambda m: m.viewers == 0 and m.worker == "ready")


def test_the_thread_ends_with_the_last_session_and_comes_back(link) -> None:
    first, second = Open(link), Open(link)
    second.listener.wait(lp.VolumeOpened)
    first.close()
    assert not link.join(0)
    second.close()
    assert link.join(10)
    assert "blustream-link" not in {thread.name for thread in threading.enumerate()}
    third = Open(link)
    third.listener.wait(lp.VolumeOpened)


def test_a_listener_that_raises_harms_nobody(link, caplog) -> None:
    class Broken(Listener):
        def on_message(self, message: lp.ToKernel) -> None:
            super().on_message(message)
            raise RuntimeError("an observer of a user")

    broken = Open(link, listener=Broken())
    broken.listener.wait(lp.VolumeOpened)
    other = Open(link)
    other.listener.wait(lp.VolumeOpened)
    other.patch(slice_idx=2)
    other.shows(2)
    assert "an observer of a user" in caplog.text


def test_when_no_server_can_start_its_viewers_are_told_and_it_ends_when_they_close(
    tmp_path,
) -> None:
    tmp_path.chmod(0o700)
    link = Link(Config(runtime_dir=str(tmp_path), ice_servers="not json"))
    session = Open(link)
    error = wait_until(lambda: session.listener.errors, timeout_s=20, what="the error")[0]
    assert isinstance(error, TransportError)
    assert "BLUSTREAM_ICE_SERVERS" in str(error)
    session.close()
    assert link.join(10)


def test_a_dead_thread_is_told_to_all_and_replaced(link, monkeypatch) -> None:
    async def broken(self: Link) -> None:
        raise MemoryError("no memory")

    with monkeypatch.context() as patched:
        patched.setattr(Link, "_serve", broken)
        lost = Open(link)
        error = wait_until(lambda: lost.listener.errors, timeout_s=10, what="the error")[0]
        assert "no memory" in str(error)
        assert link.join(10)
    session = Open(link)
    session.listener.wait(lp.VolumeOpened)
    lost.listener.wait(lp.VolumeOpened)


async def test_its_messages_are_skipped_where_it_cannot_read_them(caplog) -> None:
    link = Link(Config())
    listener = Listener()
    link._sessions["a" * 32] = LinkSession(
        lp.OpenSession(session="a" * 32, ref=VolumeRef(url=URL)), listener
    )

    async def messages():
        for text in ('{"t": "new-kind"}', "nonsense", _mirror("a" * 32)):
            yield type("Message", (), {"data": text})()

    await link._socket._read(messages())
    assert [type(message) for message in listener.heard] == [lp.Mirror]


def _mirror(session: str) -> str:
    from blustream_widget.core.state import ViewState

    return lp.encoder.encode(lp.Mirror(session=session, state=ViewState())).decode()


_FORKED = """
import os, signal, sys, threading, uuid
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.types import VolumeRef
from blustream_widget.server_link import shared_link

class Listener:
    def __init__(self):
        self.opened = threading.Event()
    def on_message(self, message):
        if isinstance(message, lp.VolumeOpened):
            self.opened.set()
    def on_relay(self, channel, data): pass
    def on_link_error(self, error): print(error, flush=True)

def opens():
    listener, session = Listener(), uuid.uuid4().hex
    shared_link().open_session(session, VolumeRef(url="fake:16x24x32"), {}, listener)
    is_open = listener.opened.wait(15)
    return is_open, session

assert opens()[0]
child = os.fork()
if child == 0:
    is_open, session = opens()
    shared_link().close_session(session)
    shared_link().join(10)
    print("child", is_open, flush=True)
    sys.stdin.read()
    os._exit(0)
os.read(int(sys.argv[1]), 1)
is_open, _ = opens()
print("parent", is_open, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_forked_child_has_a_link_of_its_own_and_does_not_hold_the_parent_s(server) -> None:
    ours, theirs = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", _FORKED, str(ours)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[ours],
        env=os.environ | {"BLUSTREAM_RUNTIME_DIR": server.config.runtime_dir},
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "child True\n"
        os.write(theirs, b"x")
        assert process.stdout.readline() == "parent True\n"
        # The child lives on, and yet the server sees that the parent is gone.
        wait_until(
            lambda: server.log.count("its kernel is gone") == 2, timeout_s=15, what="both ends"
        )
    finally:
        process.stdin.close()
        process.stdout.read()
        process.wait(10)
        process.stdout.close()
        os.close(ours)
        os.close(theirs)


def test_the_link_of_a_process_is_one() -> None:
    assert link_module.shared_link() is link_module.shared_link()
