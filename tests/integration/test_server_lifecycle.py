"""What starts, what is replaced, and that nothing is left behind."""

import asyncio
import contextlib
import os
import signal
import stat

import psutil
import pytest

from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.errors import TransportError
from blustream_widget.server.discovery import find_or_start, find_server
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.server_process import FAKE_WORKER, running_server
from blustream_widget.testing.waiting import wait_until


@pytest.fixture
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("s")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("m")
    with running_server(folder, server_grace_s=60, session_grace_s=0.3) as running:
        yield running


def is_alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_killed_worker_is_replaced_in_the_same_state(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame()
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=5))
            before, _ = await viewer.frame(lambda h: h.slice_idx == 5)
            for worker in server.workers():
                worker.kill()
            await viewer.message(p.Status, lambda m: m.worker == "restarting")
            after, _ = await viewer.frame(
                lambda h: h.frame_no > before.frame_no and bool(h.flags == FrameFlags.KEY)
            )
            await viewer.send(vm.ChangeSlice(seq=2, slice_idx=6))
            await viewer.frame(lambda h: h.slice_idx == 6)
            numbers = [h.frame_no for h, _ in viewer.frames]
    assert after.slice_idx == 5
    assert numbers == sorted(set(numbers))


async def test_viewers_hear_which_slices_are_in_memory_whenever_they_join(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            first = await viewer.message(p.Status, lambda m: bool(m.loaded.runs))
            async with connect_viewer(server.address, opened.token) as other:
                second = await other.message(p.Status)
    assert first.loaded.runs[0][0] == 0
    assert second.loaded == first.loaded


async def test_a_worker_that_keeps_dying_is_given_up_with_an_error(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open("fake:crash")
        error = await kernel.message(lp.SessionError, lambda m: m.session == opened.session)
        async with connect_viewer(server.address, opened.token) as viewer:
            shown = await viewer.message(p.Error)
            await viewer.round_trip()
    assert (error.code, error.fatal) == ("worker", True)
    assert (shown.code, shown.fatal) == ("worker", True)


async def test_a_volume_that_does_not_open_is_told_to_kernel_and_viewer(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open("fake:missing")
        error = await kernel.message(lp.SessionError)
        async with connect_viewer(server.address, opened.token) as viewer:
            shown = await viewer.message(p.Error)
    assert (error.code, error.fatal) == ("volume-not-found", True)
    assert "fake:missing" in shown.message
    assert shown.hint


async def test_closing_a_session_ends_its_worker_and_tells_its_viewers(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.frame()
            await kernel.send(lp.CloseSession(session=opened.session))
            await viewer.message(p.Ended)
            await viewer.ended()
        async with connect_viewer(server.address, opened.token) as late:
            error = await late.message(p.Error)
            await late.ended()
    assert error.code == "session-not-found"


async def test_another_process_takes_a_killed_servers_place_at_once(folder):
    with running_server(folder, standby_s=0.01, server_grace_s=60) as server:
        process = server.process
        wait_until(lambda: heirs(process), timeout_s=30, what="a process that waits")
        (heir,) = heirs(process)
        assert heir not in server.workers()
        process.kill()
        wait_until(
            lambda: (known := find_server(server.config)) and known != server.address,
            timeout_s=30,
            what="the heir listens",
        )
        async with connect_kernel(find_server(server.config)) as kernel:
            await kernel.open()
            await kernel.message(lp.VolumeOpened)
        wait_until(lambda: heirs(heir), timeout_s=30, what="an heir of the heir")
        (last,) = heirs(heir)
        heir.terminate()
        wait_until(lambda: not any(map(is_alive, (heir, last))), timeout_s=30, what="their end")
        assert find_server(server.config) is None


def heirs(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return [child for child in process.children() if "--heir" in child.cmdline()]
    return []


async def test_a_session_outlives_a_broken_link_for_its_grace_and_is_taken_up_again(folder):
    with running_server(folder, session_grace_s=30) as server:
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open()
            await kernel.message(lp.VolumeOpened)
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=5))
            await viewer.frame(lambda h: h.slice_idx == 5)
            async with connect_kernel(server.address) as again:
                await again.open(session=opened.session)
                volume = await again.message(lp.VolumeOpened)
                patch = lp.PatchState(session=opened.session, patch={"slice_idx": 6}, seq=1)
                await again.send(patch)
                await viewer.frame(lambda h: h.slice_idx == 6)
    assert volume.state.slice_idx[0] == 5


async def test_a_session_whose_kernel_is_gone_ends_after_its_grace(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
    async with connect_viewer(server.address, opened.token) as viewer:
        ended = await viewer.message(p.Ended)
    assert "kernel" in ended.reason


async def test_a_session_opened_with_a_state_shows_it(server):
    async with connect_kernel(server.address) as kernel:
        await kernel.open()
        first = await kernel.message(lp.VolumeOpened)
        state = first.state.with_patch({"slice_idx": 3, "axis": 1}, first.info)
        opened = await kernel.open(state=state)
        volume = await kernel.message(lp.VolumeOpened, lambda m: m.session == opened.session)
    assert (volume.state.axis, volume.state.slice_idx) == (state.axis, state.slice_idx)


async def test_a_session_that_nobody_watches_gives_its_worker_back_and_keeps_its_state(folder):
    with running_server(folder, idle_s=0.2, spare_workers=0, session_grace_s=30) as server:
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open()
            async with connect_viewer(server.address, opened.token) as viewer:
                await viewer.send(vm.ChangeSlice(seq=1, slice_idx=5))
                await viewer.frame(lambda h: h.slice_idx == 5)
            await kernel.message(lp.Mirror, lambda m: m.worker == "idle")
            await asyncio.to_thread(
                wait_until, lambda: not server.workers(), timeout_s=5, what="no workers"
            )
            async with connect_viewer(server.address, opened.token) as viewer:
                await viewer.frame(lambda h: h.slice_idx == 5)


async def test_a_warm_worker_waits_and_is_replaced_when_taken(folder):
    with running_server(folder, spare_workers=1) as server:
        await asyncio.to_thread(wait_until, server.workers, timeout_s=5, what="a spare worker")
        (spare,) = server.workers()
        async with connect_kernel(server.address) as kernel:
            await kernel.open()
            await kernel.message(lp.VolumeOpened)
            await asyncio.to_thread(
                wait_until, lambda: len(server.workers()) == 2, timeout_s=5, what="a new spare"
            )
    assert not is_alive(spare)


async def test_the_shared_array_of_a_session_is_removed_with_it(server, shm_file):
    array = SharedArray(path=str(shm_file), shape=(2, 2, 2), dtype="<f4")
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open(ref=VolumeRef(array=array))
        await kernel.send(lp.CloseSession(session=opened.session))
        await asyncio.to_thread(
            wait_until, lambda: not shm_file.exists(), timeout_s=5, what="removal"
        )


@pytest.fixture
def shm_file(tmp_path_factory):
    from blustream_widget.shared import PREFIX, shared_folder

    path = shared_folder() / f"{PREFIX}test-{os.getpid()}"
    path.write_bytes(bytes(32))
    yield path
    path.unlink(missing_ok=True)


async def test_the_server_ends_by_itself_and_leaves_no_process_and_no_socket(folder):
    with running_server(folder, server_grace_s=0.3, session_grace_s=0.1) as server:
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open()
            async with connect_viewer(server.address, opened.token) as viewer:
                await viewer.frame()
            workers = server.workers()
        server.wait_until_ended()
        assert not any(is_alive(worker) for worker in workers)
        assert find_server(server.config) is None
        assert not server.files.socket.exists()
        assert not server.files.info.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_and_its_workers(folder, number):
    with running_server(folder) as server:
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open()
            async with connect_viewer(server.address, opened.token) as viewer:
                await viewer.frame()
                workers = server.workers()
                server.process.send_signal(number)
                await viewer.message(p.Ended)
                await viewer.ended()
        server.wait_until_ended()
        assert not any(is_alive(worker) for worker in workers)
        assert not server.files.socket.exists()


def test_a_killed_server_leaves_no_worker_and_the_next_one_takes_its_place(folder):
    with running_server(folder) as server:
        workers = wait_until(server.workers, timeout_s=5, what="a spare worker")
        server.process.kill()
        server.wait_until_ended()
        wait_until(lambda: not any(map(is_alive, workers)), timeout_s=5, what="workers' end")
        with running_server(folder) as successor:
            assert find_server(successor.config) == successor.address
            assert successor.process.pid != server.process.pid


def test_one_server_is_enough_for_all_who_look_at_once(folder):
    with running_server(folder) as server:
        again = find_or_start(server.config, worker_module=FAKE_WORKER)
        assert again == server.address
        wait_until(lambda: " listens" in server.log, timeout_s=5, what="its log's first line")
        assert server.log.count(" listens") == 1


def test_its_files_are_its_users_alone(folder):
    with running_server(folder) as server:
        for path in (server.files.info, server.files.socket, server.files.log, server.files.lock):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_server_that_cannot_start_is_an_error_with_the_end_of_its_log(folder):
    folder.chmod(0o700)
    config = Config(runtime_dir=str(folder), ice_servers="not json")
    with pytest.raises(TransportError, match="BLUSTREAM_ICE_SERVERS"):
        find_or_start(config, worker_module=FAKE_WORKER)
