"""The pipeline without data, bricks or encoder: what it says, and how it goes on."""

from __future__ import annotations

import dataclasses

import pytest
from tests.unit.worker.pipeline_kit import Bench

from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import (
    EncoderChanged,
    Failed,
    Open,
    Output,
    Progress,
    WantKeyframe,
)
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.encode.h264 import H264Encoder
from blustream_widget.encode.probe import candidates
from blustream_widget.errors import (
    BrickReadError,
    EncoderFailedError,
    StorageUnreachableError,
    VolumeNotFoundError,
)
from blustream_widget.testing.fakes import HeldSource, volume_info


def test_a_volume_that_cannot_be_opened_is_a_fatal_failure() -> None:
    bench = Bench(VolumeNotFoundError("There is no a.vds.", hint="Look."))
    bench.put(Open(VolumeRef(url="a.vds")))
    assert bench.of(Failed) == [
        Failed("volume-not-found", "There is no a.vds.", "Look.", fatal=True)
    ]
    bench.put(WantKeyframe())
    assert bench.sink.frames == []
    bench.pipeline.close()


@pytest.mark.parametrize("unforeseen", [MemoryError(), KeyError("affine"), RecursionError("deep")])
def test_an_error_nobody_foresaw_names_the_volume_and_the_worker_lives(unforeseen, caplog) -> None:
    bench = Bench(unforeseen)
    bench.put(Open(VolumeRef(url="https://host/a/survey.vds?secret=1")))
    (failed,) = bench.of(Failed)
    assert (failed.code, failed.fatal) == ("volume", True)
    assert "survey.vds" in failed.message
    assert type(unforeseen).__name__ in failed.message
    assert "secret" not in failed.message
    assert "Traceback" in caplog.text
    bench.put(WantKeyframe())
    bench.pipeline.close()


@pytest.fixture
def held():
    return HeldSource(
        volume_info((128, 128, 128), kind="seismic", n_lods=3, brick_size=32, value_range=(0, 2))
    )


def open_held(held) -> Bench:
    bench = Bench(held)
    bench.put(Open(VolumeRef(url="fake"), pane=(256, 256)))
    return bench


class FarHeldSource(HeldSource):
    max_in_flight = 16
    trouble = None

    def on_trouble(self, listener) -> None:
        self.changed = listener


def test_a_storage_out_of_reach_is_told_and_the_picture_stays() -> None:
    held = FarHeldSource(
        volume_info((128, 128, 128), kind="seismic", n_lods=3, brick_size=32, value_range=(0, 2))
    )
    bench = open_held(held)
    held.deliver(2)
    bench.step(0.1)
    n_pictures = len(bench.sink.video)
    held.trouble = StorageUnreachableError("The storage of v does not answer.")
    held.changed()
    bench.step(0.1)
    assert bench.of(Progress)[-1].trouble == "The storage of v does not answer."
    (told,) = bench.of(Failed)
    assert (told.code, told.fatal) == ("storage-unreachable", False)
    assert len(bench.sink.video) == n_pictures
    held.trouble = None
    held.deliver(0)
    bench.step(0.1)
    assert bench.of(Progress)[-1].trouble == ""
    assert len(bench.sink.video) > n_pictures
    assert len(bench.of(Failed)) == 1
    bench.pipeline.close()


def test_the_picture_waits_for_data_then_sharpens(held) -> None:
    bench = open_held(held)
    assert bench.sink.frames == []
    held.deliver(2)
    bench.step(0.1)
    ((header, _),) = bench.sink.video
    assert header.lod == 2
    assert not header.flags & FrameFlags.EXACT
    bench.step(1.0)
    assert bench.sink.stills == []
    held.deliver(0)
    bench.step(0.1)
    header, _ = bench.sink.video[-1]
    assert header.lod == 0
    assert header.flags & FrameFlags.EXACT
    assert bench.slot.take(5).has_still
    progress = bench.of(Progress)
    assert progress[-1] == Progress(lod=0, progress=1.0, exact=True)
    assert len(set(progress)) == len(progress)
    bench.pipeline.close()


def test_a_brick_that_cannot_be_read_is_said_once(held) -> None:
    bench = open_held(held)
    held.deliver(2)
    bench.step(0.1)
    held.deliver(0, BrickReadError("Brick 0 of fake is damaged.", hint="Import it again."))
    for _ in range(3):
        bench.step(0.1)
    assert bench.of(Failed) == [
        Failed("brick-read", "Brick 0 of fake is damaged.", "Import it again.", fatal=False)
    ]
    bench.pipeline.close()


def test_an_encoder_that_stops_is_replaced_and_said(ramp) -> None:
    class Stopping(H264Encoder):
        def encode(self, picture, **kwargs):
            raise EncoderFailedError("first stopped.")

    (x264,) = candidates("libx264")

    def open_encoder(profile, settings):
        return (Stopping if profile.name == "first" else H264Encoder)(x264, settings)

    chain = EncoderChain(
        (dataclasses.replace(x264, name="first"), x264),
        try_encoder=open_encoder,
        open_encoder=open_encoder,
    )
    chain.start()
    bench = Bench(ramp, chain)
    bench.open()
    (changed,) = bench.of(EncoderChanged)
    assert changed.capabilities.encoder == "libx264"
    assert changed.reason == "first stopped."
    assert bench.sink.video[0][0].flags & FrameFlags.KEY
    bench.pipeline.close()


def test_without_any_encoder_the_reason_is_said_and_jpeg_still_works(ramp) -> None:
    bench = Bench(ramp, EncoderChain(()))
    bench.put(Output(h264=True, jpeg=True))
    bench.open()
    (failed,) = bench.of(Failed)
    assert failed.code == "no-encoder"
    assert [bool(h.flags & FrameFlags.JPEG) for h, _ in bench.sink.frames] == [True]
    bench.pipeline.close()
