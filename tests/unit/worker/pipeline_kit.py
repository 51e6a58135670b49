"""A pipeline with a list for a sink and a clock of the test."""

from __future__ import annotations

import threading

import msgspec

from blustream_widget.config import Config
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import (
    Open,
    Opened,
    Output,
    Show,
)
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.encode.probe import candidates
from blustream_widget.testing.contracts.encoder import decode, planes_of
from blustream_widget.testing.fakes import FakeClock, ListSink
from blustream_widget.worker.pipeline import Pipeline
from blustream_widget.worker.schedule import REST_S
from blustream_widget.worker.slot import LatestSlot

PANE = (128, 64)


class Bench:
    """A pipeline on a volume, driven by hand."""

    def __init__(self, source, chain=None) -> None:
        self.sink, self.slot, self.clock = ListSink(), LatestSlot(), FakeClock()
        self.source = source
        if chain is None:
            chain = EncoderChain(candidates("libx264"))
            chain.start()
        self.still_done = threading.Event()
        self.slot.put(Output())
        self.pipeline = Pipeline(
            Config(cache_bytes=10**7),
            self.sink,
            self.slot,
            chain=chain,
            clock=self.clock,
            open_volume=self.open_volume,
        )

    def open_volume(self, ref, config):
        if isinstance(self.source, Exception):
            raise self.source
        return self.source

    def put(self, *messages) -> None:
        for message in messages:
            self.slot.put(message)
        self.step()

    def step(self, seconds: float = 0.0) -> None:
        """Let time pass, then do what the render thread would do."""
        self.clock.now += seconds
        self.pipeline.apply(self.slot.take(0))
        self.pipeline.run()

    def open(self, **state) -> None:
        self.put(Open(VolumeRef(url="fake"), pane=PANE))
        if state:
            self.show(**state)

    @property
    def state(self):
        return next(m for m in self.sink.messages if isinstance(m, Opened)).state

    def show(self, revision: int = 1, **fields) -> None:
        self.put(Show(msgspec.structs.replace(self.state, revision=revision, **fields)))

    def rest(self) -> None:
        """Let the view come to rest, and wait for the still picture."""
        self.step(REST_S + 0.01)
        wish = self.slot.take(5)
        assert wish.has_still
        self.pipeline.apply(wish)

    def of(self, kind):
        return [m for m in self.sink.messages if isinstance(m, kind)]


def decoded_luma(bench: Bench) -> list[float]:
    return [planes_of(f)[:64].mean() for f in decode(*(data for _, data in bench.sink.video))]
