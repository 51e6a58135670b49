"""The stages in their order: read, draw, encode, send; for the newest state and nothing else.

This is the one place where `data`, `render` and `encode` meet. A plain class: it runs in the worker
process, and in a test with a list for a sink and a clock of its own.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

from blustream_widget.config import Config
from blustream_widget.core.panes import views_of
from blustream_widget.core.state import PANE_MAX_PX, PANE_MIN_PX, ViewState, first_state
from blustream_widget.core.types import VolumeInfo, VolumeRef
from blustream_widget.core.worker_protocol import (
    NO_OUTPUT,
    Described,
    Failed,
    Open,
    Opened,
    Output,
    Progress,
)
from blustream_widget.data import FarSource, Region, SliceReader, VolumeSource, open_source
from blustream_widget.data.paths import shown_name
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.errors import BlustreamError, VolumeError
from blustream_widget.render.view import SliceView, plan_slice
from blustream_widget.worker.blink import Blink
from blustream_widget.worker.composition import Composition, Scene
from blustream_widget.worker.describer import Describer
from blustream_widget.worker.frames import FrameWriter
from blustream_widget.worker.marks import LoadedMarks
from blustream_widget.worker.measuring import Lanes
from blustream_widget.worker.motion import sized
from blustream_widget.worker.panes import PaneWatch, as_before
from blustream_widget.worker.probes import ProbeQueue
from blustream_widget.worker.schedule import Schedule
from blustream_widget.worker.segmentations import Segmentations
from blustream_widget.worker.sink import Sink
from blustream_widget.worker.slot import LatestSlot, Wish
from blustream_widget.worker.still import StillThread

logger = logging.getLogger(__name__)

OpenVolume = Callable[[VolumeRef, Config], VolumeSource]

_LARGEST_BUDGET_BYTES = 2 * 1024**3
# After an edit so large a part of a slice is made anew as fine as it is, of at most so many voxels:
# looking for what is other takes a quarter of a millisecond for a million. Of few voxels, all.
_PART, _SHARP_VOXELS, _WHOLE_VOXELS = 0.25, 1 << 22, 600_000


def cache_budget_bytes(config: Config) -> int:
    """Budget of decoded bricks: as configured, else a quarter of the memory, at most 2 GB."""
    if config.cache_bytes:
        return config.cache_bytes
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(memory_bytes // 4, _LARGEST_BUDGET_BYTES)


def _unforeseen(ref: VolumeRef, exc: Exception) -> VolumeError:
    """Name the volume and the kind of error, without the address, which may hold secrets."""
    name = shown_name(ref.url) if ref.url else ref.name or "array"
    reason = ": ".join(filter(None, [type(exc).__name__, str(exc)[:200]]))
    return VolumeError(
        f"{name} cannot be opened: {reason}.",
        hint="The server's log has the details.",
    )


class Pipeline:
    """Everything between a `ViewState` and encoded frames.

    Parameters
    ----------
    config : Config
    sink : Sink
        Gets messages and frames.
    slot : LatestSlot
        Filled from other threads when data, a still or a value is here.
    chain : EncoderChain
        Started, or without any encoder: then only JPEG is possible.
    clock : callable
        Monotonic seconds.
    open_volume : callable
        Opens what a reference names.

    Notes
    -----
    One thread, the render thread, calls everything.
    """

    def __init__(
        self,
        config: Config,
        sink: Sink,
        slot: LatestSlot,
        *,
        chain: EncoderChain,
        clock: Callable[[], float] = time.monotonic,
        open_volume: OpenVolume = open_source,
    ) -> None:
        self._config = config
        self._sink = sink
        self._slot = slot
        self._clock = clock
        self._open_volume = open_volume
        self._frames = FrameWriter(sink, chain, clock)
        self._stills = StillThread(slot.put_still)
        self._schedule = Schedule()
        self._segmentations = Segmentations(config, sink, open_volume, slot.put_data)
        self._blink = Blink(clock)
        self._probes = ProbeQueue(sink, slot.put_value, self._segmentations.under_pointer)
        self._output = NO_OUTPUT
        self._source: VolumeSource | None = None
        self._reader: SliceReader | None = None
        self._describer: Describer | None = None
        self._measurer: Lanes | None = None
        self._info: VolumeInfo | None = None
        self._state: ViewState | None = None
        self._panes = PaneWatch()
        self._seats: tuple[int, ...] = (0,)
        self._shown: Composition | None = None
        self._still_of: Composition | None = None
        self._progress: Progress | None = None
        self._marks = LoadedMarks(sink)
        self._finest: SliceView | None = None
        self._error: BlustreamError | None = None
        self._is_redraw_wanted = False

    def apply(self, wish: Wish) -> None:
        """Take over what the server wants and what has happened."""
        now = self._clock()
        if wish.open_volume is not None:
            self._open(wish.open_volume)
        if wish.output is not None:
            self._produce(wish.output, now)
        if wish.state is not None:
            before, self._state = self._state, wish.state
            # A crosshair that moves is drawn by the viewers: the exact picture stays.
            if before is None or not wish.state.looks_like(before):
                self._schedule.change(now)
                self._panes.change(views_of(wish.state), now)
            elif wish.has_detour:
                # The server heard of another view in between and has thrown the still away.
                self._still_of = None
                self._schedule.change(now)
        for rendition in wish.keyframes:
            self._want_keyframe(rendition, now)
        if self._reader is not None:
            self._hear(wish, self._reader, now)

    def due_in_s(self) -> float | None:
        """Time until `run` has something to do; None: only when a wish comes."""
        if not self._is_looked_at():
            return None
        now = self._clock()
        times = [self._schedule.due_in_s(now), self._blink.due_in_s(self._state)]
        if self._reader is not None and self._finest is not None:
            times.append(self._marks.due_in_s(now, self._reader, self._finest))
        return min((time for time in times if time is not None), default=None)

    def run(self) -> None:
        """Do what is due: look at the data, draw and encode if the picture has changed."""
        now = self._clock()
        reader, info, state = self._reader, self._info, self._state
        if reader is None or info is None or state is None or not self._is_looked_at():
            return
        if self._schedule.is_due(now) or self._blink.is_due(state):
            self._draw(now, reader, info, state)
            self._segmentations.draw()
        if self._finest is not None:
            self._marks.tell(now, reader, self._finest)

    def _draw(self, now: float, reader: SliceReader, info: VolumeInfo, state: ViewState) -> None:
        is_keyframe = self._shown is None or self._schedule.is_keyframe_due(now)
        is_at_rest = self._schedule.is_at_rest(now)
        self._schedule.look(now)
        read, sizes = self._read_panes(now, reader, info, state, is_at_rest=is_at_rest)
        self._report(Composition(state, read, ()), reader)
        if self._is_blank(read, reader) and (self._shown is None or not is_at_rest):
            self._schedule.drop_keyframe()
            return
        video = tuple(s.resized(size) for s, size in zip(read, sizes, strict=True))
        is_still = self._schedule.is_still(now)
        video = self._kept_back(now, state, video, reader, is_still=is_still)
        contents = self._panes.contents(video)
        picture = Composition(state, video, contents)
        if is_keyframe or self._is_redraw_wanted or not picture.shows(self._shown):
            self._show(picture, is_keyframe=is_keyframe)
        if self._output.smaller and self._frames.write_smaller(picture, now):
            self._schedule.go_on(now)
        is_still = is_still and not self._blink.is_on(state)
        if is_still and all(scene.is_exact for scene in read) and self._output.still:
            self._rest(Composition(state, read, contents))

    def close(self) -> None:
        """Free everything, last opened first. May be called twice."""
        self._stills.close()
        for helper in (self._describer, self._measurer):
            if helper is not None:
                helper.close()
        self._segmentations.close()
        if self._reader is not None:
            self._reader.close()
        if self._source is not None:
            self._source.close()
        self._frames.close()
        self._reader = self._source = None

    # ------------------------------------------------------------ what is wanted

    def _open(self, message: Open) -> None:
        try:
            source = self._source = self._open_volume(message.ref, self._config)
            reader = SliceReader(
                source,
                budget_bytes=cache_budget_bytes(self._config),
                on_data=self._slot.put_data,
            )
            state = message.state or first_state(source.info)
            if message.pane is not None:
                # A widget that is not laid out yet may say 0.
                width_px, height_px = (
                    min(max(size_px, PANE_MIN_PX), PANE_MAX_PX) for size_px in message.pane
                )
                pane = {"width_px": width_px, "height_px": height_px}
                state = state.with_patch(pane, source.info)
        except BlustreamError as exc:
            self._fail(exc, is_fatal=True)
            return
        except Exception as exc:
            # A reader that fails in a way nobody foresaw must not look like a worker that died.
            logger.exception("Opening failed")
            self._fail(_unforeseen(message.ref, exc), is_fatal=True)
            return
        self._reader, self._info, self._state = reader, source.info, state
        self._segmentations.start(source, reader, cache_budget_bytes(self._config))
        self._segmentations.take(message.segmentations)
        if isinstance(source, FarSource):
            source.on_trouble(self._slot.put_data)
        self._describer = Describer(source, lambda info: self._sink.send(Described(info)))
        self._measurer = Lanes(source, self._sink)
        self._sink.send(Opened(source.info, state))
        self._schedule.change(self._clock())
        self._panes.change(views_of(state), self._clock())

    def _produce(self, output: Output, now: float) -> None:
        before, self._output = self._output, output
        self._blink.allow(output.blink)
        self._schedule.limit(output.max_fps)
        if self._frames.smaller.want(output.smaller):
            self._schedule.go_on(now)
        if not self._is_looked_at():
            self._schedule.clear()
            return
        if output.h264 and not before.h264:
            self._schedule.want_keyframe(now)
        if output.jpeg > before.jpeg or output.h264 > before.h264 or output.still > before.still:
            self._is_redraw_wanted = True
            self._schedule.change(now)

    def _want_keyframe(self, rendition: int, now: float) -> None:
        if rendition == 0:
            self._schedule.want_keyframe(now)
        else:
            self._frames.smaller.want_keyframe(rendition)
            self._schedule.go_on(now)

    def _hear(self, wish: Wish, reader: SliceReader, now: float) -> None:
        self._hear_of_labels(wish, now)
        if wish.wants_refresh:
            reader.refresh()
            self._segmentations.refresh_channels()
            self._is_redraw_wanted = True
            if self._describer is not None:
                self._describer.want()
        if wish.has_data or wish.wants_refresh:
            self._schedule.receive_data(now)
        if wish.has_still:
            self._send_still()
        if wish.has_value:
            self._probes.ask_next(reader)
        if wish.probes:
            self._probes.ask(wish.probes, reader)
        if wish.measures and self._measurer is not None:
            self._measurer.take(wish.measures)

    def _hear_of_labels(self, wish: Wish, now: float) -> None:
        n_edited, has_changed = self._segmentations.settle_edits(), self._segmentations.settle()
        if self._segmentations.take(wish.segmentations) or has_changed:
            self._schedule.change(now)
        elif n_edited is not None and self._can_stay_sharp(n_edited):
            self._schedule.touch(now)
        elif n_edited is not None:
            self._schedule.change(now)

    def _is_looked_at(self) -> bool:
        return self._reader is not None and (self._output.h264 or self._output.jpeg)

    def _can_stay_sharp(self, n_bricks: int) -> bool:
        """Whether so many bricks of a slice can be shown in a frame, as fine as the picture is.

        In motion, points of a section are fewer, and so are voxels of a large slice.
        """
        shown = self._shown
        return shown is not None and all(_stays_sharp(scene, n_bricks) for scene in shown.scenes)

    # ------------------------------------------------------------ one picture

    def _read_panes(
        self,
        now: float,
        reader: SliceReader,
        info: VolumeInfo,
        state: ViewState,
        *,
        is_at_rest: bool,
    ) -> tuple[tuple[Scene, ...], list[ViewState]]:
        """Read what the panes need, the active one first, and say their sizes in motion.

        A pane at rest is read as fine as it can be shown, also while another one moves.
        """
        views = views_of(state)
        self._blink.look(state)
        scale = 1.0
        if self._output.still:
            pixels = sum(view.width_px * view.height_px for _, view in views)
            scale = self._frames.motion.scale_for(pixels, self._output.scale)
        moving = {index: sized(view, scale) for index, view in views}
        seats = (state.active, *(index for index, _ in views if index != state.active))
        all_seats = (*seats, *self._segmentations.seat(seats, state))
        if all_seats != self._seats:
            self._seats = all_seats
            reader.seat(all_seats)
        wanted, found = dict(views), {}
        for index in seats:
            rests = is_at_rest or (len(seats) > 1 and self._panes.is_at_rest(index, now))
            found[index] = self._read(
                index, reader, info, wanted[index], None if rests else moving[index]
            )
            if index == state.active:
                self._finest = plan_slice(wanted[index], info)
        return tuple(found[index] for index, _ in views), [moving[index] for index, _ in views]

    def _read(
        self,
        index: int,
        reader: SliceReader,
        info: VolumeInfo,
        state: ViewState,
        moving: ViewState | None,
    ) -> Scene:
        """Read what a pane needs: all of it, or what is shown of it while it is `moving`."""
        finest = plan_slice(state, info)
        view = finest if moving is None else plan_slice(moving, info, in_motion=True)
        region = Region(*view.region)
        data = reader.read(
            view.axis,
            view.slice_idx,
            view.source_channel,
            view.lod,
            region,
            seat=index,
            slab=view.slab,
            slab_lod=view.slab_lod,
            section=view.section,
        )
        wanted_lod = finest.lod if finest.slab is None else finest.slab_lod
        overlays, is_complete = self._segmentations.read(index, state, view, self._blink.off)
        is_exact = data.progress >= 1 and data.coarsest_lod <= wanted_lod and is_complete
        return Scene(moving or state, info, view, data, is_exact, index, overlays)

    def _kept_back(
        self,
        now: float,
        state: ViewState,
        scenes: tuple[Scene, ...],
        reader: SliceReader,
        *,
        is_still: bool,
    ) -> tuple[Scene, ...]:
        """Leave panes as they are that have nothing yet, or whose turn comes later."""
        shown = self._shown
        if len(scenes) == 1 or shown is None or is_still:
            return scenes
        cost = self._frames.motion.s_per_pixel
        late = self._panes.postponed(scenes, shown, state.active, cost)
        if late:
            self._schedule.go_on(now)
        blank = {scene.index for scene in scenes if self._is_blank((scene,), reader)}
        return tuple(
            as_before(scene, shown) if scene.index in late | blank else scene for scene in scenes
        )

    def _show(self, scene: Composition, *, is_keyframe: bool) -> None:
        is_key = self._frames.write(scene, self._output, is_keyframe=is_keyframe)
        self._shown, self._still_of = scene, None
        self._is_redraw_wanted = False
        self._schedule.draw(self._clock(), is_keyframe=is_key or is_keyframe)

    def _rest(self, scene: Composition) -> None:
        if scene.shows(self._still_of):
            return
        self._still_of = scene
        if self._stills.find(scene) is None:
            self._stills.want(scene)
        else:
            self._send_still()

    def _send_still(self) -> None:
        """Send the finished still, unless the picture has changed since it was begun."""
        scene = self._still_of
        png = self._stills.find(scene) if scene is not None else None
        if scene is None or png is None or not self._output.still:
            return
        if len(png):
            self._frames.write_still(scene, png)
        elif self._shown is not None and self._shown.packing != scene.packing:
            # Too large to be sent: then the video has the pane's own pixels at rest.
            self._show(scene, is_keyframe=False)
            self._still_of = scene

    def _is_blank(self, scenes: tuple[Scene, ...], reader: SliceReader) -> bool:
        """Nothing is here, and it will come: the last picture is better than an empty one."""
        return not reader.error and all(
            scene.data.progress == 0 and scene.data.coarsest_lod >= scene.info.n_lods
            for scene in scenes
        )

    # ------------------------------------------------------------ what is said

    def _report(self, scene: Composition, reader: SliceReader) -> None:
        trouble = self._source.trouble if isinstance(self._source, FarSource) else None
        progress = Progress(
            scene.coarsest_lod,
            round(scene.progress, 2),
            scene.is_exact,
            "" if trouble is None else trouble.message,
        )
        if progress != self._progress:
            is_news = trouble is not None and not (self._progress and self._progress.trouble)
            self._progress = progress
            if trouble is not None and is_news:
                self._fail(trouble, is_fatal=False)
            self._sink.send(progress)
        if reader.error is not None and reader.error is not self._error:
            self._fail(reader.error, is_fatal=False)
        self._error = reader.error

    def _fail(self, error: BlustreamError, *, is_fatal: bool) -> None:
        self._sink.send(Failed(error.code, error.message, error.hint, fatal=is_fatal))


def _stays_sharp(scene: Scene, n_bricks: int) -> bool:
    if scene.view.section is not None:
        return False
    n_voxels = scene.data.values.size
    n_touched = n_bricks * (scene.info.brick_size >> scene.data.lod) ** 2
    is_part = n_touched <= _PART * n_voxels and n_voxels <= _SHARP_VOXELS
    return is_part or n_voxels <= _WHOLE_VOXELS
