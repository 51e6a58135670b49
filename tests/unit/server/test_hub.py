"""The sessions of a server: room for the newest, and tokens that stay valid."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core.colormaps import COLOR_LEVELS
from blustream_widget.core.palettes import (
    MAX_LABELS,
    MAX_OWN_MAPS,
    MAX_STYLES,
    LabelStyle,
    OwnMap,
)
from blustream_widget.core.share_messages import Join, Joined
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeRef
from blustream_widget.errors import (
    BlustreamError,
    NoLinkError,
    SessionAwaitedError,
    SessionNotFoundError,
)
from blustream_widget.server import hub as hub_module
from blustream_widget.server import left_sessions
from blustream_widget.server.admission import Visitor
from blustream_widget.server.app import MAX_LINK_MESSAGE_BYTES
from blustream_widget.server.hub import Hub
from blustream_widget.server.lifetime import Lifetime
from blustream_widget.server.links import KernelLink
from blustream_widget.session.kernel_process import process_of
from blustream_widget.session.session_store import Left, what_is_left_in
from blustream_widget.session.workers import WorkerPool, worker_command
from blustream_widget.transport.frame import EncodedFrame


class Kernel:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[lp.ToKernel] = []
        self.changed = asyncio.Event()

    def tell(self, message: lp.ToKernel) -> None:
        self.heard.append(message)
        self.changed.set()

    async def tokens(self, n: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(found := [m for m in self.heard if isinstance(m, lp.SessionToken)]) < n:
                self.changed.clear()
                await self.changed.wait()
        return [message.token for message in found]

    async def volume(self) -> None:
        async with asyncio.timeout(10):
            while not any(isinstance(m, lp.VolumeOpened) for m in self.heard):
                self.changed.clear()
                await self.changed.wait()

    def errors(self) -> list[str]:
        return [m.code for m in self.heard if isinstance(m, lp.SessionError)]


class Page:
    """A viewer's channel that leads nowhere."""

    name = "websocket"
    via = "proxy"
    read_tcp = None

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.changed = asyncio.Event()

    def send_text(self, data: bytes) -> None:
        self.texts.append(data)
        self.changed.set()

    def send_frame(self, frame: EncodedFrame) -> None:
        del frame

    def send_header(self, frame: EncodedFrame) -> None:
        del frame

    def drop_frames(self, *, stills_only: bool = False) -> int:
        return 0

    def close(self, code: int, reason: str) -> None:
        del code, reason


@asynccontextmanager
async def made(
    *, token_lifetime_s: float = 3600.0, config: Config | None = None, kept: Path | None = None
) -> AsyncIterator[Hub]:
    lifetime = Lifetime(60)
    pool = WorkerPool(worker_command("blustream_widget.testing.fake_worker"), n_spare=0)
    hub = Hub(
        config or Config(),
        ice_servers=(),
        pool=pool,
        lifetime=lifetime,
        token_lifetime_s=token_lifetime_s,
        kept=kept,
    )
    try:
        yield hub
    finally:
        await hub.close_all("test")
        lifetime.close()


def opening(number: int) -> lp.OpenSession:
    return lp.OpenSession(session=f"{number:032x}", ref=VolumeRef(url="fake:8x8x8"))


async def test_tokens_are_renewed_without_being_asked_for() -> None:
    async with made(token_lifetime_s=3.0) as hub:
        kernel = Kernel()
        hub.open(opening(1), kernel)
        first, second = await kernel.tokens(2)
    assert first != second
    assert hub.tokens.check(second).session == opening(1).session


