"""Volumes on one grid as one series: a step each, opened when it is looked at."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec

from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.types import Channel, Samples, VolumeInfo
from blustream_widget.data.grid import check_key
from blustream_widget.data.series_channels import joined
from blustream_widget.data.source import (
    BrickDone,
    BrickKey,
    BrickRequest,
    DoneRequest,
    VolumeSource,
)
from blustream_widget.errors import BlustreamError, VolumeFormatError

logger = logging.getLogger(__name__)

MOST_OPEN = 4
"""Volumes that are held open: the shown one, the next, and those somebody came from."""

_N_DESCRIBED = 16
_NEAR = 1e-4  # of a voxel: affines are stored as 32-bit floats


@dataclass(eq=False)
class _Held:
    """An open step; closed when others take its place and nothing of it is on its way."""

    source: VolumeSource
    n_under_way: int = 0


@dataclass(eq=False)
class _Request:
    """A brick on its way, maybe of a step that is not open yet."""

    is_cancelled: bool = False
    inner: BrickRequest | None = field(default=None)

    def cancel(self) -> None:
        self.is_cancelled = True
        self.check()

    def check(self) -> None:
        """Pass on that it is cancelled."""
        if self.is_cancelled and self.inner is not None:
            self.inner.cancel()


class SeriesSource:
    """A series whose steps are volumes of their own.

    Parameters
    ----------
    openers : sequence of callables
        Each opens the volume of a step; it may be called again after that was closed.
    names : sequence of str
        What errors call them.

    Raises
    ------
    VolumeFormatError
        A step does not lie on the grid of the first, or has other channels: names it.
    VolumeError
        A step cannot be opened.

    Notes
    -----
    Every step is opened once here, for its grid; then `MOST_OPEN` at most are open at once,
    whatever the number of steps. A step is opened by a thread of its own, so that `request_brick`
    never waits.
    """

    def __init__(self, openers: Sequence[Callable[[], VolumeSource]], names: Sequence[str]) -> None:
        self._openers = openers
        self._lock = threading.Lock()
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._waiting: dict[int, list[tuple[BrickKey, BrickDone, bool, _Request]]] = {}
        self._closed = False
        infos: list[VolumeInfo] = []
        try:
            for step, opener in enumerate(openers):
                source = opener()
                if step < MOST_OPEN:
                    self._held[step] = _Held(source)
                infos.append(_kept(source.info, is_described=_is_described(step, len(openers))))
                if step >= MOST_OPEN:
                    source.close()
                check_same_grid(infos[0], source.info, names[0], names[step])
        except BaseException:
            self.close()
            raise
        self._info = _series_info(infos, len(openers))
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="blustream-step")

    @property
    def info(self) -> VolumeInfo:
        return self._info

    def described(self, info: VolumeInfo) -> SeriesSource:
        """Go by another description of the same voxels; gives itself."""
        self._info = info
        return self

    @property
    def n_open(self) -> int:
        """Steps that are held open now."""
        with self._lock:
            return len(self._held)

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        check_key(self._info, key)
        step = key.channel // len(self._info.channels)
        request = _Request()
        with self._lock:
            held = None if self._closed else self._held.get(step)
            if held is not None:
                self._held.move_to_end(step)
                held.n_under_way += 1
            elif not self._closed:
                waiting = self._waiting.setdefault(step, [])
                waiting.append((key, done, prefetch, request))
                if len(waiting) == 1:
                    self._pool.submit(self._open, step)
                return request
        if held is None:
            done(key, None)
            return DoneRequest()
        self._ask(held, key, done, prefetch, request)
        return request

    def close(self) -> None:
        with self._lock:
            is_first, self._closed = not self._closed, True
            held, self._held = list(self._held.values()), OrderedDict()
            waiting, self._waiting = list(self._waiting.values()), {}
        for one in held:
            one.source.close()
        for requests in waiting:
            for key, done, _, _ in requests:
                done(key, None)
        if is_first and hasattr(self, "_pool"):
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(
        self, held: _Held, key: BrickKey, done: BrickDone, prefetch: bool, request: _Request
    ) -> None:
        if request.is_cancelled:
            self._let_go(held)
            done(key, None)
            return
        own = key._replace(channel=self._info.own_channel(key.channel))

        def receive(_own: BrickKey, result: Samples | BlustreamError | None) -> None:
            self._let_go(held)
            done(key, result)

        request.inner = held.source.request_brick(own, receive, prefetch=prefetch)
        request.check()  # another thread may have cancelled it meanwhile

    def _let_go(self, held: _Held) -> None:
        with self._lock:
            held.n_under_way -= 1

    def _open(self, step: int) -> None:
        """Open a step for those who wait for it; the thread of the pool."""
        with self._lock:
            is_wanted = any(not request.is_cancelled for *_, request in self._waiting.get(step, ()))
        found = self._try(step) if is_wanted else None
        failure = found if isinstance(found, BlustreamError) else None
        held = None if found is None or isinstance(found, BlustreamError) else _Held(found)
        with self._lock:
            waiting = self._waiting.pop(step, [])
            too_late = self._closed
            too_many: list[_Held] = []
            if held is not None and not too_late:
                held.n_under_way = len(waiting)
                self._held[step] = held
                too_many = self._excess()
        for one in too_many:
            one.source.close()
        if held is not None and too_late:
            held.source.close()
            held = None
        for key, done, prefetch, request in waiting:
            if held is None:
                done(key, None if request.is_cancelled else failure)
            else:
                self._ask(held, key, done, prefetch, request)

    def _try(self, step: int) -> VolumeSource | BlustreamError:
        try:
            return self._openers[step]()
        except BlustreamError as exc:
            return exc
        except Exception as exc:  # a reader that fails as nobody foresaw
            logger.exception("Step %d cannot be opened", step)
            return VolumeFormatError(f"Step {step} cannot be read: {type(exc).__name__}.")

    def _excess(self) -> list[_Held]:
        """Take out steps nobody has looked at for longest, and that owe nothing; needs the lock."""
        taken = []
        for step, held in list(self._held.items())[:-1]:
            if len(self._held) <= MOST_OPEN:
                break
            if not held.n_under_way:
                taken.append(self._held.pop(step))
        return taken


def check_same_grid(first: VolumeInfo, other: VolumeInfo, name: str, other_name: str) -> None:
    """Refuse a step that is not a volume like the first.

    Raises
    ------
    VolumeFormatError
        Names it, and what differs.
    """
    differs = None
    if other.time is not None or first.time is not None:
        series = name if first.time is not None else other_name
        raise VolumeFormatError(
            f"{series} is a series itself, and cannot be a step of one.",
            hint="Show it alone, or give the list its single volumes.",
        )
    if other.shape != first.shape:
        differs = f"has {_shape(other)} voxels, and {name} {_shape(first)}"
    elif [c.dtype for c in other.channels] != [c.dtype for c in first.channels]:
        differs = f"has values of {_types(other)}, and {name} of {_types(first)}"
    elif (other.n_lods, other.brick_size) != (first.n_lods, first.brick_size):
        differs = f"is stored with other bricks and levels of detail than {name}"
    elif not _lies_like(first, other):
        differs = f"lies elsewhere than {name}, or has other line numbers or spacings"
    if differs is not None:
        raise VolumeFormatError(
            f"The steps of a series must share one grid: {other_name} {differs}.",
            hint="Show them in viewers of their own and link those: link(a, b).",
        )


def _lies_like(first: VolumeInfo, other: VolumeInfo) -> bool:
    for a, b in zip(first.axes, other.axes, strict=True):
        near = _NEAR * abs(a.step or 1.0)
        if abs(a.first - b.first) > near or abs(a.step - b.step) * a.n > near:
            return False
        if abs(a.spacing - b.spacing) * a.n > _NEAR * a.spacing * a.n:
            return False
    if first.affine is None or other.affine is None:
        return first.affine == other.affine
    near = _NEAR * max(max(map(abs, first.affine[row : row + 3])) for row in (0, 4, 8))
    corner = (*(axis.n - 1 for axis in first.axes), 1)
    return all(
        abs(sum((first.affine[r + k] - other.affine[r + k]) * at[k] for k in range(4))) <= near
        for r in (0, 4, 8)
        for at in ((0, 0, 0, 1), corner)
    )


def _shape(info: VolumeInfo) -> str:
    return " x ".join(map(str, info.shape))


def _types(info: VolumeInfo) -> str:
    return ", ".join(channel.dtype for channel in info.channels)


def _is_described(step: int, n_steps: int) -> bool:
    """Whether a step is one of those whose values stand for all, evenly chosen."""
    return step % -(-n_steps // _N_DESCRIBED) == 0


def _kept(info: VolumeInfo, *, is_described: bool) -> VolumeInfo:
    """Keep of a step's description its histograms if it is one of few."""
    if is_described:
        return info
    plain = tuple(
        msgspec.structs.replace(c, percentiles=(), abs_percentiles=(), histogram=())
        for c in info.channels
    )
    return msgspec.structs.replace(info, channels=plain)


def _series_info(infos: Sequence[VolumeInfo], n_steps: int) -> VolumeInfo:
    channels: list[Channel] = [
        joined([info.channels[number] for info in infos])
        for number in range(len(infos[0].channels))
    ]
    return msgspec.structs.replace(
        infos[0],
        channels=tuple(channels),
        time=TimeAxis(n_steps),
        source=f"{infos[0].source} series",
    )
