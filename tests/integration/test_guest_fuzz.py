"""Guests of each role who send whatever they like over a live socket: nothing changes or ends."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation_messages import AnnotationEdits, EditAnnotations, PutItem
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.samples import BOX, SAMPLES
from blustream_widget.testing.server_process import running_server

GUEST_CODE, LINK = "g" * 32, "a" * 16
MAX_GROWTH_BYTES = 64 * 1024**2
PLAIN = [json.loads(p.encode(sample)) for sample in SAMPLES]

EDGES = (-1, 0, 2**31, 2**53, 10**30, 1e308, -1e-300, "", "owner", "x" * 5000, None, True, [], {})
JSON = st.recursive(
    st.sampled_from(EDGES) | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
N_BATCHES, N_MESSAGES = 12, 15
"""A connection ends at its twentieth invalid message: each batch is heard to its end."""


def mutated(random, values):
    """A message of the protocol, with a field or two that are other ones, more, or gone."""
    message = dict(random.choice(PLAIN))
    for _ in range(random.randint(0, 2)):
        name = random.choice([*message, "state", "role"])
        if random.random() < 0.8:
            message[name] = random.choice((*EDGES, *values))
        else:
            message.pop(name, None)
    data = json.dumps(message).encode()
    return data[: random.randint(0, len(data))] if random.random() < 0.1 else data


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    recordings = str(tmp_path_factory.mktemp("r"))
    settings = {"transports": "websocket", "own_views": 1, "recordings_dir": recordings}
    with running_server(tmp_path_factory.mktemp("s"), server_grace_s=60, **settings) as running:
        yield running


@contextlib.asynccontextmanager
async def shared_session(server, role):
    """A session with an annotation, shared; gives kernel, the owner's token, the guest's."""
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        link = {"id": LINK, "code": GUEST_CODE, "role": role, "max_viewers": 9}
        await kernel.send(ls.OpenLink(session=opened.session, expires_s=3600.0, **link))
        await kernel.message(ls.Shared, lambda m: bool(m.links))
        async with connect_viewer(server.address, opened.token) as owner:
            await owner.message(p.Welcome, lambda m: m.info is not None)
            await owner.send(EditAnnotations(seq=1, edits=(PutItem(BOX),)))
            await owner.message(AnnotationEdits, lambda m: bool(m.edits))
        async with connect_viewer(server.address, None) as guest:
            await guest.send(sm.Join(code=GUEST_CODE, name="Eve", protocol=p.PROTOCOL_VERSION))
            joined = await guest.message(sm.Joined)
        yield kernel, opened, joined.token
        await kernel.send(lp.CloseSession(session=opened.session))


async def seen_by_owner(server, token):
    """What a page of the owner's is shown: the view, the annotations, who recorded."""
    async with connect_viewer(server.address, token) as owner:
        welcome = await owner.message(p.Welcome)
        items = await owner.message(AnnotationEdits, lambda m: m.reset and not m.more)
        recording = await owner.message(p.RecordingState)
        return welcome.state, items.edits, recording.phase


async def attack(server, token, random, values):
    for _ in range(N_BATCHES):
        async with connect_viewer(server.address, token) as guest:
            await guest.message(p.Welcome)
            for _ in range(N_MESSAGES):
                await guest.send_bytes(mutated(random, values))
            await guest.round_trip()


@pytest.mark.parametrize("role", ["viewer", "annotator", "editor"])
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(random=st.randoms(use_true_random=True), values=st.lists(JSON, max_size=4))
def test_whatever_a_guest_sends_changes_nothing_that_their_role_may_not(
    server, role, random, values
):
    async def run():
        async with shared_session(server, role) as (kernel, opened, token):
            before = await seen_by_owner(server, opened.token)
            await attack(server, token, random, values)
            after = await seen_by_owner(server, opened.token)
            if role == "viewer":
                assert after == before
            elif role == "annotator":
                assert (after[0], after[2]) == (before[0], before[2])
            shared = [m for m in kernel.inbox.items if isinstance(m, ls.Shared)]
            assert {link.id for m in shared for link in m.links} == {LINK}
            assert {one.role for m in shared for one in m.people} <= {"owner", role}

    before_bytes = server.process.memory_info().rss
    asyncio.run(run())
    assert server.is_running
    assert "Traceback" not in server.log
    assert server.process.memory_info().rss - before_bytes < MAX_GROWTH_BYTES


async def test_who_looks_around_changes_nothing_but_their_own_view(server):
    async with shared_session(server, "viewer") as (_, opened, token):
        before = await seen_by_owner(server, opened.token)
        async with connect_viewer(server.address, token) as guest:
            await guest.send(sm.LookAround(on=True))
            own = await guest.message(p.Welcome, lambda m: m.own)
            for sample in SAMPLES:
                if not isinstance(sample, sm.LookAround):
                    await guest.send(sample)
            await guest.send(vm.ChangeSlice(seq=9, slice_idx=3))
            moved = await guest.message(vm.State, lambda m: m.seq == 9)
            await guest.frame(lambda h: h.slice_idx == 3)
            assert moved.state.slice_idx[0] == 3 != own.state.slice_idx[0]
            assert await seen_by_owner(server, opened.token) == before
    assert "Traceback" not in server.log
