"""Value range, percentiles and histogram of volumes of any size, in one pass."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import ABS_PERCENTILES, PERCENTILES, Channel, Samples

N_BINS = 256
# Sign, exponent and 9 bits of mantissa: a bin is at most 0.2 % wide, for any range of values.
_KEPT_BITS = 18
_DROPPED_BITS = 32 - _KEPT_BITS
_EXPONENT_FULL = 0xFF << (23 - _DROPPED_BITS)


class RunningStatistics:
    """Gathers values block by block; NaN and infinity are left out.

    Notes
    -----
    Values are counted by the leading bits of their float32 form, so the range need not be known
    before, and two passes are not needed. Percentiles are exact to 0.1 % of the value; what is
    nearer to zero than a normal float32 counts as zero.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(1 << _KEPT_BITS, np.int64)
        self._is_integer = True
        self._min, self._max = np.inf, -np.inf

    def add(self, values: Samples) -> None:
        """Count a block of any shape and real dtype."""
        if values.size == 0:
            return
        self._is_integer &= values.dtype.kind in "ui"
        if values.dtype.kind in "ui" and values.dtype.itemsize <= 2:
            self._add_small_integers(values)
            return
        floats = np.ascontiguousarray(values, np.float32).ravel()
        self._counts += np.bincount(
            floats.view(np.uint32) >> _DROPPED_BITS, minlength=len(self._counts)
        )
        low, high = float(np.fmin.reduce(floats)), float(np.fmax.reduce(floats))
        if not (np.isfinite(low) and np.isfinite(high)):
            finite = floats[np.isfinite(floats)]
            if finite.size == 0:
                return
            low, high = float(finite.min()), float(finite.max())
        self._min, self._max = min(self._min, low), max(self._max, high)

    def _add_small_integers(self, values: Samples) -> None:
        # Few distinct values: counting integers is several times faster than counting floats.
        base = int(np.iinfo(values.dtype.name).min)
        counts = np.bincount(values.ravel().astype(np.int32) - base)
        present = np.flatnonzero(counts)
        distinct = (present + base).astype(np.float32)
        np.add.at(self._counts, distinct.view(np.uint32) >> _DROPPED_BITS, counts[present])
        self._min = min(self._min, float(distinct[0]))
        self._max = max(self._max, float(distinct[-1]))

    @property
    def n_finite(self) -> int:
        """Values counted so far."""
        lower, _, counts = self._ordered()
        return int(counts.sum()) if len(lower) else 0

    def describe(self, channel: Channel, span: tuple[float, float] | None = None) -> Channel:
        """Return `channel` with range, percentiles and histogram of what was counted.

        `span` is a range known otherwise, when only some values were counted; it widens the range.
        """
        lower, upper, counts = self._ordered()
        if not len(lower):
            return msgspec.structs.replace(channel, value_min=0.0, value_max=0.0)
        lower[0], upper[-1] = self._min, self._max
        low, high = self._min, self._max
        if span is not None and np.isfinite(span).all() and span[0] < span[1]:
            low, high = min(low, span[0]), max(high, span[1])
        magnitude = self._magnitudes(lower, upper, counts)
        return msgspec.structs.replace(
            channel,
            value_min=low,
            value_max=high,
            percentiles=_quantiles(lower, upper, counts, PERCENTILES),
            abs_percentiles=_quantiles(*magnitude, ABS_PERCENTILES),
            histogram=_histogram(lower, upper, counts, low, high),
        )

    def _ordered(
        self,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Lower and upper edge and count of the bins that are not empty, by rising value."""
        bins = np.flatnonzero(self._counts)
        exponent = bins & _EXPONENT_FULL
        bins = bins[exponent != _EXPONENT_FULL]
        near, far = _edge(bins, 0), _edge(bins, 1)
        order = np.argsort(np.where(np.signbit(near), far, near), kind="stable")
        near, far = near[order], far[order]
        if self._is_integer:  # the values of a bin are the integers in it
            far = near + np.sign(far) * np.maximum(np.ceil(np.abs(far - near)) - 1, 0)
        return np.minimum(near, far), np.maximum(near, far), self._counts[bins][order]

    def _magnitudes(
        self,
        lower: npt.NDArray[np.float64],
        upper: npt.NDArray[np.float64],
        counts: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        low = np.minimum(np.abs(lower), np.abs(upper))
        high = np.maximum(np.abs(lower), np.abs(upper))
        order = np.argsort(low, kind="stable")
        return low[order], high[order], counts[order]


def with_statistics(
    channel: Channel, values: Samples, *, span: tuple[float, float] | None = None
) -> Channel:
    """Add the range (at least `span`), percentiles and histogram of `values` to a channel."""
    statistics = RunningStatistics()
    statistics.add(values)
    return statistics.describe(channel, span)


def _edge(bins: npt.NDArray[np.intp], ahead: int) -> npt.NDArray[np.float64]:
    """Value at which a bin begins (0) or ends (1), seen from zero outwards."""
    bits = (bins.astype(np.uint64) + ahead) << _DROPPED_BITS
    sign = (bins.astype(np.uint64) >> (_KEPT_BITS - 1)) << 31
    largest = sign | np.uint64(0x7F7FFFFF)
    edges: npt.NDArray[np.float64] = (
        np.minimum(bits, largest).astype(np.uint32).view(np.float32).astype(np.float64)
    )
    # The bin of zero ends at 2e-41: percentiles of zeros would not be zero.
    edges[np.abs(edges) < np.finfo(np.float32).tiny] = 0.0
    return edges


def _quantiles(
    lower: npt.NDArray[np.float64],
    upper: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    percents: tuple[float, ...],
) -> tuple[float, ...]:
    """Values below which that share lies, linear inside a bin."""
    cumulative = np.cumsum(counts)
    wanted = np.asarray(percents) / 100 * cumulative[-1]
    at = np.minimum(np.searchsorted(cumulative, wanted), len(counts) - 1)
    inside = (wanted - (cumulative[at] - counts[at])) / counts[at]
    values = lower[at] + inside * (upper[at] - lower[at])
    return tuple(float(v) for v in values)


def _histogram(
    lower: npt.NDArray[np.float64],
    upper: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    value_min: float,
    value_max: float,
) -> tuple[int, ...]:
    """Count in equal bins; a source bin that crosses an edge is shared by width."""
    edges = np.linspace(value_min, value_max, N_BINS + 1)
    # Cumulative count as a function of value, sampled at the edges.
    nodes = np.column_stack([lower, upper]).ravel()
    heights = np.column_stack([np.cumsum(counts) - counts, np.cumsum(counts)]).ravel()
    at_edges = np.interp(edges, np.maximum.accumulate(nodes), heights)
    at_edges[0], at_edges[-1] = 0.0, float(heights[-1])
    return tuple(int(v) for v in np.diff(np.round(at_edges)).astype(np.int64))
