"""Who gets in, and what a hostile client can do: nothing but be refused."""

import asyncio

import aiohttp
import jwt
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.message_types import MessageType
from blustream_widget.server.tokens import AUDIENCE
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.server_process import running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    with running_server(folder, server_grace_s=60, session_grace_s=1) as running:
        yield running


def forged(session, **changes):
    claims = {"aud": AUDIENCE, "exp": 4e9, "jti": "1", "sid": session, "role": "owner"} | changes
    return jwt.encode(claims, "x" * 32, algorithm="HS256")


def environment_of(process):
    """What a process was given; None when it has ended meanwhile, as those of other tests do."""
    try:
        return process.environ()
    except psutil.NoSuchProcess:
        return None


async def refusal(server, token):
    async with connect_viewer(server.address, token) as viewer:
        error = await viewer.message(p.Error)
        await viewer.ended()
        return error, viewer.close_code


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", forged("0" * 32), jwt.encode({"sid": "0" * 32}, "", algorithm="none")],
    ids=["empty", "word", "dots", "forged", "unsigned"],
)
async def test_a_token_that_this_server_did_not_sign_is_refused(server, token):
    error, code = await refusal(server, token)
    assert (error.code, error.fatal, code) == ("token", True, 4403)


async def test_a_changed_token_is_refused(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        head, claims, signature = opened.token.split(".")
        other = signature[::-1]
        error, _ = await refusal(server, f"{head}.{claims}.{other}")
    assert error.code == "token"


async def test_a_first_message_that_is_no_hello_is_refused(server):
    async with connect_viewer(server.address, None) as viewer:
        await viewer.send(vm.ChangeSlice(seq=1, slice_idx=0))
        error = await viewer.message(p.Error)
        await viewer.ended()
    assert error.code == "token"


async def test_who_says_nothing_is_let_go(tmp_path_factory):
    # The server process reads the bound at import; here it runs in this one.
    from aiohttp import web

    from blustream_widget.config import Config
    from blustream_widget.server import app
    from blustream_widget.server.hub import Hub
    from blustream_widget.server.lifetime import Lifetime
    from blustream_widget.server.runtime_files import ServerAddress
    from blustream_widget.session.workers import WorkerPool

    lifetime = Lifetime(60)
    hub = Hub(Config(), ice_servers=(), pool=WorkerPool((), n_spare=0), lifetime=lifetime)
    routes = app.Routes(hub, lifetime, "secret", hello_timeout_s=0.05)
    runner = web.AppRunner(routes.make_app(), access_log=None)
    await runner.setup()
    path = tmp_path_factory.mktemp("s") / "sock"
    await web.UnixSite(runner, str(path)).start()
    try:
        async with connect_viewer(ServerAddress(path, "secret"), None) as viewer:
            error = await viewer.message(p.Error)
            await viewer.ended()
    finally:
        await runner.cleanup()
        await hub.close_all("test")
        lifetime.close()
    assert error.code == "token"


async def test_a_link_without_the_secret_is_refused(server):
    for secret in ("", "wrong"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as failure:
            async with connect_kernel(server.address, secret=secret):
                pass
        assert failure.value.status == 401


async def test_a_page_of_another_origin_is_refused(server):
    with pytest.raises(aiohttp.WSServerHandshakeError) as failure:
        async with connect_viewer(server.address, "x", headers={"Origin": "https://evil.example"}):
            pass
    assert failure.value.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://hub.example", "Host": "hub.example"},
        {"Origin": "https://hub.example", "X-Forwarded-Host": "hub.example"},
        {"Origin": "http://127.0.0.1:8888", "Host": "127.0.0.1:8888"},
    ],
)
async def test_a_page_of_the_same_host_is_let_in(server, headers):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token, headers=headers) as viewer:
            await viewer.message(p.Welcome)


