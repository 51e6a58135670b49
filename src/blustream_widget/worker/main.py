"""`python -m blustream_widget.worker --fd N`: the process around the pipeline.

The reader thread puts what the server sends into the slot, the main thread is the render thread.
The process ends when its socket closes, however the server ended.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import threading

from blustream_widget.config import Config, load_config, runtime_dir
from blustream_widget.core.worker_protocol import Failed, Ready
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.encode.known_refusals import remembering
from blustream_widget.encode.probe import candidates, try_one
from blustream_widget.errors import BlustreamError, NoEncoderError, PeerClosedError
from blustream_widget.runtime import start_thread
from blustream_widget.worker.channel import ServerChannel
from blustream_widget.worker.pipeline import Pipeline
from blustream_widget.worker.slot import LatestSlot
from blustream_widget.worker.warmup import warm_up

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# A render thread inside a library call that hangs must not keep the process alive.
_GRACE_S = 1.0


def die_with_parent() -> None:
    """Ask Linux to kill this process when the thread that started it ends.

    The socket's end says the same; this also holds while the process is stopped or swapped out.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start_chain(config: Config) -> EncoderChain:
    """Find the encoder; a chain without one if none works, which still leaves JPEG."""
    # One that is asked for by name is really tried, each time.
    attempt = try_one if config.encoder else remembering(try_one, lambda: runtime_dir(config))
    chain = EncoderChain(candidates(config.encoder), try_encoder=attempt)
    try:
        chain.start()
    except NoEncoderError as exc:
        logger.warning("%s", exc.message)
    return chain


def run(connection: socket.socket, config: Config) -> None:
    """Serve one session over `connection` until it closes. Blocks; the caller's thread renders."""
    channel = ServerChannel(connection)
    slot = LatestSlot()
    chain = start_chain(config)
    warm_up()
    pipeline = Pipeline(config, channel, slot, chain=chain)
    has_ended = threading.Event()
    try:
        channel.send(Ready(os.getpid(), chain.capabilities))
        start_thread(lambda: _read(channel, slot, has_ended), name="blustream-reader")
        _render(pipeline, slot)
    except PeerClosedError:
        logger.debug("The server is gone")
    finally:
        has_ended.set()
        pipeline.close()
        channel.close()


def _read(channel: ServerChannel, slot: LatestSlot, has_ended: threading.Event) -> None:
    try:
        for message in channel.messages():
            slot.put(message)
    finally:
        slot.close()
        if not has_ended.wait(_GRACE_S):
            logger.warning("The render thread hangs; the process ends without it")
            os._exit(1)


def _render(pipeline: Pipeline, slot: LatestSlot) -> None:
    while True:
        wish = slot.take(pipeline.due_in_s())
        if wish.is_closed:
            return
        pipeline.apply(wish)
        pipeline.run()


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(prog="python -m blustream_widget.worker")
    parser.add_argument("--fd", type=int, required=True, help="descriptor of the server's socket")
    fd: int = parser.parse_args(arguments).fd
    die_with_parent()
    # An interrupt of the notebook's kernel or of a terminal is not meant for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=fd) as connection:
        try:
            config = load_config()
        except BlustreamError as exc:
            failed = Failed(exc.code, exc.message, exc.hint, fatal=True)
            ServerChannel(connection).send(failed)
            return 1
        logging.basicConfig(
            level=config.log_level,
            stream=sys.stderr,
            format="%(asctime)s worker %(process)d %(levelname)s %(message)s",
        )
        gc.freeze()  # what was imported stays: collections need not look at it
        run(connection, config)
    return 0