def test_a_session_with_all_palettes_that_there_may_be_can_be_opened_again() -> None:
    labels = range(MAX_LABELS)
    styles = tuple(
        LabelStyle(
            name=f"labels-{n:08x}",
            colors=dict.fromkeys(labels, "#112233"),
            names=dict.fromkeys(labels, "🧠" * 64),
        )
        for n in range(MAX_STYLES)
    )
    own = OwnMap(name="user-00000000", title="", colors=bytes(3 * COLOR_LEVELS))
    maps = (own,) * MAX_OWN_MAPS
    message = msgspec.structs.replace(opening(1), palettes=maps + styles)
    assert len(lp.encoder.encode(message)) < MAX_LINK_MESSAGE_BYTES


async def test_when_all_places_are_taken_the_one_unseen_for_longest_is_given_up(
    monkeypatch,
) -> None:
    monkeypatch.setattr(hub_module, "MAX_SESSIONS", 3)
    async with made() as hub:
        kernel = Kernel()
        for number in (1, 2, 3):
            hub.open(opening(number), kernel)
        seen = hub.find(opening(1).session)
        viewer = seen.join(Page(), p.Hello(token=""), role="owner")
        hub.open(opening(4), kernel)
        known = {n for n in (1, 2, 3, 4) if opening(n).session in hub._sessions}
        assert known == {1, 3, 4}
        await seen.leave(viewer)
    assert kernel.errors() == []


async def test_no_volume_that_is_looked_at_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_SESSIONS", 1)
    async with made() as hub:
        kernel = Kernel()
        hub.open(opening(1), kernel)
        seen = hub.find(opening(1).session)
        viewer = seen.join(Page(), p.Hello(token=""), role="owner")
        hub.open(opening(2), kernel)
        assert kernel.errors() == ["session-full"]
        await seen.leave(viewer)


async def test_a_worker_is_not_given_back_before_the_kernel_has_its_volume() -> None:
    # No process starts in a hundredth of a second; the kernel waits in the cell that shows nothing.
    async with made(config=Config(idle_s=0.01)) as hub:
        kernel = Kernel()
        hub.open(opening(1), kernel)
        await kernel.volume()


class Uplink:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def offer(self, kernel: Kernel, message: lp.OpenDesk) -> None:
        self.told.append(message)

    def forget(self, session: str) -> None:
        self.told.append(session)

    def shared(self, is_shared: bool) -> None:
        self.told.append(is_shared)

    async def close(self) -> None:
        self.told.append("closed")


class HeldUp:
    """A kernel's process that is seen to live a few times, and then no more."""

    def __init__(self, n: int) -> None:
        self.n, self.was_last = n, asyncio.Event()

    @property
    def is_alive(self) -> bool:
        self.n -= 1
        if self.n < 0:
            self.was_last.set()
        return self.n >= 0


async def test_a_kernel_that_is_held_up_in_a_call_keeps_its_session_while_it_lives() -> None:
    async with made(config=Config(session_grace_s=0.01)) as hub:
        kernel, process = Kernel(), HeldUp(3)
        hub.open(opening(1), kernel)
        await kernel.volume()
        hub.kernel_gone(kernel, process)
        assert hub.find(opening(1).session)
        await asyncio.wait_for(process.was_last.wait(), 10)
        with pytest.raises(SessionNotFoundError):
            hub.find(opening(1).session)


async def test_a_kernel_that_speaks_again_has_given_up_what_it_does_not_come_for(
    monkeypatch,
) -> None:
    ended, has_ended = [], asyncio.Event()

    def close(hub: Hub, session_id: str, reason: str, *, keeps: bool = False) -> None:
        end(hub, session_id, reason, keeps=keeps)
        ended.append(session_id)
        has_ended.set()

    end = Hub.close
    monkeypatch.setattr(Hub, "close", close)
    async with made(config=Config(session_grace_s=0.01)) as hub:
        kernel, process = Kernel(), process_of(os.getpid())
        for number in (1, 2):
            hub.open(opening(number), kernel, process)
        await kernel.volume()
        hub.kernel_gone(kernel, process)
        hub.open(opening(1), kernel, process)
        await asyncio.wait_for(has_ended.wait(), 10)
        assert ended == [opening(2).session]
        assert hub.find(opening(1).session)


