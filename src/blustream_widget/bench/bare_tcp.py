"""What TCP alone does on a network: a question, and a picture's worth of bytes in answer."""

from __future__ import annotations

import random
import socket
import threading
import time

from blustream_widget.testing.emulated_network import SERVER_ADDRESS, EmulatedNetwork
from blustream_widget.transport.tcp_tuning import prefer_bbr

ANSWER_BYTES = 6000
"""A small picture: five packets."""

_QUESTION_BYTES = 40
_TIMEOUT_S = 10.0


class BareTcp:
    """One connection over an emulated network, made while that is still without faults.

    Parameters
    ----------
    network : EmulatedNetwork
    """

    def __init__(self, network: EmulatedNetwork) -> None:
        with network.server.entered(), socket.create_server((SERVER_ADDRESS, 0)) as listener:
            with network.browser.entered():
                self._near = socket.create_connection(listener.getsockname(), timeout=_TIMEOUT_S)
            self._far, _ = listener.accept()
        for connection in (self._near, self._far):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        prefer_bbr(self._far)
        self._answering = threading.Thread(target=self._answer, daemon=True)  # noqa: TID251  a benchmark, and no loop is here
        self._answering.start()

    def steps(self, n: int) -> list[float]:
        """Ask `n` times, each a moment after the last answer; milliseconds of each."""
        times_ms = []
        for _ in range(n):
            start_s = time.monotonic()
            self._near.sendall(bytes(_QUESTION_BYTES))
            left = ANSWER_BYTES
            while left > 0 and (data := self._near.recv(65536)):
                left -= len(data)
            times_ms.append(1000 * (time.monotonic() - start_s))
            threading.Event().wait(0.04 + 0.06 * random.random())
        return times_ms

    def close(self) -> None:
        """End both ends."""
        self._near.close()
        self._answering.join(timeout=_TIMEOUT_S)
        self._far.close()

    def _answer(self) -> None:
        asked = 0
        while data := self._far.recv(4096):
            asked += len(data)
            while asked >= _QUESTION_BYTES:
                asked -= _QUESTION_BYTES
                self._far.sendall(bytes(ANSWER_BYTES))
