"""Several panes in one picture: each in its place, and only what changed is drawn."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.geometry import place_slice
from blustream_widget.core.state import first_state
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import Open, Opened, Output, Show
from blustream_widget.data.memory import MemorySource
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.encode.probe import candidates
from blustream_widget.testing.contracts.encoder import decode
from blustream_widget.testing.fakes import FakeClock, HeldSource, ListSink, volume_info
from blustream_widget.worker.pipeline import Pipeline
from blustream_widget.worker.schedule import REST_S
from blustream_widget.worker.slot import LatestSlot

SHAPE = (32, 24, 16)
LOOK = {"window": 1.0, "level": 0.5, "colormap": "grey", "interpolate": False}
SIZES = ((96, 128), (64, 64), (64, 48))


@pytest.fixture
def coded():
    """Every voxel has a value of its own: a wrong axis gives a wrong number."""
    n = int(np.prod(SHAPE))
    values = (np.arange(n, dtype=np.float32) / n).reshape(SHAPE)
    return MemorySource(volume_info(SHAPE, kind="seismic"), (values,)), values


class Bench:
    def __init__(self, source) -> None:
        self.sink, self.slot, self.clock = ListSink(), LatestSlot(), FakeClock()
        chain = EncoderChain(candidates("libx264"))
        chain.start()
        self.info = source.info
        self.pipeline = Pipeline(
            Config(cache_bytes=10**7),
            self.sink,
            self.slot,
            chain=chain,
            clock=self.clock,
            open_volume=lambda ref, config: source,
        )

    def open(self, layout: str = "orthogonal", sizes=SIZES) -> None:
        state = first_state(self.info).with_patch(LOOK, self.info)
        state = state.with_patch({"layout": layout}, self.info)
        self.state = state.with_patch({"pane_sizes": sizes}, self.info)
        self.put(Open(VolumeRef(url="fake"), state=self.state), Output())

    def put(self, *messages) -> None:
        for message in messages:
            self.slot.put(message)
        self.step()

    def step(self, seconds: float = 0.0) -> None:
        self.clock.now += seconds
        self.pipeline.apply(self.slot.take(0))
        self.pipeline.run()

    def show(self, **patch) -> None:
        self.clock.now += 0.05
        self.state = self.state.with_patch(patch, self.info)
        self.put(Show(self.state))

    def rest(self) -> np.ndarray:
        """Let the view come to rest; the pixels of the still picture."""
        self.step(REST_S + 0.01)
        wish = self.slot.take(5)
        assert wish.has_still
        self.pipeline.apply(wish)
        _, data = self.sink.stills[-1]
        with av.open(io.BytesIO(data)) as file:
            return next(file.decode(video=0)).to_ndarray(format="gray")


@pytest.fixture
def bench(coded):
    bench = Bench(coded[0])
    yield bench
    bench.pipeline.close()


def expected_grey(values, info, header, x: int, y: int) -> int:
    place = place_slice(
        info,
        header.axis,
        zoom=header.zoom,
        pan=(header.pan_x, header.pan_y),
        stretch=header.stretch,
        width_px=header.width_px,
        height_px=header.height_px,
        north_up=False,
    )
    column, row = place.to_voxel(x + 0.5, y + 0.5)
    voxel = [0, 0, 0]
    voxel[header.axis] = header.slice_idx
    voxel[place.plane.column_axis] = round(column)
    voxel[place.plane.row_axis] = round(row)
    return round(float(values[tuple(voxel)]) * 255)


def test_the_still_has_the_pixels_of_every_pane(bench, coded) -> None:
    bench.open()
    bench.show(slice_idx=(20, 5, 11), zoom=1.5)
    picture = bench.rest()
    header, _ = bench.sink.stills[-1]
    assert [(p.axis, p.slice_idx) for p in header.panes] == [(0, 20), (1, 5), (2, 11)]
    assert [(p.width_px, p.height_px) for p in header.panes] == list(SIZES)
    assert header.panes[0].zoom == 1.5
    for pane in header.panes:
        for x, y in ((pane.width_px // 2, pane.height_px // 2), (pane.width_px // 3, 30)):
            found = int(picture[pane.y_px + y, pane.x_px + x])
            assert found == pytest.approx(expected_grey(coded[1], bench.info, pane, x, y), abs=1), (
                pane.axis,
                x,
                y,
            )


def test_one_encoded_picture_carries_all_panes(bench, coded) -> None:
    bench.open()
    header, data = bench.sink.video[0]
    (frame,) = decode(data)
    height = frame.height
    assert (frame.width, height) == (header.width_px, header.height_px)
    luma = frame.to_ndarray()[:height]
    for pane in header.panes:
        x, y = pane.width_px // 2, pane.height_px // 2
        grey = expected_grey(coded[1], bench.info, pane, x, y)
        assert luma[pane.y_px + y, pane.x_px + x] == pytest.approx(16 + grey * 219 / 255, abs=9)


def test_a_pane_that_did_not_change_keeps_its_content_number_and_the_others_do_not(bench) -> None:
    bench.open()
    bench.rest()
    before = [pane.content for pane in bench.sink.stills[-1][0].panes]
    _, j, k = bench.state.slice_idx
    bench.show(slice_idx=(3, j, k))
    header, _ = bench.sink.video[-1]
    after = [pane.content for pane in header.panes]
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, True]
    assert not header.flags & FrameFlags.STILL


def test_only_panes_that_changed_are_drawn(bench, monkeypatch) -> None:
    bench.open()
    drawn = []
    renderer = bench.pipeline._frames._compositor._renderer
    draw = renderer.draw
    monkeypatch.setattr(
        renderer,
        "draw",
        lambda data, view, *rest, **options: (
            drawn.append(view.axis) or draw(data, view, *rest, **options)
        ),
    )
    bench.show(slice_idx=(bench.state.slice_idx[0], 3, bench.state.slice_idx[2]))
    assert drawn == [1]


def test_a_maximised_pane_is_the_whole_picture(bench) -> None:
    bench.open()
    bench.show(active=1, maximised=True)
    header, _ = bench.sink.video[-1]
    assert [pane.pane for pane in header.panes] == [1]
    assert (header.width_px, header.height_px) == SIZES[1]


def test_another_active_pane_costs_no_picture(bench) -> None:
    bench.open()
    n = len(bench.sink.frames)
    bench.show(active=2)
    assert len(bench.sink.frames) == n


def test_panes_that_take_too_long_follow_the_active_one(bench) -> None:
    bench.open()
    bench.pipeline._frames.motion.add = lambda *_: None
    bench.pipeline._frames.motion._s_per_pixel = 1e-6  # the active pane takes 12 ms, another 4
    bench.show(slice_idx=(1, 2, 3))
    header, _ = bench.sink.video[-1]
    assert [pane.slice_idx for pane in header.panes] == [1, 2, SHAPE[2] // 2]
    bench.step(0.05)
    header, _ = bench.sink.video[-1]
    assert [pane.slice_idx for pane in header.panes] == [1, 2, 3]
    bench.show(slice_idx=(4, 5, 6))
    assert bench.sink.video[-1][0].panes[0].slice_idx == 4


def test_every_pane_gets_its_bricks() -> None:
    source = HeldSource(volume_info((128, 128, 128), n_lods=2, brick_size=32))
    bench = Bench(source)
    bench.open()
    for seconds in (0.1, REST_S, 0.1):
        bench.step(seconds)
        while source.deliver(1) or source.deliver(0):
            bench.step(0.1)
    assert [pane.is_exact for pane in bench.sink.video[-1][0].panes] == [1, 1, 1]
    bench.pipeline.close()


def test_a_single_pane_is_described_as_ever(bench) -> None:
    bench.open("single", sizes=())
    header, _ = bench.sink.video[0]
    assert (header.n_panes, header.panes) == (0, ())
    assert isinstance(bench.sink.messages[0], Opened)
