"""What outlives a server that is killed: the store alone, very often, and whole servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import AnnotationEdits, EditAnnotations, PutItem
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.server_process import running_server

SCRIPT = Path(__file__).with_name("killed_store.py")
ROUNDS = int(os.environ.get("BLUSTREAM_TEST_KILLS", "1000"))
SESSION, CODE = "5" * 32, "c" * 32
N_SERVERS = 4


@pytest.mark.timeout(400)
def test_an_answered_annotation_outlives_a_kill_at_any_moment(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), str(ROUNDS), "7"],
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout)
    assert counts["found"] > ROUNDS / 2
    assert counts["answered"] > 0


async def test_killed_servers_are_replaced_with_view_annotations_undo_and_guests(tmp_path) -> None:
    people: list[p.Hello] = []
    for number in range(N_SERVERS):
        with running_server(
            tmp_path, spare_workers=0, server_grace_s=60, session_grace_s=60
        ) as server:
            async with connect_kernel(server.address) as kernel, early(server, people[:1]) as page:
                opened = await kernel.open(session=SESSION)
                if page is not None:
                    # It was there before the notebook: it is let in when that has come.
                    await page.message(p.Welcome)
                assert opened.annotations_revision == 6 * number
                if not number:
                    restoring = la.EditItems(session=SESSION, seq=0, is_restoring=True)
                    await kernel.send(restoring)
                    people = [p.Hello(token=opened.token), *await invite(kernel, server)]
                owner, drawing, removed = people
                async with enter(server, owner, "owner") as page:
                    await check_and_draw(page, number, "owner")
                async with enter(server, drawing, "annotator") as page:
                    await check_and_draw(page, number, "Mei")
                assert await refusal(server, removed) == "removed"
                if number + 1 < N_SERVERS:
                    server.process.kill()
                    await asyncio.to_thread(server.wait_until_ended)


async def invite(kernel, server) -> list[p.Hello]:
    """Let one person in who stays, and one who is shown out."""
    await kernel.send(
        ls.OpenLink(
            session=SESSION,
            id="0" * 16,
            code=CODE,
            role="viewer",
            expires_s=3600.0,
            max_viewers=2,
        )
    )
    await kernel.message(ls.Shared, lambda m: bool(m.links))
    guests = []
    for name in ("Mei", "Eve"):
        async with connect_viewer(server.address, None) as guest:
            await guest.send(sm.Join(code=CODE, name=name, protocol=p.PROTOCOL_VERSION))
            hello = p.Hello(token=(await guest.message(sm.Joined)).token)
            guests.append(hello)
            await guest.send(hello)
            person = (await guest.message(sm.People)).you
            change = {"action": "role", "role": "annotator"} if name == "Mei" else {}
            manage = {"person": person, "action": "remove"} | change
            await kernel.send(ls.ManagePerson(session=SESSION, **manage))
            if name == "Eve":
                await guest.ended()
            else:
                await guest.message(sm.People, lambda m: m.people[-1].role == "annotator")
    return guests


@contextlib.asynccontextmanager
async def enter(server, hello, role):
    async with connect_viewer(server.address, None) as page:
        await page.send(hello)
        welcome = await page.message(p.Welcome, lambda m: m.info is not None)
        assert welcome.role == role
        page.welcome = welcome
        yield page


@contextlib.asynccontextmanager
async def early(server, hellos):
    """A page that has said who it is before its session is there; None without anybody."""
    if not hellos:
        yield None
        return
    async with connect_viewer(server.address, None) as page:
        await page.send(hellos[0])
        yield page


async def check_and_draw(page, number, author) -> None:
    """Everything of the servers before is there; one annotation more, and what is seen moves."""
    made = 2 * number + (author != "owner")
    told = await page.message(AnnotationEdits, lambda m: m.reset)
    assert [edit.item.id for edit in told.edits] == [f"item-{n}" for n in range(made)]
    assert [edit.item.author for edit in told.edits] == ["owner", "Mei"] * number + ["owner"] * (
        made % 2
    )
    assert told.can_undo == (number > 0)
    if author == "owner":
        assert page.welcome.state.slice_idx[0] == (number if number else 8)
        await page.send(vm.ChangeSlice(seq=1, slice_idx=number + 1))
        await page.message(vm.State, lambda m: m.seq == 1)
    item = annotation("point", (1, 2, 3), id=f"item-{made}")
    for seq, message in enumerate(
        (
            EditAnnotations(seq=1, edits=(PutItem(item),)),
            EditAnnotations(seq=2, history="undo"),
            EditAnnotations(seq=3, history="redo"),
        ),
        1,
    ):
        await page.send(message)
        await page.message(AnnotationEdits, lambda m, seq=seq: m.seq == seq)


async def refusal(server, hello) -> str:
    async with connect_viewer(server.address, None) as page:
        await page.send(hello)
        error = await page.message(p.Error)
        await page.ended()
    return error.code
