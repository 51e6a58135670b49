"""The worker as a process: over a real socket pair, with a real volume, killed in several ways."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import psutil
import pytest

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.frame_header import HEADER_BYTES, FrameFlags, FrameHeader
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.testing.contracts.encoder import decode
from blustream_widget.testing.waiting import wait_until

COMMAND = [sys.executable, "-m", "blustream_widget.worker", "--fd"]
TIMEOUT_S = 20.0


class WorkerUnderTest:
    """The server's end of a worker process."""

    def __init__(self, **environ: str) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(TIMEOUT_S)
        with theirs:
            self.process = subprocess.Popen(
                [*COMMAND, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **environ},
                stderr=subprocess.PIPE,
                text=True,
            )
        self.stream = self.socket.makefile("rb")

    def send(self, message) -> None:
        self.socket.sendall(wp.json_message(message))

    def receive(self):
        length, kind = wp.PREFIX.unpack(self.stream.read(wp.PREFIX.size))
        payload = self.stream.read(length)
        if kind == wp.KIND_FRAME:
            return FrameHeader.unpack(payload), payload[HEADER_BYTES:]
        return wp.from_worker_decoder.decode(payload)

    def until(self, is_it):
        while True:
            message = self.receive()
            if is_it(message):
                return message

    def until_frame(self, is_it=lambda header: True):
        return self.until(lambda m: isinstance(m, tuple) and is_it(m[0]))

    def until_kind(self, kind):
        return self.until(lambda m: isinstance(m, kind))

    def close(self) -> int:
        self.stream.close()
        self.socket.close()
        return self.process.wait(TIMEOUT_S)


@pytest.fixture
def shared_ref():
    path = f"/dev/shm/blustream-test-{os.getpid()}"
    values = np.random.default_rng(1).normal(0, 1000, (24, 64, 48)).astype(np.int16)
    values.tofile(path)
    yield VolumeRef(array=SharedArray(path=path, shape=values.shape, dtype="<i2"))
    Path(path).unlink()


@pytest.fixture
def worker():
    worker = WorkerUnderTest()
    yield worker
    with contextlib.suppress(Exception):
        worker.process.kill()
    worker.close()
    worker.process.stderr.close()


def test_a_session_from_ready_to_the_still_picture(worker, shared_ref) -> None:
    ready = worker.until_kind(wp.Ready)
    assert ready.pid == worker.process.pid
    assert ready.capabilities.encoder == "libx264"
    worker.send(wp.Open(shared_ref, pane=(320, 240)))
    worker.send(wp.Output())
    opened = worker.until_kind(wp.Opened)
    assert opened.info.shape == (24, 64, 48)
    header, data = worker.until_frame()
    assert header.flags & FrameFlags.KEY
    assert decode(data)[0].width == 320
    state = opened.state.with_patch({"slice_idx": 3}, opened.info)
    worker.send(wp.Show(state))
    header, _ = worker.until_frame(lambda h: h.revision == state.revision)
    assert header.slice_idx == 3
    header, png = worker.until_frame(lambda h: h.flags & FrameFlags.STILL)
    assert header.revision == state.revision
    assert png[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_scrub_ends_on_the_newest_state_and_skips_what_it_cannot_draw(worker, shared_ref) -> None:
    worker.send(wp.Open(shared_ref, pane=(320, 240)))
    worker.send(wp.Output())
    opened = worker.until_kind(wp.Opened)
    state = opened.state
    for i in range(200):
        state = state.with_patch({"slice_idx": i % 24}, opened.info)
        worker.send(wp.Show(state))
    frames = []
    worker.until(
        lambda m: isinstance(m, tuple) and (frames.append(m[0]) or m[0].revision == state.revision)
    )
    revisions = [h.revision for h in frames]
    assert revisions == sorted(revisions)
    assert len(frames) < 100


def test_a_missing_volume_is_a_fatal_failure_and_the_worker_lives(worker) -> None:
    worker.send(wp.Open(VolumeRef(url="/no/such/volume.vds")))
    failed = worker.until_kind(wp.Failed)
    assert (failed.code, failed.fatal) == ("volume-not-found", True)
    assert "/no/such/volume.vds" in failed.message
    assert worker.process.poll() is None


def test_at_rest_the_worker_uses_no_cpu(worker, shared_ref) -> None:
    worker.send(wp.Open(shared_ref, pane=(320, 240)))
    worker.send(wp.Output())
    worker.until_frame(lambda h: h.flags & FrameFlags.STILL)
    process = psutil.Process(worker.process.pid)

    def has_settled() -> bool:
        before = process.cpu_times()
        readable, _, _ = select.select([worker.socket], [], [], 0.5)
        return not readable and sum(process.cpu_times()[:2]) - sum(before[:2]) <= 0.02

    assert wait_until(has_settled, timeout_s=10, what="a worker at rest")


def test_the_worker_ends_when_its_socket_closes(worker) -> None:
    worker.until_kind(wp.Ready)
    assert worker.close() == 0


def test_the_worker_ends_when_its_server_is_killed(tmp_path) -> None:
    script = textwrap.dedent(
        f"""
        import signal, socket, subprocess
        ours, theirs = socket.socketpair()
        worker = subprocess.Popen({COMMAND!r} + [str(theirs.fileno())], pass_fds=[theirs.fileno()])
        theirs.close()
        ours.recv(1)
        print(worker.pid, flush=True)
        signal.pause()
        """
    )
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(server.stdout.readline()))
    worker.suspend()  # it cannot read its socket: only the kernel can end it
    server.send_signal(signal.SIGKILL)
    server.wait(TIMEOUT_S)
    server.stdout.close()
    gone = ("zombie", "dead")
    wait_until(
        lambda: not worker.is_running() or worker.status() in gone, timeout_s=5, what="its end"
    )


def test_a_wrong_setting_is_said_in_words() -> None:
    worker = WorkerUnderTest(BLUSTREAM_CACHE_BYTES="much")
    failed = worker.until_kind(wp.Failed)
    assert (failed.code, failed.fatal) == ("config", True)
    assert "BLUSTREAM_CACHE_BYTES" in failed.message
    assert worker.close() == 1
    worker.process.stderr.close()


def test_logs_hold_no_address_of_a_volume() -> None:
    worker = WorkerUnderTest(BLUSTREAM_LOG_LEVEL="DEBUG")
    worker.send(wp.Open(VolumeRef(url="/no/such/secret-volume.vds", connection="Key=s3cr3t")))
    worker.until_kind(wp.Failed)
    worker.close()
    log = worker.process.stderr.read()
    worker.process.stderr.close()
    assert "s3cr3t" not in log
    assert "secret-volume" not in log