async def left(hub: Hub, number: int = 1, **patch: object) -> ViewState:
    """Open a session for a kernel that is there, and leave it to another server."""
    kernel = Kernel()
    hub.open(opening(number), kernel, process_of(os.getpid()))
    await kernel.volume()
    session = hub.find(opening(number).session)
    session.view.patch_by_kernel(patch, 1)
    return session.state


@pytest.mark.parametrize("has_moved", [False, True])
async def test_what_a_late_kernel_saw_last_counts_unless_somebody_has_moved(
    tmp_path, has_moved
) -> None:
    async with made(kept=tmp_path) as hub:
        written = await left(hub, slice_idx=2)
    async with made(kept=tmp_path) as hub:
        with pytest.raises(SessionAwaitedError):
            hub.find(opening(1).session)
        session = hub.find(opening(1).session, takes_up=True)
        assert session.state == written
        if has_moved:
            hub.open(opening(1), first := Kernel(), process_of(os.getpid()))
            await first.volume()
            session.view.patch_by_kernel({"slice_idx": 4}, 1)
        newer = msgspec.structs.replace(
            written, slice_idx=(7, *written.slice_idx[1:]), revision=written.revision + 1
        )
        kernel = Kernel()
        hub.open(msgspec.structs.replace(opening(1), state=newer), kernel)
        await kernel.volume()
        assert session.state.slice_idx[0] == (4 if has_moved else 7)


async def test_a_link_leads_to_a_session_whose_kernel_is_busy(tmp_path) -> None:
    async with made(kept=tmp_path) as hub:
        await left(hub)
        hub.find(opening(1).session).sharing.receive_from_kernel(share(opening(1).session))
    async with made(kept=tmp_path) as hub:
        assert isinstance(await redeemed(hub, CODE), Joined)


async def test_a_code_opens_no_session_left_behind_but_its_own_and_files_are_read_once(
    tmp_path, monkeypatch
) -> None:
    async with made(kept=tmp_path) as hub:
        for number in (1, 2):
            await left(hub, number)
            session = hub.find(opening(number).session)
            session.sharing.receive_from_kernel(share(session.id, str(number) * 16))
    read: list[str] = []

    def reads(folder: Path) -> Left:
        read.append(folder.name)
        return what_is_left_in(folder)

    monkeypatch.setattr(left_sessions, "what_is_left_in", reads)
    known = sorted(opening(number).session for number in (1, 2))
    async with made(kept=tmp_path) as hub:
        both = await asyncio.gather(redeemed(hub, "x" * 32), redeemed(hub, "y" * 32))
        assert [type(answer) for answer in both] == [NoLinkError, NoLinkError]
        for session_id in known:
            with pytest.raises(SessionAwaitedError):
                hub.find(session_id)
        assert isinstance(await redeemed(hub, "2" * 32), Joined)
        assert hub.find(known[1])
        with pytest.raises(SessionAwaitedError):
            hub.find(known[0])
        assert sorted(read) == known


@pytest.mark.parametrize("is_seen", [False, True])
async def test_a_viewer_that_is_closed_behind_a_long_call_is_not_left_behind(
    tmp_path, is_seen
) -> None:
    async with made(kept=tmp_path) as hub:
        await left(hub)
    async with made(kept=tmp_path) as hub:
        if is_seen:
            assert hub.find(opening(1).session, takes_up=True)
        outbox = LinkOutbox()
        link = KernelLink(hub, outbox, process_of(os.getpid()))  # type: ignore[arg-type]
        closing = lp.CloseSession(session=opening(1).session)
        link.receive(lp.encoder.encode(closing).decode())
        assert outbox.told == [lp.SessionClosed(session=closing.session)]
        with pytest.raises(SessionNotFoundError):
            hub.find(closing.session, takes_up=True)
        await link.close()
    assert list(tmp_path.iterdir()) == []


