"""Values under the cursors of several viewers: the newest question of each, one at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeAlias

from blustream_widget.core.worker_protocol import ProbedValue, ProbeVoxel
from blustream_widget.data import SliceReader
from blustream_widget.errors import PeerClosedError
from blustream_widget.worker.sink import Sink
from blustream_widget.worker.under_pointer import UnderPointer

LookUp: TypeAlias = Callable[[tuple[int, int, int]], UnderPointer]


class ProbeQueue:
    """Asks the reader, which answers only its newest question, for one viewer after the other.

    Parameters
    ----------
    sink : Sink
        Gets the answers, from any thread.
    on_answer : callable
        Called after an answer, from any thread: `ask_next` is to be called by the render thread.
    look_up : callable
        Gives what is drawn over a voxel; called by the render thread.
    """

    def __init__(
        self,
        sink: Sink,
        on_answer: Callable[[], None],
        look_up: LookUp = lambda _voxel: UnderPointer(),
    ) -> None:
        self._sink = sink
        self._on_answer = on_answer
        self._look_up = look_up
        self._waiting: dict[int, ProbeVoxel] = {}
        self._asked: ProbeVoxel | None = None

    def ask(self, probes: dict[int, ProbeVoxel], reader: SliceReader) -> None:
        """Take new questions; a newer one of the same viewer replaces an older one."""
        self._waiting.update(probes)
        if self._asked is None or self._asked.peer in probes:
            self.ask_next(reader)

    def ask_next(self, reader: SliceReader) -> None:
        """Ask the reader the oldest question that waits."""
        self._asked = None
        if not self._waiting:
            return
        peer = next(iter(self._waiting))
        probe = self._asked = self._waiting.pop(peer)
        over = self._look_up(probe.voxel)

        def answer(value: float | None) -> None:
            with contextlib.suppress(PeerClosedError):  # the render thread notices and ends
                self._sink.send(ProbedValue(probe.peer, probe.n, probe.voxel, value, *over))
            self._on_answer()

        reader.request_value(probe.channel, probe.voxel, answer)
