"""The encoder in use: what it is opened with, and what happens when it stops."""

from __future__ import annotations

import pytest

from blustream_widget.core.types import EncoderTrial
from blustream_widget.encode.chain import EncoderChain, ceiling_for
from blustream_widget.encode.encoder import EncodedFrame
from blustream_widget.encode.h264 import blank_picture
from blustream_widget.encode.probe import candidates, find_encoder
from blustream_widget.encode.profiles import PROFILES, EncoderProfile, slice_threads
from blustream_widget.errors import EncoderFailedError, NoEncoderError


class StubEncoder:
    """Remembers what it is asked; stops after `n_good` pictures."""

    def __init__(self, profile, settings, n_good=10**9):
        self.name, self.settings, self.codec = profile.name, settings, "avc1.42C01F"
        self.n_good = n_good
        self.rates = []
        self.is_closed = False

    def encode(self, picture, *, timestamp_90k, is_keyframe):
        if self.n_good <= 0:
            raise EncoderFailedError(f"{self.name} stopped.")
        self.n_good -= 1
        return EncodedFrame(memoryview(b"x"), is_keyframe)

    def move_bit_rate(self, bit_rate_bps):
        self.rates.append(bit_rate_bps)
        ceiling = self.settings.ceiling_bps
        return ceiling // 4 <= bit_rate_bps <= ceiling

    def close(self):
        self.is_closed = True


def profile(name, **fields):
    return EncoderProfile(name, "yuv420p", fields.get("moves", True), lambda settings: {})


class Bench:
    """A chain of stub encoders, and all that were opened."""

    def __init__(self, names, *, refused=(), n_good=10**9):
        self.opened = []
        self.refused, self.n_good = refused, n_good
        self.chain = EncoderChain(
            tuple(profile(name) for name in names),
            try_encoder=self.try_one,
            open_encoder=self.open,
        )

    def try_one(self, chosen, settings):
        if chosen.name in self.refused:
            return EncoderTrial(chosen.name, f"{chosen.name} has no device.")
        return self.open(chosen, settings)

    def open(self, chosen, settings):
        self.opened.append(StubEncoder(chosen, settings, self.n_good))
        return self.opened[-1]

    def encode(self, width=320, height=192, bit_rate_bps=10_000_000, max_fps=60):
        return self.chain.encode(
            blank_picture(width, height),
            timestamp_90k=0,
            is_keyframe=False,
            bit_rate_bps=bit_rate_bps,
            max_fps=max_fps,
        )


def test_the_first_that_works_is_taken_and_the_reasons_are_kept() -> None:
    bench = Bench(["a", "b", "c"], refused=("a",))
    bench.chain.start()
    found = bench.chain.capabilities
    assert (found.encoder, found.codec) == ("b", "avc1.42C01F")
    assert found.encoders == (EncoderTrial("a", "a has no device."), EncoderTrial("b", ""))


def test_no_encoder_names_every_trial() -> None:
    bench = Bench(["a", "b"], refused=("a", "b"))
    with pytest.raises(NoEncoderError, match=r"a has no device\. b has no device\."):
        bench.chain.start()


def test_the_encoder_of_the_probe_is_used_if_it_fits() -> None:
    bench = Bench(["a"])
    bench.chain.start()
    bench.encode(1280, 720)
    assert len(bench.opened) == 1


def test_another_size_opens_the_encoder_anew() -> None:
    bench = Bench(["a"])
    bench.chain.start()
    bench.encode(320, 192)
    bench.encode(320, 192)
    bench.encode(640, 360)
    assert [(e.settings.width_px, e.is_closed) for e in bench.opened] == [
        (1280, True),
        (320, True),
        (640, False),
    ]


def test_the_bit_rate_moves_below_the_ceiling_without_opening() -> None:
    bench = Bench(["a"])
    bench.chain.start()
    for rate in (10_000_000, 6_000_000, 4_000_000):
        bench.encode(1280, 720, bit_rate_bps=rate)
    assert len(bench.opened) == 1
    bench.encode(1280, 720, bit_rate_bps=1_000_000)
    assert [e.settings.ceiling_bps for e in bench.opened] == [10_000_000, 1_250_000]


def test_a_failing_encoder_is_replaced_by_the_next_one() -> None:
    bench = Bench(["a", "b"], n_good=1)
    bench.chain.start()
    bench.encode(1280, 720)
    frame = bench.encode(1280, 720)
    assert bytes(frame.data) == b"x"
    found = bench.chain.capabilities
    assert found.encoder == "b"
    assert found.encoders == (EncoderTrial("a", "a stopped."), EncoderTrial("b", ""))
    assert bench.opened[0].is_closed


def test_the_last_encoder_failing_is_no_encoder() -> None:
    bench = Bench(["a"], n_good=0)
    bench.chain.start()
    with pytest.raises(NoEncoderError, match="a stopped"):
        bench.encode(1280, 720)
    with pytest.raises(NoEncoderError):
        bench.encode(1280, 720)
    assert bench.chain.capabilities.encoder == ""


@pytest.mark.parametrize(
    ("rate", "ceiling"),
    [(1, 1_250_000), (1_250_001, 1_800_000), (10_000_001, 20_000_000), (10**9, 160_000_000)],
)
def test_a_ceiling_is_the_smallest_that_holds_the_rate(rate, ceiling) -> None:
    assert ceiling_for(rate) == ceiling


def test_hardware_is_tried_before_software() -> None:
    names = [p.name for p in candidates()]
    assert names == ["h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox", "libx264"]
    assert candidates("libx264") == (PROFILES[-1],)


def test_an_encoder_that_ffmpeg_lacks_says_so() -> None:
    with pytest.raises(NoEncoderError, match=r"h264_nonsense.*built without it"):
        find_encoder(candidates("h264_nonsense"))


@pytest.mark.parametrize(
    ("height", "cpus", "n"), [(720, 2, 2), (720, 64, 4), (64, 4, 1), (16, 4, 1)]
)
def test_slices_follow_cores_and_height(height, cpus, n) -> None:
    assert slice_threads(height, cpus) == n
