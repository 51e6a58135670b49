"""A guest against a real server: code for token, once; out at once; the page and its rules."""

import contextlib

import aiohttp
import pytest

from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.server_process import running_server

KEY = "0" * 16


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("s"), server_grace_s=60) as running:
        yield running


async def share(kernel, session, **options):
    given = {"role": "viewer", "expires_s": 3600.0, "max_viewers": 1} | options
    # Its id serves as the code: no two sessions have the same.
    await kernel.send(ls.OpenLink(session=session, id=KEY, code=session, **given))
    await kernel.message(ls.Shared, lambda m: bool(m.links))


@contextlib.asynccontextmanager
async def guest_of(server, code):
    """Come by a link, on one connection: code, token, hello."""
    async with connect_viewer(server.address, None) as guest:
        await guest.send(sm.Join(code=code, name="Mei", protocol=p.PROTOCOL_VERSION))
        joined = await guest.message(sm.Joined)
        await guest.send(p.Hello(token=joined.token))
        await guest.message(p.Welcome)
        yield guest, joined.token


async def refusal_of(server, message):
    async with connect_viewer(server.address, None) as guest:
        await guest.send(message)
        error = await guest.message(p.Error)
        await guest.ended()
    assert guest.close_code == 4403
    return error.code


async def test_a_code_is_good_once_and_who_is_removed_is_out_at_once(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await share(kernel, opened.session)
        async with guest_of(server, opened.session) as (guest, token):
            await guest.frame()
            await guest.send(vm.ChangeSlice(seq=1, slice_idx=3))
            assert (await guest.message(p.Error)).code == "not-driver"
            replay = sm.Join(code=opened.session, name="Eve", protocol=p.PROTOCOL_VERSION)
            assert await refusal_of(server, replay) == "link-full"
            shared = await kernel.message(ls.Shared, lambda m: len(m.people) == 1)
            (person,) = shared.people
            await kernel.send(
                ls.ManagePerson(session=opened.session, person=person.id, action="remove")
            )
            await guest.ended()
            assert (guest.close_code, guest.inbox.items[-1].code) == (4403, "removed")
        assert await refusal_of(server, p.Hello(token=token)) == "removed"
    for secret in (opened.session, token, "Mei"):
        assert secret not in server.log


async def test_a_code_that_nobody_gave_leads_nowhere(server):
    unknown = sm.Join(code="x" * 32, name="Eve", protocol=p.PROTOCOL_VERSION)
    assert await refusal_of(server, unknown) == "link"


async def test_the_page_for_guests_runs_its_own_files_only(server):
    connector = aiohttp.UnixConnector(str(server.address.socket_path))
    async with aiohttp.ClientSession("http://blustream", connector=connector) as http:
        kinds = {"guest": "html", "guest.css": "css", "guest.js": "java", "voice.js": "java"}
        for name, kind in kinds.items():
            async with http.get(f"/{name}") as answer:
                body = await answer.text()
            assert answer.status == 200
            assert kind in answer.headers["Content-Type"]
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "://" not in body
        async with http.get("/widget.js") as answer:
            etag = answer.headers["ETag"]
        async with http.get("/widget.js", headers={"If-None-Match": etag}) as answer:
            assert answer.status == 304