async def test_credentials_of_jupyter_reach_neither_log_nor_worker(server, monkeypatch):
    headers = {"Cookie": "_xsrf=COOKIE-SECRET", "Authorization": "token AUTH-SECRET"}
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token, headers=headers) as viewer:
            await viewer.frame()
            environments = [e for worker in server.workers() if (e := environment_of(worker))]
    assert environments
    assert not any("TOKEN" in name for env in environments for name in env)
    for secret in ("COOKIE-SECRET", "AUTH-SECRET", opened.token, server.address.secret):
        assert secret not in server.log


async def test_a_second_hello_is_an_error_and_changes_nothing(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome)
            await viewer.send(p.Hello(token="x"))
            error = await viewer.message(p.Error)
            await viewer.round_trip()
    assert error.code == "protocol"


async def test_a_message_that_is_too_large_ends_the_connection(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.message(p.Welcome)
            await viewer.send_raw("x" * (p.MAX_MESSAGE_BYTES + 1))
            await viewer.ended()
    assert viewer.close_code == 1009


async def test_a_flood_ends_the_connection_and_leaves_the_others_alone(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as calm:
            async with connect_viewer(server.address, opened.token) as flood:
                await flood.message(p.Welcome)
                try:
                    for n in range(5000):
                        await flood.send(p.Ping(n=n))
                except ConnectionError:
                    pass
                await flood.ended()
            await calm.send(vm.ChangeSlice(seq=1, slice_idx=3))
            await calm.frame(lambda h: h.slice_idx == 3)
    assert flood.close_code == 1008


async def test_messages_of_sessions_that_do_not_exist_are_answered(server):
    async with connect_kernel(server.address) as kernel:
        await kernel.send(lp.PatchState(session="f" * 32, patch={}))
        error = await kernel.message(lp.SessionError)
        await kernel.send(lp.RelayText(channel=9, text="{}"))
        await kernel.send(lp.CloseSession(session="f" * 32))
        await kernel.open()
    assert error.code == "session-not-found"


@pytest.mark.parametrize("session", ["", "0" * 31, "../../../etc/passwd", "G" * 32])
async def test_a_session_id_that_is_none_is_refused(server, session):
    async with connect_kernel(server.address) as kernel:
        await kernel.send(lp.OpenSession(session=session, ref=lp.VolumeRef(url="fake:")))
        error = await kernel.message(lp.SessionError)
    assert (error.code, error.fatal) == ("protocol", True)


async def test_an_open_that_cannot_be_read_is_answered(server):
    async with connect_kernel(server.address) as kernel:
        await kernel.send_raw(
            '{"t": "open", "session": "%s", "ref": {"url": "fake:", "kind": "x"}}' % ("a" * 32)
        )
        error = await kernel.message(lp.SessionError)
        await kernel.open()
    assert (error.session, error.code, error.fatal) == ("a" * 32, "protocol", True)
    assert "ref.kind" in error.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
TYPED = st.fixed_dictionaries(
    {"type": st.sampled_from([int(t) for t in MessageType]) | st.integers()},
    optional=dict.fromkeys(("seq", "slice_idx", "axis", "pan", "n", "sdp", "frame_no"), JSON),
)
PAYLOADS = st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode())


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=st.lists(PAYLOADS | TYPED, min_size=1, max_size=15))
def test_whatever_a_joined_viewer_sends_the_session_goes_on(server, messages):
    async def attack():
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open()
            async with connect_viewer(server.address, opened.token) as hostile:
                await hostile.message(p.Welcome)
                for message in messages:
                    data = message if isinstance(message, bytes) else lp.encoder.encode(message)
                    await hostile.send_bytes(data)
                await hostile.round_trip()
            async with connect_viewer(server.address, opened.token) as viewer:
                await viewer.frame()
            await kernel.send(lp.CloseSession(session=opened.session))

    asyncio.run(attack())
    assert "Traceback" not in server.log


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=PAYLOADS)
def test_whatever_a_stranger_says_first_is_refused(server, data):
    async def knock():
        async with connect_viewer(server.address, None) as stranger:
            await stranger.send_bytes(data)
            await stranger.message(p.Error)
            await stranger.ended()

    asyncio.run(knock())
    assert "Traceback" not in server.log
