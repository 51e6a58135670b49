"""Recordings of a real server: with and without viewers, and after it was killed."""

import os
import signal

import pytest

from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import PutItem
from blustream_widget.core.recording_messages import RecordingState, SetRecording
from blustream_widget.recordings import Recording
from blustream_widget.testing.clients import connect_kernel, connect_viewer
from blustream_widget.testing.fake_worker import read_barcode
from blustream_widget.testing.server_process import running_server


@pytest.fixture
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    with running_server(
        folder, server_grace_s=60, recordings_dir=str(folder / "films"), recording_min_free_bytes=0
    ) as running:
        yield running


async def begin(kernel, opened, path, n=1):
    await kernel.message(lp.VolumeOpened)
    await kernel.send(lp.StartRecording(session=opened.session, n=n, path=str(path)))
    return await status(kernel, n, "on")


async def status(kernel, n, phase, condition=lambda _: True):
    return await kernel.message(
        lp.RecordingStatus, lambda m: m.n == n and m.status.phase == phase and condition(m)
    )


def shown(recording):
    return [read_barcode(picture[..., 0]) for _, picture in recording.frames()]


async def test_without_anybody_who_looks_the_worker_draws_for_the_recording(server, tmp_path):
    path = tmp_path / "view.mp4"
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await begin(kernel, opened, path)
        for seq, idx in enumerate((3, 12), start=1):
            await kernel.send(
                lp.PatchState(session=opened.session, patch={"slice_idx": idx}, seq=seq)
            )
            await kernel.message(lp.Mirror, lambda m, seq=seq: m.seq == seq)
        line = annotation("line", [(0, 0, 0), (0, 9, 9)], label="Fault", id="fault")
        await kernel.send(la.EditItems(session=opened.session, seq=1, edits=(), is_restoring=True))
        await kernel.send(la.EditItems(session=opened.session, seq=2, edits=(PutItem(line),)))
        await kernel.message(la.Annotations, lambda m: bool(m.edits.edits))
        await status(kernel, 1, "on", lambda m: m.status.duration_s > 0.5)
        await kernel.send(lp.StopRecording(session=opened.session, n=2))
        end = await status(kernel, 2, "off")
    assert end.status.code == ""
    recording = Recording(path)
    assert recording.is_finished
    # What was shown at the call comes first, though it was left at once.
    assert (shown(recording)[0], shown(recording)[-1]) == (8, 12)
    assert recording.state_at(recording.duration_s)["slice_idx"][0] == 12
    assert [chapter.title for chapter in recording.chapters] == ["Beginning", "Fault"]
    assert recording.still_at(recording.duration_s).startswith(b"\x89PNG")
    assert [event["kind"] for event in recording.timeline][:2] == ["start", "info"]
    assert sum(part.n_pictures for part in recording.index.headers) == recording.n_pictures


async def test_the_page_begins_and_ends_one_and_everybody_is_told(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await kernel.message(lp.VolumeOpened)
        async with (
            connect_viewer(server.address, opened.token) as viewer,
            connect_viewer(server.address, opened.token) as other,
        ):
            await viewer.frame()
            await viewer.send(SetRecording(on=True))
            await other.message(RecordingState, lambda m: m.phase == "on")
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=11))
            await viewer.frame(lambda h: h.slice_idx == 11)
            await other.message(RecordingState, lambda m: m.duration_s > 0)
            await viewer.send(SetRecording(on=False))
            await other.message(RecordingState, lambda m: m.phase == "off" and m.name != "")
        told = await kernel.message(lp.RecordingStatus, lambda m: m.status.phase == "on")
    assert told.path.startswith(server.config.recordings_dir)
    assert shown(Recording(told.path))[-1] == 11


async def test_what_a_killed_server_recorded_opens_up_to_its_last_second(server, tmp_path):
    path = tmp_path / "view.mp4"
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await begin(kernel, opened, path)
        await kernel.send(lp.PatchState(session=opened.session, patch={"slice_idx": 9}, seq=1))
        await kernel.message(lp.Mirror, lambda m: m.seq == 1)
        last = await status(kernel, 1, "on", lambda m: m.status.duration_s > 2)
        os.kill(server.process.pid, signal.SIGKILL)
        server.wait_until_ended()
    recording = Recording(path)
    assert not recording.is_finished
    assert recording.duration_s >= last.status.duration_s - 0.1
    assert shown(recording)[-1] == 9
    assert recording.state_at(recording.duration_s)["slice_idx"][0] == 9


async def test_a_file_that_is_there_is_refused_and_a_second_recording_too(server, tmp_path):
    path = tmp_path / "view.mp4"
    path.write_text("mine")
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        await kernel.message(lp.VolumeOpened)
        await kernel.send(lp.StartRecording(session=opened.session, n=1, path=str(path)))
        refused = await status(kernel, 1, "off")
        assert (refused.status.code, path.read_text()) == ("recording-exists", "mine")
        await begin(kernel, opened, tmp_path / "other.mp4", n=2)
        await kernel.send(lp.StartRecording(session=opened.session, n=3, path=str(path)))
        second = await status(kernel, 3, "on")
    assert "recorded already" in second.status.message