async def test_what_fails_in_one_message_is_told_and_leaves_the_link(monkeypatch, caplog) -> None:
    def fail(*_: object) -> None:
        raise IndexError("a fault of ours")

    async with made() as hub:
        outbox = LinkOutbox()
        link = KernelLink(hub, outbox)  # type: ignore[arg-type]
        monkeypatch.setattr(hub, "close", fail)
        link.receive(lp.encoder.encode(lp.CloseSession(session="5" * 32)).decode())
        (told,) = outbox.told
        assert isinstance(told, lp.SessionError)
        assert (told.session, told.fatal) == ("5" * 32, False)
        assert "CloseSession: IndexError" in told.message
        assert "a fault of ours" in caplog.text
        link.receive(lp.encoder.encode(lp.Confirm(n=3)).decode())
        assert outbox.told[1:] == [lp.Confirmed(n=3)]
        await link.close()


class LinkOutbox:
    """Keeps what a kernel is told."""

    def __init__(self) -> None:
        self.told: list[lp.ToKernel] = []

    def put_text(self, text: bytes) -> None:
        self.told.append(lp.to_kernel_decoder.decode(text))


async def redeemed(hub: Hub, code: str, *, account: str = "") -> Joined | BlustreamError:
    """Give what somebody gets for a code."""
    answer: asyncio.Future[Joined | BlustreamError] = asyncio.get_running_loop().create_future()
    join = Join(code=code, name="alice", protocol=p.PROTOCOL_VERSION)
    hub.redeem(join, answer.set_result, answer.set_result, account=account)
    return await asyncio.wait_for(answer, 10)


async def test_guests_of_a_jupyterhub_can_come_as_long_as_a_view_is_shared() -> None:
    async with made() as hub:
        hub.uplink = uplink = Uplink()  # type: ignore[assignment]
        kernel = Kernel()
        hub.open(opening(1), kernel)
        await kernel.volume()
        session = hub.find(opening(1).session)
        desk = lp.OpenDesk(session=session.id, address="http://h/", ticket="t")
        hub.offer_desk(kernel, desk)
        hub.offer_desk(kernel, msgspec.structs.replace(desk, session=opening(2).session))
        assert uplink.told == [False, desk]  # who has no session here has nothing to offer
        session.sharing.receive_from_kernel(share(session.id))
        assert uplink.told[-1] is True
        session.sharing.receive_from_kernel(ls.StopSharing(session=session.id))
        assert uplink.told[-1] is False
        session.sharing.receive_from_kernel(share(session.id, "1" * 16))
        hub.close(session.id, "closed")
        assert uplink.told[-2:] == [session.id, False]
    assert uplink.told[-1] == "closed"


async def test_a_guest_whom_the_jupyterhub_knows_bears_its_name_whatever_they_say() -> None:
    async with made() as hub:
        kernel = Kernel()
        hub.open(opening(1), kernel)
        await kernel.volume()
        session = hub.find(opening(1).session)
        session.sharing.receive_from_kernel(share(session.id))
        page = Page()
        visitor = Visitor(hub, page, account="bob")
        join = Join(code=CODE, name="alice", protocol=p.PROTOCOL_VERSION)
        visitor.receive(p.encode(join))
        async with asyncio.timeout(10):
            while not page.texts:
                page.changed.clear()
                await page.changed.wait()
        joined = msgspec.json.decode(page.texts[0])
        person = hub.tokens.check(joined["token"]).person
        assert session.sharing.admit(person).name == "bob"
        again = await redeemed(hub, CODE, account="bob")
        assert isinstance(again, Joined)
        assert hub.tokens.check(again.token).person == person


CODE = "c" * 32


def share(session: str, key: str = "0" * 16) -> ls.OpenLink:
    code = CODE if key == "0" * 16 else key * 2
    return ls.OpenLink(
        session=session, id=key, code=code, role="viewer", expires_s=3600.0, max_viewers=3
    )
